package system

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"strconv"

	"eventprospect/dev/internal/issuer"
)

// Ports are the ports of localhost to listen on; 0 takes a free one.
type Ports struct {
	Gateway, GatewayAdmin   int
	Event, EventAdmin       int
	Prospect, ProspectAdmin int
	Registry, RegistryAdmin int
	Kafka                   int
	Issuer                  int
}

// DefaultPorts are the ones that the system is known by.
func DefaultPorts() Ports {
	return Ports{
		Gateway: 8081, GatewayAdmin: 18081,
		Event: 8080, EventAdmin: 18080,
		Prospect: 9090, ProspectAdmin: 19090,
		Registry: 8761, RegistryAdmin: 18761,
		Kafka: 9092, Issuer: 8180,
	}
}

// pair is what a process listens on.
type pair struct{ main, admin net.Listener }

// listeners are open before anything starts: a busy port is found while there is nothing to undo.
type listeners struct {
	gateway, event, prospect, registry pair
	kafka, issuer                      net.Listener
	all                                []net.Listener
}

// listen opens them on localhost. The development issuer has a host of its own, and a switch that lets other machines reach it. If
// another issuer or Kafka is used, nothing listens in its place.
func listen(cfg Config) (*listeners, error) {
	p := cfg.Ports
	l := &listeners{}
	onIssuerHost := func(port string) (net.Listener, error) {
		return issuer.Listen(net.JoinHostPort(cmp.Or(cfg.IssuerHost, "localhost"), port), cfg.ExposeIssuer)
	}
	type place struct {
		name string
		port int
		into *net.Listener
		open func(port string) (net.Listener, error)
	}
	wanted := []place{
		{"gateway", p.Gateway, &l.gateway.main, onLocalhost},
		{"gateway admin", p.GatewayAdmin, &l.gateway.admin, onLocalhost},
		{"event", p.Event, &l.event.main, onLocalhost},
		{"event admin", p.EventAdmin, &l.event.admin, onLocalhost},
		{"prospect", p.Prospect, &l.prospect.main, onLocalhost},
		{"prospect admin", p.ProspectAdmin, &l.prospect.admin, onLocalhost},
		{"registry", p.Registry, &l.registry.main, onLocalhost},
		{"registry admin", p.RegistryAdmin, &l.registry.admin, onLocalhost},
	}
	if len(cfg.Kafka.Brokers) == 0 {
		wanted = append(wanted, place{"Kafka", p.Kafka, &l.kafka, onLocalhost})
	}
	if cfg.Issuer == "" {
		wanted = append(wanted, place{"token issuer", p.Issuer, &l.issuer, onIssuerHost})
	}
	for _, w := range wanted {
		listener, err := w.open(strconv.Itoa(w.port))
		if err != nil {
			return nil, errors.Join(fmt.Errorf("port %d (%s) can't be opened: %w", w.port, w.name, err), l.close())
		}
		*w.into = listener
		l.all = append(l.all, listener)
	}
	return l, nil
}

func onLocalhost(port string) (net.Listener, error) {
	return net.Listen("tcp", net.JoinHostPort("localhost", port))
}

// close closes what nobody serves on; who serves on one closes it, too.
func (l *listeners) close() error {
	for _, listener := range l.all {
		_ = listener.Close()
	}
	return nil
}

// address gives a listener's address as people write it.
func address(listener net.Listener) string {
	host, port, _ := net.SplitHostPort(listener.Addr().String())
	if ip := net.ParseIP(host); ip.IsLoopback() || ip.IsUnspecified() {
		host = "localhost"
	}
	return net.JoinHostPort(host, port)
}
