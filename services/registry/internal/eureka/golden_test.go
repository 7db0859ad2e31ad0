package eureka

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"eventprospect/services/registry/internal/registry"
)

// goldenState holds two Eureka instances, one of them down, and a native one; and one that has gone.
func goldenState(t *testing.T) (*state, time.Time) {
	t.Helper()
	joined := time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC)
	now := joined.Add(time.Hour)
	orders := parsed(t, "spring.json", "ORDERS")
	down := parsed(t, "fargo.xml", "TESTAPP")
	down.Reported = registry.Down
	gone := parsed(t, "eureka-js-client.json", "JQSERVICE")
	native := nativeEvent()
	native.Override = registry.OutOfService
	all := []registry.Instance{native, gone, orders, down}
	for i := range all {
		all[i].JoinTime, all[i].UpdateTime = joined, joined.Add(time.Duration(i)*time.Minute)
	}
	s := newState()
	s.apply(registry.Update{Reset: true, Changed: []registry.Instance{all[1], all[2]}, Revision: 40}, now.Add(-window-time.Second))
	all[2].UpdateTime = now
	s.apply(registry.Update{Changed: []registry.Instance{all[0], all[2], all[3]}, Removed: []registry.Key{gone.Key}, Revision: 42}, now)
	return s, now
}

// parsed gives what is kept of a registration in testdata.
func parsed(t testing.TB, file, app string) registry.Instance {
	t.Helper()
	parse := parseXML
	if strings.HasSuffix(file, ".json") {
		parse = parseJSON
	}
	e, err := parse([]byte(testdata(t, file)))
	if err != nil {
		t.Fatal(err)
	}
	i, err := decodeInfo(e, app)
	if err != nil {
		t.Fatal(err)
	}
	instance, _, err := toInstance(i)
	if err != nil {
		t.Fatal(err)
	}
	return instance
}

func TestAnswersAreWrittenAsNetflixDoes(t *testing.T) {
	t.Parallel()
	s, _ := goldenState(t)
	for _, c := range []struct {
		suffix string
		form   form
	}{{".json", asJSON}, {".xml", asXML}, {"-compact.json", asJSON | compact}, {"-compact.xml", asXML | compact}} {
		list := listing{s.revision, s.hash(), s.list(c.form, nil)}
		golden(t, "apps"+c.suffix, renderApps(c.form, list))
		golden(t, "delta"+c.suffix, renderApps(c.form, listing{s.revision, s.hash(), s.delta(c.form)}))
		golden(t, "app"+c.suffix, renderApp(c.form, s.app(c.form, "orders", nil)))
		golden(t, "instance"+c.suffix, renderInstance(c.form, s.services["event"]["event-1"].info))
		golden(t, "empty"+c.suffix, renderApps(c.form, listing{7, "", nil}))
	}
}

func TestAnswersAreWellFormed(t *testing.T) {
	t.Parallel()
	s, _ := goldenState(t)
	for f := form(0); f < forms; f++ {
		text := renderApps(f, listing{s.revision, s.hash(), s.list(f, nil)})
		if f&asJSON != 0 {
			if !json.Valid(text) {
				t.Errorf("not JSON: %s", text)
			}
			continue
		}
		for decoder := xml.NewDecoder(strings.NewReader(string(text))); ; {
			_, err := decoder.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%v: %s", err, text)
			}
		}
	}
}

// What is written once must stay the same when it is written again out of the same parts.
func TestPartsAreSharedWithoutHarm(t *testing.T) {
	t.Parallel()
	s, _ := goldenState(t)
	write := func() string { return string(renderApps(asJSON, listing{s.revision, s.hash(), s.list(asJSON, nil)})) }
	first := write()
	one := string(renderApp(asJSON, s.app(asJSON, "orders", nil)))
	if second := write(); first != second || !strings.Contains(first, one[len(`{"application":`):len(one)-1]) {
		t.Errorf("first %s\nthen %s\none %s", first, second, one)
	}
}

func TestTheHashCountsAllStatuses(t *testing.T) {
	t.Parallel()
	s, _ := goldenState(t)
	if got := s.hash(); got != "DOWN_1_OUT_OF_SERVICE_1_UP_1_" {
		t.Errorf("hash %q", got)
	}
	if got := newState().hash(); got != "" {
		t.Errorf("hash of nothing %q", got)
	}
}
