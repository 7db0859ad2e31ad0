package auth

import (
	"cmp"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"errors"
	"slices"

	"github.com/MicahParks/jwkset"
	"github.com/golang-jwt/jwt/v5"
)

// minRSA is the least size of an RSA key, in bits (RFC 7518, section 3.3).
const minRSA = 2048

var (
	errNoKeys       = errors.New("no key of the realm was read yet")
	errUnknownKey   = errors.New("unknown key id")
	errKeyAlgorithm = errors.New("the key isn't for this algorithm")
)

// publicKey is a key of the realm and what it may be used for.
type publicKey struct {
	id  string
	key crypto.PublicKey
	// algorithms are those of a token's header that the key may check.
	algorithms []string
}

func (k publicKey) equal(other publicKey) bool {
	same, ok := k.key.(interface{ Equal(crypto.PublicKey) bool })
	return ok && k.id == other.id && slices.Equal(k.algorithms, other.algorithms) && same.Equal(other.key)
}

// keySet is what the issuer published at one reading. It never changes, so that verifying takes no lock.
type keySet struct {
	keys []publicKey
	// generation is greater than that of every other set before it. What was verified with the keys of one generation is
	// known no more in the next.
	generation uint64
}

// next gives the set that follows this one: itself if the keys are the same.
func (s *keySet) next(keys []publicKey) *keySet {
	slices.SortStableFunc(keys, func(a, b publicKey) int { return cmp.Compare(a.id, b.id) })
	if slices.EqualFunc(s.keys, keys, publicKey.equal) {
		return s
	}
	return &keySet{keys: keys, generation: s.generation + 1}
}

// has tells whether there is a key with this id.
func (s *keySet) has(id string) bool {
	return slices.ContainsFunc(s.keys, func(k publicKey) bool { return k.id == id })
}

// find gives the keys that may have signed a token with this key id, or without one, and this algorithm.
func (s *keySet) find(id string, named bool, algorithm string) (jwt.VerificationKeySet, error) {
	var fitting jwt.VerificationKeySet
	found := false
	for _, k := range s.keys {
		if named && k.id != id {
			continue
		}
		found = true
		if slices.Contains(k.algorithms, algorithm) {
			fitting.Keys = append(fitting.Keys, k.key)
		}
	}
	switch {
	case len(s.keys) == 0:
		return fitting, errNoKeys
	case !found:
		return fitting, errUnknownKey
	case len(fitting.Keys) == 0:
		return fitting, errKeyAlgorithm
	}
	return fitting, nil
}

// signing takes the keys that signatures can be checked with. It leaves out those for other uses, weak ones, and those
// that we don't understand (RFC 7517, section 5).
func signing(set jwkset.JWKSMarshal) []publicKey {
	var all []publicKey
	for _, jwk := range set.Keys {
		if jwk.USE != "" && jwk.USE != jwkset.UseSig ||
			len(jwk.KEYOPS) > 0 && !slices.Contains(jwk.KEYOPS, jwkset.KeyOpsVerify) {
			continue
		}
		// The key alone: certificates aren't looked at, and the library would fetch those that x5u names.
		bare := jwkset.JWKMarshal{KTY: jwk.KTY, ALG: jwk.ALG, KID: jwk.KID, CRV: jwk.CRV, X: jwk.X, Y: jwk.Y, N: jwk.N, E: jwk.E}
		parsed, err := jwkset.NewJWKFromMarshal(bare, jwkset.JWKMarshalOptions{}, jwkset.JWKValidateOptions{})
		if err != nil {
			continue
		}
		algorithms := algorithmsOf(parsed.Key())
		if jwk.ALG != "" {
			algorithms = slices.DeleteFunc(algorithms, func(a string) bool { return a != jwk.ALG.String() })
		}
		if len(algorithms) > 0 {
			all = append(all, publicKey{id: jwk.KID, key: parsed.Key(), algorithms: algorithms})
		}
	}
	return all
}

// algorithms are all that are accepted: asymmetric ones, so never `none` and never a shared secret (RFC 8725, section 3.1).
func algorithms() []string {
	return append(rsaAlgorithms(), "ES256", "ES384", "ES512", "EdDSA")
}

func rsaAlgorithms() []string {
	return []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}
}

// algorithmsOf gives the algorithms that a key of this type can check; none if it is too weak or of another type.
func algorithmsOf(key crypto.PublicKey) []string {
	switch key := key.(type) {
	case *rsa.PublicKey:
		if key.N.BitLen() >= minRSA {
			return rsaAlgorithms()
		}
	case *ecdsa.PublicKey:
		// Each algorithm has its own curve (RFC 7518, section 3.4).
		curves := map[string]string{"P-256": "ES256", "P-384": "ES384", "P-521": "ES512"}
		if name, ok := curves[key.Curve.Params().Name]; ok {
			return []string{name}
		}
	case ed25519.PublicKey:
		return []string{"EdDSA"}
	}
	return nil
}
