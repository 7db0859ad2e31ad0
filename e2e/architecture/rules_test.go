package architecture

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// TestRepository checks every import of every Go file.
func TestRepository(t *testing.T) {
	t.Parallel()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	files := 0
	err = fs.WalkDir(os.DirFS(root), ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() && strings.HasPrefix(entry.Name(), ".") && path != "." {
			return fs.SkipDir
		}
		if entry.IsDir() || filepath.Ext(path) != ".go" {
			return nil
		}
		files++
		return checkFile(t, root, path)
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 100 {
		t.Errorf("only %d files were found", files)
	}
}

func checkFile(t *testing.T, root, path string) error {
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, path), nil, parser.ImportsOnly)
	if err != nil {
		return err
	}
	for _, spec := range file.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return err
		}
		if broken := Broken(path, imported); broken != "" {
			t.Errorf("%s imports %s: %s", path, imported, broken)
		}
	}
	return nil
}

// TestRulesBite plants violations: each rule must find its own, and leave its neighbours alone.
func TestRulesBite(t *testing.T) {
	t.Parallel()
	const api, domain = "services/event/internal/api/server.go", "services/event/internal/event/event.go"
	planted := []struct{ path, imported, want string }{
		{"mesh/fault/fault.go", "eventprospect/mesh/outbox", "the leaves know the standard library alone"},
		{"mesh/outbox/outbox.go", "github.com/google/uuid", "the leaves know the standard library alone"},
		{"mesh/fault/fault.go", "errors", ""},
		{domain, "github.com/google/uuid", "the domain knows the standard library and the leaves alone"},
		{domain, "eventprospect/gen/event/v1", "the domain knows the standard library and the leaves alone"},
		{domain, "eventprospect/mesh", "the domain knows the standard library and the leaves alone"},
		{"services/prospect/internal/prospect/x.go", "eventprospect/mesh/rpc", "the domain knows the standard library and the leaves alone"},
		{"services/registry/internal/registry/x.go", "google.golang.org/grpc", "the domain knows the standard library and the leaves alone"},
		{domain, "eventprospect/mesh/fault", ""},
		{domain, "net/http", ""},
		{"services/event/internal/event/event_test.go", "github.com/google/go-cmp/cmp", ""},
		{"services/event/internal/store/sqlite/sqlite.go", "eventprospect/gen/event/v1", "a store knows no generated type and no gRPC"},
		{"services/event/internal/store/storetest/x_test.go", "google.golang.org/grpc/codes", "a store knows no generated type and no gRPC"},
		{"services/event/internal/store/sqlite/sqlite.go", "eventprospect/services/event/internal/event", ""},
		{"gen/openapi/openapi.go", "eventprospect/mesh/fault", "generated code knows no code of ours"},
		{"gen/event/v1/event.pb.go", "eventprospect/gen/mesh/v1", ""},
		{"mesh/app.go", "eventprospect/services/event/app", "mesh knows no service"},
		{"mesh/app_test.go", "eventprospect/gateway/app", "mesh knows no service"},
		{"gateway/gateway.go", "eventprospect/services/event/app", "the gateway dials services and imports none"},
		{"gateway/app/app.go", "eventprospect/gen/event/v1", ""},
		{"meshctl/app/app.go", "eventprospect/services/event/app", "the operators' tool calls services and imports none"},
		{"meshctl/app/world_test.go", "eventprospect/dev/system", "the operators' tool calls services and imports none"},
		{"meshctl/app/app.go", "eventprospect/mesh/stream/deadletter", ""},
		{"meshctl/main.go", "eventprospect/meshctl/internal/dlq", "main knows mesh and its app alone"},
		{"services/event/main.go", "eventprospect/services/event/internal/api", "main knows mesh and its app alone"},
		{"services/event/main.go", "fmt", "main knows mesh and its app alone"},
		{"gateway/main.go", "eventprospect/gateway/app", ""},
		{"e2e/cases_test.go", "eventprospect/services/event/app", "end-to-end tests see what a client sees"},
		{"e2e/cases_test.go", "eventprospect/dev/internal/issuer", "end-to-end tests see what a client sees"},
		{"e2e/cases_test.go", "eventprospect/dev/system", ""},
		{api, "eventprospect/services/prospect/app", "services know each other through gen alone"},
		{"services/event/app/app_test.go", "eventprospect/services/prospect/internal/prospect", "services know each other through gen alone"},
		{api, "eventprospect/services/event/internal/store/sqlite", "adapters point at the domain, never at each other"},
		{"services/prospect/internal/publish/publish.go", "eventprospect/services/prospect/internal/events", "adapters point at the domain, never at each other"},
		{domain, "eventprospect/services/event/internal/api", "the domain knows the standard library and the leaves alone"},
		{api, "eventprospect/services/event/internal/event", ""},
		{"services/event/app/app.go", "eventprospect/services/event/internal/store/sqlite", ""},
	}
	bitten := map[string]bool{}
	for _, p := range planted {
		got := Broken(p.path, p.imported)
		if got != p.want {
			t.Errorf("%s importing %s: %q, want %q", p.path, p.imported, got, p.want)
		}
		bitten[got] = true
	}
	for _, r := range rules {
		if !bitten[r.name] {
			t.Errorf("no planted violation of: %s", r.name)
		}
	}
}
