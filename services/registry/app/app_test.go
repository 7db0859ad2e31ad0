package app_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"testing"
	"time"

	"go.uber.org/goleak"

	registryv1 "eventprospect/gen/registry/v1"
	"eventprospect/mesh/fault"
	"eventprospect/mesh/meshtest"
	"eventprospect/services/registry/app"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// config gives the settings of a registry that trusts the issuer, without grace.
func config(issuer *meshtest.Issuer) app.Config {
	cfg := app.Default()
	cfg.Config = meshtest.Config(issuer, "", "")
	cfg.Grace, cfg.Store = 0, "memory:"
	return cfg
}

// running is a registry, and a way to call it as a service.
type running struct {
	*meshtest.Process
	issuer *meshtest.Issuer
	client registryv1.RegistryServiceClient
	ctx    context.Context // of a service's calls
}

func start(t *testing.T, change ...func(*app.Config)) *running {
	t.Helper()
	issuer := meshtest.NewIssuer(t)
	cfg := config(issuer)
	for _, c := range change {
		c(&cfg)
	}
	p := meshtest.Run(t, "registry", cfg, app.Bind)
	return &running{
		Process: p, issuer: issuer, client: registryv1.NewRegistryServiceClient(meshtest.Dial(t, p.Address)),
		ctx: meshtest.As(t, issuer.Token("service")),
	}
}

func instance(service, id string) *registryv1.Instance {
	return &registryv1.Instance{Service: service, Id: id, Address: "localhost:1", Status: registryv1.Instance_UP}
}

// open opens a Join stream, with nothing said yet.
func (r *running) open(t *testing.T) registryv1.RegistryService_JoinClient {
	t.Helper()
	stream, err := r.client.Join(r.ctx)
	if err != nil {
		t.Fatal(err)
	}
	return stream
}

// say sends one message and gives the answer.
func say(stream registryv1.RegistryService_JoinClient, i *registryv1.Instance) (*registryv1.JoinResponse, error) {
	// If it can't be sent, the reason comes with the answer.
	_ = stream.Send(&registryv1.JoinRequest{Instance: i})
	return stream.Recv()
}

// join opens a Join stream and registers an instance on it.
func (r *running) join(t *testing.T, i *registryv1.Instance) registryv1.RegistryService_JoinClient {
	t.Helper()
	stream := r.open(t)
	if _, err := say(stream, i); err != nil {
		t.Fatal(err)
	}
	return stream
}

// view is a Watch stream, and what it has told so far.
type view struct {
	registryv1.RegistryService_WatchClient
	known map[string]*registryv1.Instance
}

func (r *running) watch(t *testing.T, service string) *view {
	t.Helper()
	return r.resume(t, service, 0)
}

func (r *running) resume(t *testing.T, service string, revision int64) *view {
	t.Helper()
	stream, err := r.client.Watch(r.ctx, &registryv1.WatchRequest{Service: service, Revision: revision})
	if err != nil {
		t.Fatal(err)
	}
	return &view{stream, map[string]*registryv1.Instance{}}
}

// take receives one answer and adds it to what is known.
func (v *view) take(t *testing.T) *registryv1.WatchResponse {
	t.Helper()
	answer, err := v.Recv()
	if err != nil {
		t.Fatal(err)
	}
	if answer.GetSnapshot() {
		clear(v.known)
	}
	for _, i := range answer.GetInstances() {
		v.known[i.GetId()] = i
	}
	for _, id := range answer.GetRemovedIds() {
		delete(v.known, id)
	}
	return answer
}

// wantNext receives what is next and compares the ids of all that is known then.
func wantNext(t *testing.T, watch *view, want ...string) *registryv1.WatchResponse {
	t.Helper()
	answer := watch.take(t)
	if got := slices.Sorted(maps.Keys(watch.known)); !slices.Equal(got, want) {
		t.Fatalf("instances %v, want %v", got, want)
	}
	return answer
}

// wantListed compares the ids of all instances.
func (r *running) wantListed(t *testing.T, want ...string) {
	t.Helper()
	list, err := r.client.ListInstances(r.ctx, &registryv1.ListInstancesRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if got := ids(list.GetInstances()); !slices.Equal(got, want) {
		t.Fatalf("listed %v, want %v", got, want)
	}
}

func ids(instances []*registryv1.Instance) []string {
	var all []string
	for _, i := range instances {
		all = append(all, i.GetId())
	}
	return all
}

func wantKind(t *testing.T, err error, kind fault.Kind) {
	t.Helper()
	if !fault.Is(err, kind) {
		t.Errorf("error %v, want kind %d", err, kind)
	}
}

func wantField(t *testing.T, err error, field string) {
	t.Helper()
	var f *fault.Error
	if !errors.As(err, &f) || f.Kind != fault.Invalid || len(f.Violations) != 1 || f.Violations[0].Field != field {
		t.Errorf("error %v, want a violation of %s", err, field)
	}
}

func TestRoles(t *testing.T) {
	t.Parallel()
	r := start(t)
	const may = fault.Internal // the zero Kind
	for _, c := range []struct {
		role            string
		join, read, set fault.Kind
	}{
		{"service", may, may, may},
		{"reader", fault.Denied, may, fault.Denied},
		{"editor", fault.Denied, fault.Denied, fault.Denied},
		{"admin", fault.Denied, fault.Denied, may},
		{"", fault.Unauthenticated, fault.Unauthenticated, fault.Unauthenticated},
	} {
		for rpc, err := range r.callAll(t, c.role) {
			want := c.read
			switch rpc {
			case "Join":
				want = c.join
			case "SetStatus":
				want = c.set
			}
			if want == may && err != nil || want != may && !fault.Is(err, want) {
				t.Errorf("%s as %q: error %v, want kind %d", rpc, c.role, err, want)
			}
		}
	}
}

func TestReadsByGRPCNeedNoTokenWhereTheyAreOpen(t *testing.T) {
	t.Parallel()
	r := start(t, func(c *app.Config) { c.OpenReads = true })
	r.callAll(t, "service")
	for rpc, err := range r.callAll(t, "") {
		if closed := rpc == "Join" || rpc == "SetStatus"; fault.Is(err, fault.Unauthenticated) != closed || (err == nil) == closed {
			t.Errorf("%s: error %v", rpc, err)
		}
	}
}

// callAll calls every RPC as somebody of a role, or as nobody. The instance that it asks for was joined by a service before.
func (r *running) callAll(t *testing.T, role string) map[string]error {
	t.Helper()
	r.join(t, instance("event", "known"))
	ctx := t.Context()
	if role != "" {
		ctx = meshtest.As(t, r.issuer.Token(role))
	}
	as := &running{client: r.client, ctx: ctx}
	errs := map[string]error{}
	_, errs["Join"] = say(as.open(t), instance("event", "a"))
	_, errs["Watch"] = as.watch(t, "event").Recv()
	_, errs["ListInstances"] = as.client.ListInstances(ctx, &registryv1.ListInstancesRequest{})
	_, errs["GetInstance"] = as.client.GetInstance(ctx, &registryv1.GetInstanceRequest{Service: "event", Id: "known"})
	_, errs["SetStatus"] = as.client.SetStatus(ctx, &registryv1.SetStatusRequest{Service: "event", Id: "known"})
	return errs
}

func TestStoppingIsQuickAndEndsOpenStreamsWithUnavailable(t *testing.T) {
	t.Parallel()
	r := start(t, func(c *app.Config) { c.Stop = meshtest.Patience })
	joined, silent := r.join(t, instance("event", "a")), r.open(t)
	if err := silent.Send(&registryv1.JoinRequest{Instance: instance("event", "b")}); err != nil {
		t.Fatal(err)
	}
	watch := r.watch(t, "event")
	if _, err := watch.Recv(); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if err := r.Stop(); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took > time.Second {
		t.Errorf("stopping took %v", took)
	}
	for {
		// The other join may have been seen before the end.
		if _, err := watch.Recv(); err != nil {
			wantKind(t, err, fault.Unavailable)
			break
		}
	}
	_, err := joined.Recv()
	wantKind(t, err, fault.Unavailable)
}
