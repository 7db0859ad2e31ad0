package foreign_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"google.golang.org/grpc/metadata"

	registryv1 "eventprospect/gen/registry/v1"
	"eventprospect/mesh/discovery"
	"eventprospect/mesh/meshtest"
)

// patience bounds every wait for something that must happen; a JVM that starts on a busy machine takes its time.
const patience = time.Minute

// The registry's stores: one outlives a restart, the other forgets all.
const (
	lasting   = "etcd:data"
	forgetful = "memory:"
)

// registry is a registry that runs as a process on an address of its own, which it keeps when it is started again.
type registry struct {
	address string
	issuer  *meshtest.Issuer
	native  registryv1.RegistryServiceClient
	start   func() *program
	*program
}

// newRegistry builds and starts a registry with a store for the time of the test.
func newRegistry(t *testing.T, store string) *registry {
	t.Helper()
	folder := t.TempDir()
	path := filepath.Join(folder, "registry")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", path, "eventprospect/services/registry").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	r := &registry{address: meshtest.FreeAddress(t), issuer: meshtest.NewIssuer(t)}
	admin := meshtest.FreeAddress(t)
	environ := append(os.Environ(), "REGISTRY_LISTEN="+r.address, "REGISTRY_ADMIN="+admin, "REGISTRY_AUTH_ISSUER="+r.issuer.URL,
		"REGISTRY_STORE="+store, "REGISTRY_OPEN_READS=true", "REGISTRY_EUREKA_OPEN_WRITES=true")
	r.start = func() *program {
		cmd := exec.Command(path)
		cmd.Dir, cmd.Env = folder, environ
		p := run(t, "registry", cmd)
		eventually(t, "the registry is ready", func() error {
			resp, err := http.Get("http://" + admin + "/readyz")
			if err != nil {
				return err
			}
			defer func() { _ = resp.Body.Close() }()
			if resp.StatusCode != http.StatusOK {
				return errors.New(resp.Status)
			}
			return nil
		})
		return p
	}
	r.program = r.start()
	r.native = registryv1.NewRegistryServiceClient(meshtest.Dial(t, r.address))
	return r
}

// restart kills the registry and starts it again; meanwhile, while it is away, something can be done.
func (r *registry) restart(meanwhile func()) {
	r.kill()
	meanwhile()
	r.program = r.start()
}

// join keeps an instance registered by the native face until it is told to leave, or the test ends.
func (r *registry) join(t *testing.T, service, id, address string) (leave func()) {
	t.Helper()
	member := discovery.NewMember(r.native, &registryv1.Instance{
		Service: service, Id: id, Address: address, Status: registryv1.Instance_UP,
	}, slog.New(slog.NewTextHandler(t.Output(), nil)))
	ctx, cancel := contextWithCancel(t, r.issuer.Token("service"))
	ended := make(chan error, 1)
	go func() { ended <- member.Run(ctx) }()
	leave = func() { cancel(); <-ended; ended <- nil }
	t.Cleanup(leave)
	select {
	case <-member.Joined():
	case <-time.After(patience):
		t.Fatalf("%s could not join", id)
	}
	return leave
}

// find gives an instance as the native face lists it; nil if it doesn't.
func (r *registry) find(t *testing.T, service, id string) (*registryv1.Instance, error) {
	t.Helper()
	ctx := metadata.AppendToOutgoingContext(t.Context(), "authorization", "Bearer "+r.issuer.Token("reader"))
	answer, err := r.native.ListInstances(ctx, &registryv1.ListInstancesRequest{Service: service})
	if err != nil {
		return nil, err
	}
	for _, instance := range answer.GetInstances() {
		if instance.GetId() == id {
			return instance, nil
		}
	}
	return nil, nil
}

// mustHaveUp waits until both faces say that an instance is UP, and gives it as the native face does.
func (r *registry) mustHaveUp(t *testing.T, service, id string) (found *registryv1.Instance) {
	t.Helper()
	eventually(t, id+" is UP", func() (err error) {
		if found, err = r.find(t, service, id); err != nil {
			return err
		}
		if found.GetStatus() != registryv1.Instance_UP {
			return fmt.Errorf("natively it is %v", found)
		}
		if status, code := r.eurekaStatus(t, service, id); status != "UP" {
			return fmt.Errorf("to Eureka's clients it is %q, code %d", status, code)
		}
		return nil
	})
	return found
}

// mustForget waits until neither face knows an instance.
func (r *registry) mustForget(t *testing.T, service, id string) {
	t.Helper()
	eventually(t, id+" is gone", func() error {
		if found, err := r.find(t, service, id); err != nil || found != nil {
			return fmt.Errorf("natively it is %v, error %w", found, err)
		}
		if status, code := r.eurekaStatus(t, service, id); code != http.StatusNotFound {
			return fmt.Errorf("to Eureka's clients it is %q, code %d", status, code)
		}
		return nil
	})
}

// eurekaStatus asks the Eureka face for the status of an instance.
func (r *registry) eurekaStatus(t *testing.T, service, id string) (status string, code int) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+r.address+"/eureka/apps/"+service+"/"+id, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err.Error(), 0
	}
	defer func() { _ = resp.Body.Close() }()
	var answer struct {
		Instance struct {
			Status string `json:"status"`
		} `json:"instance"`
	}
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return err.Error(), 0
	}
	if resp.StatusCode == http.StatusOK {
		if err := json.Unmarshal(text, &answer); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
	}
	return answer.Instance.Status, resp.StatusCode
}
