package web_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"eventprospect/services/registry/internal/registry"
)

// cells gives the texts of an instance's row.
func cells(t *testing.T, page *html.Node, service, id string) []string {
	t.Helper()
	return texts(all(one(t, page, "instance/"+service+"/"+id), func(n *html.Node) bool { return n.Data == "th" || n.Data == "td" }))
}

// rows counts the instances that a page shows.
func rows(page *html.Node) int {
	return len(all(page, func(n *html.Node) bool { return strings.HasPrefix(attr(n, "id"), "instance/") && n.Data == "tr" }))
}

func TestThePageShowsEachInstanceByService(t *testing.T) {
	t.Parallel()
	r := start(t, quick())
	r.join(t, instance("event", "b"))
	bare := instance("event", "a")
	bare.Reported, bare.Zone, bare.Weight, bare.Metadata = registry.Starting, "", 0, nil
	r.join(t, bare)
	if err := r.core.Register(t.Context(), instance("prospect", "c"), time.Minute); err != nil {
		t.Fatal(err)
	}
	page := r.page(t, "/")
	if got, want := texts(all(page, tag("h2"))), []string{"event", "prospect", "Recent changes"}; !slices.Equal(got, want) {
		t.Errorf("titles %q, want %q", got, want)
	}
	for _, c := range []struct {
		service, id string
		want        []string
	}{
		{"event", "a", []string{"a", "Starting", "10.0.0.1:8080", "–", "1", "–", "0 s", "0 s ago", "Stream"}},
		{"event", "b", []string{"b", "Up", "10.0.0.1:8080", "zone-a", "3", "1.4.2", "0 s", "0 s ago", "Stream, 2 metadata of b git 4711 version 1.4.2"}},
		{"prospect", "c", []string{"c", "Up", "10.0.0.1:8080", "zone-a", "3", "1.4.2", "0 s", "0 s ago", "Eureka, 2 metadata of c git 4711 version 1.4.2"}},
	} {
		got := cells(t, page, c.service, c.id)
		for n := range got {
			if strings.HasSuffix(c.want[n], " s") || strings.HasSuffix(c.want[n], " s ago") {
				got[n] = "0" + strings.TrimLeft(got[n], "0123456789") // it may have taken a while
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s/%s shows %q, want %q", c.service, c.id, got, c.want)
		}
	}
	for id, want := range map[string]string{"summary/found": "3 instances of 2 services 2 up 1 starting", "service/event": "event 2 instances 1 up 1 starting"} {
		if got := text(one(t, page, id)); !strings.HasPrefix(got, want) {
			t.Errorf("%s says %q, want %q", id, got, want)
		}
	}
}

func TestAStatusSetByHandIsToldApartFromWhatTheInstanceSays(t *testing.T) {
	t.Parallel()
	r := start(t, quick())
	session := r.join(t, instance("event", "a"))
	if _, err := r.core.SetStatus(t.Context(), registry.Key{Service: "event", ID: "a"}, registry.OutOfService); err != nil {
		t.Fatal(err)
	}
	if got, want := cells(t, r.page(t, "/"), "event", "a")[1], "Out of service set by hand; it says Up"; got != want {
		t.Errorf("status %q, want %q", got, want)
	}
	sick := instance("event", "a")
	sick.Reported = registry.Down
	if err := session.Put(t.Context(), sick); err != nil {
		t.Fatal(err)
	}
	if got, want := cells(t, r.page(t, "/"), "event", "a")[1], "Down set by hand, for when it says Up: Out of service"; got != want {
		t.Errorf("status %q, want %q", got, want)
	}
}

func TestRecentChangesAreShownNewestFirstAndBounded(t *testing.T) {
	t.Parallel()
	r := start(t, quick())
	r.join(t, instance("event", "a"))
	if _, err := r.core.SetStatus(t.Context(), registry.Key{Service: "event", ID: "a"}, registry.Down); err != nil {
		t.Fatal(err)
	}
	r.join(t, instance("event", "b")).Close()
	got := texts(all(one(t, r.page(t, "/"), "recent"), func(n *html.Node) bool { return attr(n, "class") == "what" }))
	want := []string{"event: b left", "event: b joined Up", "event: a changed Down", "event: a joined Up"}
	if !slices.Equal(got, want) {
		t.Errorf("changes %q, want %q", got, want)
	}
	for range 30 {
		r.join(t, instance("event", "b")).Close()
	}
	if n := len(all(one(t, r.page(t, "/"), "recent"), tag("li"))); n != 50 {
		t.Errorf("%d changes, want 50", n)
	}
}

// What instances say of themselves is text, whatever stands in it.
func TestWhatInstancesSayIsEscaped(t *testing.T) {
	t.Parallel()
	r := start(t, quick())
	const evil = `"><script>alert(1)</script><img src=x onerror=alert(1)>`
	bad := registry.Instance{
		Key: registry.Key{Service: "a" + evil, ID: "b" + evil}, Address: evil, Zone: evil, Reported: registry.Up,
		Metadata: map[string]string{evil: evil, "version": evil},
	}
	r.join(t, bad)
	for _, path := range []string{"/", "/?q=%22%3E%3Cscript%3E", "/?service=%22%3E%3Cscript%3E"} {
		page := r.page(t, path)
		if scripts := all(page, tag("script")); len(scripts) != 1 || attr(scripts[0], "src") == "" {
			t.Errorf("%s: %d scripts, want the page's own", path, len(scripts))
		}
		if images := all(page, tag("img")); len(images) > 0 {
			t.Errorf("%s: there is an image", path)
		}
	}
	if got := text(r.page(t, "/")); strings.Count(got, evil) < 6 {
		t.Errorf("the page doesn't show what the instance says: %s", got)
	}
	stream := r.follow(t, "/changes")
	for _, block := range stream.next(t).Blocks {
		if n := len(all(parse(t, block), func(n *html.Node) bool { return n.Data == "script" || n.Data == "img" })); n > 0 {
			t.Errorf("%d elements too many in %s", n, block)
		}
	}
}

func TestTheEmptyPageSaysHowAnInstanceJoins(t *testing.T) {
	t.Parallel()
	r := start(t, quick())
	host := strings.TrimPrefix(r.http.URL, "http://")
	got := text(r.page(t, "/"))
	for _, want := range []string{
		"Nothing is registered yet", "go run ./dev", "registry: " + host, "http://" + host + "/eureka/", "the xDS bootstrap", "GRPC_XDS_BOOTSTRAP",
		"No changes since this registry started.",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing in: %s", want, got)
		}
	}
	r.join(t, instance("event", "a"))
	got = text(r.page(t, "/?q=nowhere"))
	if !strings.Contains(got, "No instance fits") || strings.Contains(got, "go run ./dev") {
		t.Errorf("a filter that nothing fits gives: %s", got)
	}
}

func TestTheFilterTakesAllWordsFromAllThatIsShown(t *testing.T) {
	t.Parallel()
	r := start(t, quick())
	for n := range 3 {
		i := instance("event", fmt.Sprint("e", n))
		i.Zone = fmt.Sprint("Zone-", n)
		r.join(t, i)
	}
	out := instance("prospect", "p")
	out.Reported = registry.OutOfService
	r.join(t, out)
	for query, want := range map[string]int{
		"zone-1": 1, "ZONE+event": 3, "git%3D47": 4, "out+of+service": 1, "e1+zone-2": 0, "10.0.0.1": 4, "stream": 4, "+": 4,
	} {
		if got := rows(r.page(t, "/?q="+query)); got != want {
			t.Errorf("%s: %d instances, want %d", query, got, want)
		}
	}
	page := r.page(t, "/?q=zone-1")
	if got, want := text(one(t, page, "summary/found")), "1 of 4 instances, with “zone-1” 1 up"; got != want {
		t.Errorf("found %q, want %q", got, want)
	}
	if got := attr(one(t, page, "q"), "value"); got != "zone-1" {
		t.Errorf("the field holds %q", got)
	}
}

func TestALargeServiceIsShownInPages(t *testing.T) {
	t.Parallel()
	r := start(t, quick())
	const many = 450
	for n := range many {
		r.join(t, instance("event", fmt.Sprintf("%04d", n)))
	}
	page := r.page(t, "/")
	if got := rows(page); got != 50 {
		t.Errorf("the first page shows %d rows, want 50", got)
	}
	seen := map[string]bool{}
	path, pages := attr(one(t, page, "service/event/all"), "href"), 0
	for path != "" && pages < 10 {
		page = r.page(t, path)
		for _, row := range all(page, tag("tr")) {
			if id := attr(row, "id"); id != "" && seen[id] {
				t.Errorf("%s is shown twice", id)
			} else if id != "" {
				seen[id] = true
			}
		}
		path, pages = "", pages+1
		for _, next := range all(page, func(n *html.Node) bool { return attr(n, "id") == "next" }) {
			path = attr(next, "href")
		}
	}
	if len(seen) != many || pages != 3 {
		t.Errorf("%d pages show %d instances, want 3 with %d", pages, len(seen), many)
	}
	if got := rows(r.page(t, "/?service=event&page=99")); got != 50 {
		t.Errorf("a page too far shows %d rows, want the last page's 50", got)
	}
}

func TestManyServicesAreShownInPages(t *testing.T) {
	t.Parallel()
	r := start(t, quick())
	for n := range 70 {
		r.join(t, instance(fmt.Sprintf("service-%02d", n), "a"))
	}
	if first, second := rows(r.page(t, "/")), rows(r.page(t, "/?page=2")); first != 50 || second != 20 {
		t.Errorf("%d and %d services, want 50 and 20", first, second)
	}
}

func TestBadParametersAreNamed(t *testing.T) {
	t.Parallel()
	r := start(t, quick())
	for path, want := range map[string]string{
		"/?page=0": "Parameter page must be a number from 1.", "/?page=x": "Parameter page must be a number from 1.",
		"/?q=" + strings.Repeat("x", 201): "Parameter q must have at most 200 characters.",
		"/changes?page=-1":                "Parameter page must be a number from 1.",
		"/changes?since=x":                "Parameter since must be the id of an event of this stream.",
	} {
		got := r.get(t, path)
		if said := text(parse(t, got.body)); got.status != http.StatusBadRequest || !strings.Contains(said, want) {
			t.Errorf("%s: %d: %s", path, got.status, said)
		}
	}
}
