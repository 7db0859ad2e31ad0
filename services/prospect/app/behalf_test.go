package app_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	prospectv1 "eventprospect/gen/prospect/v1"
	"eventprospect/mesh/auth"
	"eventprospect/mesh/meshtest"
	"eventprospect/services/prospect/app"
)

// The Event service hears the service's own account, and the user for whom it asks.
func TestTheEventServiceKnowsForWhomItIsAsked(t *testing.T) {
	t.Parallel()
	issuer := meshtest.NewIssuer(t)
	seen := make(chan auth.Identity, 100)
	cfg := config(t, issuer)
	listener := meshtest.Listen(t)
	cfg.Registry = serveOn(t, issuer, listener, &registry{event: listener.Addr().String()},
		events{asked: func(caller auth.Identity) { seen <- caller }})
	p := meshtest.Run(t, "prospect", cfg, app.Bind)
	client := prospectv1.NewProspectServiceClient(meshtest.Dial(t, p.Address))
	claims := issuer.Claims("editor")
	claims["sub"], claims["azp"] = "ada", "gateway-cli"
	for _, token := range []string{issuer.Sign(claims), issuer.Token(auth.ServiceRole, "editor")} {
		ada := &prospectv1.Prospect{FirstName: "Ada", LastName: "Lovelace", IdEvent: "e"}
		if _, err := client.CreateProspect(meshtest.As(t, token), &prospectv1.CreateProspectRequest{Prospect: ada}); err != nil {
			t.Fatal(err)
		}
	}
	users := map[string]*auth.Identity{} // by subject: each may be asked for again
	for len(seen) > 0 {
		caller := <-seen
		if !slices.Equal(caller.Roles, []string{"service", "reader"}) {
			t.Errorf("the caller's roles are %q, want those of the service's account", caller.Roles)
		}
		if caller.User == nil {
			users["nobody"] = nil
		} else {
			users[caller.User.Subject] = caller.User
		}
	}
	want := map[string]*auth.Identity{"ada": {Subject: "ada", Client: "gateway-cli", Roles: []string{"editor"}}, "nobody": nil}
	if diff := cmp.Diff(want, users); diff != "" {
		t.Errorf("the users: -want +got:\n%s", diff)
	}
}
