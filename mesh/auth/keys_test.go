package auth

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// source answers requests for keys in place of the network, so that time can be a fake.
type source struct {
	answer atomic.Pointer[string]
	reads  atomic.Int32
}

// RoundTrip answers with what the source holds; with an error if it is empty.
func (s *source) RoundTrip(*http.Request) (*http.Response, error) {
	s.reads.Add(1)
	text := *s.answer.Load()
	if text == "" {
		return nil, errors.New("away")
	}
	recorder := httptest.NewRecorder()
	_, _ = recorder.WriteString(text)
	return recorder.Result(), nil
}

func (s *source) set(text string) { s.answer.Store(&text) }

// jwksOf gives the JSON of keys with these ids.
func jwksOf(ids ...string) string {
	var all []map[string]string
	for _, id := range ids {
		all = append(all, map[string]string{
			"kty": "OKP", "crv": "Ed25519", "kid": id, "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
		})
	}
	text, _ := json.Marshal(map[string]any{"keys": all})
	return string(text)
}

// inFakeTime runs a test in which time passes when everybody waits.
func inFakeTime(t *testing.T, answer string, test func(t *testing.T, s *source, k *keys)) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &source{}
		s.set(answer)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		k := newKeys(ctx, "http://issuer.example/certs", s, slog.New(slog.DiscardHandler))
		synctest.Wait()
		test(t, s, k)
	})
}

func (k *keys) has(ctx context.Context, id string) bool {
	_, err := k.KeyRead(ctx, id)
	return err == nil
}

func TestKeysAreTriedAgainSoonUntilTheyAreRead(t *testing.T) {
	inFakeTime(t, "", func(t *testing.T, s *source, k *keys) {
		time.Sleep(time.Minute)
		s.set(jwksOf("a"))
		time.Sleep(maxRetry)
		synctest.Wait()
		if !k.known(t.Context()) {
			t.Errorf("no key %v after the issuer came up", maxRetry)
		}
		if reads := s.reads.Load(); reads < 20 || reads > 40 {
			t.Errorf("%d tries in a minute", reads)
		}
	})
}

func TestAskingDoesNotHurryAnIssuerThatIsAway(t *testing.T) {
	inFakeTime(t, "", func(t *testing.T, s *source, k *keys) {
		before := s.reads.Load()
		for range 100 {
			k.has(t.Context(), "a")
		}
		if reads := s.reads.Load() - before; reads > 0 {
			t.Errorf("asking made %d more readings", reads)
		}
	})
}

func TestUnknownKeysAreLookedForOnceInAWhile(t *testing.T) {
	inFakeTime(t, jwksOf("a"), func(t *testing.T, s *source, k *keys) {
		k.has(t.Context(), "unknown")
		s.set(jwksOf("a", "b"))
		if k.has(t.Context(), "b") {
			t.Errorf("read twice within %v", refetchEvery)
		}
		time.Sleep(refetchEvery)
		if !k.has(t.Context(), "b") {
			t.Errorf("not read again after %v", refetchEvery)
		}
	})
}

func TestARemovedKeyIsForgotten(t *testing.T) {
	inFakeTime(t, jwksOf("a", "b"), func(t *testing.T, s *source, k *keys) {
		s.set(jwksOf("b"))
		if !k.has(t.Context(), "a") {
			t.Error("forgotten before the keys were read again")
		}
		time.Sleep(refreshEvery)
		synctest.Wait()
		if k.has(t.Context(), "a") || !k.has(t.Context(), "b") {
			t.Error("the keys are not those that the issuer has")
		}
	})
}

func TestBadAnswersKeepTheKeys(t *testing.T) {
	for name, answer := range map[string]string{
		"no answer": "", "no JSON": "<html>", "no keys": jwksOf(), "another JSON": `{"error":"x"}`,
		"only keys for other uses": `{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"b","use":"enc","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			inFakeTime(t, jwksOf("a"), func(t *testing.T, s *source, k *keys) {
				s.set(answer)
				time.Sleep(3 * refreshEvery)
				if !k.has(t.Context(), "a") {
					t.Error("the keys last read are gone")
				}
			})
		})
	}
}

func TestKeysThatAreNotUnderstoodDoNotSpoilTheOthers(t *testing.T) {
	good := jwksOf("a")
	mixed := `{"keys":[{"kty":"new","kid":"n"},{"kty":"RSA","kid":"broken","n":"!"},` + good[len(`{"keys":[`):]
	inFakeTime(t, mixed, func(t *testing.T, _ *source, k *keys) {
		if !k.has(t.Context(), "a") {
			t.Error("the good key is not read")
		}
		if k.has(t.Context(), "broken") {
			t.Error("the broken key is read")
		}
	})
}
