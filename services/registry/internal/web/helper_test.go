package web_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/net/html"

	"eventprospect/services/registry/internal/registry"
	"eventprospect/services/registry/internal/store/memory"
	"eventprospect/services/registry/internal/web"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// running is a registry with its page on a server.
type running struct {
	core *registry.Registry
	http *httptest.Server
}

// quick are settings with which changes show at once, and heartbeats never.
func quick() web.Settings {
	return web.Settings{MaxStreams: 10, Heartbeat: time.Hour, Pace: time.Millisecond}
}

func start(t testing.TB, settings web.Settings, change ...func(*http.Server)) *running {
	t.Helper()
	core := registry.New(registry.Settings{
		Term: time.Minute, MaxInstances: 20_000, MaxSize: 16 << 10, MaxWatchers: 50,
	}, memory.New(), registry.Node{Name: "a", Run: "1"})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- core.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	if err := core.Loaded(t.Context()); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(web.New(core, settings))
	for _, c := range change {
		c(server.Config)
	}
	server.Start()
	t.Cleanup(func() { core.Stop(); server.Close() })
	return &running{core, server}
}

func instance(service, id string) registry.Instance {
	return registry.Instance{
		Key: registry.Key{Service: service, ID: id}, Address: "10.0.0.1:8080", Reported: registry.Up, Zone: "zone-a", Weight: 3,
		Metadata: map[string]string{"version": "1.4.2", "git": "4711"},
	}
}

// join registers an instance by a stream.
func (r *running) join(t testing.TB, i registry.Instance) *registry.Session {
	t.Helper()
	session, err := r.core.Open()
	if err != nil {
		t.Fatal(err)
	}
	if err := session.Put(t.Context(), i); err != nil {
		t.Fatal(err)
	}
	return session
}

// answer is what the server said.
type answer struct {
	status int
	header http.Header
	body   string
}

// get asks for a path.
func (r *running) get(t testing.TB, path string, change ...func(*http.Request)) answer {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.http.URL+path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range change {
		c(request)
	}
	response, err := r.http.Client().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{response.StatusCode, response.Header, string(body)}
}

// page gives a page, which must be there.
func (r *running) page(t testing.TB, path string) *html.Node {
	t.Helper()
	got := r.get(t, path)
	if got.status != http.StatusOK {
		t.Fatalf("%s: %d: %s", path, got.status, got.body)
	}
	return parse(t, got.body)
}

func parse(t testing.TB, text string) *html.Node {
	t.Helper()
	node, err := html.Parse(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return node
}

// all gives the elements under a node that are as wanted.
func all(n *html.Node, want func(*html.Node) bool) []*html.Node {
	var found []*html.Node
	for d := range n.Descendants() {
		if d.Type == html.ElementNode && want(d) {
			found = append(found, d)
		}
	}
	return found
}

// one gives the element with an id.
func one(t testing.TB, n *html.Node, id string) *html.Node {
	t.Helper()
	found := all(n, func(n *html.Node) bool { return attr(n, "id") == id })
	if len(found) != 1 {
		t.Fatalf("%d elements with id %q", len(found), id)
	}
	return found[0]
}

func tag(name string) func(*html.Node) bool { return func(n *html.Node) bool { return n.Data == name } }

func attr(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

// text gives the words of an element, one space between them.
func text(n *html.Node) string {
	var words strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			words.WriteString(d.Data + " ")
		}
	}
	return strings.Join(strings.Fields(words.String()), " ")
}

// texts gives those of several.
func texts(nodes []*html.Node) []string {
	var found []string
	for _, n := range nodes {
		found = append(found, text(n))
	}
	return found
}
