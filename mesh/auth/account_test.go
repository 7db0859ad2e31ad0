package auth

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// giver gives tokens named by their number, in place of the network, so that time can be a fake.
type giver struct {
	asked atomic.Int32
	away  atomic.Bool
	// slow is how long an answer takes; life is that of a token, 0 for not saying it.
	slow, life time.Duration
}

// RoundTrip answers a request for a token.
func (g *giver) RoundTrip(r *http.Request) (*http.Response, error) {
	n := g.asked.Add(1)
	select {
	case <-time.After(g.slow):
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	if g.away.Load() {
		return nil, errors.New("away")
	}
	answer := `{"token_type":"Bearer","access_token":"` + strconv.Itoa(int(n)) + `"`
	if g.life > 0 {
		answer += `,"expires_in":` + strconv.Itoa(int(g.life.Seconds()))
	}
	recorder := httptest.NewRecorder()
	recorder.Header().Set("Content-Type", "application/json")
	_, _ = recorder.WriteString(answer + "}")
	return recorder.Result(), nil
}

// accountInFakeTime runs a test with an account whose tokens live five minutes.
func accountInFakeTime(t *testing.T, test func(t *testing.T, g *giver, call func() (string, time.Duration))) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := &giver{slow: time.Second, life: 5 * time.Minute}
		account := newAccount(Config{TokenURL: "http://issuer.example/token", ClientID: "event"}, g)
		test(t, g, func() (string, time.Duration) {
			begin := time.Now()
			header, err := account.GetRequestMetadata(t.Context())
			if err != nil {
				return err.Error(), time.Since(begin)
			}
			return header["authorization"], time.Since(begin)
		})
		synctest.Wait()
	})
}

func TestNoCallWaitsForARenewal(t *testing.T) {
	accountInFakeTime(t, func(t *testing.T, g *giver, call func() (string, time.Duration)) {
		if _, waited := call(); waited != g.slow {
			t.Errorf("the first call waited for %v", waited)
		}
		seen := map[string]time.Time{}
		for range 3600 {
			time.Sleep(time.Second)
			header, waited := call()
			if waited > 0 {
				t.Fatalf("a call waited for %v", waited)
			}
			if _, known := seen[header]; !known {
				seen[header] = time.Now()
			}
			if age := time.Since(seen[header]); age >= g.life {
				t.Fatalf("%s is used after %v", header, age)
			}
		}
		// An hour, and a token is used for two thirds of its life.
		if asked := g.asked.Load(); asked < 17 || asked > 20 {
			t.Errorf("%d tokens were asked for", asked)
		}
	})
}

func TestATokenIsUsedWhileTheIssuerIsAway(t *testing.T) {
	accountInFakeTime(t, func(t *testing.T, g *giver, call func() (string, time.Duration)) {
		call()
		g.away.Store(true)
		begin, before := time.Now(), g.asked.Load()
		for time.Since(begin) < g.life-10*time.Second {
			if header, waited := call(); header != "Bearer 1" || waited > 0 {
				t.Fatalf("after %v: %s, waited for %v", time.Since(begin), header, waited)
			}
			time.Sleep(10 * time.Millisecond)
		}
		if asked := g.asked.Load() - before; asked == 0 || asked > 100 {
			t.Errorf("the issuer was asked %d times in the last 90 s", asked)
		}
		time.Sleep(10 * time.Second)
		if header, _ := call(); header == "Bearer 1" {
			t.Error("a token is used after its end")
		}
		g.away.Store(false)
		if header, _ := call(); len(header) <= len("Bearer ") || header[:7] != "Bearer " {
			t.Errorf("after the issuer came back: %s", header)
		}
	})
}

func TestATokenOfUnknownLifeIsReplacedSoon(t *testing.T) {
	accountInFakeTime(t, func(t *testing.T, g *giver, call func() (string, time.Duration)) {
		g.life = 0
		call()
		time.Sleep(assumedLife)
		if header, _ := call(); header != "Bearer 2" {
			t.Errorf("got %s after %v", header, assumedLife)
		}
	})
}

func TestARefusedTokenIsReplaced(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := &giver{life: 5 * time.Minute}
		account := newAccount(Config{TokenURL: "http://issuer.example/token", ClientID: "event"}, g)
		want := func(what, want string) {
			t.Helper()
			synctest.Wait()
			if header, err := account.GetRequestMetadata(t.Context()); err != nil || header["authorization"] != want {
				t.Errorf("%s: got %v, %v, want %s", what, header, err, want)
			}
		}
		refused := func(what string, want bool) {
			t.Helper()
			if got := account.Refused(t.Context(), time.Now()); got != want {
				t.Errorf("%s: another token: %v, want %v", what, got, want)
			}
		}
		refused("there is none", false)
		want("the first", "Bearer 1")
		refused("it is new", false)
		want("a new one that is refused is kept", "Bearer 1")
		time.Sleep(settle)
		sent := time.Now()
		time.Sleep(time.Millisecond)
		var calls sync.WaitGroup
		for range 10 {
			calls.Go(func() {
				if !account.Refused(t.Context(), sent) {
					t.Error("there is no other token")
				}
			})
		}
		calls.Wait()
		want("an old one is replaced, once", "Bearer 2")
		time.Sleep(settle)
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if account.Refused(ended, time.Now()) {
			t.Error("a call that is over has waited for a token")
		}
	})
}

func TestAFixedAccountHasOneToken(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		account := FixedAccount("mine")
		time.Sleep(24 * time.Hour)
		headers, err := account.GetRequestMetadata(t.Context())
		if err != nil || headers["authorization"] != "Bearer mine" {
			t.Errorf("%v, %v", headers, err)
		}
		if account.Refused(t.Context(), time.Now()) {
			t.Error("there is another token")
		}
	})
}
