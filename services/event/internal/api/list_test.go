package api

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"google.golang.org/protobuf/proto"

	eventv1 "eventprospect/gen/event/v1"
	meshv1 "eventprospect/gen/mesh/v1"
	"eventprospect/mesh/fault"
	"eventprospect/mesh/meshtest"
	"eventprospect/services/event/internal/event"
)

func (r *running) list(t *testing.T, req *eventv1.ListEventsRequest) *eventv1.ListEventsResponse {
	t.Helper()
	list, err := r.ListEvents(meshtest.As(t, r.issuer.Token("reader")), req)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func names(n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprint("event ", i)
	}
	return all
}

func TestListPagesCoverAllOnce(t *testing.T) {
	t.Parallel()
	r := start(t)
	want := ids(r.create(t, names(23)...))
	for _, size := range []int32{1, 7, 22, 23, 24} {
		var got []string
		req := &eventv1.ListEventsRequest{PageSize: size, DateEvent: "2026-11-23"}
		for {
			page := r.list(t, req)
			got = append(got, ids(page.GetEvents())...)
			if req.PageToken = page.GetNextPageToken(); req.PageToken == "" {
				break
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("size %d: %v, want %v", size, got, want)
		}
	}
}

func TestListPageSizes(t *testing.T) {
	t.Parallel()
	r := start(t)
	r.create(t, names(101)...)
	for asked, want := range map[int32]int{0: 20, 1: 1, 100: 100, 101: 100, math.MaxInt32: 100} {
		if page := r.list(t, &eventv1.ListEventsRequest{PageSize: asked}); len(page.GetEvents()) != want || page.GetNextPageToken() == "" {
			t.Errorf("%d: %d events, token %q", asked, len(page.GetEvents()), page.GetNextPageToken())
		}
	}
}

func TestListFilters(t *testing.T) {
	t.Parallel()
	r := start(t)
	planned := r.create(t, "a")[0].GetId()
	r.record(t, "p", event.ProspectCreated, event.ProspectUpdated)
	r.record(t, "q", event.ProspectCreated)
	cases := map[string]struct {
		req  *eventv1.ListEventsRequest
		want []string
	}{
		"none":     {&eventv1.ListEventsRequest{}, []string{planned, "p0", "p1", "q0"}},
		"kind":     {&eventv1.ListEventsRequest{Kind: eventv1.Event_PROSPECT_CREATED}, []string{"p0", "q0"}},
		"planned":  {&eventv1.ListEventsRequest{Kind: eventv1.Event_PLANNED}, []string{planned}},
		"prospect": {&eventv1.ListEventsRequest{ProspectId: "p"}, []string{"p0", "p1"}},
		"date":     {&eventv1.ListEventsRequest{DateEvent: "2026-11-23", Kind: eventv1.Event_PLANNED}, []string{planned}},
		"both":     {&eventv1.ListEventsRequest{ProspectId: "p", Kind: eventv1.Event_PROSPECT_UPDATED}, []string{"p1"}},
		"no match": {&eventv1.ListEventsRequest{ProspectId: "r"}, nil},
	}
	for name, c := range cases {
		if got := ids(r.list(t, c.req).GetEvents()); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

func TestListRefuses(t *testing.T) {
	t.Parallel()
	r := start(t)
	r.create(t, "a", "b")
	token := r.list(t, &eventv1.ListEventsRequest{PageSize: 1, DateEvent: "2026-11-23"}).GetNextPageToken()
	cases := map[string]struct {
		req   *eventv1.ListEventsRequest
		field string
	}{
		"token without its filter": {&eventv1.ListEventsRequest{PageToken: token}, "page_token"},
		"token of another filter":  {&eventv1.ListEventsRequest{PageToken: token, DateEvent: "2026-11-24"}, "page_token"},
		"token with one more":      {&eventv1.ListEventsRequest{PageToken: token, DateEvent: "2026-11-23", Kind: eventv1.Event_PLANNED}, "page_token"},
		"garbage":                  {&eventv1.ListEventsRequest{PageToken: "garbage"}, "page_token"},
		"negative size":            {&eventv1.ListEventsRequest{PageSize: -1}, "page_size"},
		"no such day":              {&eventv1.ListEventsRequest{DateEvent: "2026-02-30"}, "date_event"},
		"no date":                  {&eventv1.ListEventsRequest{DateEvent: "today"}, "date_event"},
		"no kind":                  {&eventv1.ListEventsRequest{Kind: 99}, "kind"},
	}
	for name, c := range cases {
		_, err := r.ListEvents(meshtest.As(t, r.issuer.Token("reader")), c.req)
		wantFault(t, name, err, fault.Invalid, c.field)
	}
	// Another page size is no other query.
	next := r.list(t, &eventv1.ListEventsRequest{PageToken: token, DateEvent: "2026-11-23", PageSize: 5})
	if len(next.GetEvents()) != 1 || next.GetNextPageToken() != "" {
		t.Errorf("the next page is %v", next)
	}
}

func TestOffsetPages(t *testing.T) {
	t.Parallel()
	r := start(t)
	all := r.create(t, names(5)...)
	unsorted := &meshv1.Sort{Unsorted: true, Empty: true}
	page := func(number, size, offset, from, to int) *eventv1.PageEventsResponse {
		return &eventv1.PageEventsResponse{
			Content: all[from:to], Sort: unsorted, Number: int32(number), Size: int32(size),
			Pageable:      &meshv1.Pageable{PageNumber: int32(number), PageSize: int32(size), Offset: int32(offset), Sort: unsorted, Paged: true},
			TotalElements: 5, TotalPages: int32((5 + size - 1) / size), NumberOfElements: int32(to - from),
			First: number == 0, Last: offset+size >= 5, Empty: from == to,
		}
	}
	cases := map[string]struct {
		number, size int32
		want         *eventv1.PageEventsResponse
	}{
		"default":      {0, 0, page(0, 20, 0, 0, 5)},
		"first":        {0, 2, page(0, 2, 0, 0, 2)},
		"middle":       {1, 2, page(1, 2, 2, 2, 4)},
		"last":         {2, 2, page(2, 2, 4, 4, 5)},
		"past the end": {3, 2, page(3, 2, 6, 5, 5)},
		"clamped":      {0, 1000, page(0, 100, 0, 0, 5)},
		"far away":     {math.MaxInt32, 100, page(math.MaxInt32, 100, math.MaxInt32, 5, 5)},
	}
	for name, c := range cases {
		got, err := r.PageEvents(meshtest.As(t, r.issuer.Token("reader")), &eventv1.PageEventsRequest{PageNbr: c.number, PageSize: c.size})
		if err != nil || !proto.Equal(got, c.want) {
			t.Errorf("%s: %v\n%v, want\n%v", name, err, got, c.want)
		}
	}
	for field, req := range map[string]*eventv1.PageEventsRequest{"page_nbr": {PageNbr: -1}, "page_size": {PageSize: -1}} {
		_, err := r.PageEvents(meshtest.As(t, r.issuer.Token("reader")), req)
		wantFault(t, "negative "+field, err, fault.Invalid, field)
	}
}

func TestOffsetPageOfNothing(t *testing.T) {
	t.Parallel()
	r := start(t)
	got, err := r.PageEvents(meshtest.As(t, r.issuer.Token("reader")), &eventv1.PageEventsRequest{})
	if err != nil || !got.GetFirst() || !got.GetLast() || !got.GetEmpty() || got.GetTotalPages() != 0 || got.GetTotalElements() != 0 {
		t.Errorf("%v, %v", got, err)
	}
}

func TestFindByDate(t *testing.T) {
	t.Parallel()
	r := start(t)
	first := r.create(t, "z", "a", "m")[0]
	ctx := meshtest.As(t, r.issuer.Token("reader"))
	got, err := r.FindEventByDate(ctx, &eventv1.FindEventByDateRequest{DateEvent: "2026-11-23"})
	if err != nil || !proto.Equal(got.GetEvent(), first) || got.GetTotalCount() != 3 {
		t.Errorf("%v, %v", got, err)
	}
	_, err = r.FindEventByDate(ctx, &eventv1.FindEventByDateRequest{DateEvent: "2026-11-24"})
	wantFault(t, "no event", err, fault.NotFound)
	for _, date := range []string{"", "2026-02-30", "today", "2026-1-1"} {
		_, err = r.FindEventByDate(ctx, &eventv1.FindEventByDateRequest{DateEvent: date})
		wantFault(t, "the date "+date, err, fault.Invalid, "date_event")
	}
}
