package web_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/chromedp"
)

// tree gives the accessibility tree as "role: name", without what has no name.
func (b *tab) tree() []string {
	b.t.Helper()
	tree, err := chromedp.Call(b.ctx, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{})
	if err != nil {
		b.t.Fatal(err)
	}
	var all []string
	for _, n := range tree.Nodes {
		if n.Ignored || n.Role == nil || n.Name == nil {
			continue
		}
		var role, name string
		if json.Unmarshal(n.Role.Value, &role) == nil && json.Unmarshal(n.Name.Value, &name) == nil && name != "" {
			all = append(all, role+": "+strings.Join(strings.Fields(name), " "))
		}
	}
	return all
}

// told is what a screen reader must be told, whatever the width of the screen.
var told = []string{
	"RootWebArea: Registry", "link: Skip to the instances", "heading: Registry", "searchbox: Filter", "button: Filter",
	"region: event", "heading: event", "table: Instances of event", "columnheader: Status", "rowheader: a", "cell: ✓ Up",
	"DisclosureTriangle: Stream, 2 metadata of a", "complementary: Recent changes", "heading: Recent changes",
}

func toAScreenReader(t *testing.T, chrome browser) {
	r := start(t, quick())
	r.join(t, instance("event", "a"))
	for _, width := range []int64{1280, 360} {
		b := newTab(t, chrome)
		b.do(chromedp.EmulateViewport(width, 800))
		b.open(r.http.URL)
		b.live()
		tree := b.tree()
		for _, want := range told {
			if !slices.Contains(tree, want) {
				t.Errorf("at %d pixels %q is missing in:\n%s", width, want, strings.Join(tree, "\n"))
			}
		}
	}
}
