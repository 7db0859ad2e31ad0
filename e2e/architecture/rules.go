// Package architecture holds the import rule of this repository: which folder may know which.
package architecture

import (
	"regexp"
	"strings"
)

// A rule speaks for the files that In matches. Of their imports, those are forbidden that Only doesn't match, or that Never
// matches and Except doesn't.
type rule struct {
	name                    string
	in, only, never, except *regexp.Regexp
	// tests says that the rule holds for test files, too.
	tests bool
}

var rules = []rule{
	{
		name:  "the leaves know the standard library alone",
		in:    regexp.MustCompile(`^mesh/(fault|outbox)/`),
		never: regexp.MustCompile(`\.|^eventprospect/`),
	},
	{
		name:   "the domain knows the standard library and the leaves alone",
		in:     regexp.MustCompile(`^services/(event/internal/event|prospect/internal/prospect|registry/internal/registry)/`),
		never:  regexp.MustCompile(`\.|^eventprospect/`),
		except: regexp.MustCompile(`^eventprospect/mesh/(fault|outbox)$`),
	},
	{
		name:  "a store knows no generated type and no gRPC",
		in:    regexp.MustCompile(`^services/[^/]+/internal/store/`),
		never: regexp.MustCompile(`^eventprospect/gen/|^google\.golang\.org/(grpc|protobuf)(/|$)`),
		tests: true,
	},
	{
		name:  "generated code knows no code of ours",
		in:    regexp.MustCompile(`^gen/`),
		never: regexp.MustCompile(`^eventprospect/(mesh|services|gateway|meshctl|dev|e2e)(/|$)`),
		tests: true,
	},
	{
		name:  "mesh knows no service",
		in:    regexp.MustCompile(`^mesh/`),
		never: regexp.MustCompile(`^eventprospect/(services|gateway|meshctl|dev|e2e)(/|$)`),
		tests: true,
	},
	{
		name:  "the gateway dials services and imports none",
		in:    regexp.MustCompile(`^gateway/`),
		never: regexp.MustCompile(`^eventprospect/(services|dev|e2e)(/|$)`),
		tests: true,
	},
	{
		name:  "the operators' tool calls services and imports none",
		in:    regexp.MustCompile(`^meshctl/`),
		never: regexp.MustCompile(`^eventprospect/(services|gateway|dev|e2e)(/|$)`),
		tests: true,
	},
	{
		name: "main knows mesh and its app alone",
		in:   regexp.MustCompile(`^(services/[^/]+|gateway|meshctl)/main\.go$`),
		only: regexp.MustCompile(`^eventprospect/mesh$|/app$`),
	},
	{
		name:  "end-to-end tests see what a client sees",
		in:    regexp.MustCompile(`^e2e/`),
		never: regexp.MustCompile(`^eventprospect/(services|gateway|meshctl|dev/internal)(/|$)`),
		tests: true,
	},
}

// service splits the path of a service's file, or of its package, into the service and the part of it: for
// services/event/internal/api/server.go that is event and api.
var service = regexp.MustCompile(`^(?:eventprospect/)?services/([^/]+)(?:/internal/([^/]+))?`)

// Broken names the rule that a file breaks with an import; empty if none. The path is relative to the repository.
func Broken(path, imported string) string {
	test := strings.HasSuffix(path, "_test.go")
	for _, r := range rules {
		if r.in.MatchString(path) && (r.tests || !test) && r.forbids(imported) {
			return r.name
		}
	}
	return betweenParts(path, imported, test)
}

func (r rule) forbids(imported string) bool {
	if r.only != nil {
		return !r.only.MatchString(imported)
	}
	return r.never.MatchString(imported) && (r.except == nil || !r.except.MatchString(imported))
}

// betweenParts holds services apart, and the adapters within one: an adapter points at the domain, which is called like its
// service, and at itself.
func betweenParts(path, imported string, test bool) string {
	from, to := service.FindStringSubmatch(path), service.FindStringSubmatch(imported)
	switch {
	case from == nil || to == nil:
		return ""
	case from[1] != to[1]:
		return "services know each other through gen alone"
	case !test && from[2] != "" && to[2] != from[2] && to[2] != from[1]:
		return "adapters point at the domain, never at each other"
	}
	return ""
}
