package eureka

import (
	"encoding/json"
	"encoding/xml"
	"reflect"
	"strings"
	"testing"

	"eventprospect/services/registry/internal/registry"
)

// The same instance, as Spring, Spring with other names, and Netflix's XML tell it, is kept as the same.
func TestWhatClientsSendIsUnderstood(t *testing.T) {
	t.Parallel()
	want := registry.Instance{
		Key: registry.Key{Service: "orders", ID: "shop.local:orders:8080"}, Address: "10.1.2.3:9090", Reported: registry.Up,
		Zone: "north", Weight: 20, Leased: true,
		Metadata: map[string]string{"management.port": "8081", "zone": "north", "weight": "20", "gRPC_port": "9090"},
	}
	for _, file := range []string{"spring.json", "spring-snake.json", "netflix.xml"} {
		got := parsed(t, file, "ORDERS")
		i := decodeDetails(got.Details)
		if i == nil || i.StatusPageURL != "http://shop.local:8080/actuator/info?a=1&b=<2>" || i.LastDirty != 1700000000456 ||
			i.Lease != (lease{Renewal: 5, Duration: 15}) || i.Port != (port{8080, true}) || i.SecurePort != (port{443, false}) {
			t.Errorf("%s: %+v", file, i)
		}
		got.Details = nil
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s\ngot  %+v\nwant %+v", file, got, want)
		}
	}
}

func TestSmallerClientsAreUnderstood(t *testing.T) {
	t.Parallel()
	for file, want := range map[string]registry.Instance{
		"eureka-js-client.json": {
			Key: registry.Key{Service: "jqservice", ID: "localhost"}, Address: "127.0.0.1:3000", Weight: 7,
			Metadata: map[string]string{"weight": "7", "canary": "true"},
		},
		"fargo.json": {Key: registry.Key{Service: "testapp", ID: "i-123456"}, Address: "127.0.0.10:9090", Metadata: map[string]string{}},
		"fargo.xml": {
			Key: registry.Key{Service: "testapp", ID: "i-123456"}, Address: "127.0.0.10:9091", Zone: "us-east-1c",
			Metadata: map[string]string{"gRPC_port": "9091"},
		},
	} {
		want.Reported, want.Leased = registry.Up, true
		got := parsed(t, file, strings.ToUpper(want.Service))
		got.Details = nil
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s\ngot  %+v\nwant %+v", file, got, want)
		}
	}
}

// What a client reads it can register again, in either form, and it is the same.
func TestAnInstanceSurvivesTheWayThroughTheRegistry(t *testing.T) {
	t.Parallel()
	s := start(t)
	for file, app := range map[string]string{
		"spring.json": "ORDERS", "netflix.xml": "ORDERS", "eureka-js-client.json": "JQSERVICE", "fargo.json": "TESTAPP", "fargo.xml": "TESTAPP",
	} {
		kept := parsed(t, file, app)
		s.must(t, 204, "POST", "/eureka/apps/"+app, testdata(t, file))
		for _, accept := range []string{inJSON, "Accept: application/xml"} {
			shown := s.must(t, 200, "GET", "/eureka/apps/"+app+"/"+kept.ID, "", accept)
			s.must(t, 204, "POST", "/eureka/apps/"+app, shown)
			got, err := s.core.Get(kept.Key)
			if err != nil {
				t.Fatal(err)
			}
			a, b := fromInstance(got), fromInstance(kept)
			for _, i := range []*info{a, b} { // what the registry sets
				i.LastUpdated, i.Lease.Registration, i.Lease.LastRenewal, i.Lease.ServiceUp = 0, 0, 0, 0
				if !strings.Contains(testdata(t, file), "lastDirtyTimestamp") {
					i.LastDirty = 0
				}
			}
			if !reflect.DeepEqual(a, b) {
				t.Errorf("%s as %s\ngot  %+v\nwant %+v", file, accept, a, b)
			}
		}
	}
}

// Details that a later version has written are not misread.
func TestDetailsHaveAVersion(t *testing.T) {
	t.Parallel()
	i := parsed(t, "spring.json", "ORDERS")
	if !strings.HasPrefix(string(i.Details), `{"v":1,"instance":{`) {
		t.Errorf("details %s", i.Details)
	}
	i.Details = []byte(strings.Replace(string(i.Details), `"v":1`, `"v":2`, 1))
	shown := fromInstance(i)
	if shown.HostName != "10.1.2.3" || shown.VIP != "orders" || shown.Port.Number != 9090 || shown.Status != "UP" {
		t.Errorf("%+v", shown)
	}
}

func TestGRPCPortsOfAllStarters(t *testing.T) {
	t.Parallel()
	i := &info{IPAddr: "::1", Port: port{80, true}, SecurePort: port{443, true}, DataCenter: &dataCenter{Name: myOwn}}
	for key, want := range map[string]string{"gRPC_port": "[::1]:90", "gRPC.port": "[::1]:90", "grpc.port": "[::1]:90", "port": "[::1]:80"} {
		instance := registry.Instance{Metadata: map[string]string{key: "90", "weight": "many"}}
		if derive(&instance, i); instance.Address != want || instance.Weight != 0 {
			t.Errorf("%s: %+v", key, instance)
		}
	}
	i.Port.Enabled = false
	instance := registry.Instance{Metadata: map[string]string{"gRPC_port": "0", "weight": "5000"}}
	if derive(&instance, i); instance.Address != "[::1]:443" || instance.Weight != maxWeight {
		t.Errorf("%+v", instance)
	}
}

func TestNestingIsBounded(t *testing.T) {
	t.Parallel()
	if _, err := parseJSON([]byte(strings.Repeat(`{"a":`, 1000) + "1" + strings.Repeat("}", 1000))); err == nil {
		t.Error("deep JSON was read")
	}
	if _, err := parseJSON([]byte(`{"a":` + strings.Repeat("[", 1000) + strings.Repeat("]", 1000) + "}")); err == nil {
		t.Error("a deep array was read")
	}
	if _, err := parseXML([]byte(strings.Repeat("<a>", 1000) + strings.Repeat("</a>", 1000))); err == nil {
		t.Error("deep XML was read")
	}
}

func TestNamesOfMetadataAreXML(t *testing.T) {
	t.Parallel()
	for key, want := range map[string]string{
		"gRPC_port": "gRPC__port", "a$b": "a_-b", "management.port": "management.port", "9": "_.0039", "a b": "a_.0020b", "x:y": "x_.003ay", "ü": "ü",
	} {
		name := encodeName(key)
		if name != want || decodeName(xml.Name{Local: name}) != key {
			t.Errorf("%q: %q, back %q", key, name, decodeName(xml.Name{Local: name}))
		}
	}
	for name, want := range map[string]string{"gRPC_port": "gRPC_port", "a_": "a_", "_.zz": "_.zz"} {
		if got := decodeName(xml.Name{Local: name}); got != want {
			t.Errorf("%q: %q", name, got)
		}
	}
}

func FuzzRegistration(f *testing.F) {
	for _, file := range []string{"spring.json", "netflix.xml", "eureka-js-client.json", "fargo.json", "fargo.xml"} {
		f.Add([]byte(testdata(f, file)))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		parse := parseXML
		if isJSON("", text) {
			parse = parseJSON
		}
		e, err := parse(text)
		if err != nil {
			return
		}
		i, err := decodeInfo(e, strings.ToUpper(e.value("app")))
		if err != nil {
			return
		}
		instance, _, err := toInstance(i)
		if err != nil {
			t.Fatal(err)
		}
		shown := fromInstance(instance)
		if !json.Valid(renderInstance(asJSON, shown)) {
			t.Error("what is kept can't be written in JSON")
		}
		if _, err := parseXML(renderInstance(asXML, shown)); err != nil {
			t.Errorf("what is kept can't be written in XML: %v", err)
		}
	})
}
