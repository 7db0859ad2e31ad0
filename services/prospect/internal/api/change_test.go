package api

import (
	"context"
	"testing"

	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	prospectv1 "eventprospect/gen/prospect/v1"
	"eventprospect/mesh/fault"
	"eventprospect/mesh/meshtest"
)

func TestUpdateMask(t *testing.T) {
	t.Parallel()
	r := start(t)
	old := &prospectv1.Prospect{FirstName: "old", LastName: "Lovelace", FiledWork: "R&D / IT", IdEvent: "e"}
	cases := map[string]struct {
		paths []string
		sent  *prospectv1.Prospect
		want  *prospectv1.Prospect
	}{
		"no mask": {
			nil, &prospectv1.Prospect{FirstName: "new"},
			&prospectv1.Prospect{FirstName: "new", LastName: old.LastName, FiledWork: old.FiledWork, IdEvent: old.IdEvent},
		},
		"no mask, nothing": {nil, &prospectv1.Prospect{}, old},
		"everything": {
			[]string{"*"},
			&prospectv1.Prospect{FirstName: "new", LastName: "newer"},
			&prospectv1.Prospect{FirstName: "new", LastName: "newer"},
		},
		"one": {
			[]string{"last_name"},
			&prospectv1.Prospect{FirstName: "new", LastName: "newer"},
			&prospectv1.Prospect{FirstName: old.FirstName, LastName: "newer", FiledWork: old.FiledWork, IdEvent: old.IdEvent},
		},
		"cleared": {
			[]string{"filed_work", "id_event"},
			&prospectv1.Prospect{FirstName: "new"},
			&prospectv1.Prospect{FirstName: old.FirstName, LastName: old.LastName},
		},
		"as in JSON": {
			[]string{"firstName", "filedWork", "idEvent"},
			&prospectv1.Prospect{FirstName: "new", FiledWork: "HR", IdEvent: "f"},
			&prospectv1.Prospect{FirstName: "new", LastName: old.LastName, FiledWork: "HR", IdEvent: "f"},
		},
		"only the server's": {[]string{"id", "create_time", "update_time", "etag"}, &prospectv1.Prospect{FirstName: "new"}, old},
	}
	for name, c := range cases {
		before := r.create(t, "old")[0]
		c.sent.Id = before.GetId()
		got, err := r.UpdateProspect(meshtest.As(t, r.issuer.Token("editor")), &prospectv1.UpdateProspectRequest{
			Prospect: c.sent, UpdateMask: &fieldmaskpb.FieldMask{Paths: c.paths},
		})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if decode(got) != decode(c.want) || got.GetId() != before.GetId() || !proto.Equal(got.GetCreateTime(), before.GetCreateTime()) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
		changed := decode(c.want) != decode(before)
		if (got.GetEtag() != before.GetEtag()) != changed || proto.Equal(got.GetUpdateTime(), before.GetUpdateTime()) == changed {
			t.Errorf("%s: the etag or the time doesn't tell whether it changed", name)
		}
	}
}

func TestUpdateRefuses(t *testing.T) {
	t.Parallel()
	r := start(t)
	id := r.create(t, "old")[0].GetId()
	cases := map[string]struct {
		prospect *prospectv1.Prospect
		paths    []string
		fields   []string
	}{
		"no prospect":   {nil, nil, []string{"prospect"}},
		"no id":         {&prospectv1.Prospect{FirstName: "n"}, nil, []string{"prospect"}},
		"unknown path":  {&prospectv1.Prospect{Id: id, FirstName: "n"}, []string{"first_name", "name"}, []string{"update_mask"}},
		"nested path":   {&prospectv1.Prospect{Id: id, FirstName: "n"}, []string{"prospect.first_name"}, []string{"update_mask"}},
		"name cleared":  {&prospectv1.Prospect{Id: id}, []string{"first_name"}, []string{"prospect.first_name"}},
		"everything":    {&prospectv1.Prospect{Id: id}, []string{"*"}, []string{"prospect.first_name", "prospect.last_name"}},
		"unknown event": {&prospectv1.Prospect{Id: id, IdEvent: "none"}, nil, []string{"prospect.id_event"}},
	}
	update := func(p *prospectv1.Prospect, paths ...string) error {
		_, err := r.UpdateProspect(meshtest.As(t, r.issuer.Token("editor")), &prospectv1.UpdateProspectRequest{
			Prospect: p, UpdateMask: &fieldmaskpb.FieldMask{Paths: paths},
		})
		return err
	}
	for name, c := range cases {
		wantFault(t, name, update(c.prospect, c.paths...), fault.Invalid, c.fields...)
	}
	wantFault(t, "unknown id", update(&prospectv1.Prospect{Id: "none", FirstName: "n"}), fault.NotFound)
	wantFault(t, "events away", update(&prospectv1.Prospect{Id: id, IdEvent: "away"}), fault.Unavailable)
	if waiting := r.waiting(t); len(waiting) != 1 {
		t.Errorf("%d messages, want the one of the creation", len(waiting))
	}
}

func TestETags(t *testing.T) {
	t.Parallel()
	r := start(t)
	old := r.create(t, "old")[0]
	ctx := meshtest.As(t, r.issuer.Token("editor"))
	update := func(etag string) (*prospectv1.Prospect, error) {
		return r.UpdateProspect(ctx, &prospectv1.UpdateProspectRequest{
			Prospect: &prospectv1.Prospect{Id: old.GetId(), FirstName: "new", Etag: etag},
		})
	}
	changed, err := update(old.GetEtag())
	if err != nil {
		t.Fatal(err)
	}
	_, err = update(old.GetEtag())
	wantFault(t, "update", err, fault.Stale)
	_, err = r.DeleteProspect(ctx, &prospectv1.DeleteProspectRequest{Id: old.GetId(), Etag: old.GetEtag()})
	wantFault(t, "delete", err, fault.Stale)
	if _, err = r.DeleteProspect(ctx, &prospectv1.DeleteProspectRequest{Id: old.GetId(), Etag: changed.GetEtag()}); err != nil {
		t.Error(err)
	}
	_, err = r.DeleteProspect(ctx, &prospectv1.DeleteProspectRequest{Id: old.GetId()})
	wantFault(t, "delete twice", err, fault.NotFound)
}

func TestRoles(t *testing.T) {
	t.Parallel()
	r := start(t)
	p := &prospectv1.Prospect{Id: "none", FirstName: "A", LastName: "B"}
	reads := map[string]func(context.Context) error{
		"get": func(ctx context.Context) error {
			_, err := r.GetProspect(ctx, &prospectv1.GetProspectRequest{Id: "none"})
			return err
		},
		"batch": func(ctx context.Context) error {
			_, err := r.BatchGetProspects(ctx, &prospectv1.BatchGetProspectsRequest{Ids: []string{"none"}})
			return err
		},
		"list": func(ctx context.Context) error {
			_, err := r.ListProspects(ctx, &prospectv1.ListProspectsRequest{})
			return err
		},
		"page": func(ctx context.Context) error {
			_, err := r.PageProspects(ctx, &prospectv1.PageProspectsRequest{})
			return err
		},
		"find": func(ctx context.Context) error {
			_, err := r.FindProspectByFiledWork(ctx, &prospectv1.FindProspectByFiledWorkRequest{FiledWork: "IT"})
			return err
		},
	}
	writes := map[string]func(context.Context) error{
		"create": func(ctx context.Context) error {
			_, err := r.CreateProspect(ctx, &prospectv1.CreateProspectRequest{Prospect: p})
			return err
		},
		"update": func(ctx context.Context) error {
			_, err := r.UpdateProspect(ctx, &prospectv1.UpdateProspectRequest{Prospect: p})
			return err
		},
		"delete": func(ctx context.Context) error {
			_, err := r.DeleteProspect(ctx, &prospectv1.DeleteProspectRequest{Id: "none"})
			return err
		},
	}
	wantRole(t, r.issuer, reads, "reader", "service")
	wantRole(t, r.issuer, writes, "editor", "reader")
}

// wantRole checks that calls are refused without a token and with another role, and get through with the one they need.
func wantRole(t *testing.T, issuer *meshtest.Issuer, calls map[string]func(context.Context) error, role, other string) {
	t.Helper()
	for name, call := range calls {
		wantFault(t, name+" without a token", call(metadata.NewOutgoingContext(t.Context(), nil)), fault.Unauthenticated)
		wantFault(t, name+" as "+other, call(meshtest.As(t, issuer.Token(other))), fault.Denied)
		if err := call(meshtest.As(t, issuer.Token(role))); err != nil && !fault.Is(err, fault.NotFound) {
			t.Errorf("%s as %s: %v", name, role, err)
		}
	}
}
