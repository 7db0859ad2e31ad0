package system

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"eventprospect/dev/internal/issuer"
)

// startKafka starts the embedded Kafka, unless another is used. It creates no topic by itself: those who use one create it.
func (s *System) startKafka() error {
	if brokers := s.cfg.Kafka.Brokers; len(brokers) > 0 {
		s.Kafka = strings.Join(brokers, ",")
		return nil
	}
	folder, err := s.folder("kafka")
	if err != nil {
		return fmt.Errorf("kafka: %w", err)
	}
	cluster, err := kfake.NewCluster(
		kfake.NumBrokers(1),
		kfake.ClusterID("eventprospect-dev"),
		kfake.DataDir(folder),
		kfake.ListenFn(func(string, string) (net.Listener, error) { return s.ports.kafka, nil }),
	)
	if err != nil {
		return fmt.Errorf("kafka data in %s: %w", folder, err)
	}
	s.Kafka = address(s.ports.kafka)
	s.onStop(func() error { cluster.Close(); return nil })
	return nil
}

// startIssuer starts the development issuer.
func (s *System) startIssuer(realm issuer.Realm) error {
	folder, err := s.folder("issuer")
	if err != nil {
		return fmt.Errorf("token issuer: %w", err)
	}
	tokens, err := issuer.New(realm, "http://"+address(s.ports.issuer), folder)
	if err != nil {
		return fmt.Errorf("token issuer: %w", err)
	}
	s.tokens, s.Issuer = tokens, tokens.URL()
	server := &http.Server{
		Handler: tokens, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second,
		WriteTimeout: 10 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 64 << 10,
	}
	go func() {
		if err := server.Serve(s.ports.issuer); !errors.Is(err, http.ErrServerClosed) {
			s.fail(fmt.Errorf("token issuer: %w", err))
		}
	}()
	s.onStop(server.Close)
	return nil
}

// fail reports that a part ended by itself; only the first is reported.
func (s *System) fail(err error) {
	select {
	case s.failed <- err:
	default:
	}
}
