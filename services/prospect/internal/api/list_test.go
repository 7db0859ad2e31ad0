package api

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	meshv1 "eventprospect/gen/mesh/v1"
	prospectv1 "eventprospect/gen/prospect/v1"
	"eventprospect/mesh/fault"
	"eventprospect/mesh/meshtest"
)

func (r *running) list(t *testing.T, req *prospectv1.ListProspectsRequest) *prospectv1.ListProspectsResponse {
	t.Helper()
	list, err := r.ListProspects(meshtest.As(t, r.issuer.Token("reader")), req)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func names(n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprint("prospect ", i)
	}
	return all
}

func TestListPagesCoverAllOnce(t *testing.T) {
	t.Parallel()
	r := start(t)
	want := ids(r.create(t, names(23)...))
	for _, size := range []int32{1, 7, 22, 23, 24} {
		var got []string
		req := &prospectv1.ListProspectsRequest{PageSize: size, FiledWork: "R&D / IT"}
		for {
			page := r.list(t, req)
			got = append(got, ids(page.GetProspects())...)
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
		if page := r.list(t, &prospectv1.ListProspectsRequest{PageSize: asked}); len(page.GetProspects()) != want || page.GetNextPageToken() == "" {
			t.Errorf("%d: %d prospects, token %q", asked, len(page.GetProspects()), page.GetNextPageToken())
		}
	}
}

func TestListFilters(t *testing.T) {
	t.Parallel()
	r := start(t)
	both := r.create(t, "a")[0].GetId()
	add := func(filedWork, event string) string {
		p := &prospectv1.Prospect{FirstName: "A", LastName: "B", FiledWork: filedWork, IdEvent: event}
		return r.meet(t, &prospectv1.CreateProspectRequest{Prospect: p}).GetId()
	}
	work, event, none := add("R&D / IT", ""), add("", "e"), add("", "")
	cases := map[string]struct {
		req  *prospectv1.ListProspectsRequest
		want []string
	}{
		"none":       {&prospectv1.ListProspectsRequest{}, []string{both, work, event, none}},
		"filed work": {&prospectv1.ListProspectsRequest{FiledWork: "R&D / IT"}, []string{both, work}},
		"event":      {&prospectv1.ListProspectsRequest{IdEvent: "e"}, []string{both, event}},
		"both":       {&prospectv1.ListProspectsRequest{IdEvent: "e", FiledWork: "R&D / IT"}, []string{both}},
		"no match":   {&prospectv1.ListProspectsRequest{FiledWork: "r&d / it"}, nil},
	}
	for name, c := range cases {
		if got := ids(r.list(t, c.req).GetProspects()); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

func TestListRefuses(t *testing.T) {
	t.Parallel()
	r := start(t)
	r.create(t, "a", "b")
	token := r.list(t, &prospectv1.ListProspectsRequest{PageSize: 1, FiledWork: "R&D / IT"}).GetNextPageToken()
	cases := map[string]struct {
		req   *prospectv1.ListProspectsRequest
		field string
	}{
		"token without its filter": {&prospectv1.ListProspectsRequest{PageToken: token}, "page_token"},
		"token of another filter":  {&prospectv1.ListProspectsRequest{PageToken: token, IdEvent: "R&D / IT"}, "page_token"},
		"token with one more":      {&prospectv1.ListProspectsRequest{PageToken: token, FiledWork: "R&D / IT", IdEvent: "e"}, "page_token"},
		"garbage":                  {&prospectv1.ListProspectsRequest{PageToken: "garbage"}, "page_token"},
		"negative size":            {&prospectv1.ListProspectsRequest{PageSize: -1}, "page_size"},
	}
	for name, c := range cases {
		_, err := r.ListProspects(meshtest.As(t, r.issuer.Token("reader")), c.req)
		wantFault(t, name, err, fault.Invalid, c.field)
	}
	// Another page size is no other query.
	next := r.list(t, &prospectv1.ListProspectsRequest{PageToken: token, FiledWork: "R&D / IT", PageSize: 5})
	if len(next.GetProspects()) != 1 || next.GetNextPageToken() != "" {
		t.Errorf("the next page is %v", next)
	}
}

func TestOffsetPages(t *testing.T) {
	t.Parallel()
	r := start(t)
	all := r.create(t, names(5)...)
	unsorted := &meshv1.Sort{Unsorted: true, Empty: true}
	page := func(number, size, offset, from, to int) *prospectv1.PageProspectsResponse {
		return &prospectv1.PageProspectsResponse{
			Content: all[from:to], Sort: unsorted, Number: int32(number), Size: int32(size),
			Pageable:      &meshv1.Pageable{PageNumber: int32(number), PageSize: int32(size), Offset: int32(offset), Sort: unsorted, Paged: true},
			TotalElements: 5, TotalPages: int32((5 + size - 1) / size), NumberOfElements: int32(to - from),
			First: number == 0, Last: offset+size >= 5, Empty: from == to,
		}
	}
	cases := map[string]struct {
		number, size int32
		want         *prospectv1.PageProspectsResponse
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
		got, err := r.PageProspects(meshtest.As(t, r.issuer.Token("reader")), &prospectv1.PageProspectsRequest{PageNbr: c.number, PageSize: c.size})
		if err != nil || !proto.Equal(got, c.want) {
			t.Errorf("%s: %v\n%v, want\n%v", name, err, got, c.want)
		}
	}
	for field, req := range map[string]*prospectv1.PageProspectsRequest{"page_nbr": {PageNbr: -1}, "page_size": {PageSize: -1}} {
		_, err := r.PageProspects(meshtest.As(t, r.issuer.Token("reader")), req)
		wantFault(t, "negative "+field, err, fault.Invalid, field)
	}
}

func TestOffsetPageOfNothing(t *testing.T) {
	t.Parallel()
	r := start(t)
	got, err := r.PageProspects(meshtest.As(t, r.issuer.Token("reader")), &prospectv1.PageProspectsRequest{})
	if err != nil || !got.GetFirst() || !got.GetLast() || !got.GetEmpty() || got.GetTotalPages() != 0 || got.GetTotalElements() != 0 {
		t.Errorf("%v, %v", got, err)
	}
}

func TestFindByFiledWork(t *testing.T) {
	t.Parallel()
	r := start(t)
	first := r.create(t, "z", "a", "m")[0]
	ctx := meshtest.As(t, r.issuer.Token("reader"))
	got, err := r.FindProspectByFiledWork(ctx, &prospectv1.FindProspectByFiledWorkRequest{FiledWork: "R&D / IT"})
	if err != nil || !proto.Equal(got.GetProspect(), first) || got.GetTotalCount() != 3 {
		t.Errorf("%v, %v", got, err)
	}
	_, err = r.FindProspectByFiledWork(ctx, &prospectv1.FindProspectByFiledWorkRequest{FiledWork: "R&D"})
	wantFault(t, "nobody", err, fault.NotFound)
	for _, work := range []string{"", strings.Repeat("a", 201)} {
		_, err = r.FindProspectByFiledWork(ctx, &prospectv1.FindProspectByFiledWorkRequest{FiledWork: work})
		wantFault(t, "the field of work "+work, err, fault.Invalid, "filed_work")
	}
}
