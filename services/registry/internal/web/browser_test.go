package web_test

import (
	"context"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"eventprospect/mesh/meshtest"
)

// chromium is the variable that names the browser's program.
const chromium = "EVENTPROSPECT_TEST_CHROMIUM"

// browser is a running browser, without a window.
type browser struct{ ctx context.Context }

// startBrowser starts one. The test is skipped if there is none.
func startBrowser(t *testing.T) browser {
	t.Helper()
	program := os.Getenv(chromium)
	if program == "" {
		if os.Getenv(meshtest.NoSkip) != "" {
			t.Fatalf("%s must name the program of Chromium", chromium)
		}
		t.Skipf("%s doesn't name the program of Chromium: install it, and set the variable to its path", chromium)
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(program))
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox) // it refuses to run as root otherwise
	}
	allocator, release := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, quit := chromedp.NewContext(allocator)
	t.Cleanup(func() { quit(); release() })
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("the browser doesn't start: %v", err)
	}
	return browser{ctx}
}

// tab is one tab of the browser.
type tab struct {
	t   *testing.T
	ctx context.Context
}

// newTab opens a tab with a profile of its own. Its console may say what has one of these texts in it, and nothing else: violations
// of the content security policy stand there, too.
func newTab(t *testing.T, b browser, allowed ...string) *tab {
	t.Helper()
	ctx, shut := chromedp.NewContext(b.ctx, chromedp.WithNewBrowserContext())
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	messages := chromedp.Console(ctx)
	var reading sync.WaitGroup
	reading.Go(func() {
		for m, err := range messages {
			if err != nil {
				return // the tab is shut
			}
			if !slices.ContainsFunc(allowed, func(text string) bool { return strings.Contains(m.Text, text) }) {
				t.Errorf("the console says: %s", m)
			}
		}
	})
	t.Cleanup(func() { shut(); reading.Wait() })
	return &tab{t, ctx}
}

// do takes steps, all of which must work in time.
func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, meshtest.Patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.t.Fatal(err)
	}
}

// open loads a page.
func (b *tab) open(url string) { b.t.Helper(); b.do(chromedp.Navigate(url)) }

// live waits until changes are told.
func (b *tab) live() { b.t.Helper(); b.until(`document.getElementById("live").dataset.state === "on"`) }

// until waits until an expression is true.
func (b *tab) until(expression string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, meshtest.Patience)
	defer cancel()
	if _, err := chromedp.Run(ctx, chromedp.Poll[bool](expression)); err != nil {
		page, _ := chromedp.Run(b.ctx, chromedp.Evaluate[string]("document.body.innerText"))
		b.t.Fatalf("%s: %v; the page shows:\n%s", expression, err, page)
	}
}

// eval gives the value of an expression.
func eval[T any](b *tab, expression string) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, meshtest.Patience)
	defer cancel()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		b.t.Fatalf("%s: %v", expression, err)
	}
	return value
}

// prefer sets the colour scheme that the reader prefers.
func (b *tab) prefer(scheme string) {
	b.t.Helper()
	_, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"},
	}})
	if err != nil {
		b.t.Fatal(err)
	}
}
