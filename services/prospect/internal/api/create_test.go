package api

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	prospectv1 "eventprospect/gen/prospect/v1"
	"eventprospect/mesh/fault"
	"eventprospect/mesh/meshtest"
)

const someID = "0195f0c8-1111-7000-8000-000000000001"

func TestCreateAndGet(t *testing.T) {
	t.Parallel()
	r := start(t)
	// What only the server sets is passed over.
	p := r.meet(t, &prospectv1.CreateProspectRequest{Prospect: &prospectv1.Prospect{
		Id: "mine", FirstName: "Ada", LastName: "Lovelace", FiledWork: "IT", IdEvent: "e", Etag: "x",
	}})
	if p.GetId() == "mine" || p.GetFirstName() != "Ada" || p.GetLastName() != "Lovelace" || p.GetFiledWork() != "IT" ||
		p.GetIdEvent() != "e" || p.GetEtag() == "x" || !proto.Equal(p.GetCreateTime(), p.GetUpdateTime()) {
		t.Errorf("created %v", p)
	}
	found, err := r.GetProspect(meshtest.As(t, r.issuer.Token("reader")), &prospectv1.GetProspectRequest{Id: p.GetId()})
	if err != nil || !proto.Equal(found, p) {
		t.Errorf("got %v, %v", found, err)
	}
	_, err = r.GetProspect(meshtest.As(t, r.issuer.Token("reader")), &prospectv1.GetProspectRequest{Id: "none"})
	wantFault(t, "unknown", err, fault.NotFound)
	_, err = r.GetProspect(meshtest.As(t, r.issuer.Token("reader")), &prospectv1.GetProspectRequest{})
	wantFault(t, "no id", err, fault.Invalid, "id")
}

func TestCreateRefuses(t *testing.T) {
	t.Parallel()
	r := start(t)
	ada := func(change func(*prospectv1.Prospect)) *prospectv1.CreateProspectRequest {
		p := &prospectv1.Prospect{FirstName: "Ada", LastName: "Lovelace"}
		change(p)
		return &prospectv1.CreateProspectRequest{Prospect: p}
	}
	long := strings.Repeat("é", 201)
	cases := map[string]struct {
		req    *prospectv1.CreateProspectRequest
		fields []string
	}{
		"no prospect":     {&prospectv1.CreateProspectRequest{}, []string{"prospect"}},
		"no names":        {&prospectv1.CreateProspectRequest{Prospect: &prospectv1.Prospect{}}, []string{"prospect.first_name", "prospect.last_name"}},
		"no first name":   {ada(func(p *prospectv1.Prospect) { p.FirstName = "" }), []string{"prospect.first_name"}},
		"blank last name": {ada(func(p *prospectv1.Prospect) { p.LastName = " \t" }), []string{"prospect.last_name"}},
		"long first name": {ada(func(p *prospectv1.Prospect) { p.FirstName = long }), []string{"prospect.first_name"}},
		"long last name":  {ada(func(p *prospectv1.Prospect) { p.LastName = long }), []string{"prospect.last_name"}},
		"long filed work": {ada(func(p *prospectv1.Prospect) { p.FiledWork = long }), []string{"prospect.filed_work"}},
		"long event":      {ada(func(p *prospectv1.Prospect) { p.IdEvent = long }), []string{"prospect.id_event"}},
		"unknown event":   {ada(func(p *prospectv1.Prospect) { p.IdEvent = "none" }), []string{"prospect.id_event"}},
		"an id not ours": {
			&prospectv1.CreateProspectRequest{Prospect: &prospectv1.Prospect{FirstName: "A", LastName: "B"}, ProspectId: "1"}, []string{"prospect_id"},
		},
		"a bad request id": {
			&prospectv1.CreateProspectRequest{Prospect: &prospectv1.Prospect{FirstName: "A", LastName: "B"}, RequestId: "1"}, []string{"request_id"},
		},
	}
	for name, c := range cases {
		_, err := r.CreateProspect(meshtest.As(t, r.issuer.Token("editor")), c.req)
		wantFault(t, name, err, fault.Invalid, c.fields...)
	}
	_, err := r.CreateProspect(meshtest.As(t, r.issuer.Token("editor")), ada(func(p *prospectv1.Prospect) { p.IdEvent = "away" }))
	wantFault(t, "events away", err, fault.Unavailable)
	if waiting := r.waiting(t); len(waiting) > 0 {
		t.Errorf("%d messages tell of what was refused", len(waiting))
	}
	emoji := strings.Repeat("👩", 200)
	p := r.meet(t, ada(func(p *prospectv1.Prospect) { p.FirstName, p.LastName, p.FiledWork = emoji, emoji, emoji }))
	if p.GetFirstName() != emoji || p.GetLastName() != emoji || p.GetFiledWork() != emoji {
		t.Errorf("200 emoji became %v", p)
	}
}

func TestCreateWithAnID(t *testing.T) {
	t.Parallel()
	r := start(t)
	req := &prospectv1.CreateProspectRequest{Prospect: &prospectv1.Prospect{FirstName: "A", LastName: "B"}, ProspectId: someID}
	if p := r.meet(t, req); p.GetId() != someID {
		t.Errorf("created %v", p)
	}
	_, err := r.CreateProspect(meshtest.As(t, r.issuer.Token("editor")), req)
	wantFault(t, "taken", err, fault.AlreadyExists)
	if waiting := r.waiting(t); len(waiting) != 1 {
		t.Errorf("%d messages, want 1", len(waiting))
	}
}

func TestCreateAgainWithTheRequestID(t *testing.T) {
	t.Parallel()
	r := start(t)
	req := &prospectv1.CreateProspectRequest{Prospect: &prospectv1.Prospect{FirstName: "A", LastName: "B"}, RequestId: someID}
	first, again := r.meet(t, req), r.meet(t, req)
	if !proto.Equal(first, again) {
		t.Errorf("%v, then %v", first, again)
	}
	if waiting := r.waiting(t); len(waiting) != 1 || waiting[0].Key != first.GetId() {
		t.Errorf("%d messages, want 1", len(waiting))
	}
	req.RequestId = strings.Replace(someID, "1", "2", 1)
	if other := r.meet(t, req); other.GetId() == first.GetId() {
		t.Error("another request got the same prospect")
	}
}

func TestBatchGet(t *testing.T) {
	t.Parallel()
	r := start(t)
	all := ids(r.create(t, "a", "b", "c"))
	ctx := meshtest.As(t, r.issuer.Token("reader"))
	asked := []string{all[2], all[0], all[2], all[1]}
	found, err := r.BatchGetProspects(ctx, &prospectv1.BatchGetProspectsRequest{Ids: asked})
	if err != nil || strings.Join(ids(found.GetProspects()), " ") != strings.Join(asked, " ") {
		t.Errorf("%v, %v", found, err)
	}
	_, err = r.BatchGetProspects(ctx, &prospectv1.BatchGetProspectsRequest{Ids: []string{all[0], "none", "neither"}})
	wantFault(t, "missing", err, fault.NotFound)
	if err != nil && !strings.Contains(err.Error(), `"none"`) {
		t.Errorf("the error doesn't name the first that is missing: %v", err)
	}
	for name, c := range map[string]struct {
		ids   []string
		field string
	}{
		"nothing":  {nil, "ids"},
		"101":      {strings.Split(strings.Repeat("a", 101), ""), "ids"},
		"empty id": {[]string{"a", ""}, "ids[1]"},
	} {
		_, err := r.BatchGetProspects(ctx, &prospectv1.BatchGetProspectsRequest{Ids: c.ids})
		wantFault(t, name, err, fault.Invalid, c.field)
	}
}
