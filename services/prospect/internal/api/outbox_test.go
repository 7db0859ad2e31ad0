package api

import (
	"context"
	"errors"
	"testing"

	prospectv1 "eventprospect/gen/prospect/v1"
	"eventprospect/mesh/fault"
	"eventprospect/mesh/meshtest"
)

func TestGetOutboxTellsWhatWaits(t *testing.T) {
	t.Parallel()
	r := start(t)
	ctx := meshtest.As(t, r.issuer.Token("admin"))
	empty, err := r.GetOutbox(ctx, &prospectv1.GetOutboxRequest{})
	if err != nil || empty.GetWaitingCount() != 0 || empty.OldestTime != nil || empty.GetMaxWaitingCount() != maxWaiting {
		t.Errorf("%v, error %v", empty, err)
	}
	first := r.create(t, "Ada", "Grace")[0]
	got, err := r.GetOutbox(ctx, &prospectv1.GetOutboxRequest{})
	if err != nil || got.GetWaitingCount() != 2 || !got.GetOldestTime().AsTime().Equal(first.GetCreateTime().AsTime()) {
		t.Errorf("%v, error %v; want 2 since %v", got, err, first.GetCreateTime())
	}
}

func TestGetOutboxIsForAdmins(t *testing.T) {
	t.Parallel()
	r := start(t)
	for name, ctx := range map[string]struct {
		context.Context
		kind fault.Kind
	}{
		"nobody": {t.Context(), fault.Unauthenticated}, "editor": {meshtest.As(t, r.issuer.Token("editor")), fault.Denied},
	} {
		_, err := r.GetOutbox(ctx, &prospectv1.GetOutboxRequest{})
		wantFault(t, name, err, ctx.kind)
	}
}

func TestAFullOutboxRefusesChanges(t *testing.T) {
	t.Parallel()
	r := start(t)
	for range maxWaiting {
		if err := r.room.Add(func() error { return nil }); err != nil {
			t.Fatal(err)
		}
	}
	_, err := r.CreateProspect(meshtest.As(t, r.issuer.Token("editor")), &prospectv1.CreateProspectRequest{
		Prospect: &prospectv1.Prospect{FirstName: "Ada", LastName: "Lovelace"},
	})
	wantFault(t, "create", err, fault.Exhausted)
	var f *fault.Error
	if errors.As(err, &f) && (f.Message != "1000 changes wait to be published: try again later" || f.RetryAfter <= 0) {
		t.Errorf("the caller learns %q, to try again in %v", f.Message, f.RetryAfter)
	}
}
