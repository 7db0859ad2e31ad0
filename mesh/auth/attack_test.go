package auth_test

import (
	"errors"
	"strings"
	"testing"

	"eventprospect/mesh/auth"
	"eventprospect/mesh/fault"
	"eventprospect/mesh/meshtest"
	"eventprospect/mesh/meshtest/attack"
)

// leastAttacks is how many attacks there must be: a table that came out empty would pass.
const leastAttacks = 40

func TestAttacksAreRefused(t *testing.T) {
	t.Parallel()
	issuer := meshtest.NewIssuer(t)
	v := ready(t, issuer)
	attacks := attack.Table(t, issuer)
	names, failed := map[string]bool{}, 0
	for _, a := range attacks {
		names[a.Name] = true
		// Twice: what was refused once must not be remembered as good.
		for range 2 {
			if problem := judge(t, v, a); problem != "" {
				failed++
				t.Errorf("%s: %s", a.Name, problem)
			}
		}
	}
	if len(names) != len(attacks) || len(attacks) < leastAttacks {
		t.Errorf("%d attacks with %d names, want %d or more, each with a name of its own", len(attacks), len(names), leastAttacks)
	}
	t.Logf("%d attacks, %d not refused as they should be", len(attacks), failed)
}

// judge tells what is wrong with the answer to an attack.
func judge(t *testing.T, v *auth.Verifier, a attack.Attack) string {
	token, err := auth.Bearer(a.Header)
	if err == nil {
		_, err = v.Verify(t.Context(), token)
	}
	var f *fault.Error
	switch {
	case !errors.As(err, &f):
		return "it is accepted"
	case f.Kind != a.Kind || !strings.Contains(f.Message, a.Reason):
		return "got " + f.Message + ", want " + a.Reason
	case repeats(err.Error(), a.Header):
		return "the token is repeated: " + err.Error()
	}
	return ""
}

// repeats tells whether a text contains a part of a token that is long enough to be one.
func repeats(text, header string) bool {
	for part := range strings.FieldsFuncSeq(header, func(r rune) bool { return strings.ContainsRune(". ,;\"", r) }) {
		if len(part) >= 16 && strings.Contains(text, part) {
			return true
		}
	}
	return false
}

func ready(t testing.TB, issuer *meshtest.Issuer) *auth.Verifier {
	t.Helper()
	v := newVerifier(t, issuer.Config("event"))
	eventually(t, "the keys are read", func() bool { return v.Ready(t.Context()) })
	return v
}
