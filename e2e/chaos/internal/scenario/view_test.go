//go:build linux

package scenario

import (
	"slices"
	"testing"

	registryv1 "eventprospect/gen/registry/v1"
)

// up gives a change by which instances are UP; the ids are the addresses.
func up(addresses ...string) *registryv1.WatchResponse {
	change := &registryv1.WatchResponse{}
	for _, a := range addresses {
		change.Instances = append(change.Instances, &registryv1.Instance{Id: a, Address: a})
	}
	return change
}

// gone gives a change by which instances are gone.
func gone(ids ...string) *registryv1.WatchResponse { return &registryv1.WatchResponse{RemovedIds: ids} }

// all gives a first change: these and no others.
func all(addresses ...string) *registryv1.WatchResponse {
	change := up(addresses...)
	change.Snapshot = true
	return change
}

func TestAnInstanceThatIsAliveAndGoneIsCountedOnce(t *testing.T) {
	t.Parallel()
	part := all("a")
	part.More = true
	for name, c := range map[string]struct {
		changes []*registryv1.WatchResponse
		want    int
	}{
		"removed":                    {[]*registryv1.WatchResponse{gone("b")}, 1},
		"removed, and others change": {[]*registryv1.WatchResponse{gone("b"), up("c"), gone("c")}, 1},
		"removed twice":              {[]*registryv1.WatchResponse{gone("b"), up("b"), gone("b")}, 2},
		"both removed":               {[]*registryv1.WatchResponse{gone("a", "b")}, 2},
		"not in the new registry":    {[]*registryv1.WatchResponse{all("a")}, 1},
		"in the second part":         {[]*registryv1.WatchResponse{part, up("b")}, 0},
		"under another id":           {[]*registryv1.WatchResponse{{RemovedIds: []string{"b"}, Instances: []*registryv1.Instance{{Id: "x", Address: "b"}}}}, 0},
		"another one":                {[]*registryv1.WatchResponse{up("c"), gone("c")}, 0},
	} {
		v := newView()
		v.take(all("a", "b"))
		if !v.expect("a") || !v.expect("b") {
			t.Fatal("what is shown can't be expected")
		}
		for _, change := range c.changes {
			v.take(change)
		}
		if got := v.wronged(); got != c.want {
			t.Errorf("%s: counted %d, want %d", name, got, c.want)
		}
	}
}

func TestWhoIsExcusedMayGo(t *testing.T) {
	t.Parallel()
	v := newView()
	v.take(all("a", "b"))
	v.expect("a")
	v.excuse("a")
	v.take(gone("a"))
	if v.expect("a") {
		t.Error("an instance that isn't shown is expected")
	}
	if !v.rid("a") || v.rid("b") {
		t.Error("it isn't told who is gone")
	}
	if v.wronged() != 0 || !slices.Equal(v.addresses(), []string{"b"}) {
		t.Errorf("counted %d, shown %v", v.wronged(), v.addresses())
	}
}

func TestNothingIsExpectedOfWhatIsOld(t *testing.T) {
	t.Parallel()
	v := newView()
	if v.expect("a") {
		t.Error("expected before anything was said")
	}
	v.take(all("a"))
	v.lose()
	if v.expect("a") {
		t.Error("expected while the registry is away")
	}
}
