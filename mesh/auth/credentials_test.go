package auth_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"eventprospect/mesh/auth"
)

func TestServiceAccountKeepsItsToken(t *testing.T) {
	t.Parallel()
	r := newRealm(t)
	account := auth.ServiceAccount(r.config())
	use := func(int) {
		header, err := account.GetRequestMetadata(t.Context())
		if err != nil || header["authorization"] != "Bearer own-token" {
			t.Errorf("header %v, error %v", header, err)
		}
	}
	inParallel(50, use)
	use(0)
	if reads := r.tokenReads.Load(); reads != 1 {
		t.Errorf("%d tokens were asked for, want 1", reads)
	}
	if account.RequireTransportSecurity() {
		t.Error("plaintext is refused")
	}
}

func TestServiceAccountSaysUnavailableAndNoSecret(t *testing.T) {
	t.Parallel()
	r := newRealm(t)
	r.down.Store(true)
	account := auth.ServiceAccount(r.config())
	_, err := account.GetRequestMetadata(t.Context())
	checkNoToken(t, err, codes.Unavailable)
	r.down.Store(false)
	if _, err := account.GetRequestMetadata(t.Context()); err != nil {
		t.Errorf("after the issuer came back: %v", err)
	}
}

func TestServiceAccountRepeatsNoAnswer(t *testing.T) {
	t.Parallel()
	issuer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, secret, _ := r.BasicAuth()
		http.Error(w, `{"error":"invalid_client","error_description":"not `+secret+`"}`, http.StatusUnauthorized)
	}))
	t.Cleanup(issuer.Close)
	_, err := auth.ServiceAccount(auth.Config{Issuer: issuer.URL, ClientID: "event", ClientSecret: "s3cr3t"}).
		GetRequestMetadata(t.Context())
	checkNoToken(t, err, codes.Unavailable)
}

func TestServiceAccountEndsWithTheCall(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	issuer := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	t.Cleanup(issuer.Close)
	t.Cleanup(func() { close(release) })
	account := auth.ServiceAccount(auth.Config{Issuer: issuer.URL, ClientID: "event", ClientSecret: "s3cr3t"})
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	inParallel(3, func(int) {
		_, err := account.GetRequestMetadata(ctx)
		checkNoToken(t, err, codes.DeadlineExceeded)
	})
}

func checkNoToken(t *testing.T, err error, want codes.Code) {
	t.Helper()
	if status.Code(err) != want {
		t.Errorf("got %v, want %v", err, want)
	}
	for _, secret := range []string{"s3cr3t", "127.0.0.1"} {
		if err != nil && strings.Contains(err.Error(), secret) {
			t.Errorf("the error tells %s: %v", secret, err)
		}
	}
}
