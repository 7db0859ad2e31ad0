package web_test

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"eventprospect/mesh/meshtest"
	"eventprospect/services/registry/internal/registry"
)

// event is what a page is told.
type event struct {
	id     string
	Blocks map[string]string
	List   []string
	Words  string
}

// stream is an open stream of events.
type stream struct {
	lines *bufio.Scanner
	close context.CancelFunc
}

// follow opens a stream, which must be there.
func (r *running) follow(t testing.TB, path string, header ...string) *stream {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), meshtest.Patience)
	t.Cleanup(cancel)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, r.http.URL+path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	for n := 0; n < len(header); n += 2 {
		request.Header.Set(header[n], header[n+1])
	}
	response, err := r.http.Client().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { response.Body.Close() })
	if kind := response.Header.Get("Content-Type"); response.StatusCode != http.StatusOK || kind != "text/event-stream" {
		t.Fatalf("%s: %s, type %s", path, response.Status, kind)
	}
	return &stream{newScanner(response.Body), cancel}
}

func newScanner(from io.Reader) *bufio.Scanner {
	lines := bufio.NewScanner(from)
	lines.Buffer(nil, 16<<20)
	return lines
}

// next gives the next event.
func (s *stream) next(t testing.TB) event {
	t.Helper()
	var e event
	for s.lines.Scan() {
		name, value, _ := strings.Cut(s.lines.Text(), ": ")
		switch name {
		case "id":
			e.id = value
		case "data":
			if err := json.Unmarshal([]byte(value), &e); err != nil {
				t.Fatal(err)
			}
			return e
		}
	}
	t.Fatalf("the stream ended: %v", s.lines.Err())
	return e
}

// nextLine gives the next line that begins so.
func (s *stream) nextLine(t *testing.T, prefix string) string {
	t.Helper()
	for s.lines.Scan() {
		if strings.HasPrefix(s.lines.Text(), prefix) {
			return s.lines.Text()
		}
	}
	t.Fatalf("the stream ended: %v", s.lines.Err())
	return ""
}

func (e event) wantBlocks(t *testing.T, want ...string) {
	t.Helper()
	var got []string
	for id := range e.Blocks {
		got = append(got, id)
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("blocks %q, want %q", got, want)
	}
}

func (e event) wantList(t *testing.T, want ...string) {
	t.Helper()
	if !slices.Equal(e.List, want) {
		t.Errorf("list %q, want %q", e.List, want)
	}
}

func TestAStreamTellsEverythingAndThenWhatChanges(t *testing.T) {
	t.Parallel()
	r := start(t, quick())
	r.join(t, instance("event", "a"))
	r.join(t, instance("prospect", "p"))
	s := r.follow(t, "/changes")
	first := s.next(t)
	first.wantBlocks(t, "recent", "service/event", "service/prospect", "summary")
	first.wantList(t, "service/event", "service/prospect")

	b := r.join(t, instance("event", "b"))
	joined := s.next(t)
	joined.wantBlocks(t, "recent", "service/event", "summary")
	if joined.Words != "event: b joined." || joined.id <= first.id {
		t.Errorf("words %q, revision %s after %s", joined.Words, joined.id, first.id)
	}
	if n := rows(parse(t, "<table>"+joined.Blocks["service/event"])); n != 2 {
		t.Errorf("%d rows, want 2", n)
	}

	if _, err := r.core.SetStatus(t.Context(), registry.Key{Service: "event", ID: "b"}, registry.OutOfService); err != nil {
		t.Fatal(err)
	}
	if got, want := s.next(t).Words, "event: b changed, now out of service."; got != want {
		t.Errorf("words %q, want %q", got, want)
	}

	b.Close()
	left := s.next(t)
	left.wantBlocks(t, "recent", "service/event", "summary")
	if left.Words != "event: b left." {
		t.Errorf("words %q", left.Words)
	}
}

func TestTheLastInstanceOfAServiceTakesItAlong(t *testing.T) {
	t.Parallel()
	r := start(t, quick())
	a := r.join(t, instance("event", "a"))
	s := r.follow(t, "/changes")
	s.next(t).wantList(t, "service/event")
	a.Close()
	gone := s.next(t)
	gone.wantBlocks(t, "empty", "recent", "summary")
	gone.wantList(t, "empty")
	r.join(t, instance("event", "a"))
	s.next(t).wantList(t, "service/event")
}

func TestAStreamTellsOnlyOfItsView(t *testing.T) {
	t.Parallel()
	r := start(t, quick())
	r.join(t, instance("event", "a"))
	s := r.follow(t, "/changes?service=event")
	if got, want := s.next(t).Words, "1 of 1 instance: those of “event”."; got != want {
		t.Errorf("words %q, want %q", got, want)
	}
	r.join(t, instance("prospect", "p"))
	other := s.next(t)
	other.wantBlocks(t, "summary")
	if other.Words != "" {
		t.Errorf("words %q about another service", other.Words)
	}
	r.join(t, instance("event", "b"))
	s.next(t).wantBlocks(t, "recent", "service/event", "summary")
}

// What is rendered for one page serves others, but only those that show the same.
func TestStreamsOfOtherViewsAreNotMixedUp(t *testing.T) {
	t.Parallel()
	r := start(t, quick())
	r.join(t, instance("event", "first"))
	r.join(t, instance("event", "second"))
	for path, want := range map[string]int{"/changes": 2, "/changes?q=first": 1, "/changes?service=event": 2, "/changes?q=event": 2} {
		told := r.follow(t, path).next(t)
		if n := rows(parse(t, told.Blocks["service/event"])); n != want {
			t.Errorf("%s: %d instances, want %d", path, n, want)
		}
		if n := strings.Count(told.Blocks["recent"], "<li"); n != want {
			t.Errorf("%s: %d changes, want %d", path, n, want)
		}
	}
}

func TestAPageThatComesBackIsToldWhatItHasMissed(t *testing.T) {
	t.Parallel()
	r := start(t, quick())
	r.join(t, instance("event", "a"))
	r.join(t, instance("prospect", "p"))
	s := r.follow(t, "/changes")
	seen := s.next(t).id
	s.close()
	r.join(t, instance("event", "b"))
	for name, again := range map[string]*stream{
		"Last-Event-ID": r.follow(t, "/changes?since=1", "Last-Event-ID", seen),
		"since":         r.follow(t, "/changes?since="+seen),
	} {
		missed := again.next(t)
		missed.wantBlocks(t, "recent", "service/event", "summary")
		missed.wantList(t, "service/event", "service/prospect")
		if missed.Words != "event: b joined." {
			t.Errorf("%s: words %q", name, missed.Words)
		}
		again.close()
	}
}

func TestAPageThatHasMissedNothingIsToldNothing(t *testing.T) {
	t.Parallel()
	r := start(t, quick())
	r.join(t, instance("event", "a"))
	revision := attr(all(r.page(t, "/"), tag("body"))[0], "data-revision")
	s := r.follow(t, "/changes?since="+revision)
	s.nextLine(t, "retry: ")
	r.join(t, instance("prospect", "p"))
	s.next(t).wantBlocks(t, "recent", "service/prospect", "summary")
}

// A registry that has lost its store begins with other revisions; nothing that a page knows counts then.
func TestAPageWithARevisionFromTheFutureIsToldEverything(t *testing.T) {
	t.Parallel()
	r := start(t, quick())
	r.join(t, instance("event", "a"))
	r.follow(t, "/changes", "Last-Event-ID", "9223372036854775807").next(t).wantBlocks(t, "recent", "service/event", "summary")
}

func TestStreamsAreBounded(t *testing.T) {
	t.Parallel()
	settings := quick()
	settings.MaxStreams = 1
	r := start(t, settings)
	first := r.follow(t, "/changes")
	first.next(t)
	refused := r.get(t, "/changes")
	if refused.status != http.StatusServiceUnavailable || refused.header.Get("Retry-After") == "" ||
		!strings.Contains(refused.body, "Too many pages follow the registry already") {
		t.Fatalf("%d, %s", refused.status, refused.body)
	}
	first.close()
	for began := time.Now(); r.get(t, "/changes", func(r *http.Request) { r.Method = http.MethodHead }).status != http.StatusOK; {
		if time.Since(began) > meshtest.Patience {
			t.Fatal("a stream that has ended still counts")
		}
	}
	r.follow(t, "/changes").next(t)
}

func TestAStreamEndsWhenTheRegistryStops(t *testing.T) {
	t.Parallel()
	r := start(t, quick())
	s := r.follow(t, "/changes")
	s.next(t)
	r.core.Stop()
	for s.lines.Scan() {
	}
	if err := s.lines.Err(); err != nil {
		t.Errorf("the stream didn't end well: %v", err)
	}
	if refused := r.get(t, "/"); refused.status != http.StatusServiceUnavailable || !strings.Contains(refused.body, "The registry is stopping") {
		t.Errorf("%d: %s", refused.status, refused.body)
	}
	if late := r.get(t, "/changes"); strings.Contains(late.body, "data:") {
		t.Errorf("a stream of a registry that has stopped tells %s", late.body)
	}
}

func TestAStreamOutlivesTheTimeForAnAnswer(t *testing.T) {
	t.Parallel()
	settings := quick()
	settings.Heartbeat = 80 * time.Millisecond
	r := start(t, settings, func(s *http.Server) { s.WriteTimeout = 100 * time.Millisecond })
	s := r.follow(t, "/changes")
	for range 4 {
		s.nextLine(t, ": nothing new")
	}
}
