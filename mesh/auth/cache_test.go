package auth

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"eventprospect/mesh/fault"
)

// signer makes tokens of one key in fake time.
type signer struct {
	id  string
	key ed25519.PrivateKey
}

// newSigner makes a signer whose key follows from its id.
func newSigner(id string) signer {
	seed := sha256.Sum256([]byte(id))
	return signer{id, ed25519.NewKeyFromSeed(seed[:])}
}

func (s signer) token(t *testing.T, subject string, life time.Duration) string {
	t.Helper()
	token := jwt.NewWithClaims(jwt.SigningMethodEdDSA, jwt.MapClaims{
		"iss": "http://issuer.example", "aud": "api", "sub": subject, "typ": "Bearer", "exp": time.Now().Add(life).Unix(),
	})
	token.Header["kid"] = s.id
	signed, err := token.SignedString(s.key)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

// publish gives the JSON of the signers' keys.
func publish(signers ...signer) string {
	var all []map[string]string
	for _, s := range signers {
		x := base64.RawURLEncoding.EncodeToString(s.key.Public().(ed25519.PublicKey))
		all = append(all, map[string]string{"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": s.id, "x": x})
	}
	text, _ := json.Marshal(map[string]any{"keys": all})
	return string(text)
}

// verifyInFakeTime runs a test with a verifier that has read what the source holds.
func verifyInFakeTime(t *testing.T, answer string, size int, test func(t *testing.T, s *source, v *Verifier)) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &source{}
		s.set(answer)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		cfg := Config{Issuer: "http://issuer.example", Audience: "api", CacheSize: size}
		v, err := newVerifier(ctx, cfg, s, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		test(t, s, v)
	})
}

// remembers tells whether a token is in the cache as good.
func (v *Verifier) remembers(token string) bool {
	_, ok := v.cache.get(sha256.Sum256([]byte(token)), v.keys.current.Load().generation, time.Now())
	return ok
}

func TestAGoodTokenIsVerifiedOnce(t *testing.T) {
	a := newSigner("a")
	verifyInFakeTime(t, publish(a), 10, func(t *testing.T, _ *source, v *Verifier) {
		token := a.token(t, "somebody", time.Hour)
		if v.remembers(token) {
			t.Error("remembered before it was seen")
		}
		for range 2 {
			identity, err := v.Verify(t.Context(), token)
			if err != nil || identity.Subject != "somebody" || !v.remembers(token) {
				t.Fatalf("%v, %v, remembered: %v", identity, err, v.remembers(token))
			}
		}
	})
}

func TestARememberedTokenExpires(t *testing.T) {
	a := newSigner("a")
	verifyInFakeTime(t, publish(a), 10, func(t *testing.T, _ *source, v *Verifier) {
		token := a.token(t, "somebody", time.Minute)
		for range 2 { // a minute of life and a minute of leeway
			if _, err := v.Verify(t.Context(), token); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Minute - time.Nanosecond)
		}
		time.Sleep(2 * time.Nanosecond)
		if _, err := v.Verify(t.Context(), token); !fault.Is(err, fault.Unauthenticated) {
			t.Errorf("after its end: %v", err)
		}
	})
}

func TestATokenOfARemovedKeyIsRefusedWithinAMinute(t *testing.T) {
	a, b := newSigner("a"), newSigner("b")
	verifyInFakeTime(t, publish(a, b), 10, func(t *testing.T, s *source, v *Verifier) {
		old, other := a.token(t, "somebody", time.Hour), b.token(t, "somebody", time.Hour)
		for _, token := range []string{old, other} {
			if _, err := v.Verify(t.Context(), token); err != nil || !v.remembers(token) {
				t.Fatal(err)
			}
		}
		s.set(publish(b))
		time.Sleep(time.Minute)
		if _, err := v.Verify(t.Context(), old); !fault.Is(err, fault.Unauthenticated) {
			t.Errorf("the removed key's: %v", err)
		}
		if _, err := v.Verify(t.Context(), other); err != nil {
			t.Errorf("the other key's: %v", err)
		}
	})
}

func TestAKeyReplacedUnderItsIDEndsItsTokens(t *testing.T) {
	a := newSigner("a")
	verifyInFakeTime(t, publish(a), 10, func(t *testing.T, s *source, v *Verifier) {
		token := a.token(t, "somebody", time.Hour)
		if _, err := v.Verify(t.Context(), token); err != nil {
			t.Fatal(err)
		}
		s.set(publish(signer{"a", newSigner("another").key}))
		time.Sleep(time.Minute)
		if _, err := v.Verify(t.Context(), token); !fault.Is(err, fault.Unauthenticated) {
			t.Error(err)
		}
	})
}

func TestReadingTheSameKeysForgetsNothing(t *testing.T) {
	a, b := newSigner("a"), newSigner("b")
	verifyInFakeTime(t, publish(a, b), 10, func(t *testing.T, s *source, v *Verifier) {
		token := a.token(t, "somebody", time.Hour)
		if _, err := v.Verify(t.Context(), token); err != nil {
			t.Fatal(err)
		}
		s.set(publish(b, a))
		time.Sleep(10 * time.Minute)
		if s.reads.Load() < 10 || !v.remembers(token) {
			t.Errorf("forgotten after %d readings", s.reads.Load())
		}
	})
}

func TestBadTokensAreNotRemembered(t *testing.T) {
	a := newSigner("a")
	verifyInFakeTime(t, publish(a), 10, func(t *testing.T, _ *source, v *Verifier) {
		good := a.token(t, "somebody", time.Hour)
		for _, token := range []string{
			a.token(t, "", time.Hour), a.token(t, "somebody", -time.Hour), good[:len(good)-2] + "AA", good + "\n", "x",
		} {
			if _, err := v.Verify(t.Context(), token); err == nil {
				t.Errorf("%q is accepted", token)
			}
		}
		if size := v.cache.entries.EstimatedSize(); size != 0 {
			t.Errorf("%d are remembered", size)
		}
	})
}

func TestTheCacheIsBounded(t *testing.T) {
	a := newSigner("a")
	verifyInFakeTime(t, publish(a), 10, func(t *testing.T, _ *source, v *Verifier) {
		for i := range 200 {
			if _, err := v.Verify(t.Context(), a.token(t, strconv.Itoa(i), time.Hour)); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait() // for what the cache does in the background
		v.cache.entries.CleanUp()
		if size := v.cache.entries.EstimatedSize(); size > 10 || size == 0 {
			t.Errorf("%d are remembered, want at most 10", size)
		}
	})
}

func TestWithoutACacheTokensAreVerifiedEachTime(t *testing.T) {
	a := newSigner("a")
	verifyInFakeTime(t, publish(a), 0, func(t *testing.T, _ *source, v *Verifier) {
		token := a.token(t, "somebody", time.Hour)
		for range 2 {
			if _, err := v.Verify(t.Context(), token); err != nil || v.remembers(token) {
				t.Errorf("%v, remembered: %v", err, v.remembers(token))
			}
		}
	})
}
