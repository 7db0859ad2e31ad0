package attack

import (
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"eventprospect/mesh/meshtest"
)

// claims are tokens of the issuer that are meant for something else.
func (a *arsenal) claims() []Attack {
	issuer := a.issuer.URL
	var all []Attack
	add := func(name, claim string, value any, reason string) {
		all = append(all, bearer("claims: "+name, a.with(jwt.MapClaims{claim: value}), reason))
	}
	from := func(found string) string { return "the token is from issuer " + found + ", want " + issuer }
	add("another issuer", "iss", "https://elsewhere.example", from("https://elsewhere.example"))
	add("issuer with a slash behind it", "iss", issuer+"/", from(issuer+"/"))
	add("issuer in capitals", "iss", strings.ToUpper(issuer), from(strings.ToUpper(issuer)))
	add("issuer with line breaks", "iss", issuer+"\r\nx: \"y\"", from(issuer+"??x:??y?"))
	add("another realm of the host", "iss", issuer+"/realms/other", from(issuer+"/realms/other"))
	add("no issuer", "iss", nil, missing)
	add("empty issuer", "iss", "", missing)
	add("list of issuers", "iss", []string{issuer}, malformed)
	add("another audience", "aud", "account", otherAud)
	add("audience as part of a name", "aud", meshtest.Audience+"-2", otherAud)
	add("several other audiences", "aud", []string{"account", "realm-management"}, otherAud)
	add("no audience", "aud", nil, missing)
	add("empty audience", "aud", "", missing)
	add("empty list of audiences", "aud", []string{}, missing)
	add("audience is an object", "aud", map[string]any{meshtest.Audience: true}, malformed)
	for _, typ := range []string{"ID", "Refresh", "Offline", "Logout", "DPoP", "bearer"} {
		add("typ is "+typ, "typ", typ, notAccess)
	}
	add("empty typ", "typ", "", notAccess)
	add("no typ", "typ", nil, notAccess)
	add("typ is a list", "typ", []string{"Bearer"}, malformed)
	add("no subject", "sub", nil, notAccess)
	add("empty subject", "sub", "", notAccess)
	add("subject is a number", "sub", 1, malformed)
	for name, other := range map[string]string{"typ": "TYP", "sub": "Sub", "exp": "EXP", "aud": "Aud", "iss": "ISS"} {
		good := a.issuer.Claims("admin")
		reason := missing
		if name == "typ" || name == "sub" {
			reason = notAccess
		}
		all = append(all, bearer("claims: "+other+" for "+name, a.with(jwt.MapClaims{name: nil, other: good[name]}), reason))
	}
	add("roles are a text", "realm_access", map[string]any{"roles": "admin"}, malformed)
	return all
}

// times are tokens of the issuer of another time.
func (a *arsenal) times() []Attack {
	in := func(d time.Duration) int64 { return time.Now().Add(d).Unix() }
	at := func(claim string, value any) string { return a.with(jwt.MapClaims{claim: value}) }
	return []Attack{
		bearer("time: expired a day ago", at("exp", in(-24*time.Hour)), expired),
		bearer("time: expired, just beyond the leeway", at("exp", in(-61*time.Second)), expired),
		bearer("time: expired in 1970", at("exp", 0), expired),
		bearer("time: expired before 1970", at("exp", -1), expired),
		bearer("time: never expires", at("exp", nil), missing),
		bearer("time: expires as text", at("exp", "tomorrow"), malformed),
		bearer("time: not valid before tomorrow", at("nbf", in(24*time.Hour)), notYet),
		bearer("time: not valid, just beyond the leeway", at("nbf", in(2*time.Minute)), notYet),
	}
}
