package web_test

import (
	"net/http"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

func TestEachAnswerSaysWhatABrowserMayDoWithIt(t *testing.T) {
	t.Parallel()
	r := start(t, quick())
	asset := attr(all(r.page(t, "/"), tag("script"))[0], "src")
	for _, path := range []string{"/", "/nowhere", asset, "/assets/none.js", "/?page=x"} {
		answer := r.get(t, path)
		for name, want := range map[string]string{
			"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
			"X-Content-Type-Options":  "nosniff",
			"Referrer-Policy":         "no-referrer",
		} {
			if got := answer.header.Get(name); got != want {
				t.Errorf("%s: %s: %q, want %q", path, name, got, want)
			}
		}
		if path != asset && answer.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: may be kept: %q", path, answer.header.Get("Cache-Control"))
		}
	}
}

func TestNothingCanBeChanged(t *testing.T) {
	t.Parallel()
	r := start(t, quick())
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodOptions} {
		answer := r.get(t, "/", func(r *http.Request) { r.Method = method })
		if answer.status != http.StatusMethodNotAllowed || answer.header.Get("Allow") != "GET, HEAD" {
			t.Errorf("%s: %d, allowed %q", method, answer.status, answer.header.Get("Allow"))
		}
	}
	for path, kind := range map[string]string{"/": "text/html; charset=utf-8", "/changes": "text/event-stream"} {
		answer := r.get(t, path, func(r *http.Request) { r.Method = http.MethodHead })
		if answer.status != http.StatusOK || answer.body != "" || answer.header.Get("Content-Type") != kind {
			t.Errorf("HEAD %s: %d, %d bytes of %s", path, answer.status, len(answer.body), answer.header.Get("Content-Type"))
		}
	}
}

func TestAPageThatIsNotThereLeadsHome(t *testing.T) {
	t.Parallel()
	r := start(t, quick())
	answer := r.get(t, "/nowhere")
	page := parse(t, answer.body)
	home := all(page, func(n *html.Node) bool { return n.Data == "a" && attr(n, "href") == "/" })
	if answer.status != http.StatusNotFound || len(home) == 0 || !strings.Contains(text(page), "There is no such page here.") {
		t.Errorf("%d: %s", answer.status, text(page))
	}
}

func TestAssetsAreKeptForEverUnderANameOfTheirContent(t *testing.T) {
	t.Parallel()
	r := start(t, quick())
	page := r.page(t, "/")
	files := map[string]string{}
	for _, n := range all(page, func(n *html.Node) bool { return n.Data == "link" || n.Data == "script" }) {
		path := attr(n, "href") + attr(n, "src")
		files[path[strings.LastIndex(path, "."):]] = path
	}
	for ending, kind := range map[string]string{".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"} {
		answer := r.get(t, files[ending])
		if answer.status != http.StatusOK || answer.header.Get("Content-Type") != kind || answer.body == "" ||
			answer.header.Get("Cache-Control") != "public, max-age=31536000, immutable" {
			t.Errorf("%s: %d, %v", files[ending], answer.status, answer.header)
		}
		again := r.get(t, files[ending], func(r *http.Request) { r.Header.Set("If-None-Match", answer.header.Get("ETag")) })
		if again.status != http.StatusNotModified || again.body != "" {
			t.Errorf("%s again: %d, %d bytes", files[ending], again.status, len(again.body))
		}
	}
	if answer := r.get(t, "/assets/page-0000000000000000.css"); answer.status != http.StatusNotFound {
		t.Errorf("a file of another version: %d", answer.status)
	}
}
