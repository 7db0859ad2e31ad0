package system

import (
	"errors"
	"fmt"
	"net"
	"strconv"
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

func listen(p Ports) (*listeners, error) {
	l := &listeners{}
	wanted := []struct {
		name string
		port int
		into *net.Listener
	}{
		{"gateway", p.Gateway, &l.gateway.main},
		{"gateway admin", p.GatewayAdmin, &l.gateway.admin},
		{"event", p.Event, &l.event.main},
		{"event admin", p.EventAdmin, &l.event.admin},
		{"prospect", p.Prospect, &l.prospect.main},
		{"prospect admin", p.ProspectAdmin, &l.prospect.admin},
		{"registry", p.Registry, &l.registry.main},
		{"registry admin", p.RegistryAdmin, &l.registry.admin},
		{"Kafka", p.Kafka, &l.kafka},
		{"token issuer", p.Issuer, &l.issuer},
	}
	for _, w := range wanted {
		listener, err := net.Listen("tcp", net.JoinHostPort("localhost", strconv.Itoa(w.port)))
		if err != nil {
			return nil, errors.Join(fmt.Errorf("port %d (%s) can't be opened: %w", w.port, w.name, err), l.close())
		}
		*w.into = listener
		l.all = append(l.all, listener)
	}
	return l, nil
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
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	return net.JoinHostPort("localhost", port)
}
