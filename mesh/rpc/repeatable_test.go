package rpc

import (
	"testing"

	"google.golang.org/protobuf/reflect/protoregistry"

	_ "eventprospect/gen/event/v1"
	_ "eventprospect/gen/registry/v1"
)

func TestTheContractSaysWhatIsRepeatable(t *testing.T) {
	t.Parallel()
	found := repeatable(protoregistry.GlobalFiles)
	for method, want := range map[string]bool{
		"/event.v1.EventService/GetEvent":          true,  // NO_SIDE_EFFECTS
		"/registry.v1.RegistryService/SetStatus":   true,  // IDEMPOTENT
		"/event.v1.EventService/CreateEvent":       true,  // request_id
		"/event.v1.EventService/DeleteEvent":       false, // none of them
		"/registry.v1.RegistryService/Watch":       false, // streams
		"/registry.v1.RegistryService/Join":        false,
		"/grpc.health.v1.Health/Watch":             false,
		"/event.v1.EventService/NoSuchMethodAtAll": false,
	} {
		if got := found[method] != nil; got != want {
			t.Errorf("%s is repeatable: %v", method, got)
		}
	}
}

func TestTheBudgetIsEarnedBySuccess(t *testing.T) {
	t.Parallel()
	b := newBudget(Calls{RetryBurst: 2, RetryRatio: 0.25})
	for range 10 {
		b.earn() // it is full already
	}
	spent := 0
	for b.spend() {
		spent++
	}
	if spent != 2 || !b.empty() {
		t.Errorf("there is room for %d retries, want 2", spent)
	}
	for range 4 {
		b.earn()
	}
	if b.empty() || !b.spend() || !b.empty() {
		t.Error("four calls that succeed don't allow one retry")
	}
}
