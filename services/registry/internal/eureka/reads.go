package eureka

import (
	"fmt"
	"net/http"

	"eventprospect/mesh/fault"
)

func (f *face) listApps(w http.ResponseWriter, r *http.Request) error {
	return f.listing(w, r, f.view.apps)
}

func (f *face) listDelta(w http.ResponseWriter, r *http.Request) error {
	return f.listing(w, r, f.view.changes)
}

// listing answers a document that is kept. The parameter regions, of other registries whose instances a client wants to see, too, is
// accepted: there is no other region here.
func (f *face) listing(w http.ResponseWriter, r *http.Request, get func(form) (*document, error)) error {
	d, err := get(formOf(r))
	if err != nil {
		return err
	}
	writeDocument(w, r, http.StatusOK, formOf(r), d)
	return nil
}

func (f *face) getApp(w http.ResponseWriter, r *http.Request) error {
	body, err := f.view.app(formOf(r), r.PathValue("app"))
	return f.found(w, r, body, err)
}

func (f *face) getInstance(w http.ResponseWriter, r *http.Request) error {
	instance, err := f.core.Get(keyOf(r.PathValue("app"), r.PathValue("id")))
	if err != nil {
		return err
	}
	f.write(w, r, http.StatusOK, renderInstance(formOf(r), fromInstance(instance)))
	return nil
}

func (f *face) findInstance(w http.ResponseWriter, r *http.Request) error {
	i, err := f.view.find(r.PathValue("id"))
	if err != nil {
		return err
	}
	if i == nil {
		return f.found(w, r, nil, nil)
	}
	return f.found(w, r, renderInstance(formOf(r), i), nil)
}

func (f *face) listVIP(w http.ResponseWriter, r *http.Request) error {
	vip := r.PathValue("vip")
	body, err := f.view.some(formOf(r), func(i *info) bool { return hasVIP(i.VIP, vip) })
	return f.found(w, r, body, err)
}

func (f *face) listSecureVIP(w http.ResponseWriter, r *http.Request) error {
	vip := r.PathValue("vip")
	body, err := f.view.some(formOf(r), func(i *info) bool { return hasVIP(i.SecureVIP, vip) })
	return f.found(w, r, body, err)
}

// found answers a document, or that there is none.
func (f *face) found(w http.ResponseWriter, r *http.Request, body []byte, err error) error {
	if err != nil {
		return err
	}
	if body == nil {
		return fault.New(fault.NotFound, "nothing has this name")
	}
	f.write(w, r, http.StatusOK, body)
	return nil
}

// serverStatus is com.netflix.eureka.util.StatusInfo, as far as it is anybody's business.
type serverStatus struct {
	General struct {
		Uptime string `json:"server-uptime" xml:"server-uptime"`
	} `json:"generalStats" xml:"generalStats"`
	Replicas struct {
		Registered  string `json:"registered-replicas"  xml:"registered-replicas"`
		Available   string `json:"available-replicas"   xml:"available-replicas"`
		Unavailable string `json:"unavailable-replicas" xml:"unavailable-replicas"`
	} `json:"applicationStats" xml:"applicationStats"`
	Healthy bool `json:"isHealthy" xml:"isHealthy"`
}

func (f *face) getStatus(w http.ResponseWriter, r *http.Request) error {
	up := f.now().Sub(f.started)
	s := serverStatus{Healthy: true}
	s.General.Uptime = fmt.Sprintf("%d days %02d:%02d", int(up.Hours())/24, int(up.Hours())%24, int(up.Minutes())%60)
	body := render(formOf(r), "status", s)
	if formOf(r)&asJSON != 0 {
		body = append(append([]byte(`{"status":`), body...), '}')
	}
	f.write(w, r, http.StatusOK, body)
	return nil
}

// listOverrides answers in JSON, whatever a client asks for, as Netflix's server does.
func (f *face) listOverrides(w http.ResponseWriter, r *http.Request) error {
	set, err := f.view.overrides()
	if err != nil {
		return err
	}
	writeDocument(w, r, http.StatusOK, asJSON, newDocument(render(asJSON, "", set)))
	return nil
}
