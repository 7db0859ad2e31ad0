package stack

import (
	"go/ast"
	"go/parser"
	"go/token"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/types"
)

// TestDatabases compares the databases with the addresses at which tests look for them.
func TestDatabases(t *testing.T) {
	t.Parallel()
	project, err := Load(t.Context(), filepath.Join(root, "compose.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	addresses := addresses(t, filepath.Join(root, "mesh/meshtest/database.go"))
	if len(addresses) != 3 {
		t.Fatalf("addresses for tests: %q, want those of three databases", addresses)
	}
	users := map[string]struct{ name, password string }{
		"mysql":    {"root", "MYSQL_ROOT_PASSWORD"},
		"postgres": {"postgres", "POSTGRES_PASSWORD"},
		"mongodb":  {},
	}
	for _, address := range addresses {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		service, user := project.Services[u.Scheme], users[u.Scheme]
		if !slices.ContainsFunc(service.Ports, func(p types.ServicePortConfig) bool { return p.HostIP+":"+p.Published == u.Host }) {
			t.Errorf("%s is published at %v, tests look for it at %s", u.Scheme, service.Ports, u.Host)
		}
		password, _ := u.User.Password()
		if u.User.Username() != user.name || password != value(service, user.password) {
			t.Errorf("%s: tests use %v, its users are %v", u.Scheme, u.User, service.Environment)
		}
	}
}

// addresses finds the URLs of a map literal named databases.
func addresses(t *testing.T, path string) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || spec.Names[0].Name != "databases" {
			return true
		}
		ast.Inspect(spec, func(n ast.Node) bool {
			if pair, ok := n.(*ast.KeyValueExpr); ok {
				if text, ok := pair.Value.(*ast.BasicLit); ok {
					address, err := strconv.Unquote(text.Value)
					if err != nil {
						t.Fatal(err)
					}
					found = append(found, address)
				}
			}
			return true
		})
		return false
	})
	return found
}

// TestReachable checks that each address which a process of ours is given is a service's name and a port on which it listens.
func TestReachable(t *testing.T) {
	t.Parallel()
	project, err := Load(t.Context(), filepath.Join(root, "compose.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	ports := map[string]string{
		"mysql": "3306", "mongodb": "27017", "kafka": "19092", "keycloak": "8080", "zipkin": "9411",
		"registry": "8761", "event": "8080", "prospect": "9090", "gateway": "8081",
	}
	seen := 0
	for name, service := range project.Services {
		if service.Build == nil {
			continue
		}
		for key := range service.Environment {
			setting := strings.TrimPrefix(key, strings.ToUpper(name)+"_")
			address := value(service, key)
			if !strings.Contains(address, ":") || setting == "AUTH_ISSUER" {
				continue
			}
			seen++
			if !strings.Contains(address, "://") {
				address = "tcp://" + address
			}
			u, err := url.Parse(address)
			if err != nil {
				t.Fatal(err)
			}
			host, port := u.Hostname(), u.Port()
			switch {
			case setting == "ADMIN" && host == "": // nobody else's
			case setting == "LISTEN" && host == "" && port == ports[name]:
			case setting == "ADVERTISE" && host == name && port == ports[name]:
			case setting == "LISTEN" || setting == "ADMIN" || setting == "ADVERTISE" || host == "" || port != ports[host]:
				t.Errorf("%s: %s=%s", name, key, address)
			case service.DependsOn[host].Condition == "" && setting != "TELEMETRY_ZIPKIN":
				t.Errorf("%s: %s=%s, but it does not wait for %s", name, key, address, host)
			}
		}
		if len(service.Ports) != 1 || service.Ports[0].Published != ports[name] {
			t.Errorf("%s: published at %v, want %s", name, service.Ports, ports[name])
		}
	}
	if seen < 20 {
		t.Errorf("only %d addresses were found", seen)
	}
	if advertised := value(project.Services["kafka"], "KAFKA_ADVERTISED_LISTENERS"); advertised != "INSIDE://kafka:19092,OUTSIDE://localhost:9092" {
		t.Errorf("kafka: advertised at %s", advertised)
	}
}

func value(service types.ServiceConfig, key string) string {
	if v := service.Environment[key]; v != nil {
		return *v
	}
	return ""
}
