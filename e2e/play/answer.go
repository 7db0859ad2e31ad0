package play

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"google.golang.org/grpc/codes"
)

// answer is what came back through a door, in words that all doors share.
type answer struct {
	code    codes.Code // over gRPC
	status  int        // over REST
	header  http.Header
	body    any
	reason  string
	detail  string
	refused []Violation
	// defects are what no answer may be, whatever the case wants.
	defects []string
}

// differences tells how the answer isn't the one wanted; nothing if it is.
func (a answer) differences(w Want, vars variables) []string {
	wrong := slices.Concat(a.defects, a.outcome(w), match("response", &w.Response, a.body, vars))
	if w.Reason != "" && a.reason != w.Reason {
		wrong = append(wrong, fmt.Sprintf("reason is %q, want %q", a.reason, w.Reason))
	}
	if w.Detail != "" {
		wrong = append(wrong, contains("detail", a.detail, w.Detail, vars)...)
	}
	if a.header != nil {
		for name, want := range w.Headers {
			wrong = append(wrong, match("header "+name, &want, strings.Join(a.header.Values(name), ", "), vars)...)
		}
	}
	return append(wrong, a.refusals(w, vars)...)
}

func (a answer) outcome(w Want) []string {
	if a.header != nil {
		if a.status != w.Status {
			return []string{fmt.Sprintf("status is %d, want %d", a.status, w.Status)}
		}
		return nil
	}
	if want, err := w.code(); err != nil || a.code != want {
		return []string{fmt.Sprintf("code is %v, want %s", a.code, w.Code)}
	}
	return nil
}

// refusals compares the fields that are refused: all of them, in any order.
func (a answer) refusals(w Want, vars variables) []string {
	if w.Violations == nil {
		return nil
	}
	if len(a.refused) != len(w.Violations) {
		return []string{fmt.Sprintf("%d violations, want %d: %v", len(a.refused), len(w.Violations), a.refused)}
	}
	var wrong []string
	for _, want := range w.Violations {
		i := slices.IndexFunc(a.refused, func(got Violation) bool { return got.Field == want.Field })
		if i < 0 {
			wrong = append(wrong, fmt.Sprintf("no violation of %s: %v", want.Field, a.refused))
			continue
		}
		wrong = append(wrong, contains("violation of "+want.Field, a.refused[i].Detail, want.Detail, vars)...)
	}
	return wrong
}

func contains(what, got, want string, vars variables) []string {
	want, err := vars.expand(want)
	if err != nil {
		return []string{err.Error()}
	}
	if !strings.Contains(got, want) {
		return []string{fmt.Sprintf("%s is %q, which doesn't say %q", what, got, want)}
	}
	return nil
}
