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
	seen := make(chan auth.Identity, 8)
	cfg := config(t, issuer)
	listener := meshtest.Listen(t)
	cfg.Registry = serveOn(t, issuer, listener, &registry{event: listener.Addr().String()},
		events{asked: func(caller auth.Identity) { seen <- caller }})
	p := meshtest.Run(t, "prospect", cfg, app.Bind)
	client := prospectv1.NewProspectServiceClient(meshtest.Dial(t, p.Address))
	claims := issuer.Claims("editor")
	claims["sub"], claims["azp"] = "ada", "gateway-cli"
	for token, user := range map[string]*auth.Identity{
		issuer.Sign(claims):                      {Subject: "ada", Client: "gateway-cli", Roles: []string{"editor"}},
		issuer.Token(auth.ServiceRole, "editor"): nil,
	} {
		ada := &prospectv1.Prospect{FirstName: "Ada", LastName: "Lovelace", IdEvent: "e"}
		if _, err := client.CreateProspect(meshtest.As(t, token), &prospectv1.CreateProspectRequest{Prospect: ada}); err != nil {
			t.Fatal(err)
		}
		caller := <-seen
		if !slices.Equal(caller.Roles, []string{"service", "reader"}) {
			t.Errorf("the caller's roles are %q, want those of the service's account", caller.Roles)
		}
		if diff := cmp.Diff(user, caller.User); diff != "" {
			t.Errorf("the user: -want +got:\n%s", diff)
		}
	}
}
