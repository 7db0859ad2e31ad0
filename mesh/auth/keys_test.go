package auth

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// source answers requests for keys in place of the network, so that time can be a fake.
type source struct {
	answer atomic.Pointer[string]
	reads  atomic.Int32
	// hangs makes requests wait until they are given up.
	hangs atomic.Bool
}

// RoundTrip answers with what the source holds; with an error if it is empty.
func (s *source) RoundTrip(r *http.Request) (*http.Response, error) {
	s.reads.Add(1)
	if s.hangs.Load() {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
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
	_, err := k.find(ctx, id, true, "EdDSA")
	return err == nil
}

func TestKeysAreTriedAgainSoonUntilTheyAreRead(t *testing.T) {
	inFakeTime(t, "", func(t *testing.T, s *source, k *keys) {
		time.Sleep(time.Minute)
		s.set(jwksOf("a"))
		time.Sleep(maxRetry)
		synctest.Wait()
		if !k.known() {
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

func TestEachNewKeyIsFoundAtOnce(t *testing.T) {
	inFakeTime(t, jwksOf("a"), func(t *testing.T, s *source, k *keys) {
		for _, id := range []string{"b", "c", "d"} {
			s.set(jwksOf("a", id))
			if !k.has(t.Context(), id) {
				t.Errorf("%s isn't known, though none was looked for in vain", id)
			}
		}
	})
}

func TestARemovedKeyIsForgottenWithinAMinute(t *testing.T) {
	inFakeTime(t, jwksOf("a", "b"), func(t *testing.T, s *source, k *keys) {
		s.set(jwksOf("b"))
		if !k.has(t.Context(), "a") {
			t.Error("forgotten before the keys were read again")
		}
		time.Sleep(time.Minute)
		if k.has(t.Context(), "a") || !k.has(t.Context(), "b") {
			t.Error("the keys are not those that the issuer has")
		}
	})
}

func TestAHangingIssuerHoldsUpNoGoodToken(t *testing.T) {
	inFakeTime(t, jwksOf("a"), func(t *testing.T, s *source, k *keys) {
		s.hangs.Store(true)
		before, done := s.reads.Load(), make(chan struct{})
		for range 100 {
			go func() { k.has(t.Context(), "unknown"); done <- struct{}{} }()
		}
		synctest.Wait()
		start := time.Now()
		if !k.has(t.Context(), "a") || time.Since(start) > 0 {
			t.Errorf("a known key was found after %v", time.Since(start))
		}
		for range 100 {
			<-done
		}
		if reads := s.reads.Load() - before; reads > 1 {
			t.Errorf("%d readings for one flood", reads)
		}
		if waited := time.Since(start); waited > fetchTimeout {
			t.Errorf("who asked for an unknown key waited for %v", waited)
		}
	})
}

func TestAFloodMakesOneReadingInAWhile(t *testing.T) {
	inFakeTime(t, jwksOf("a"), func(t *testing.T, s *source, k *keys) {
		before := s.reads.Load()
		for range 600 {
			k.has(t.Context(), "unknown")
			time.Sleep(time.Second)
		}
		// Ten minutes: one each 30 s, which puts off the readings that are made anyway.
		if reads := s.reads.Load() - before; reads > 21 {
			t.Errorf("%d readings in ten minutes", reads)
		}
	})
}

func TestAReadingThatFailsIsTriedAgainSoon(t *testing.T) {
	inFakeTime(t, jwksOf("a"), func(t *testing.T, s *source, k *keys) {
		s.set("")
		k.has(t.Context(), "b")
		s.set(jwksOf("a", "b"))
		time.Sleep(maxRetry)
		if !k.has(t.Context(), "b") {
			t.Errorf("the new key isn't known %v after the issuer came back", maxRetry)
		}
	})
}

func TestTheLogGetsOneLineForAnOutage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		s := &source{}
		s.set("")
		ctx, cancel := context.WithCancel(t.Context())
		newKeys(ctx, "http://issuer.example/certs", s, slog.New(slog.NewTextHandler(&log, nil)))
		time.Sleep(time.Minute)
		s.set(jwksOf("a"))
		time.Sleep(time.Minute)
		cancel()
		synctest.Wait()
		if lines := strings.Count(log.String(), "\n"); lines != 2 {
			t.Errorf("%d lines, want one for the outage and one for its end:\n%s", lines, &log)
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
