package api

import (
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	registryv1 "eventprospect/gen/registry/v1"
)

// full has every field of the contract set; the test fails when the contract grows and this doesn't.
func full(t *testing.T) *registryv1.Instance {
	i := &registryv1.Instance{
		Service: "event", Id: "a", Address: "a:8080", Status: registryv1.Instance_UP, Zone: "z", Weight: 3,
		Override: registryv1.Instance_UP, Metadata: map[string]string{"version": "1"},
		JoinTime: timestamppb.New(time.Unix(1, 1000)), UpdateTime: timestamppb.New(time.Unix(2, 0)),
	}
	fields := i.ProtoReflect().Descriptor().Fields()
	for n := range fields.Len() {
		if !i.ProtoReflect().Has(fields.Get(n)) {
			t.Fatalf("%s is not set", fields.Get(n).Name())
		}
	}
	return i
}

func TestAnInstanceComesBackAsItWas(t *testing.T) {
	t.Parallel()
	for number := range registryv1.Instance_Status_name {
		want := full(t)
		want.Status = registryv1.Instance_Status(number)
		told := toInstance(want)
		if !told.JoinTime.IsZero() || !told.UpdateTime.IsZero() || told.Override != 0 {
			t.Error("what the registry sets was taken from the caller")
		}
		told.JoinTime, told.UpdateTime = want.GetJoinTime().AsTime(), want.GetUpdateTime().AsTime()
		told.Override = toStatus(want.GetOverride())
		if got := fromInstance(told); !proto.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	}
}

func TestUnsetTimesStayUnset(t *testing.T) {
	t.Parallel()
	if got := fromInstance(toInstance(full(t))); got.JoinTime != nil || got.UpdateTime != nil {
		t.Errorf("times %v and %v, want none", got.JoinTime, got.UpdateTime)
	}
}

func TestAStatusUnknownToTheContractIsNoStatus(t *testing.T) {
	t.Parallel()
	if got := toStatus(99); got != 0 {
		t.Errorf("status %d, want 0", got)
	}
}
