package keycloak

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// browser is one that never has been anywhere: it keeps cookies, follows Keycloak's redirects, and stops at the first that leads
// elsewhere.
type browser struct{ http http.Client }

func newBrowser(home string) (*browser, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	return &browser{http.Client{Jar: jar, CheckRedirect: func(next *http.Request, _ []*http.Request) error {
		if !strings.HasPrefix(next.URL.String(), home) {
			return http.ErrUseLastResponse
		}
		return nil
	}}}, nil
}

// errPage is an answer that is no redirect back to the client: a page that tells the user what is wrong.
var errPage = errors.New("a page of Keycloak")

// authorize goes where an application sends a user, logs in if Keycloak asks for it, and gives the parameters with which it sends
// the user back.
func (b *browser) authorize(ctx context.Context, to, user, password string) (url.Values, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, to, nil)
	if err != nil {
		return nil, err
	}
	back, page, err := b.open(request)
	if err != nil || back != nil {
		return back, err
	}
	action, fields, err := loginForm(page)
	if err != nil {
		return nil, err
	}
	fields.Set("username", user)
	fields.Set("password", password)
	request, err = http.NewRequestWithContext(ctx, http.MethodPost, action, strings.NewReader(fields.Encode()))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	back, page, err = b.open(request)
	if err == nil && back == nil {
		err = fmt.Errorf("%w after the login: %s", errPage, text(page))
	}
	return back, err
}

// open gives the parameters of a redirect back to the client, or else a page with status 200.
func (b *browser) open(request *http.Request) (back url.Values, page *html.Node, err error) {
	response, err := b.http.Do(request)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = response.Body.Close() }()
	if to, err := response.Location(); err == nil {
		back, err = url.ParseQuery(to.RawQuery + "&" + to.Fragment) // the implicit flow answers in the fragment
		return back, nil, err
	}
	page, err = html.Parse(io.LimitReader(response.Body, 1<<20))
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%w: %s: %s", errPage, response.Status, text(page))
	}
	return nil, page, err
}

// loginForm gives where the form of a login page is sent, and what it holds already.
func loginForm(page *html.Node) (action string, fields url.Values, err error) {
	for node := range page.Descendants() {
		if node.DataAtom != atom.Form || attribute(node, "id") != "kc-form-login" {
			continue
		}
		fields = url.Values{}
		for input := range node.Descendants() {
			if input.DataAtom == atom.Input && attribute(input, "type") == "hidden" {
				fields.Set(attribute(input, "name"), attribute(input, "value"))
			}
		}
		return attribute(node, "action"), fields, nil
	}
	return "", nil, fmt.Errorf("%w without a login form: %s", errPage, text(page))
}

func attribute(node *html.Node, name string) string {
	for _, a := range node.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// text is what a page says in its body.
func text(page *html.Node) string {
	var words []string
	for node := range page.Descendants() {
		if node.Type == html.TextNode && node.Parent.DataAtom != atom.Script && node.Parent.DataAtom != atom.Style {
			words = append(words, strings.Fields(node.Data)...)
		}
	}
	return strings.Join(words, " ")
}
