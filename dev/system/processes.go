package system

import (
	"context"
	"fmt"
	"path/filepath"

	gateway "eventprospect/gateway/app"
	"eventprospect/mesh"
	"eventprospect/mesh/conf"
	event "eventprospect/services/event/app"
	prospect "eventprospect/services/prospect/app"
	registry "eventprospect/services/registry/app"
)

// startProcesses starts the processes of the mesh, each as it would run alone, and waits until all serve.
func (s *System) startProcesses(ctx context.Context) error {
	s.Registry, s.Event, s.Prospect = address(s.ports.registry.main), address(s.ports.event.main), address(s.ports.prospect.main)
	s.Gateway = "http://" + address(s.ports.gateway.main)
	s.RegistryAdmin, s.EventAdmin, s.ProspectAdmin = address(s.ports.registry.admin), address(s.ports.event.admin), address(s.ports.prospect.admin)
	s.GatewayAdmin = address(s.ports.gateway.admin)

	registryConfig := registry.Default()
	s.adapt(&registryConfig.Config)

	eventConfig := event.Default()
	s.adapt(&eventConfig.Config)
	eventConfig.Kafka.Brokers = []string{s.Kafka}
	prospectConfig := prospect.Default()
	s.adapt(&prospectConfig.Config)
	prospectConfig.Kafka.Brokers = []string{s.Kafka}
	for _, store := range []struct {
		name    string
		setting *string
	}{{"event", &eventConfig.Store}, {"prospect", &prospectConfig.Store}} {
		folder, err := s.folder(store.name)
		if err != nil {
			return err
		}
		*store.setting = "sqlite:" + filepath.Join(folder, store.name+".db")
	}

	gatewayConfig := gateway.Default()
	s.adapt(&gatewayConfig.Config)

	for _, started := range []<-chan error{
		run(s, "registry", registryConfig, registry.Bind, s.ports.registry),
		run(s, "event", eventConfig, event.Bind, s.ports.event),
		run(s, "prospect", prospectConfig, prospect.Bind, s.ports.prospect),
		run(s, "gateway", gatewayConfig, gateway.Bind, s.ports.gateway),
	} {
		select {
		case err := <-started:
			if err != nil {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// adapt sets what differs from the defaults of a process that runs alone. The secret of a service account in the development
// realm is its name.
func (s *System) adapt(cfg *mesh.Config) {
	if cfg.Registry != "" {
		cfg.Registry = s.Registry
	}
	cfg.LogLevel = s.cfg.LogLevel
	cfg.Auth.Issuer = s.Issuer
	cfg.Auth.ClientSecret = conf.Secret(cfg.Auth.ClientID)
}

// run starts one process. The channel gives nil when it serves, or the error with which it ended before.
func run[C mesh.Configuration](s *System, name string, cfg C, bind mesh.Bind[C], ports pair) <-chan error {
	ctx, cancel := context.WithCancel(context.Background())
	started, ended := make(chan error, 2), make(chan struct{})
	var result error
	go func() {
		defer close(ended)
		err := mesh.Run(ctx, name, cfg, bind,
			mesh.WithLog(s.cfg.Log), mesh.WithListeners(ports.main, ports.admin),
			mesh.WithSpans(s.cfg.Spans...), mesh.WithStarted(func() { started <- nil }))
		if err != nil {
			result = fmt.Errorf("%s: %w", name, err)
		}
		if ctx.Err() == nil {
			started <- result
			s.fail(result)
		}
	}()
	s.onStop(func() error { cancel(); <-ended; return result })
	return started
}
