package app_test

import (
	"context"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"eventprospect/mesh/fault"
	"eventprospect/mesh/meshtest"
	"eventprospect/services/registry/app"
)

var variable = regexp.MustCompile(`\{(\$|[a-z]+)\}`)

// requestOf gives a request that a pattern takes.
func requestOf(pattern string) (method, path string) {
	method, path, _ = strings.Cut(pattern, " ")
	return method, variable.ReplaceAllStringFunc(path, func(name string) string {
		if name == "{$}" {
			return ""
		}
		return "x"
	})
}

func basic(user, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}

// locked has a password, and nothing open.
func locked(c *app.Config) { c.Eureka.Password = "s3cret" }

// refused tells whether the gate let nobody in.
func refused(code int) bool { return code == http.StatusUnauthorized || code == http.StatusForbidden }

func TestEveryRouteIsClosedToWhoIsNotKnown(t *testing.T) {
	t.Parallel()
	closed, withPassword := start(t), start(t, locked)
	for _, pattern := range app.Routes() {
		method, path := requestOf(pattern)
		for name, r := range map[string]*running{"nothing set": closed, "a password set": withPassword} {
			for _, authorization := range [][]string{nil, {"Basic"}, {basic("", "")}, {basic("eureka", "")}, {basic("eureka", "s3cre")}, {"Bearer x"}} {
				got := r.ask(t, method, path, authorization...)
				asks := strings.Contains(strings.Join(got.header.Values("WWW-Authenticate"), " "), "Basic ")
				if got.code != http.StatusUnauthorized || asks != (r == withPassword) || got.header.Get("Cache-Control") != "no-store" {
					t.Errorf("%s, %s: %v gets %d %v", name, pattern, authorization, got.code, got.header)
				}
			}
		}
	}
	for _, path := range []string{"/nothing", "/eureka/nothing", "/debug/requests", "/debug/pprof/", "/metrics"} {
		if got := closed.ask(t, http.MethodGet, path); got.code != http.StatusUnauthorized {
			t.Errorf("%s: %d", path, got.code)
		}
	}
}

func TestEveryRouteTakesThePasswordAndTheTokensThatItsRPCTakes(t *testing.T) {
	t.Parallel()
	r := start(t, locked)
	bearer := func(role string) string { return "Bearer " + r.issuer.Token(role) }
	for _, pattern := range app.Routes() {
		method, path := requestOf(pattern)
		reads := method == http.MethodGet
		for name, c := range map[string]struct {
			authorization []string
			want          bool
		}{
			"password":     {[]string{basic("eureka", "s3cret")}, true},
			"service":      {[]string{bearer("service")}, true},
			"reader":       {[]string{bearer("reader")}, reads},
			"editor":       {[]string{bearer("editor")}, false},
			"two services": {[]string{bearer("service"), bearer("service")}, false},
			"both":         {[]string{basic("eureka", "s3cret"), bearer("editor")}, false},
		} {
			if got := r.ask(t, method, path, c.authorization...); refused(got.code) == c.want {
				t.Errorf("%s: with %s: %d %s", pattern, name, got.code, got.body)
			}
		}
	}
}

func TestReadsAndWritesAreOpenedApart(t *testing.T) {
	t.Parallel()
	reads := start(t, func(c *app.Config) { c.OpenReads, c.Eureka.Password = true, "s3cret" })
	writes := start(t, func(c *app.Config) { c.Eureka.OpenWrites = true })
	for _, pattern := range app.Routes() {
		method, path := requestOf(pattern)
		isRead := method == http.MethodGet
		if got := reads.ask(t, method, path); refused(got.code) == isRead {
			t.Errorf("%s, reads open: %d", pattern, got.code)
		}
		if got := writes.ask(t, method, path); refused(got.code) != isRead {
			t.Errorf("%s, writes open: %d", pattern, got.code)
		}
	}
}

// openADS says whether an ADS stream is let in, by the error of its first answer.
func (r *running) openADS(t *testing.T, authorization ...string) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), meshtest.Patience)
	defer cancel()
	for _, value := range authorization {
		ctx = metadata.AppendToOutgoingContext(ctx, "authorization", value)
	}
	client := discoveryv3.NewAggregatedDiscoveryServiceClient(meshtest.Dial(t, r.Address))
	whole, err := client.StreamAggregatedResources(ctx)
	if err != nil {
		t.Fatal(err)
	}
	delta, err := client.DeltaAggregatedResources(ctx)
	if err != nil {
		t.Fatal(err)
	}
	_, first := ended(whole)
	_, second := ended(delta)
	if (first == nil) != (second == nil) {
		t.Errorf("one variant says %v, the other %v", first, second)
	}
	return first
}

// ended says nothing on a stream, and gives why it ends; nil if by itself.
func ended[Q, A any](stream grpc.BidiStreamingClient[Q, A]) (*A, error) {
	_ = stream.CloseSend() // if it is gone already, the reason comes with the answer
	answer, err := stream.Recv()
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return answer, err
}

func TestXDSTakesATokenUnlessReadsAreOpen(t *testing.T) {
	t.Parallel()
	closed, open := start(t, locked), start(t, opened)
	bearer := func(role string) string { return "Bearer " + closed.issuer.Token(role) }
	for name, c := range map[string]struct {
		authorization []string
		want          fault.Kind
	}{
		"nothing":      {nil, fault.Unauthenticated},
		"password":     {[]string{basic("eureka", "s3cret")}, fault.Unauthenticated},
		"nonsense":     {[]string{"Bearer x"}, fault.Unauthenticated},
		"two services": {[]string{bearer("service"), bearer("service")}, fault.Unauthenticated},
		"editor":       {[]string{bearer("editor")}, fault.Denied},
	} {
		if err := closed.openADS(t, c.authorization...); !fault.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, role := range []string{"reader", "service"} {
		if err := closed.openADS(t, bearer(role)); err != nil {
			t.Errorf("%s: %v", role, err)
		}
	}
	if err := open.openADS(t); err != nil {
		t.Errorf("open: %v", err)
	}
}

func TestARefusalTellsWhatWouldDo(t *testing.T) {
	t.Parallel()
	closed, withPassword := start(t), start(t, locked)
	for name, c := range map[string]struct {
		r             *running
		authorization []string
		want          string
	}{
		"nothing set":   {closed, nil, "eureka.password"},
		"how to open":   {closed, nil, "open_reads"},
		"no password":   {withPassword, nil, "user and password, or a bearer token"},
		"a wrong one":   {withPassword, []string{basic("eureka", "secret")}, "wrong user or password"},
		"a bad token":   {withPassword, []string{"Bearer x"}, "malformed"},
		"a wrong role":  {withPassword, []string{"Bearer " + withPassword.issuer.Token("editor")}, "service or reader"},
		"of which two":  {withPassword, []string{"Basic x", "Basic y"}, "more than one"},
		"some new kind": {withPassword, []string{"Digest x"}, "Bearer"},
	} {
		if got := c.r.ask(t, http.MethodGet, "/", c.authorization...); !strings.Contains(got.body, c.want) {
			t.Errorf("%s: %d %s", name, got.code, got.body)
		}
	}
}

func TestWithoutTheIssuersKeysNobodyIsCalledUnknown(t *testing.T) {
	t.Parallel()
	away := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(away.Close)
	r := start(t, func(c *app.Config) { c.Auth.JWKSURL, c.Eureka.Password = away.URL, "s3cret" })
	got := r.ask(t, http.MethodGet, "/", "Bearer "+r.issuer.Token("reader"))
	if got.code != http.StatusServiceUnavailable || got.header.Get("Retry-After") == "" {
		t.Errorf("%d %v", got.code, got.header)
	}
	if got := r.ask(t, http.MethodGet, "/", basic("eureka", "s3cret")); got.code != http.StatusOK {
		t.Errorf("the password gets %d", got.code)
	}
}
