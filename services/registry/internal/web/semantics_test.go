package web_test

import (
	"math"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

func TestTheMarkupMeansWhatItShows(t *testing.T) {
	t.Parallel()
	r := start(t, quick())
	empty := r.page(t, "/")
	r.join(t, instance("event", "a b"))
	r.join(t, instance("event", "b"))
	r.join(t, instance("prospect", "a b"))
	for name, page := range map[string]*html.Node{"empty": empty, "full": r.page(t, "/"), "filtered": r.page(t, "/?q=b"), "one service": r.page(t, "/?service=event")} {
		if lang := attr(all(page, tag("html"))[0], "lang"); lang != "en" {
			t.Errorf("%s: language %q", name, lang)
		}
		for _, landmark := range []string{"header", "main", "aside", "search", "h1", "title"} {
			if n := len(all(page, tag(landmark))); n != 1 {
				t.Errorf("%s: %d of %s, want one", name, n, landmark)
			}
		}
		wantUniqueIDs(t, name, page)
		wantReferences(t, name, page)
		for _, n := range all(page, tag("table")) {
			if captions := all(n, tag("caption")); len(captions) != 1 || text(captions[0]) == "" {
				t.Errorf("%s: a table without a caption", name)
			}
		}
		for _, n := range all(page, tag("th")) {
			if scope := attr(n, "scope"); scope != "col" && scope != "row" {
				t.Errorf("%s: heading cell %q has scope %q", name, text(n), scope)
			}
		}
		for _, n := range all(page, func(n *html.Node) bool { return attr(n, "style") != "" || attr(n, "onclick") != "" }) {
			t.Errorf("%s: %s has style or script in it", name, n.Data)
		}
		for _, n := range all(page, func(n *html.Node) bool { return strings.HasPrefix(attr(n, "class"), "status") }) {
			if text(n) == "" {
				t.Errorf("%s: a status by colour alone", name)
			}
		}
	}
	if got := attr(one(t, empty, "words"), "aria-live"); got != "polite" {
		t.Errorf("what is announced is %q", got)
	}
}

func wantUniqueIDs(t *testing.T, name string, page *html.Node) {
	t.Helper()
	seen := map[string]bool{}
	for _, n := range all(page, func(n *html.Node) bool { return attr(n, "id") != "" }) {
		id := attr(n, "id")
		if seen[id] || strings.ContainsAny(id, " \t\n") {
			t.Errorf("%s: id %q is there twice, or has white space in it", name, id)
		}
		seen[id] = true
	}
}

// wantReferences looks for what labels, and links within the page, point at.
func wantReferences(t *testing.T, name string, page *html.Node) {
	t.Helper()
	for _, n := range all(page, func(*html.Node) bool { return true }) {
		for _, id := range []string{attr(n, "for"), attr(n, "aria-labelledby"), strings.TrimPrefix(attr(n, "href"), "#")} {
			if id != "" && !strings.Contains(attr(n, "href"), "/") {
				one(t, page, id)
			}
		}
	}
}

// WCAG 2.2: text needs a contrast of 4.5 (1.4.3), what shows the focus or the edge of a field one of 3 (1.4.11).
func TestTheContrastOfColoursIsEnough(t *testing.T) {
	t.Parallel()
	css, err := os.ReadFile("assets/page.css")
	if err != nil {
		t.Fatal(err)
	}
	light, rest, found := strings.Cut(string(css), "@media (prefers-color-scheme: dark)")
	dark, rest, closed := strings.Cut(rest, "\n}\n")
	if !found || !closed {
		t.Fatal("there are no colours for the dark")
	}
	if loose := regexp.MustCompile(`#[0-9a-fA-F]{3,8}\b|rgba?\(`).FindAllString(regexp.MustCompile(`(?m)^#.*\{`).ReplaceAllString(rest, ""), -1); len(loose) > 0 {
		t.Errorf("colours that this test doesn't know: %q", loose)
	}
	for scheme, colours := range map[string]map[string]float64{"light": luminances(t, light), "dark": luminances(t, dark)} {
		for _, pair := range []struct {
			front, back string
			least       float64
		}{
			{"text", "page", 4.5},
			{"text", "card", 4.5},
			{"text", "new", 4.5},
			{"muted", "page", 4.5},
			{"muted", "card", 4.5},
			{"muted", "new", 4.5},
			{"link", "page", 4.5},
			{"link", "card", 4.5},
			{"link", "new", 4.5},
			{"up", "up-back", 4.5},
			{"starting", "starting-back", 4.5},
			{"out", "out-back", 4.5},
			{"down", "down-back", 4.5},
			{"unknown", "unknown-back", 4.5},
			{"up", "page", 4.5},
			{"focus", "page", 3},
			{"focus", "card", 3},
			{"muted", "card", 3},
		} {
			front, ok := colours[pair.front]
			back, known := colours[pair.back]
			if !ok || !known {
				t.Errorf("%s: %s or %s is missing", scheme, pair.front, pair.back)
				continue
			}
			if got := (max(front, back) + 0.05) / (min(front, back) + 0.05); got < pair.least {
				t.Errorf("%s: %s on %s has a contrast of %.2f, want %v", scheme, pair.front, pair.back, got, pair.least)
			}
		}
	}
}

// luminances gives the relative luminance of each colour (WCAG 2.2, "relative luminance").
func luminances(t *testing.T, css string) map[string]float64 {
	t.Helper()
	all := map[string]float64{}
	for _, found := range regexp.MustCompile(`--([a-z-]+): #([0-9a-f]{6});`).FindAllStringSubmatch(css, -1) {
		sum := 0.0
		for n, weight := range []float64{0.2126, 0.7152, 0.0722} {
			channel, err := strconv.ParseUint(found[2][2*n:2*n+2], 16, 8)
			if err != nil {
				t.Fatal(err)
			}
			c := float64(channel) / 255
			if c <= 0.04045 {
				c /= 12.92
			} else {
				c = math.Pow((c+0.055)/1.055, 2.4)
			}
			sum += weight * c
		}
		all[found[1]] = sum
	}
	return all
}
