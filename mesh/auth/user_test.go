package auth_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"eventprospect/mesh/auth"
	"eventprospect/mesh/fault"
	"eventprospect/mesh/meshtest"
	"eventprospect/mesh/meshtest/attack"
)

func TestTheOutgoingUserTravelsInTheContext(t *testing.T) {
	t.Parallel()
	if token, ok := auth.OutgoingUser(t.Context()); ok || token != "" {
		t.Errorf("got %q in an empty context", token)
	}
	if token, ok := auth.OutgoingUser(auth.WithOutgoingUser(t.Context(), "abc")); !ok || token != "abc" {
		t.Errorf("got %q, %v", token, ok)
	}
}

func TestTheOutgoingUsersTokenIsNeverPrinted(t *testing.T) {
	t.Parallel()
	const token = "secret-token"
	ctx := auth.WithOutgoingUser(auth.NewContext(t.Context(), auth.Identity{Subject: "s"}), token)
	child, cancel := context.WithCancel(ctx)
	defer cancel()
	var out bytes.Buffer
	for _, log := range []*slog.Logger{slog.New(slog.NewTextHandler(&out, nil)), slog.New(slog.NewJSONHandler(&out, nil))} {
		log.InfoContext(child, "call", "ctx", ctx, "child", child, "held", struct{ ctx context.Context }{ctx})
	}
	for _, value := range []any{ctx, child, &ctx, struct{ ctx context.Context }{ctx}, []any{ctx}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
			fmt.Fprintf(&out, verb, value)
		}
		_ = json.NewEncoder(&out).Encode(value)
	}
	if text := out.String(); strings.Contains(text, token) || strings.Contains(text, fmt.Sprintf("%x", token)) {
		t.Errorf("the token is in:\n%s", text)
	}
}

func TestOnBehalf(t *testing.T) {
	t.Parallel()
	issuer := meshtest.NewIssuer(t)
	v := ready(t, issuer)
	service := auth.Identity{Subject: "prospect", Roles: []string{"service", "reader"}}
	got, err := auth.OnBehalf(t.Context(), v.Verify, service, "Bearer "+issuer.Token("editor"))
	if err != nil {
		t.Fatal(err)
	}
	user := auth.Identity{Subject: "7f2c8f60-0000-4000-8000-000000000001", Client: "test", Roles: []string{"editor"}}
	want := auth.Identity{Subject: "prospect", Roles: []string{"service", "reader"}, User: &user}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if got.HasAny([]string{"editor"}) {
		t.Error("the service has the user's roles")
	}
}

func TestOnBehalfIsForServicesOnly(t *testing.T) {
	t.Parallel()
	verify := func(context.Context, string) (auth.Identity, error) { return auth.Identity{Subject: "user"}, nil }
	_, err := auth.OnBehalf(t.Context(), verify, auth.Identity{Roles: []string{"admin"}}, "Bearer x")
	var f *fault.Error
	if !errors.As(err, &f) || f.Kind != fault.Denied || !cmp.Equal(f.Roles, []string{auth.ServiceRole}) {
		t.Errorf("got %v, want Denied for want of the role", err)
	}
}

func TestAttacksOnBehalfOfAUserAreRefused(t *testing.T) {
	t.Parallel()
	issuer := meshtest.NewIssuer(t)
	v := ready(t, issuer)
	service := auth.Identity{Roles: []string{auth.ServiceRole}}
	for _, a := range attack.Table(t, issuer) {
		got, err := auth.OnBehalf(t.Context(), v.Verify, service, a.Header)
		if !fault.Is(err, a.Kind) || got.User != nil || repeats(err.Error(), a.Header) {
			t.Errorf("%s: got %v, %v", a.Name, got, err)
		}
	}
}
