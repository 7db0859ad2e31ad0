//go:build linux

package delivery

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"eventprospect/e2e/client"
)

// gateway stands for one that fails: of each call, the first attempt is done and its answer lost.
type gateway struct {
	mu       sync.Mutex
	attempts map[string]int
	// answer is what the second attempt gets.
	answer func(requestID string) (code int, body string)
}

func (g *gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasSuffix(r.URL.Path, "/token") {
		w.Write([]byte(`{"access_token": "token", "expires_in": 300}`))
		return
	}
	id := r.URL.Query().Get("requestId")
	g.mu.Lock()
	g.attempts[r.Method+r.URL.String()]++
	attempts := g.attempts[r.Method+r.URL.String()]
	g.mu.Unlock()
	if attempts == 1 {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	code, body := g.answer(id)
	w.WriteHeader(code)
	w.Write([]byte(body))
}

// call creates so many prospects by a gateway that fails, and changes one in ten.
func call(t *testing.T, prospects int, answer func(requestID string) (int, string)) (*Calls, error) {
	t.Helper()
	server := httptest.NewServer(&gateway{attempts: map[string]int{}, answer: answer})
	t.Cleanup(server.Close)
	c, err := client.New(client.Endpoints{Gateway: server.URL, Issuer: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	o := Options{Prospects: prospects, Workers: 4, Seed: 1}
	calls := newCalls(c, o)
	return calls, calls.run(t.Context(), o, func() bool { return true })
}

func TestCallsAreMadeAgainWithTheSameRequestID(t *testing.T) {
	t.Parallel()
	const prospects = 20
	calls, err := call(t, prospects, func(id string) (int, string) { return http.StatusCreated, `{"id": "prospect-` + id + `"}` })
	if err != nil {
		t.Fatal(err)
	}
	changed := 0
	for id, version := range calls.versions {
		if id == "prospect-" {
			t.Error("a creation has no request id")
		}
		if version == 1+changes {
			changed++
		}
	}
	// Of each two changes of one prospect, the second goes the same way, which fails no more.
	if len(calls.versions) != prospects || changed != prospects/changedOf || calls.Retries() != prospects+changed {
		t.Errorf("%d prospects, %d changed, %d retries", len(calls.versions), changed, calls.Retries())
	}
	if broken := calls.broken(); broken != nil {
		t.Error(broken)
	}
}

func TestTwoCreationsWithOneIDAreFound(t *testing.T) {
	t.Parallel()
	calls, err := call(t, 3, func(string) (int, string) { return http.StatusCreated, `{"id": "same"}` })
	if err != nil || len(calls.broken()) != 1 {
		t.Errorf("broken are %v, error %v", calls.broken(), err)
	}
}

func TestARefusalEndsTheCalls(t *testing.T) {
	t.Parallel()
	if _, err := call(t, 3, func(string) (int, string) { return http.StatusBadRequest, "no" }); err == nil || !strings.Contains(err.Error(), "400") {
		t.Errorf("error %v, want the refusal", err)
	}
}
