package eureka

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"eventprospect/services/registry/internal/registry"
)

func TestCallsAnswerWithTheStatusesThatClientsKnow(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.joined(t, nativeEvent())
	s.register(t, "ORDERS", "a", "UP")
	short := func(app, id string) string { return body(app, id, "UP", "1700000000000") }
	for _, c := range []struct {
		call, body string
		status     int
	}{
		{"POST /apps/ORDERS", short("ORDERS", "b"), 204},
		{"POST /apps/orders", short("Orders", "b"), 204},
		{"POST /apps/ORDERS", short("OTHER", "b"), 400},
		{"POST /apps/ORDERS", "", 400},
		{"POST /apps/ORDERS", "{", 400},
		{"POST /apps/ORDERS", "[]", 400},
		{"POST /apps/EVENT", short("EVENT", "event-1"), 403},
		{"PUT /apps/ORDERS/a", "", 200},
		{"PUT /apps/ORDERS/a?status=UP&lastDirtyTimestamp=1700000000000", "", 200},
		{"PUT /apps/ORDERS/a?status=UP&lastDirtyTimestamp=1600000000000", "", 200},
		{"PUT /apps/ORDERS/a?status=UP&lastDirtyTimestamp=1800000000000", "", 404},
		{"PUT /apps/ORDERS/a?lastDirtyTimestamp=now", "", 400},
		{"PUT /apps/ORDERS/z?status=UP", "", 404},
		{"PUT /apps/EVENT/event-1", "", 403},
		{"PUT /apps/ORDERS/a/status?value=OUT_OF_SERVICE&lastDirtyTimestamp=1", "", 200},
		{"PUT /apps/ORDERS/a/status", "", 400},
		{"PUT /apps/ORDERS/z/status?value=UP", "", 404},
		{"PUT /apps/EVENT/event-1/status?value=UP", "", 403},
		{"DELETE /apps/ORDERS/a/status?value=UP", "", 200},
		{"DELETE /apps/ORDERS/z/status", "", 404},
		{"DELETE /apps/EVENT/event-1/status", "", 403},
		{"PUT /apps/ORDERS/a/metadata?k=v", "", 200},
		{"PUT /apps/ORDERS/a/metadata?k=%zz", "", 400},
		{"PUT /apps/ORDERS/z/metadata?k=v", "", 404},
		{"PUT /apps/EVENT/event-1/metadata?k=v", "", 403},
		{"GET /apps", "", 200},
		{"GET /apps?regions=us-east-1", "", 200},
		{"GET /apps/delta", "", 200},
		{"GET /apps/delta?regions=us-east-1", "", 200},
		{"GET /apps/orders", "", 200},
		{"GET /apps/ORDERS", "", 200},
		{"GET /apps/NOBODY", "", 404},
		{"GET /apps/ORDERS/a", "", 200},
		{"GET /apps/ORDERS/z", "", 404},
		{"GET /instances/a", "", 200},
		{"GET /instances/z", "", 404},
		{"GET /vips/orders", "", 200},
		{"GET /vips/event", "", 200},
		{"GET /vips/orde", "", 404},
		{"GET /svips/s-orders", "", 200},
		{"GET /svips/orders", "", 404},
		{"HEAD /apps", "", 200},
		{"PUT /asg/x/status?value=ENABLED", "", 400},
		{"GET /status", "", 200},
		{"GET /serverinfo/statusoverrides", "", 200},
		{"POST /peerreplication/batch", `{"replicationList":[]}`, 200},
		{"PATCH /apps/ORDERS/a", "", 405},
		{"POST /apps", "", 405},
		{"DELETE /apps", "", 405},
		{"GET /nothing", "", 404},
		{"DELETE /apps/EVENT/event-1", "", 403},
		{"DELETE /apps/ORDERS/z", "", 404},
		{"DELETE /apps/ORDERS/b", "", 200},
		{"POST /apps/ORDERS", short("ORDERS", "b"), 204},
	} {
		method, path, _ := strings.Cut(c.call, " ")
		bare, query, _ := strings.Cut(path, "?")
		for i, full := range []string{"/eureka" + bare, "/eureka/v2" + bare, "/eureka" + bare + "/", "/eureka/v2" + bare + "/"} {
			if i > 0 && method == http.MethodDelete && !strings.HasSuffix(bare, "/status") && c.status == 200 {
				s.register(t, "ORDERS", "b", "UP")
			}
			if query != "" {
				full += "?" + query
			}
			w := s.do(method, full, c.body, bodyJSON, inJSON)
			if w.Code != c.status {
				t.Errorf("%s %s answered %d, want %d: %s", method, full, w.Code, c.status, w.Body)
			}
			if (w.Code == 404 || method != http.MethodGet && w.Code < 400) && bare != "/peerreplication/batch" && bare != "/nothing" && w.Body.Len() > 0 {
				t.Errorf("%s %s answered %d with a body: %q", method, full, w.Code, w.Body)
			}
		}
	}
}

func TestRegistrationIsRefusedInNetflixsWords(t *testing.T) {
	t.Parallel()
	s := start(t)
	without := func(field string) string {
		return strings.Replace(body("ORDERS", "a", "UP", "1"), `"`+field+`"`, `"unknown"`, 1)
	}
	for want, sent := range map[string]string{
		"Missing hostname":                                   without("hostName"),
		"Missing ip address":                                 without("ipAddr"),
		"Missing appName":                                    without("app"),
		"Missing dataCenterInfo":                             without("dataCenterInfo"),
		"Missing dataCenterInfo Name":                        without("name"),
		"Missing instanceId":                                 `{"instance":{}}`,
		"Mismatched appName, expecting ORDERS but was OTHER": body("OTHER", "a", "UP", "1"),
		"port: must be a whole number between 0 and 65535":   strings.Replace(body("ORDERS", "a", "UP", "1"), "80", "80000", 1),
	} {
		got := s.must(t, 400, "POST", "/eureka/apps/ORDERS", sent, bodyJSON)
		if got != want+"\n" {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// Other clients must always be able to read the list, whatever somebody registers.
func TestNothingCanBeRegisteredThatOthersCannotRead(t *testing.T) {
	t.Parallel()
	s := start(t)
	for name, c := range map[string]struct{ app, body string }{
		"a data center's name": {"ORDERS", strings.Replace(body("ORDERS", "a", "UP", "1"), "MyOwn", "Moon", 1)},
		"an app's character":   {"OR%3CDERS", body("OR<DERS", "a", "UP", "1")},
		"a long app":           {strings.Repeat("A", 129), body(strings.Repeat("A", 129), "a", "UP", "1")},
		"a long id":            {"ORDERS", body("ORDERS", strings.Repeat("a", 257), "UP", "1")},
		"a control character":  {"ORDERS", body("ORDERS", `a\u0000`, "UP", "1")},
		"a host with a space":  {"ORDERS", strings.Replace(body("ORDERS", "a", "UP", "1"), `"h"`, `"h h"`, 1)},
	} {
		if w := s.do("POST", "/eureka/apps/"+c.app, c.body, bodyJSON); w.Code != 400 {
			t.Errorf("%s: %d", name, w.Code)
		}
	}
	odd := strings.Replace(body("ORDERS", "odd", "SLEEPY", "1"), `"vipAddress"`,
		`"metadata":{"a b":"1","<k>&":"<v>\u0001","9":"x","x:y":"2","$_":"3","":"4"},"vipAddress"`, 1)
	s.must(t, 204, "POST", "/eureka/apps/ORDERS", odd, bodyJSON)
	e, err := parseXML([]byte(s.must(t, 200, "GET", "/eureka/apps/ORDERS/odd", "")))
	if err != nil {
		t.Fatal(err)
	}
	got := decodeMetadata(e.child("metadata"))
	want := metadata{"a b": "1", "<k>&": "<v>\ufffd", "9": "x", "x:y": "2", "$_": "3"}
	if fmt.Sprint(got) != fmt.Sprint(want) || e.value("status") != "UNKNOWN" {
		t.Errorf("got %q, want %q; status %q", got, want, e.value("status"))
	}
}

func TestIdsMayHoldAnything(t *testing.T) {
	t.Parallel()
	s := start(t)
	for id, path := range map[string]string{
		"host:orders:8080":                "host:orders:8080",
		"host%3Aencoded":                  "host%253Aencoded",
		"http://host/orders?x=1#y":        "http:%2F%2Fhost%2Forders%3Fx=1%23y",
		"${spring.application.name}:8080": "$%7Bspring.application.name%7D:8080",
		"grüße 😀":                         "gr%C3%BC%C3%9Fe%20%F0%9F%98%80",
	} {
		s.register(t, "ORDERS", id, "UP")
		for _, base := range []string{"/eureka/apps/ORDERS/", "/eureka/v2/instances/"} {
			if got := s.must(t, 200, "GET", base+path, "", inJSON); !strings.Contains(got, `"instanceId":"`+id+`"`) {
				t.Errorf("%s: %s", path, got)
			}
		}
		s.must(t, 200, "PUT", "/eureka/apps/ORDERS/"+path+"?status=UP", "")
		s.must(t, 200, "DELETE", "/eureka/apps/ORDERS/"+path, "")
	}
}

func TestAnOverrideCountsUntilItIsTakenBack(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.register(t, "ORDERS", "a", "UP")
	status := func(want, override string) {
		t.Helper()
		got := s.must(t, 200, "GET", "/eureka/apps/ORDERS/a", "", inJSON)
		if !strings.Contains(got, `"status":"`+want+`","overriddenStatus":"`+override+`"`) {
			t.Errorf("want %s, overridden %s: %s", want, override, got)
		}
	}
	s.must(t, 200, "PUT", "/eureka/apps/ORDERS/a/status?value=OUT_OF_SERVICE", "")
	status("OUT_OF_SERVICE", "OUT_OF_SERVICE")
	if got := s.must(t, 200, "GET", "/eureka/serverinfo/statusoverrides", ""); got != `{"a":"OUT_OF_SERVICE"}` {
		t.Errorf("overrides %s", got)
	}
	s.must(t, 200, "PUT", "/eureka/apps/ORDERS/a", "")
	s.register(t, "ORDERS", "a", "UP")
	status("OUT_OF_SERVICE", "OUT_OF_SERVICE")
	s.register(t, "ORDERS", "a", "DOWN") // its own word is worse
	status("DOWN", "OUT_OF_SERVICE")
	s.register(t, "ORDERS", "a", "UP")

	s.must(t, 200, "DELETE", "/eureka/apps/ORDERS/a/status", "")
	status("UNKNOWN", "UNKNOWN")
	s.must(t, 404, "PUT", "/eureka/apps/ORDERS/a", "") // so it tells its own status
	s.register(t, "ORDERS", "a", "UP")
	s.must(t, 200, "PUT", "/eureka/apps/ORDERS/a", "")
	status("UP", "UNKNOWN")

	s.must(t, 200, "DELETE", "/eureka/apps/ORDERS/a/status", "") // nothing was set
	status("UP", "UNKNOWN")

	s.register(t, "ORDERS", "a", "OUT_OF_SERVICE")
	s.must(t, 200, "PUT", "/eureka/apps/ORDERS/a/status?value=UP", "")
	status("UP", "UP")
	s.register(t, "ORDERS", "a", "OUT_OF_SERVICE")
	status("UP", "UP")
	s.must(t, 200, "PUT", "/eureka/apps/ORDERS/a/status?value=UNKNOWN", "")
	s.must(t, 404, "PUT", "/eureka/apps/ORDERS/a", "")
}

func TestAnOverrideComesBackWithTheRegistration(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.must(t, 204, "POST", "/eureka/apps/ORDERS", strings.Replace(body("ORDERS", "a", "UP", "1"), `"status"`, `"overriddenstatus":"OUT_OF_SERVICE","status"`, 1))
	got := s.must(t, 200, "GET", "/eureka/apps/ORDERS/a", "", inJSON)
	if !strings.Contains(got, `"status":"OUT_OF_SERVICE","overriddenStatus":"OUT_OF_SERVICE"`) {
		t.Error(got)
	}
}

func TestWhatAnotherServerPassesOnNeverReplacesWhatIsNewer(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.register(t, "ORDERS", "a", "UP")
	old := body("ORDERS", "a", "DOWN", "1600000000000")
	s.must(t, 204, "POST", "/eureka/apps/ORDERS", old, replicated)
	got := s.must(t, 409, "PUT", "/eureka/apps/ORDERS/a?lastDirtyTimestamp=1600000000000", "", replicated, inJSON)
	if !strings.Contains(got, `"status":"UP"`) || !strings.Contains(got, `"lastDirtyTimestamp":"1700000000000"`) {
		t.Error(got)
	}
	s.must(t, 404, "PUT", "/eureka/apps/ORDERS/a?lastDirtyTimestamp=1800000000000&overriddenstatus=OUT_OF_SERVICE", "", replicated)
	if got := s.must(t, 200, "GET", "/eureka/apps/ORDERS/a", "", inJSON); !strings.Contains(got, `"overriddenStatus":"OUT_OF_SERVICE"`) {
		t.Error(got)
	}
	s.must(t, 204, "POST", "/eureka/apps/ORDERS", old) // the instance itself has the last word
	if got := s.must(t, 200, "GET", "/eureka/apps/ORDERS/a", "", inJSON); !strings.Contains(got, `"status":"DOWN"`) {
		t.Error(got)
	}
}

func TestABatchOfAnotherServerIsTakenIn(t *testing.T) {
	t.Parallel()
	s := start(t)
	got := s.must(t, 200, "POST", "/eureka/v2/peerreplication/batch/", testdata(t, "batch.json"), bodyJSON)
	var codes []string
	for _, part := range strings.Split(got, `"statusCode":`)[1:] {
		codes = append(codes, part[:3])
	}
	if want := "404 200 200 409 404 200 200 200 404 400 400"; strings.Join(codes, " ") != want {
		t.Errorf("got %v, want %s", codes, want)
	}
	if strings.Count(got, "responseEntity") != 1 || !strings.Contains(got, `{"statusCode":409,"responseEntity":{"instanceId":"a"`) {
		t.Error(got)
	}
}

func TestMetadataIsUpdated(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.must(t, 204, "POST", "/eureka/apps/ORDERS", testdata(t, "spring.json"))
	s.must(t, 200, "PUT", "/eureka/apps/ORDERS/shop.local:orders:8080/metadata?gRPC_port=9999&zone=west&note=a%20b", "")
	i, err := s.core.Get(registry.Key{Service: "orders", ID: "shop.local:orders:8080"})
	if err != nil || i.Address != "10.1.2.3:9999" || i.Zone != "west" || i.Metadata["note"] != "a b" || i.Metadata["weight"] != "20" {
		t.Errorf("%+v %v", i, err)
	}
	if fromInstance(i).LastDirty != 1700000000456 {
		t.Error("the renewal would fail")
	}
}

func TestALeaseRunsOutOnce(t *testing.T) {
	t.Parallel()
	quick := settings()
	quick.Term = 200 * time.Millisecond
	s := startWith(t, quick, Default())
	short := strings.Replace(body("ORDERS", "a", "UP", "1"), `"status"`, `"leaseInfo":{"durationInSecs":1},"status"`, 1)
	began := time.Now()
	s.must(t, 204, "POST", "/eureka/apps/ORDERS", short)
	s.must(t, 200, "GET", "/eureka/apps/delta", "")
	eventually(t, func() bool { return s.do("GET", "/eureka/apps/ORDERS", "").Code == 404 })
	if after := time.Since(began); after < 500*time.Millisecond {
		t.Errorf("gone after %v", after)
	}
	s.must(t, 404, "PUT", "/eureka/apps/ORDERS/a", "")
	if got := s.must(t, 200, "GET", "/eureka/apps/delta", ""); !strings.Contains(got, "<actionType>DELETED</actionType>") {
		t.Error(got)
	}
}

func eventually(t *testing.T, done func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !done(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it did not come")
		}
	}
}

func TestTheTermIsBounded(t *testing.T) {
	t.Parallel()
	for seconds, want := range map[int32]time.Duration{0: 90 * time.Second, -5: 90 * time.Second, 1: time.Second, 90: 90 * time.Second, 1 << 30: time.Hour} {
		e, err := parseJSON([]byte(strings.Replace(body("ORDERS", "a", "UP", "1"), `"status"`, fmt.Sprintf(`"leaseInfo":{"durationInSecs":%d},"status"`, seconds), 1)))
		if err != nil {
			t.Fatal(err)
		}
		i, err := decodeInfo(e, "ORDERS")
		if err != nil {
			t.Fatal(err)
		}
		if _, term, err := toInstance(i); err != nil || term != want {
			t.Errorf("%d: %v %v", seconds, term, err)
		}
	}
}
