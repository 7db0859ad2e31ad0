//go:build linux

package scenario

import (
	"testing"
	"time"

	"eventprospect/e2e/chaos/internal/fleet"
)

// TestTroubleCostsNoRequest runs a short version of some scenarios: the promise, and not the time that it takes.
func TestTroubleCostsNoRequest(t *testing.T) {
	t.Parallel()
	chosen, err := Find([]string{"rolling", "kill", "hang", "registry"})
	if err != nil {
		t.Fatal(err)
	}
	programs, err := fleet.Build(t.Context(), t.TempDir(), Needed(chosen, "slow")...)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range chosen {
		t.Run(s.Name, func(t *testing.T) {
			t.Parallel()
			out, err := Run(t.Context(), s, Options{Programs: programs, Instance: "slow", Rate: 50, For: time.Second})
			if err != nil {
				t.Fatal(err)
			}
			if !out.Good() {
				t.Errorf("%d of %d requests failed (%s), %d instances deregistered while alive\n%v\n%s",
					out.Failed, out.Requests, out.Reasons(), out.Wronged, out.Failures, out.Logs)
			}
		})
	}
}

func TestFindNamesWhatThereIs(t *testing.T) {
	t.Parallel()
	if found, err := Find([]string{"all", "kill"}); err != nil || len(found) != len(All())+1 {
		t.Errorf("%d scenarios, error %v", len(found), err)
	}
	if _, err := Find([]string{"earthquake"}); err == nil {
		t.Error("an unknown scenario is found")
	}
}
