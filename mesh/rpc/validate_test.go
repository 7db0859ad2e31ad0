package rpc

import (
	"testing"

	eventv1 "eventprospect/gen/event/v1"
	"eventprospect/mesh/fault"
)

func TestWhatIsNoMessageIsOurDefect(t *testing.T) {
	t.Parallel()
	v, err := newValidator()
	if err != nil {
		t.Fatal(err)
	}
	if err := v.check("text"); !fault.Is(err, fault.Internal) {
		t.Errorf("got %v, want Internal", err)
	}
}

func BenchmarkValidator(b *testing.B) {
	v, err := newValidator()
	if err != nil {
		b.Fatal(err)
	}
	req := &eventv1.CreateEventRequest{Event: &eventv1.Event{Name: "Fair", DateEvent: "2026-10-01"}}
	for b.Loop() {
		if err := v.check(req); err != nil {
			b.Fatal(err)
		}
	}
}
