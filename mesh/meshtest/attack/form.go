package attack

import (
	"strings"

	"eventprospect/mesh/fault"
)

// headers are Authorization headers that aren't "Bearer" and one token, each with a good token in it.
func (a *arsenal) headers() []Attack {
	good := a.good()
	var all []Attack
	for name, header := range map[string]string{
		"a scheme and no token":       "Bearer ",
		"two spaces":                  "Bearer  " + good,
		"two tokens":                  "Bearer " + good + " " + good,
		"two headers folded into one": "Bearer " + good + ", Bearer " + good,
		"a list":                      "Bearer " + good + "," + good,
		"quoted":                      `Bearer "` + good + `"`,
		"a parameter behind it":       "Bearer " + good + ";admin=true",
		"as a parameter":              "Bearer token=" + good + "&x",
		"the scheme twice":            "Bearer Bearer " + good,
	} {
		all = append(all, Attack{Name: "header: " + name, Header: header, Kind: fault.Unauthenticated, Reason: noBearer})
	}
	for name, header := range map[string]string{
		"empty":            "",
		"no scheme":        good,
		"basic":            "Basic cm9vdDpyb290",
		"token as basic":   "Basic " + good,
		"another scheme":   "Token " + good,
		"DPoP":             "DPoP " + good,
		"a colon":          "Bearer: " + good,
		"an equals sign":   "Bearer=" + good,
		"percent-encoded":  "Bearer%20" + good,
		"scheme run on":    "Bearer" + good,
		"name in a header": "user=root",
	} {
		all = append(all, Attack{
			Name: "header: " + name, Header: header, OtherScheme: true, Kind: fault.Unauthenticated, Reason: noBearer,
		})
	}
	forged := a.sign(rs256, nil, a.own)
	for _, scheme := range []string{"bearer", "BEARER", "bEaReR"} {
		all = append(all, Attack{
			Name: "header: forged, as " + scheme, Header: scheme + " " + forged, Kind: fault.Unauthenticated, Reason: signature,
		})
	}
	return all
}

// forms are texts that aren't a token, or not quite.
func (a *arsenal) forms() []Attack {
	good := a.good()
	parts := strings.Split(good, ".")
	header, claims, signed := parts[0], parts[1], parts[2]
	other := strings.Split(a.with(map[string]any{"sub": "root"}), ".")
	return []Attack{
		bearer("form: one letter", "x", malformed),
		bearer("form: dots", "..", malformed),
		bearer("form: no signature part", header+"."+claims, malformed),
		bearer("form: four parts", good+"."+signed, malformed),
		bearer("form: five parts, as if encrypted", good+"."+signed+"."+signed, malformed),
		bearer("form: empty signature", header+"."+claims+".", signature),
		bearer("form: truncated signature", good[:len(good)-6], signature),
		bearer("form: lengthened signature", good+"AAAA", signature),
		bearer("form: the same signature, written differently", header+"."+claims+"."+otherwise(signed), malformed),
		bearer("form: signature of zeros", header+"."+claims+"."+strings.Repeat("A", len(signed)), signature),
		bearer("form: padded", good+"==", malformed),
		bearer("form: base64 for files", header+"."+claims+"."+strings.Repeat("+/", len(signed)/2), malformed),
		bearer("form: header is no JSON", unsigned("alg=RS256", "{}"), malformed),
		bearer("form: header is a list", unsigned(`["RS256"]`, "{}"), malformed),
		bearer("form: header is null", unsigned("null", "{}"), signature),
		bearer("form: claims are no JSON", unsigned(`{"alg":"RS256"}`, "sub=root"), malformed),
		bearer("form: oversized", good+strings.Repeat("A", 16<<10), tooLong),
		bearer("form: claims of another token", header+"."+other[1]+"."+signed, signature),
		bearer("form: signature of another token", header+"."+claims+"."+other[2], signature),
	}
}

// otherwise sets a bit that stands for nothing in the last digit of 256 bytes (RFC 4648, section 3.5): many decoders pass it over.
func otherwise(signature string) string {
	const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := len(signature) - 1
	return signature[:last] + string(digits[strings.IndexByte(digits, signature[last])|1])
}
