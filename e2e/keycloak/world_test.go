package keycloak

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"eventprospect/dev/system"
	"eventprospect/e2e/client"
	eventv1 "eventprospect/gen/event/v1"
)

// world is a system that takes the tokens of a realm on Keycloak.
type world struct {
	*client.Client
	// people is how people get tokens.
	people oauth2.Config
	events eventv1.EventServiceClient
}

func newWorld(t *testing.T, issuer string) *world {
	t.Helper()
	s, err := system.Start(t.Context(), system.Config{Issuer: issuer, Log: t.Output(), LogLevel: slog.LevelWarn})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
	w := &world{people: oauth2.Config{
		ClientID: "gateway-cli", Endpoint: endpoint(issuer), RedirectURL: "http://127.0.0.1:4711/back", Scopes: []string{"openid"},
	}}
	w.Client, err = client.New(client.Endpoints{
		Gateway: s.Gateway, Issuer: s.Issuer, Event: s.Event, Prospect: s.Prospect, Registry: s.Registry,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	conn, err := w.Conn("event.v1")
	if err != nil {
		t.Fatal(err)
	}
	w.events = eventv1.NewEventServiceClient(conn)
	return w
}

// login gets tokens by the password grant; the password is the name.
func (w *world) login(t *testing.T, user string) *oauth2.Token {
	t.Helper()
	token, err := w.people.PasswordCredentialsToken(t.Context(), user, user)
	if err != nil {
		t.Fatalf("token for %s: %v", user, err)
	}
	return token
}

// answer is what came of a call at one door.
type answer struct {
	ok      bool
	refused bool   // for its token: 401, or UNAUTHENTICATED
	text    string // for people
	body    []byte // over REST
}

// id is that of what was created.
func (a answer) id() string {
	var created struct{ ID string }
	_ = json.Unmarshal(a.body, &created) // without one the next call fails
	return created.ID
}

// answers are those of the gateway, over REST, and of the Event service, over gRPC.
type answers struct{ gateway, service answer }

func (a answers) ok() bool { return a.gateway.ok && a.service.ok }

func (a answers) refused() bool { return a.gateway.refused && a.service.refused }

func (a answers) String() string {
	return fmt.Sprintf("at the gateway: %s; at the service: %s", a.gateway.text, a.service.text)
}

// rest calls the gateway with a token, and says whether it answers as wanted.
func (w *world) rest(ctx context.Context, token, method, path, body string, want int) answer {
	request, err := w.Request(ctx, method, path, body)
	if err != nil {
		return answer{text: err.Error()}
	}
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := w.Do(request, client.Nobody)
	if err != nil {
		return answer{text: err.Error()}
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	return answer{
		ok:      response.StatusCode == want && err == nil,
		refused: response.StatusCode == http.StatusUnauthorized,
		text:    fmt.Sprintf("%s %s", response.Status, text),
		body:    text,
	}
}

// read reads events with a token.
func (w *world) read(ctx context.Context, token string) answers {
	gateway := w.rest(ctx, token, http.MethodGet, "/v1/events?pageSize=1", "", http.StatusOK)
	_, err := w.events.ListEvents(metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+token), &eventv1.ListEventsRequest{PageSize: 1})
	return answers{gateway, answer{ok: err == nil, refused: status.Code(err) == codes.Unauthenticated, text: fmt.Sprint(err)}}
}

// mustRead holds that a token is good.
func (w *world) mustRead(t *testing.T, token string) {
	t.Helper()
	if got := w.read(t.Context(), token); !got.ok() {
		t.Errorf("a good token gets, %v", got)
	}
}

// mustRefuse holds that a token is refused for this reason.
func (w *world) mustRefuse(t *testing.T, token, reason string) {
	t.Helper()
	got := w.read(t.Context(), token)
	if !got.refused() || !strings.Contains(got.gateway.text, reason) || !strings.Contains(got.service.text, reason) {
		t.Errorf("want a refusal for %q, got, %v", reason, got)
	}
}

// mustCreate holds what the gateway answers to the creation of an event with a token.
func (w *world) mustCreate(t *testing.T, token string, want int) {
	t.Helper()
	if got := w.rest(t.Context(), token, http.MethodPost, "/events", `{"name": "Fair"}`, want); !got.ok {
		t.Errorf("creation gets %s, want %d", got.text, want)
	}
}

// pollEvery is how often a condition is asked for.
const pollEvery = 100 * time.Millisecond

// leeway is how long after its end the services still take a token, for clocks that differ: see docs/security.md.
const leeway = time.Minute
