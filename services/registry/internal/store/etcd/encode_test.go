package etcd

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"eventprospect/services/registry/internal/registry"
)

// full is a record in which nothing is missing, and what it is in etcd: other releases read it, so that must not change.
var full = registry.Record{
	Instance: registry.Instance{
		Key: registry.Key{Service: "event", ID: "host:event:8080"}, Address: "10.0.0.1:8080", Reported: registry.Up, Override: registry.OutOfService,
		Zone: "z1", Weight: 3, Metadata: map[string]string{"k": "é"}, Details: []byte{0, 1, 2}, Leased: true,
		JoinTime:   time.Date(2026, 11, 23, 10, 20, 30, 123456000, time.UTC),
		UpdateTime: time.Date(2026, 11, 23, 10, 20, 31, 0, time.UTC),
	},
	Owner: registry.Node{Name: "registry-0", Run: "r1"}, Term: 90 * time.Second, Revision: 7,
}

const (
	fullText = `{"v":1,"address":"10.0.0.1:8080","status":"UP","override":"OUT_OF_SERVICE","zone":"z1","weight":3,` +
		`"metadata":{"k":"é"},"details":"AAEC","leased":true,"joined":"2026-11-23T10:20:30.123456Z","updated":"2026-11-23T10:20:31Z",` +
		`"owner":"registry-0","run":"r1","term":"1m30s","change":"c1"}`
	runText = `{"v":1,"run":"r1"}`
)

func TestTheEncodingStays(t *testing.T) {
	t.Parallel()
	value, err := encodeRecord(full, "c1")
	if err != nil || string(value) != fullText {
		t.Errorf("%s, error %v; want\n%s", value, err, fullText)
	}
	if value, err := encodeRun(full.Owner); err != nil || string(value) != runText {
		t.Errorf("%s, error %v; want %s", value, err, runText)
	}
	k := keys{"/p"}
	if got, want := k.instance(registry.Key{Service: "a/b", ID: "host:app 1"}), "/p/instances/a%2Fb/host:app%201"; got != want {
		t.Errorf("instance key %s, want %s", got, want)
	}
	if got, want := k.node("r/0"), "/p/nodes/r%2F0"; got != want {
		t.Errorf("node key %s, want %s", got, want)
	}
}

// TestALaterReleaseIsRead: what it adds is ignored, a status it adds takes no requests.
func TestALaterReleaseIsRead(t *testing.T) {
	t.Parallel()
	text := strings.Replace(fullText, `"v":1`, `"v":1,"new":{"a":[1]}`, 1)
	got, err := decodeRecord(full.Instance.Key, []byte(text), 7)
	if diff := cmp.Diff(full, got); err != nil || diff != "" {
		t.Errorf("error %v, %s", err, diff)
	}
	got, err = decodeRecord(full.Instance.Key, []byte(strings.Replace(fullText, `"OUT_OF_SERVICE"`, `"NEW"`, 1)), 7)
	if err != nil || got.Instance.Override != registry.Unknown {
		t.Errorf("override %v, error %v; want unknown", got.Instance.Override, err)
	}
	if n, err := decodeRun("registry-0", []byte(`{"v":1,"run":"r1","new":1}`)); err != nil || n != full.Owner {
		t.Errorf("node %v, error %v", n, err)
	}
}

func TestWhatCanNotBeReadIsRefused(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		``, `{`, `[]`, `{}`, `{"v":0}`, `{"term":"1s"}`, strings.Replace(fullText, `"v":1`, `"v":2`, 1), strings.Replace(fullText, "1m30s", "soon", 1),
	} {
		if _, err := decodeRecord(full.Instance.Key, []byte(text), 7); err == nil {
			t.Errorf("%s was read as a record", text)
		}
	}
	for _, text := range []string{``, `{}`, `{"v":2,"run":"r"}`, `r1`} {
		if _, err := decodeRun("n", []byte(text)); err == nil {
			t.Errorf("%s was read as a node", text)
		}
	}
}

func TestForeignKeysStandForNothing(t *testing.T) {
	t.Parallel()
	k := keys{"/p"}
	for _, key := range []string{
		"/p/instances/a", "/p/instances/a/b/c", "/p/instances/a%zz/b", "/p/instances/%61/b", "/p/other/a/b", "/q/instances/a/b", "/p/nodes/a/b", "/p",
	} {
		if got, ok := k.readInstance(key); ok {
			t.Errorf("%s was read as instance %v", key, got)
		}
		if got, ok := k.readNode(key); ok {
			t.Errorf("%s was read as node %v", key, got)
		}
	}
}
