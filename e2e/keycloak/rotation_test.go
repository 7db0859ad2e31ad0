package keycloak

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

const (
	// callers is how many callers there are at once, and enough the calls that each part of a rotation sees at least.
	callers = 4
	enough  = 300
	// forgotten is how long after its removal a key may still be accepted: see docs/security.md.
	forgotten = time.Minute
)

// TestARotationRefusesNoGoodToken changes the key that signs, under load: tokens of the old key are good until the key is removed,
// and refused within a minute then; those of the new one are good from the first on.
func TestARotationRefusesNoGoodToken(t *testing.T) {
	t.Parallel()
	r := newRealm(t, func(map[string]any) {})
	w := newWorld(t, r.issuer)
	provider, oldKey := r.signingKey(t)
	old := w.login(t, "ada")
	l := w.load(t, old.AccessToken)

	l.await(t, oldKey)
	r.addKey(t)
	_, newKey := r.signingKey(t)
	if keyOf(old.AccessToken) != oldKey || newKey == oldKey {
		t.Fatalf("keys %s, then %s, and the token's is %s", oldKey, newKey, keyOf(old.AccessToken))
	}
	l.await(t, newKey) // while the callers go on with the old token, too

	// The services' own tokens of the old key are refused from now on, too: nobody may notice.
	l.forget()
	r.removeKey(t, provider)
	t.Logf("tokens of a removed key were refused after %v", w.untilForgotten(t, old.AccessToken).Round(time.Millisecond))
	l.await(t, newKey)
	l.stop(t)
}

// untilForgotten reads with a token of a key that has been removed until it is refused, and tells how long that took.
func (w *world) untilForgotten(t *testing.T, token string) time.Duration {
	t.Helper()
	for removed := time.Now(); ; time.Sleep(pollEvery) {
		got, took := w.read(t.Context(), token), time.Since(removed)
		if got.refused() {
			w.mustRefuse(t, token, "key")
			return took
		}
		if took > forgotten {
			t.Fatalf("%v after its removal a token of the key gets, %v", took, got)
		}
	}
}

// load is callers who get new tokens and call with them, over and over.
type load struct {
	w       *world
	service clientcredentials.Config
	end     func()
	ended   sync.WaitGroup

	// using is held while the old token is used, so that it is known when nobody does any more.
	using sync.RWMutex
	old   string

	mu     sync.Mutex
	calls  map[string]int // by the key of the token
	tokens int
	bad    []string // the answers to good tokens that are not good
}

// load starts the callers. Until forget, they call with this token, too.
func (w *world) load(t *testing.T, old string) *load {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	l := &load{w: w, old: old, calls: map[string]int{}, end: cancel, service: clientcredentials.Config{
		ClientID: "event-service", ClientSecret: "event-service", TokenURL: w.people.Endpoint.TokenURL,
	}}
	for range callers {
		l.ended.Go(func() { l.run(ctx) })
	}
	t.Cleanup(func() { cancel(); l.ended.Wait() })
	return l
}

func (l *load) run(ctx context.Context) {
	for round := 0; ctx.Err() == nil; round++ {
		l.round(context.WithoutCancel(ctx), round) // what is under way at the end is finished
		time.Sleep(pollEvery)
	}
}

func (l *load) round(ctx context.Context, number int) {
	byUser := number%2 == 0
	token, err := l.token(ctx, byUser)
	if err != nil {
		l.note("", answer{text: err.Error()})
		return
	}
	l.read(ctx, token)
	if byUser {
		l.write(ctx, token)
	}
	l.using.RLock()
	defer l.using.RUnlock()
	if l.old != "" {
		l.read(ctx, l.old)
	}
}

// token gets a new one: that of a user, who may write, or that of a service.
func (l *load) token(ctx context.Context, ofUser bool) (string, error) {
	l.mu.Lock()
	l.tokens++
	l.mu.Unlock()
	var token *oauth2.Token
	var err error
	if ofUser {
		token, err = l.w.people.PasswordCredentialsToken(ctx, "ada", "ada")
	} else {
		token, err = l.service.Token(ctx)
	}
	if err != nil {
		return "", err
	}
	return token.AccessToken, nil
}

func (l *load) read(ctx context.Context, token string) {
	got := l.w.read(ctx, token)
	l.note(token, got.gateway)
	l.note(token, got.service)
}

// write creates an event, and a prospect for it: the Prospect service asks for the event under its own account.
func (l *load) write(ctx context.Context, token string) {
	created := l.w.rest(ctx, token, http.MethodPost, "/events", `{"name": "Fair"}`, http.StatusCreated)
	l.note(token, created)
	if !created.ok {
		return
	}
	l.note(token, l.w.rest(ctx, token, http.MethodPost, "/prospects",
		fmt.Sprintf(`{"firstName": "Grace", "lastName": "Hopper", "filedWork": "IT", "idEvent": %q}`, created.id()), http.StatusCreated))
}

// forget returns when nobody uses the old token any more.
func (l *load) forget() {
	l.using.Lock()
	defer l.using.Unlock()
	l.old = ""
}

func (l *load) note(token string, got answer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.calls[keyOf(token)]++
	if !got.ok {
		l.bad = append(l.bad, time.Now().Format(time.StampMilli)+" "+got.text)
	}
}

// await returns when there were enough more calls with tokens of a key.
func (l *load) await(t *testing.T, key string) {
	t.Helper()
	for end, wanted := time.Now().Add(forgotten), l.count(key)+enough; l.count(key) < wanted; time.Sleep(pollEvery) {
		if time.Now().After(end) {
			t.Fatalf("only %d calls with tokens of the key %s, want %d", l.count(key), key, wanted)
		}
	}
}

func (l *load) count(key string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.calls[key]
}

// stop ends the load, all of whose calls must have been good.
func (l *load) stop(t *testing.T) {
	t.Helper()
	l.end()
	l.ended.Wait()
	total := 0
	for _, calls := range l.calls {
		total += calls
	}
	t.Logf("%d calls with good tokens of %d keys, of %d tokens; %d were not answered well", total, len(l.calls), l.tokens, len(l.bad))
	for _, text := range l.bad {
		t.Error(text)
	}
}

// keyOf gives the id of the key that has signed a token.
func keyOf(token string) string {
	text, _, _ := strings.Cut(token, ".")
	var header struct{ Kid string }
	if decoded, err := base64.RawURLEncoding.DecodeString(text); err == nil {
		_ = json.Unmarshal(decoded, &header) // without an id it is nobody's
	}
	return header.Kid
}
