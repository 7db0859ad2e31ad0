package auth_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"

	"github.com/golang-jwt/jwt/v5"

	"eventprospect/mesh/auth"
	"eventprospect/mesh/fault"
)

func TestAnIssuerThatIsAwayMakesNoTokenBad(t *testing.T) {
	t.Parallel()
	r := newRealm(t)
	r.down.Store(true)
	v := newVerifier(t, r.config())
	if _, err := v.Verify(t.Context(), sign(r.claims())); !fault.Is(err, fault.Unavailable) {
		t.Fatalf("got %v, want Unavailable", err)
	}
	if v.Ready(t.Context()) {
		t.Error("ready without a key")
	}
	r.down.Store(false)
	eventually(t, "tokens are accepted again", func() bool {
		_, err := v.Verify(t.Context(), sign(r.claims()))
		return err == nil
	})
}

// A token that can't be right whatever the keys are isn't worth another try.
func TestAnImpossibleTokenIsBadEvenIfTheIssuerIsAway(t *testing.T) {
	t.Parallel()
	r := newRealm(t)
	r.down.Store(true)
	v := newVerifier(t, r.config())
	for name, token := range map[string]string{
		"malformed":     "x",
		"alg none":      signAs(jwt.SigningMethodNone, nil, r.claims(), jwt.UnsafeAllowNoneSignatureType),
		"shared secret": signAs(jwt.SigningMethodHS256, map[string]any{"kid": "first"}, r.claims(), []byte("secret")),
		"an extension":  signAs(jwt.SigningMethodRS256, map[string]any{"kid": "first", "crit": []string{"x"}}, r.claims(), firstKey()),
	} {
		if _, err := v.Verify(t.Context(), token); !fault.Is(err, fault.Unauthenticated) {
			t.Errorf("%s: got %v, want Unauthenticated", name, err)
		}
	}
}

func TestNewVerifierDoesNotWaitForTheIssuer(t *testing.T) {
	t.Parallel()
	asked, release := make(chan struct{}), make(chan struct{})
	var once sync.Once
	issuer := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		once.Do(func() { close(asked) })
		<-release
	}))
	t.Cleanup(issuer.Close)
	t.Cleanup(func() { close(release) })
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	v, err := auth.NewVerifier(ctx, auth.Config{Issuer: issuer.URL, Audience: audience}, slog.New(slog.DiscardHandler))
	if err != nil || v.Ready(ctx) {
		t.Errorf("ready: %v, error: %v", v.Ready(ctx), err)
	}
	<-asked
}

func TestANewKeyIsAcceptedAtOnce(t *testing.T) {
	t.Parallel()
	r := newRealm(t)
	v := r.verifier(t)
	r.add("second", secondKey().Public())
	token := signAs(jwt.SigningMethodRS256, map[string]any{"kid": "second"}, r.claims(), secondKey())
	// All that arrive while the keys are read wait for them; none is refused.
	inParallel(50, func(int) {
		if _, err := v.Verify(t.Context(), token); err != nil {
			t.Error(err)
		}
	})
	if reads := r.keyReads.Load(); reads != 2 {
		t.Errorf("keys were read %d times, want 2: at start and for the new key", reads)
	}
	if _, err := v.Verify(t.Context(), sign(r.claims())); err != nil {
		t.Errorf("old key: %v", err)
	}
}

func TestUnknownKeysDoNotFloodTheIssuer(t *testing.T) {
	t.Parallel()
	r := newRealm(t)
	v := r.verifier(t)
	inParallel(200, func(i int) {
		header := map[string]any{"kid": "unknown-" + strconv.Itoa(i)}
		token := signAs(jwt.SigningMethodES256, header, r.claims(), curveKey())
		if _, err := v.Verify(t.Context(), token); !fault.Is(err, fault.Unauthenticated) {
			t.Errorf("got %v, want Unauthenticated", err)
		}
	})
	if reads := r.keyReads.Load(); reads > 2 {
		t.Errorf("keys were read %d times, want at most 2", reads)
	}
}

func TestKeysStayInUseWhileTheIssuerIsAway(t *testing.T) {
	t.Parallel()
	r := newRealm(t)
	v := r.verifier(t)
	r.down.Store(true)
	token := signAs(jwt.SigningMethodRS256, map[string]any{"kid": "second"}, r.claims(), secondKey())
	if _, err := v.Verify(t.Context(), token); !fault.Is(err, fault.Unauthenticated) {
		t.Errorf("unknown key: got %v, want Unauthenticated", err)
	}
	if _, err := v.Verify(t.Context(), sign(r.claims())); err != nil {
		t.Errorf("known key: %v", err)
	}
}

func inParallel(n int, do func(i int)) {
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { do(i) })
	}
	all.Wait()
}
