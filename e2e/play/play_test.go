package play

import (
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"go.yaml.in/yaml/v3"
)

func TestACaseThatMeansNothingIsRefused(t *testing.T) {
	t.Parallel()
	const step = "call: event.v1.EventService/GetEvent, request: {id: x}"
	for name, c := range map[string]struct{ text, says string }{
		"misspelled key":         {"a: {stepz: []}", "stepz"},
		"misspelled key in want": {"a: {steps: [{" + step + ", want: {code: OK, status: 200, respons: {}}}]}", "respons"},
		"unknown RPC":            {"a: {steps: [{call: event.v1.EventService/Get, want: {code: OK, status: 200}}]}", "event.v1.EventService/Get"},
		"unknown code":           {"a: {steps: [{" + step + ", want: {code: FINE, status: 200}}]}", "FINE"},
		"no code":                {"a: {steps: [{" + step + ", want: {status: 200}}]}", "code"},
		"no status":              {"a: {steps: [{" + step + ", want: {code: OK}}]}", "status"},
		"unknown user":           {"a: {steps: [{" + step + ", as: eve, want: {code: OK, status: 200}}]}", "eve"},
		"unknown door":           {"a: {doors: [soap], steps: [{" + step + ", want: {code: OK, status: 200}}]}", "soap"},
		"neither call nor http":  {"a: {steps: [{want: {code: OK, status: 200}}]}", "either"},
		"a stream":               {"a: {steps: [{call: registry.v1.RegistryService/Watch, want: {code: OK, status: 200}}]}", "is a stream"},
		"no REST path":           {"a: {steps: [{call: prospect.v1.OutboxService/GetOutbox, want: {code: OK, status: 200}}]}", "no REST path"},
		"no steps":               {"a: {about: nothing}", "no steps"},
		"the same case twice":    {"a: {steps: []}\na: {steps: []}", "already defined"},
		"a second document":      {"a: {steps: [{" + step + ", want: {code: OK, status: 200}}]}\n---\nb: {}", "more than one"},
	} {
		_, err := Load(fstest.MapFS{"x.yaml": {Data: []byte(c.text)}})
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: got %v, want it to say %q", name, err, c.says)
		}
	}
}

func TestMatch(t *testing.T) {
	t.Parallel()
	vars := variables{"id": "7"}
	for _, c := range []struct {
		want, got string
		matches   bool
	}{
		{`{a: 1}`, `{"a": 1, "b": 2}`, true},
		{`{a: 1}`, `{"a": 2}`, false},
		{`{a: 1}`, `{"a": "1"}`, false},
		{`{a: 1}`, `{"b": 1}`, false},
		{`{a: "${id}"}`, `{"a": "7"}`, true},
		{`{a: null}`, `{"a": null}`, true},
		{`{a: ""}`, `{"a": null}`, false},
		{`{a: <empty>}`, `{"a": null}`, true},
		{`{a: <any>}`, `{"a": ""}`, false},
		{`{a: <any>}`, `{"a": "x"}`, true},
		{`{a: "<not ${id}>"}`, `{"a": "7"}`, false},
		{`{a: "<contains ${id}>"}`, `{"a": "678"}`, true},
		{`{a: <time>}`, `{"a": "2026-01-31T23:59:59.5Z"}`, true},
		{`{a: <time>}`, `{"a": "2026-01-31T23:59:59+01:00"}`, false},
		{`{a: <today>}`, `{"a": "2001-01-01"}`, false},
		{`{a: <nonsense>}`, `{"a": "x"}`, false},
		{`[{a: 1}, {a: 2}]`, `[{"a": 1}, {"a": 2}]`, true},
		{`[{a: 1}]`, `[{"a": 1}, {"a": 2}]`, false},
		{`<length 2>`, `[1, 2]`, true},
		{`!some [{a: 2}]`, `[{"a": 1}, {"a": 2}]`, true},
		{`!some [{a: 3}]`, `[{"a": 1}, {"a": 2}]`, false},
		{`!only {a: 1}`, `{"a": 1, "b": 2}`, false},
		{`!only {}`, `{}`, true},
		{`{a: "${unknown}"}`, `{"a": ""}`, false},
	} {
		var want yaml.Node
		if err := yaml.Unmarshal([]byte(c.want), &want); err != nil {
			t.Fatal(err)
		}
		got, err := parseTree([]byte(c.got))
		if err != nil {
			t.Fatal(err)
		}
		if wrong := match("x", want.Content[0], got, vars); (len(wrong) == 0) != c.matches {
			t.Errorf("%s and %s: %v", c.want, c.got, wrong)
		}
	}
}

func TestARequestIsSpreadOverPathQueryAndBody(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		rpc     string
		request map[string]any
		targets []string
		body    string
	}{
		{
			"prospect.v1.ProspectService/CreateProspect",
			map[string]any{"prospect": map[string]any{"firstName": "Grace"}, "requestId": "r"},
			[]string{"/v1/prospects?requestId=r", "/prospects?requestId=r"},
			`{"firstName":"Grace"}`,
		},
		{
			"event.v1.EventService/UpdateEvent",
			map[string]any{"event": map[string]any{"id": "a/b", "dateEvent": nil}, "updateMask": "dateEvent"},
			[]string{"/v1/events/a%2Fb?updateMask=dateEvent", "/events/a%2Fb?updateMask=dateEvent"},
			`{"dateEvent":null}`,
		},
		{
			"event.v1.EventService/BatchGetEvents",
			map[string]any{"ids": []any{"a", "b"}},
			[]string{"/v1/events:batchGet?ids=a&ids=b"},
			"",
		},
		{
			"prospect.v1.ProspectService/FindProspectByFiledWork",
			map[string]any{"filedWork": "50% off: R&D?"},
			[]string{"/prospects/filedWork/" + url.PathEscape("50% off: R&D?")},
			"",
		},
	} {
		rpc, err := findRPC(c.rpc)
		if err != nil {
			t.Fatal(err)
		}
		var targets []string
		for _, b := range bindingsOf(rpc) {
			target, body, err := b.request(c.request)
			if err != nil || body != c.body {
				t.Errorf("%s: body %s, %v", b, body, err)
			}
			targets = append(targets, target)
		}
		if !slices.Equal(targets, c.targets) {
			t.Errorf("%s: %v, want %v", c.rpc, targets, c.targets)
		}
	}
}

func TestFieldsAreSpelledAsAJSONClientDoes(t *testing.T) {
	t.Parallel()
	rpc, err := findRPC("prospect.v1.ProspectService/CreateProspect")
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{"prospect.first_name": "firstName", "prospect_id": "prospectId", "prospect": "body"} {
		if got := clientField(rpc, path); got != want {
			t.Errorf("%s is %s, want %s", path, got, want)
		}
	}
}
