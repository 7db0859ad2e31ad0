package auth_test

import (
	"testing"

	"github.com/golang-jwt/jwt/v5"
)

// BenchmarkVerify verifies one good token again and again: cold without a cache, cached with one.
func BenchmarkVerify(b *testing.B) {
	r := newRealm(b)
	r.add("curve", curveKey().Public())
	r.add("ed", edKey().Public())
	id := func(name string) map[string]any { return map[string]any{"kid": name} }
	for _, algorithm := range []struct{ name, token string }{
		{"RS256", signAs(jwt.SigningMethodRS256, id("first"), r.claims(), firstKey())},
		{"ES256", signAs(jwt.SigningMethodES256, id("curve"), r.claims(), curveKey())},
		{"EdDSA", signAs(jwt.SigningMethodEdDSA, id("ed"), r.claims(), edKey())},
	} {
		for _, memory := range []struct {
			name string
			size int
		}{{"cold", 0}, {"cached", 100}} {
			b.Run(algorithm.name+"/"+memory.name, func(b *testing.B) {
				cfg := r.config()
				cfg.CacheSize = memory.size
				v := r.verifierOf(b, cfg)
				b.ReportAllocs()
				for b.Loop() {
					if _, err := v.Verify(b.Context(), algorithm.token); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
