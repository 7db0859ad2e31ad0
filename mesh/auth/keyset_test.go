package auth

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"testing"

	"github.com/MicahParks/jwkset"
	"github.com/google/go-cmp/cmp"
)

// published gives a key as an issuer publishes it, with some of its members changed.
func published(t *testing.T, key any, changes map[string]any) jwkset.JWKSMarshal {
	t.Helper()
	jwk, err := jwkset.NewJWKFromKey(key, jwkset.JWKOptions{Metadata: jwkset.JWKMetadataOptions{KID: "a"}})
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(jwk.Marshal())
	if err != nil {
		t.Fatal(err)
	}
	members := map[string]any{}
	if err := json.Unmarshal(text, &members); err != nil {
		t.Fatal(err)
	}
	for name, value := range changes {
		members[name] = value
	}
	text, _ = json.Marshal(map[string]any{"keys": []any{members}})
	var set jwkset.JWKSMarshal
	if err := json.Unmarshal(text, &set); err != nil {
		t.Fatal(err)
	}
	return set
}

func made[K any](t *testing.T) func(key K, err error) K {
	return func(key K, err error) K {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return key
	}
}

func TestSigningKeys(t *testing.T) {
	t.Parallel()
	newRSA := func(bits int) any { return made[*rsa.PrivateKey](t)(rsa.GenerateKey(rand.Reader, bits)).Public() }
	newEC := func(curve elliptic.Curve) any {
		return made[*ecdsa.PrivateKey](t)(ecdsa.GenerateKey(curve, rand.Reader)).Public()
	}
	strong, edwards := newRSA(2048), newSigner("a").key.Public()
	for name, c := range map[string]struct {
		key     any
		changes map[string]any
		want    []string
	}{
		"RSA":                         {strong, nil, rsaAlgorithms()},
		"RSA for one algorithm":       {strong, map[string]any{"alg": "PS256"}, []string{"PS256"}},
		"RSA for encryption":          {strong, map[string]any{"use": "enc"}, nil},
		"RSA for wrapping keys":       {strong, map[string]any{"alg": "RSA-OAEP"}, nil},
		"RSA for an EC algorithm":     {strong, map[string]any{"alg": "ES256"}, nil},
		"RSA for a shared secret":     {strong, map[string]any{"alg": "HS256"}, nil},
		"RSA for none":                {strong, map[string]any{"alg": "none"}, nil},
		"RSA to verify":               {strong, map[string]any{"key_ops": []string{"verify"}, "use": "sig"}, rsaAlgorithms()},
		"RSA to encrypt":              {strong, map[string]any{"key_ops": []string{"encrypt"}}, nil},
		"RSA with a certificate":      {strong, map[string]any{"x5c": []string{"!"}, "x5u": "http://127.0.0.1:1/", "x5t": "x"}, rsaAlgorithms()},
		"RSA of 1024 bits":            {newRSA(1024), nil, nil},
		"RSA of 2047 bits":            {newRSA(2047), nil, nil},
		"P-256":                       {newEC(elliptic.P256()), nil, []string{"ES256"}},
		"P-384":                       {newEC(elliptic.P384()), nil, []string{"ES384"}},
		"P-521":                       {newEC(elliptic.P521()), nil, []string{"ES512"}},
		"P-256 for another algorithm": {newEC(elliptic.P256()), map[string]any{"alg": "ES384"}, nil},
		"P-256 beside the curve":      {newEC(elliptic.P256()), map[string]any{"x": "AAAA"}, nil},
		"Ed25519":                     {edwards, map[string]any{"alg": "EdDSA"}, []string{"EdDSA"}},
		"a shared secret":             {edwards, map[string]any{"kty": "oct", "k": "c2VjcmV0", "alg": "HS256"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, key := range signing(published(t, c.key, c.changes)) {
				got = append(got, key.algorithms...)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestFind(t *testing.T) {
	t.Parallel()
	a, b := newSigner("a").key.Public(), newSigner("b").key.Public()
	set := (&keySet{}).next([]publicKey{
		{id: "b", key: b, algorithms: []string{"EdDSA"}}, {id: "a", key: a, algorithms: []string{"EdDSA"}}, {id: "c", key: a, algorithms: []string{"ES256"}},
	})
	for name, c := range map[string]struct {
		set       *keySet
		id        string
		named     bool
		algorithm string
		want      int
		err       error
	}{
		"by id":             {set, "a", true, "EdDSA", 1, nil},
		"without id":        {set, "", false, "EdDSA", 2, nil},
		"unknown id":        {set, "d", true, "EdDSA", 0, errUnknownKey},
		"empty id":          {set, "", true, "EdDSA", 0, errUnknownKey},
		"another algorithm": {set, "a", true, "ES256", 0, errKeyAlgorithm},
		"none, without id":  {set, "", false, "RS256", 0, errKeyAlgorithm},
		"no keys":           {&keySet{}, "a", true, "EdDSA", 0, errNoKeys},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			found, err := c.set.find(c.id, c.named, c.algorithm)
			if len(found.Keys) != c.want || !errors.Is(err, c.err) {
				t.Errorf("%d keys, %v; want %d, %v", len(found.Keys), err, c.want, c.err)
			}
		})
	}
}
