package web_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"golang.org/x/net/html"

	"eventprospect/mesh/meshtest"
	"eventprospect/services/registry/internal/registry"
)

func TestInABrowser(t *testing.T) {
	t.Parallel()
	b := startBrowser(t)
	t.Run("the page works", func(t *testing.T) {
		for name, run := range map[string]func(*testing.T, browser){
			"changes appear by themselves":                   changesAppear,
			"what the reader does is left alone":             readerIsLeftAlone,
			"a broken stream is taken up again":              streamIsTakenUpAgain,
			"a refused stream is told":                       refusalIsTold,
			"without JavaScript":                             withoutJavaScript,
			"by keyboard":                                    byKeyboard,
			"to a screen reader":                             toAScreenReader,
			"in the dark":                                    inTheDark,
			"on a narrow screen":                             onANarrowScreen,
			"the empty page gives way to the first instance": emptyPageGivesWay,
		} {
			t.Run(name, func(t *testing.T) { t.Parallel(); run(t, b) })
		}
	})
}

func row(id string) string { return fmt.Sprintf("document.getElementById(%q)", "instance/event/"+id) }

func changesAppear(t *testing.T, chrome browser) {
	r := start(t, quick())
	r.join(t, instance("event", "a"))
	b := newTab(t, chrome)
	b.open(r.http.URL)
	b.live()
	eval[bool](b, "window.same = true")
	session := r.join(t, instance("event", "b"))
	b.until(row("b") + ` !== null`)
	b.until(`document.getElementById("words").textContent === "event: b joined."`)
	if _, err := r.core.SetStatus(t.Context(), registry.Key{Service: "event", ID: "b"}, registry.Down); err != nil {
		t.Fatal(err)
	}
	b.until(row("b") + `.innerText.includes("Down")`)
	r.join(t, instance("config", "c"))
	b.until(`document.querySelector("#list > section").id === "service/config"`)
	session.Close()
	b.until(row("b") + ` === null`)
	b.until(`document.getElementById("recent").innerText.includes("b left")`)
	b.until(`document.getElementById("summary/found").innerText.includes("2 instances of 2 services")`)
	if !eval[bool](b, "window.same") {
		t.Error("the page was loaded anew")
	}
}

func readerIsLeftAlone(t *testing.T, chrome browser) {
	r := start(t, quick())
	a := r.join(t, instance("event", "a"))
	z := r.join(t, instance("event", "z"))
	b := newTab(t, chrome)
	b.open(r.http.URL)
	b.live()
	focused := `document.activeElement.id === "instance/event/a/more"`
	b.do(chromedp.Click(chromedp.CSS(`[id="instance/event/a/more"]`)))
	b.until(focused)
	eval[bool](b, "(window.row = "+row("a")+", true)")

	r.join(t, instance("event", "b")) // before, among and after the others
	r.join(t, instance("event", "0"))
	z.Close()
	b.until(row("b") + " && " + row("0") + " && !" + row("z"))
	if !eval[bool](b, "window.row === "+row("a")+" && "+focused+" && window.row.querySelector('details').open") {
		t.Error("a row that hasn't changed was not left as it is")
	}

	changed := instance("event", "a")
	changed.Zone = "elsewhere"
	if err := a.Put(t.Context(), changed); err != nil {
		t.Fatal(err)
	}
	b.until(row("a") + `.innerText.includes("elsewhere")`)
	if !eval[bool](b, focused+" && "+row("a")+".querySelector('details').open") {
		t.Error("a row that has changed lost the focus, or what was open")
	}
	a.Close()
	b.until(row("a") + " === null")
	if got := eval[string](b, "document.activeElement.id"); got != "service/event/title" {
		t.Errorf("the focus went to %q, want the title of what held it", got)
	}
}

func streamIsTakenUpAgain(t *testing.T, chrome browser) {
	r := start(t, quick())
	r.join(t, instance("event", "a"))
	b := newTab(t, chrome, "ERR_INCOMPLETE_CHUNKED_ENCODING", "ERR_CONNECTION", "ERR_EMPTY_RESPONSE")
	b.open(r.http.URL)
	b.live()
	r.http.CloseClientConnections()
	b.until(`document.getElementById("live").dataset.state === "waiting"`)
	r.join(t, instance("event", "b"))
	b.live()
	b.until(row("b") + " !== null")
}

func refusalIsTold(t *testing.T, chrome browser) {
	settings := quick()
	settings.MaxStreams = 1
	r := start(t, settings)
	r.join(t, instance("event", "a"))
	r.follow(t, "/changes").next(t)
	b := newTab(t, chrome, "503")
	b.open(r.http.URL)
	b.until(`document.getElementById("live").innerText.includes("Not live")`)
	b.submit("nothing") // the server filters
	b.until(`document.getElementById("empty") !== null`)
}

func withoutJavaScript(t *testing.T, chrome browser) {
	r := start(t, quick())
	r.join(t, instance("event", "a"))
	r.join(t, instance("event", "b"))
	b := newTab(t, chrome)
	if _, err := chromedp.Call(b.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}); err != nil {
		t.Fatal(err)
	}
	b.open(r.http.URL)
	if got := text(one(t, b.source(), "live")); !strings.HasSuffix(got, "Reload to see changes.") {
		t.Errorf("it says %q", got)
	}
	if got := rows(b.source()); got != 2 {
		t.Errorf("%d instances, want 2", got)
	}
	b.submit("b")
	if got := text(one(t, b.source(), "summary/found")); got != "1 of 2 instances, with “b” 1 up" || rows(b.source()) != 1 {
		t.Errorf("found %q", got)
	}
}

// source gives the page as it is now, scripts or not.
func (b *tab) source() *html.Node {
	b.t.Helper()
	document, err := chromedp.Call(b.ctx, dom.GetDocument, dom.GetDocumentParams{})
	if err != nil {
		b.t.Fatal(err)
	}
	source, err := chromedp.Call(b.ctx, dom.GetOuterHTML, dom.GetOuterHTMLParams{BackendNodeID: document.Root.BackendNodeID})
	if err != nil {
		b.t.Fatal(err)
	}
	return parse(b.t, source.OuterHTML)
}

// submit fills in the filter by keyboard, right after the page was loaded, and waits for the page that the server answers with.
func (b *tab) submit(query string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, meshtest.Patience)
	defer cancel()
	if _, err := chromedp.RunResponse(ctx, chromedp.KeyEvent(kb.Tab+kb.Tab+kb.Tab+query+kb.Enter)); err != nil {
		b.t.Fatal(err)
	}
}

func byKeyboard(t *testing.T, chrome browser) {
	r := start(t, quick())
	for _, id := range []string{"a", "b"} {
		r.join(t, instance("event", id))
	}
	b := newTab(t, chrome)
	b.open(r.http.URL)
	b.live()
	var order []string
	for range 6 {
		b.do(chromedp.KeyEvent(kb.Tab))
		order = append(order, eval[string](b, `document.activeElement.id || document.activeElement.textContent`))
		if !eval[bool](b, `getComputedStyle(document.activeElement).outlineStyle !== "none" && document.activeElement.getBoundingClientRect().top >= 0`) {
			t.Errorf("the focus can't be seen on %q", order[len(order)-1])
		}
	}
	want := []string{"Skip to the instances", "Registry", "q", "Filter", "instance/event/a/more", "instance/event/b/more"}
	if !slices.Equal(order, want) {
		t.Errorf("the focus goes to %q, want %q", order, want)
	}
	b.do(chromedp.KeyEvent(kb.Enter))
	b.until(row("b") + `.querySelector("details").open`)

	// One event, as of a real key: KeyEvent inserts the character whatever becomes of the key.
	slash := input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeKeyDown, Key: "/", Text: "/"}
	if _, err := chromedp.Call(b.ctx, input.DispatchKeyEvent, slash); err != nil {
		t.Fatal(err)
	}
	b.do(chromedp.KeyEvent("b zone-a" + kb.Enter))
	b.until(row("a") + " === null && " + row("b") + " !== null")
	b.until(`document.activeElement.id === "q" && location.search === "?q=b+zone-a"`)
	b.until(`document.getElementById("words").textContent === "1 of 2 instances, with “b zone-a”."`)
	r.join(t, instance("event", "c")) // doesn't fit
	late := instance("event", "bb")
	r.join(t, late)
	b.until(row("bb") + " !== null && " + row("c") + " === null")
	b.do(chromedp.KeyEvent(strings.Repeat(kb.Backspace, len("b zone-a"))))
	b.until(row("a") + " !== null && location.search === ''")

	b.open(r.http.URL)
	b.do(chromedp.KeyEvent(kb.Tab), chromedp.KeyEvent(kb.Enter))
	b.until(`document.activeElement.id === "main"`)
}

func inTheDark(t *testing.T, chrome browser) {
	r := start(t, quick())
	b := newTab(t, chrome)
	seen := map[string]string{}
	for _, scheme := range []string{"light", "dark"} {
		b.prefer(scheme)
		b.open(r.http.URL)
		seen[scheme] = eval[string](b, `(style => style.color + " on " + style.backgroundColor)(getComputedStyle(document.body))`)
	}
	if seen["light"] != "rgb(27, 33, 40) on rgb(245, 246, 248)" || seen["dark"] != "rgb(228, 232, 237) on rgb(20, 23, 27)" {
		t.Errorf("colours %v", seen)
	}
	if got := eval[string](b, `(e => (e.className = "new", document.body.append(e), getComputedStyle(e).animationName))(document.createElement("p"))`); got != "none" {
		t.Errorf("something moves (%s), though the reader prefers that it doesn't", got)
	}
}

func onANarrowScreen(t *testing.T, chrome browser) {
	r := start(t, quick())
	long := instance("a-service-with-a-name-that-is-as-long-as-names-may-be-63-letters", strings.Repeat("instance", 16))
	long.Address = strings.Repeat("host.", 30) + "example:8080"
	long.Metadata = map[string]string{"version": strings.Repeat("1.2.3-", 20), strings.Repeat("k", 64): strings.Repeat("v", 256)}
	r.join(t, long)
	r.join(t, instance("event", "a"))
	b := newTab(t, chrome)
	for _, width := range []int64{360, 800, 1000, 1280, 1600} {
		b.do(chromedp.EmulateViewport(width, 800))
		b.open(r.http.URL)
		b.live()
		eval[int](b, `(document.querySelectorAll("details").forEach(d => d.open = true), 0)`)
		if got := eval[int64](b, "document.documentElement.scrollWidth"); got > width {
			t.Errorf("the page is %d pixels wide on a screen of %d", got, width)
		}
		if got := eval[string](b, `[...document.querySelectorAll("tbody *, h2, .status")].filter(e => e.getBoundingClientRect().right > innerWidth).map(e => e.outerHTML).join("\n")`); got != "" {
			t.Errorf("cut off at %d pixels: %s", width, got)
		}
	}
}

func emptyPageGivesWay(t *testing.T, chrome browser) {
	r := start(t, quick())
	b := newTab(t, chrome)
	b.open(r.http.URL)
	b.live()
	b.until(`document.getElementById("empty").innerText.includes("go run ./dev")`)
	session := r.join(t, instance("event", "a"))
	b.until(`document.getElementById("empty") === null && ` + row("a") + ` !== null`)
	session.Close()
	b.until(`document.getElementById("empty") !== null && document.getElementById("service/event") === null`)
}
