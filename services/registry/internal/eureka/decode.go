package eureka

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The bounds of names, in bytes. All else is bounded by the size of the request and of an instance.
const (
	maxApp  = 128
	maxID   = 256
	maxHost = 255
)

// What Netflix assumes where an instance doesn't tell (com.netflix.appinfo.InstanceInfo, LeaseInfo).
const (
	defaultPort       = 7001
	defaultSecurePort = 7002
	defaultCountry    = 1
	defaultRenewal    = 30
	defaultDuration   = 90
)

// decodeInfo reads an instance, registered as app, which is in upper case. It fails with Netflix's refusals in Netflix's order, and
// with more of the kind for what would keep other clients from reading the list.
func decodeInfo(e *element, app string) (*info, error) {
	if inner := e.child("instance"); inner != nil {
		e = inner
	}
	i := &info{
		InstanceID: e.value("instanceId"), HostName: e.value("hostName"), App: strings.ToUpper(e.value("app")),
		IPAddr: e.value("ipAddr"), SID: e.value("sid"), Status: "UP", AppGroup: strings.ToUpper(e.value("appGroupName")),
		HomePageURL: e.value("homePageUrl"), StatusPageURL: e.value("statusPageUrl"), HealthCheckURL: e.value("healthCheckUrl"),
		SecureHealthURL: e.value("secureHealthCheckUrl"), VIP: e.value("vipAddress"), SecureVIP: e.value("secureVipAddress"),
		Coordinating: e.value("isCoordinatingDiscoveryServer") == "true", ASG: e.value("asgName"),
	}
	if e.child("status") != nil {
		i.Status = knownStatus(e.value("status"))
	}
	i.OverriddenStatus = knownStatus(e.value("overriddenStatus"))
	i.DataCenter = decodeDataCenter(e.child("dataCenterInfo"))
	if i.InstanceID == "" {
		i.InstanceID = i.DataCenter.id(i.HostName)
	}
	if err := i.check(app); err != nil {
		return nil, err
	}
	i.Metadata = decodeMetadata(e.child("metadata"))
	return i, i.decodeNumbers(e)
}

// check refuses as com.netflix.eureka.resources.ApplicationResource does, and names that nobody could use.
func (i *info) check(app string) error {
	switch {
	case i.InstanceID == "":
		return badRequest("Missing instanceId")
	case i.HostName == "":
		return badRequest("Missing hostname")
	case i.IPAddr == "":
		return badRequest("Missing ip address")
	case i.App == "":
		return badRequest("Missing appName")
	case i.App != app:
		return badRequest(fmt.Sprintf("Mismatched appName, expecting %s but was %s", app, i.App))
	case i.DataCenter == nil:
		return badRequest("Missing dataCenterInfo")
	case i.DataCenter.Name == "":
		return badRequest("Missing dataCenterInfo Name")
	case i.DataCenter.Name != netflix && i.DataCenter.Name != amazon && i.DataCenter.Name != myOwn:
		return badRequest("dataCenterInfo: the name must be MyOwn, Amazon or Netflix: clients can't read others")
	case !validText(i.HostName, maxHost):
		return badRequest("hostName: must be at most 255 bytes without spaces and control characters")
	case !validText(i.IPAddr, maxHost):
		return badRequest("ipAddr: must be at most 255 bytes without spaces and control characters")
	}
	return checkNames(i.App, i.InstanceID)
}

// checkNames refuses names that can't be kept. An id has any form: host:app:8080, or a whole address.
func checkNames(app, id string) error {
	if !validApp(app) {
		return badRequest("app: must be 1 to 128 letters (A-Z), digits, dots, dashes and underscores, beginning with a letter or digit")
	}
	if id != "" && (len(id) > maxID || !utf8.ValidString(id) || strings.ContainsFunc(id, unicode.IsControl)) {
		return badRequest("instanceId: must be at most 256 bytes of UTF-8 without control characters")
	}
	return nil
}

func validApp(app string) bool {
	for i, c := range app {
		inner := i > 0 && strings.ContainsRune("._-", c)
		if !inner && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			return false
		}
	}
	return app != "" && len(app) <= maxApp
}

func validText(text string, limit int) bool {
	unfit := func(c rune) bool { return unicode.IsControl(c) || unicode.IsSpace(c) }
	return len(text) <= limit && utf8.ValidString(text) && !strings.ContainsFunc(text, unfit)
}

func decodeDataCenter(e *element) *dataCenter {
	if e == nil {
		return nil
	}
	d := &dataCenter{Class: classDataCenter, Name: e.value("name")}
	if d.Name == amazon {
		d.Class, d.Metadata = classAmazon, decodeMetadata(e.child("metadata"))
	}
	return d
}

// id is an instance's id if it tells none: Amazon's, or its host's name (InstanceInfo.getId).
func (d *dataCenter) id(host string) string {
	if d != nil && d.Metadata["instance-id"] != "" {
		return d.Metadata["instance-id"]
	}
	return host
}

// decodeMetadata leaves out what says only which of Java's classes it was.
func decodeMetadata(e *element) metadata {
	if e == nil {
		return nil
	}
	m := metadata{}
	for _, c := range e.children {
		if c.name != "" && !strings.HasPrefix(c.name, "@") && !c.null {
			m[c.name] = c.text
		}
	}
	return m
}

func (i *info) decodeNumbers(e *element) error {
	d := numbers{e: e}
	i.Port = d.port("port", port{defaultPort, true})
	i.SecurePort = d.port("securePort", port{defaultSecurePort, false})
	i.CountryID = int32(d.number(e, "countryId", defaultCountry, math.MinInt32, math.MaxInt32))
	i.LastDirty = d.number(e, "lastDirtyTimestamp", 0, 0, math.MaxInt64)
	terms := e.child("leaseInfo")
	i.Lease.Renewal = int32(d.number(terms, "renewalIntervalInSecs", defaultRenewal, math.MinInt32, math.MaxInt32))
	i.Lease.Duration = int32(d.number(terms, "durationInSecs", defaultDuration, math.MinInt32, math.MaxInt32))
	if i.Lease.Renewal <= 0 {
		i.Lease.Renewal = defaultRenewal
	}
	if i.Lease.Duration <= 0 {
		i.Lease.Duration = defaultDuration
	}
	return d.err
}

// numbers reads numbers, which clients write as numbers or as strings, and keeps the first error.
type numbers struct {
	e   *element
	err error
}

func (n *numbers) number(e *element, name string, otherwise, least, most int64) int64 {
	text := e.value(name)
	if text == "" {
		return otherwise
	}
	number, err := strconv.ParseInt(text, 10, 64)
	if (err != nil || number < least || number > most) && n.err == nil {
		n.err = badRequest(fmt.Sprintf("%s: must be a whole number between %d and %d", name, least, most))
	}
	return number
}

// port reads a port in the form of any client, a bare number among them.
func (n *numbers) port(name string, otherwise port) port {
	number := uint16(n.number(n.e, name, int64(otherwise.Number), 0, math.MaxUint16))
	c := n.e.child(name)
	if c == nil {
		return otherwise
	}
	p := port{number, otherwise.Enabled}
	if enabled := c.value("@enabled"); enabled != "" {
		p.Enabled = enabled == "true"
	}
	return p
}

// knownStatus reads a status; what Netflix does not know is UNKNOWN.
func knownStatus(text string) string {
	switch s := strings.ToUpper(text); s {
	case "UP", "DOWN", "STARTING", "OUT_OF_SERVICE":
		return s
	default:
		return "UNKNOWN"
	}
}

// badBody tells that a request can't be read at all.
func badBody(err error) error {
	var known *refusal
	if errors.As(err, &known) {
		return err
	}
	return &refusal{status: http.StatusBadRequest, text: "the body can't be read: " + err.Error()}
}
