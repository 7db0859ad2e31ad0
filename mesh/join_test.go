package mesh_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"google.golang.org/grpc"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/protobuf/types/known/durationpb"

	registryv1 "eventprospect/gen/registry/v1"
	"eventprospect/mesh"
	"eventprospect/mesh/meshtest"
)

// witness is a registry that only notes what it hears of an instance, and whether the instance served at that moment.
type witness struct {
	registryv1.UnimplementedRegistryServiceServer
	t         *testing.T
	heard     record
	instances chan *registryv1.Instance
	admit     chan struct{} // closed when instances may join
	left      chan struct{}
}

func newWitness(t *testing.T) *witness {
	return &witness{t: t, instances: make(chan *registryv1.Instance, 10), admit: make(chan struct{}), left: make(chan struct{}, 10)}
}

func (w *witness) Join(stream grpc.BidiStreamingServer[registryv1.JoinRequest, registryv1.JoinResponse]) error {
	defer func() { w.left <- struct{}{} }()
	for {
		req, err := stream.Recv()
		if err != nil {
			w.heard.add("left")
			return err
		}
		if instance := req.GetInstance(); instance != nil {
			<-w.admit
			w.heard.add(instance.GetStatus().String() + " and " + w.health(instance.GetAddress()))
			w.instances <- instance
		}
		if err := stream.Send(&registryv1.JoinResponse{Term: durationpb.New(time.Minute)}); err != nil {
			return err
		}
	}
}

// health asks the instance itself.
func (w *witness) health(address string) string {
	answer, err := healthv1.NewHealthClient(meshtest.Dial(w.t, address)).Check(w.t.Context(), &healthv1.HealthCheckRequest{})
	if err != nil {
		return err.Error()
	}
	return answer.GetStatus().String()
}

func (w *witness) bind(_ context.Context, app *mesh.App, _ mesh.Config) error {
	return app.ServeGRPC(func(r grpc.ServiceRegistrar) { registryv1.RegisterRegistryServiceServer(r, w) })
}

func TestAProcessJoinsAndLeavesBeforeItStops(t *testing.T) {
	t.Parallel()
	for name, bind := range map[string]mesh.Bind[mesh.Config]{"with gRPC": serveNothing, "with both": serveBothNothing} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			mustJoinAndLeave(t, bind)
		})
	}
}

func mustJoinAndLeave(t *testing.T, bind mesh.Bind[mesh.Config]) {
	t.Helper()
	issuer, registry := meshtest.NewIssuer(t), newWitness(t)
	close(registry.admit)
	address := meshtest.Run(t, "registry", meshtest.Config(issuer, "", "registry"), registry.bind).Address
	cfg := meshtest.Config(issuer, address, "event")
	cfg.Zone = "north"
	process := meshtest.Run(t, "event", cfg, bind)
	joined := <-registry.instances
	if joined.GetService() != "event" || joined.GetAddress() != process.Address || joined.GetZone() != "north" || joined.GetId() == "" {
		t.Errorf("joined as %v", joined)
	}
	if err := process.Stop(); err != nil {
		t.Error(err)
	}
	<-registry.left
	if want := []string{"UP and SERVING", "OUT_OF_SERVICE and SERVING", "left"}; !slices.Equal(registry.heard.lines, want) {
		t.Errorf("the registry heard %q, want %q", registry.heard.lines, want)
	}
}

func TestTheAdvertisedAddressIsTold(t *testing.T) {
	t.Parallel()
	issuer, registry := meshtest.NewIssuer(t), newWitness(t)
	close(registry.admit)
	address := meshtest.Run(t, "registry", meshtest.Config(issuer, "", "registry"), registry.bind).Address
	cfg := meshtest.Config(issuer, address, "event")
	other := meshtest.Run(t, "other", meshtest.Config(issuer, "", "other"), serveNothing).Address
	cfg.Advertise = other
	meshtest.Run(t, "event", cfg, serveNothing)
	if joined := <-registry.instances; joined.GetAddress() != other {
		t.Errorf("joined as %v", joined)
	}
}

func TestStartedMeansJoined(t *testing.T) {
	t.Parallel()
	issuer, registry := meshtest.NewIssuer(t), newWitness(t)
	address := meshtest.Run(t, "registry", meshtest.Config(issuer, "", "registry"), registry.bind).Address
	started, ended := make(chan struct{}), make(chan error, 1)
	main := meshtest.Listen(t)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		ended <- mesh.Run(ctx, "event", meshtest.Config(issuer, address, "event"), serveNothing, mesh.WithLog(t.Output()),
			mesh.WithListeners(main, meshtest.Listen(t)), mesh.WithStarted(func() { close(started) }))
	}()
	// It serves although the registry holds it up.
	if status := registry.health(main.Addr().String()); status != "SERVING" {
		t.Errorf("health is %s", status)
	}
	select {
	case <-started:
		t.Error("started before it joined")
	default:
	}
	close(registry.admit)
	<-started
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
