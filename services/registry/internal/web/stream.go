package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"time"

	"eventprospect/mesh/fault"
	"eventprospect/services/registry/internal/registry"
)

const (
	// retry is how long a browser waits before it connects again.
	retry = 2 * time.Second
	// stall bounds how long a browser may keep one message waiting.
	stall = 30 * time.Second
)

// message is what a page must change, as its script reads it.
type message struct {
	// Blocks are those that are new or have changed, by id.
	Blocks map[string]template.HTML `json:"blocks"`
	// List is the ids of those in the list, in order; others are gone. One that the page doesn't have, and that isn't among the
	// blocks, tells it to begin anew.
	List []string `json:"list"`
	// Words tell it to those who don't see the page; empty if there is nothing to tell.
	Words string `json:"words,omitempty"`
}

// stream tells one page what changes, as server-sent events (WHATWG HTML, section 9.2). The id of each is the revision that the page
// shows after it.
type stream struct {
	*site
	view view
	host string
	to   http.ResponseWriter
	// seen is the revision that the page shows, zero if none.
	seen int64
	// sent is the state of each block of the page, nil before the first message; list is its list.
	sent map[string]any
	list []string
}

// changes answers a page that wants to be told.
func (s *site) changes(w http.ResponseWriter, r *http.Request) {
	v, err := parseView(r.URL.Query())
	var seen int64
	if err == nil {
		seen, err = resume(r)
	}
	if err != nil {
		s.refuse(w, err)
		return
	}
	select {
	case s.streams <- struct{}{}:
		defer func() { <-s.streams }()
	default:
		full := fault.New(fault.Exhausted, "too many pages follow the registry already: close one, or reload this one to see what has changed")
		full.RetryAfter = s.settings.Heartbeat
		s.refuse(w, full)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	if r.Method == http.MethodHead {
		return
	}
	live := stream{site: s, view: v, host: r.Host, to: w, seen: seen}
	// It ends because the browser has gone or the registry goes; either knows.
	_ = live.run(r.Context())
}

// resume gives the revision that the page shows: a browser that connects again says so by the header, a page that was just loaded by
// the parameter `since`.
func resume(r *http.Request) (int64, error) {
	name, text := "Last-Event-ID", r.Header.Get("Last-Event-ID")
	if text == "" {
		name, text = "since", r.URL.Query().Get("since")
	}
	if text == "" {
		return 0, nil
	}
	revision, err := strconv.ParseInt(text, 10, 64)
	if err != nil || revision < 0 {
		return 0, fault.InvalidField(name, "must be the id of an event of this stream")
	}
	return revision, nil
}

// run sends until the context ends, the registry stops, or the browser takes nothing more.
func (l *stream) run(ctx context.Context) error {
	if err := l.write(fmt.Appendf(nil, "retry: %d\n\n", retry.Milliseconds())); err != nil {
		return err
	}
	known, err := l.board.read()
	if err != nil {
		return err
	}
	watch, err := l.core.Watch("", known.revision)
	if err != nil {
		return err
	}
	defer watch.Close()
	for {
		if err := l.tell(known); err != nil {
			return err
		}
		if err := l.rest(ctx); err != nil {
			return err
		}
		if err := l.await(ctx, watch); err != nil {
			return err
		}
		if known, err = l.board.read(); err != nil {
			return err
		}
	}
}

// rest lets changes gather.
func (l *stream) rest(ctx context.Context) error {
	pace := time.NewTimer(l.settings.Pace)
	defer pace.Stop()
	select {
	case <-pace.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// await waits for a change, and shows meanwhile that it does.
func (l *stream) await(ctx context.Context, watch *registry.Watch) error {
	for {
		silence, cancel := context.WithTimeout(ctx, l.settings.Heartbeat)
		_, err := watch.Next(silence)
		cancel()
		if ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded) {
			return err
		}
		if err := l.write([]byte(": nothing new\n\n")); err != nil {
			return err
		}
	}
}

// tell sends what is different from what the page shows.
func (l *stream) tell(known *snapshot) error {
	next := l.arrange(l.view, known, clock{}, l.host)
	news := message{Blocks: map[string]template.HTML{}}
	sent := map[string]any{}
	for _, b := range next.all() {
		if !l.shows(b, known) {
			news.Blocks[b.id] = b.html()
		}
		sent[b.id] = b.state
	}
	for _, b := range next.list {
		news.List = append(news.List, b.id)
	}
	quiet := len(news.Blocks) == 0 && (l.sent == nil || slices.Equal(l.list, news.List))
	if l.anew(known) {
		news.Words = next.found + "."
	} else {
		news.Words = speak(l.view, known, l.seen)
	}
	l.sent, l.list, l.seen = sent, news.List, known.revision
	if quiet {
		return nil
	}
	return l.send(news)
}

// anew tells whether the page shows nothing yet, or something that this registry can't have told.
func (l *stream) anew(known *snapshot) bool { return l.seen == 0 || l.seen > known.revision }

// shows tells whether the page shows a block as it is.
func (l *stream) shows(b block, known *snapshot) bool {
	switch {
	case l.sent != nil:
		return l.sent[b.id] == b.state
	case l.anew(known):
		return false
	default:
		return l.seen == known.revision || b.revision > 0 && b.revision <= l.seen
	}
}

// send writes an event.
func (l *stream) send(news message) error {
	var text bytes.Buffer
	fmt.Fprintf(&text, "id: %d\ndata: ", l.seen)
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false) // it would make it half as long again, and the page takes it as HTML anyway
	if err := encoder.Encode(news); err != nil {
		return err
	}
	text.WriteByte('\n')
	return l.write(text.Bytes())
}

// write sends text at once. The time that the server gives to an answer is no time for one without end.
func (l *stream) write(text []byte) error {
	controller := http.NewResponseController(l.to)
	if err := controller.SetWriteDeadline(time.Now().Add(stall)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	if _, err := l.to.Write(text); err != nil {
		return err
	}
	return controller.Flush()
}
