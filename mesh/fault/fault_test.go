package fault_test

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"eventprospect/mesh/fault"
)

var ignoreCause = cmpopts.IgnoreUnexported(fault.Error{})

func TestConstructorsFillWhatTheCallerSees(t *testing.T) {
	t.Parallel()
	cases := map[string]struct{ got, want *fault.Error }{
		"New": {
			fault.New(fault.Precondition, "event %d is over", 7),
			&fault.Error{Kind: fault.Precondition, Message: "event 7 is over"},
		},
		"InvalidField": {
			fault.InvalidField("event.name", "at most %d characters", 200),
			&fault.Error{
				Kind: fault.Invalid, Message: "the request is invalid: event.name: at most 200 characters",
				Violations: []fault.Violation{{Field: "event.name", Detail: "at most 200 characters"}},
			},
		},
		"InvalidFields": {
			fault.InvalidFields(fault.Violation{Field: "a", Detail: "too long"}, fault.Violation{Field: "b", Detail: "missing"}),
			&fault.Error{
				Kind: fault.Invalid, Message: "the request is invalid: a: too long; b: missing",
				Violations: []fault.Violation{{Field: "a", Detail: "too long"}, {Field: "b", Detail: "missing"}},
			},
		},
		"Missing": {
			fault.Missing("Event", "x"),
			&fault.Error{Kind: fault.NotFound, Message: `Event "x" does not exist`, ResourceType: "Event", ResourceName: "x"},
		},
		"Taken": {
			fault.Taken("Event", "x"),
			&fault.Error{Kind: fault.AlreadyExists, Message: `Event "x" exists already`, ResourceType: "Event", ResourceName: "x"},
		},
		"Changed": {
			fault.Changed("Event", "x"),
			&fault.Error{
				Kind: fault.Stale, Message: `Event "x" has changed since its etag was read: read it again`,
				ResourceType: "Event", ResourceName: "x",
			},
		},
		"Away": {
			fault.Away("the event service", time.Second),
			&fault.Error{
				Kind: fault.Unavailable, Message: "the event service does not answer now: try again", RetryAfter: time.Second,
			},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(c.want, c.got, ignoreCause); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestTheCauseIsInTheErrorAndNotInTheMessage(t *testing.T) {
	t.Parallel()
	cause := errors.New("disk full")
	f := fault.New(fault.Internal, "not stored").Because(cause)
	if f.Error() != "not stored: disk full" {
		t.Errorf("Error() = %q", f.Error())
	}
	if f.Message != "not stored" {
		t.Errorf("Message = %q", f.Message)
	}
	if !errors.Is(f, cause) {
		t.Error("the cause can't be found with errors.Is")
	}
	if got := fault.New(fault.Internal, "alone").Error(); got != "alone" {
		t.Errorf("Error() without a cause = %q", got)
	}
}

func TestIs(t *testing.T) {
	t.Parallel()
	missing := fault.Missing("Event", "x")
	cases := map[string]struct {
		err  error
		kind fault.Kind
		want bool
	}{
		"of this kind":    {missing, fault.NotFound, true},
		"of another kind": {missing, fault.Invalid, false},
		"wrapped":         {fmt.Errorf("load: %w", missing), fault.NotFound, true},
		"as a cause":      {fmt.Errorf("load: %w", fault.New(fault.Stale, "").Because(missing)), fault.NotFound, false},
		"no fault":        {errors.New("boom"), fault.Internal, false},
		"nil":             {nil, fault.Internal, false},
	}
	for name, c := range cases {
		if got := fault.Is(c.err, c.kind); got != c.want {
			t.Errorf("%s: Is = %v, want %v", name, got, c.want)
		}
	}
}

func TestUnderMovesViolationsBelowAField(t *testing.T) {
	t.Parallel()
	cause := errors.New("why")
	refused := fmt.Errorf("create: %w", fault.InvalidField("name", "is empty").Because(cause))
	got := fault.Under("event", refused)
	want := fault.InvalidField("event.name", "is empty")
	var f *fault.Error
	if !errors.As(got, &f) {
		t.Fatalf("%v is no fault", got)
	}
	if diff := cmp.Diff(want, f, ignoreCause); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if !errors.Is(got, cause) {
		t.Error("the cause is lost")
	}
	if missing := fault.Missing("Event", "x"); !errors.Is(fault.Under("event", missing), missing) {
		t.Error("a fault of another kind doesn't stay as it is")
	}
	if fault.Under("event", nil) != nil {
		t.Error("nil doesn't stay nil")
	}
}

// Kinds is what other tables are checked against, so it must itself have every constant of the type.
func TestKindsListsEveryKindOnce(t *testing.T) {
	t.Parallel()
	seen := map[fault.Kind]bool{}
	for _, kind := range fault.Kinds() {
		if seen[kind] {
			t.Errorf("kind %d is listed twice", kind)
		}
		seen[kind] = true
	}
	if declared := countKinds(t); declared != len(seen) {
		t.Errorf("%d kinds are declared, %d are listed", declared, len(seen))
	}
}

// countKinds counts the constants in the block that begins with `Internal Kind = iota`.
func countKinds(t *testing.T) int {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "fault.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, decl := range file.Decls {
		block, ok := decl.(*ast.GenDecl)
		if !ok || block.Tok != token.CONST {
			continue
		}
		first, _ := block.Specs[0].(*ast.ValueSpec)
		if kind, ok := first.Type.(*ast.Ident); ok && kind.Name == "Kind" {
			return len(block.Specs)
		}
	}
	t.Fatal("no constants of type Kind")
	return 0
}
