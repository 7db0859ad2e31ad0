package issuer

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// published gives the ids of the keys in the JWKS.
func (s *running) published() (ids []string) {
	s.t.Helper()
	var set jose.JSONWebKeySet
	if err := json.Unmarshal([]byte(s.get(protocol+"certs").body), &set); err != nil {
		s.t.Fatal(err)
	}
	for _, key := range set.Keys {
		ids = append(ids, key.KeyID)
	}
	return ids
}

func (s *running) signer(token string) string {
	s.t.Helper()
	parsed, err := jwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		s.t.Fatal(err)
	}
	return parsed.Headers[0].KeyID
}

func TestRotationKeepsOldTokensGood(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	old := s.signIn("ada").text("access_token")
	if err := s.issuer.RotateKey(); err != nil {
		t.Fatal(err)
	}
	young := s.signIn("ada").text("access_token")
	if ids := s.published(); len(ids) != 2 || s.signer(young) != ids[0] || s.signer(old) != ids[1] {
		t.Errorf("published %v, signed with %s and then %s", ids, s.signer(old), s.signer(young))
	}
	for _, token := range []string{old, young} {
		s.claims(token)
		s.want(s.userinfo(token), http.StatusOK, "")
	}
}

func TestRetiredKeysEndTheirTokens(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	old := s.signIn("ada").text("access_token")
	if err := s.issuer.RotateKey(); err != nil {
		t.Fatal(err)
	}
	young := s.signIn("ada").text("access_token")
	if err := s.issuer.RetireKeys(); err != nil {
		t.Fatal(err)
	}
	if ids := s.published(); len(ids) != 1 || ids[0] != s.signer(young) {
		t.Errorf("published %v, want the one of the young token alone", ids)
	}
	s.want(s.userinfo(young), http.StatusOK, "")
	s.want(s.userinfo(old), http.StatusUnauthorized, "invalid_token: Token verification failed")
}

func TestAllKeysSurviveARestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := start(t, dir)
	for range 2 {
		if err := s.issuer.RotateKey(); err != nil {
			t.Fatal(err)
		}
	}
	before := s.published()
	after := start(t, dir).published()
	if len(before) != 3 || len(after) != 3 || before[0] != after[0] || before[2] != after[2] {
		t.Errorf("before %v, after %v", before, after)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("%v, %v; want the key file alone", entries, err)
	}
}

func TestAKeyThatCantBeKeptIsNotUsed(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "keys")
	s := start(t, dir)
	before := s.published()
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dir, nil, 0o600); err != nil { // a file in place of the folder
		t.Fatal(err)
	}
	if err := s.issuer.RotateKey(); err == nil {
		t.Error("a rotation that wasn't written succeeded")
	}
	if after := s.published(); len(after) != 1 || after[0] != before[0] {
		t.Errorf("published %v, want %v still", after, before)
	}
}

func TestRotationUnderLoadRefusesNobody(t *testing.T) {
	t.Parallel()
	s := start(t, "")
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 10 {
				token := s.signIn("ada").text("access_token")
				if a := s.userinfo(token); a.status != http.StatusOK {
					t.Errorf("got %d %s", a.status, a.body)
				}
			}
		})
	}
	for range 3 {
		if err := s.issuer.RotateKey(); err != nil {
			t.Error(err)
		}
	}
	all.Wait()
}
