package system

import (
	"net"
	"strings"
	"testing"
)

func TestTheIssuerListensOnLocalhostUnlessToldTwice(t *testing.T) {
	t.Parallel()
	if _, err := listen(Config{IssuerHost: "0.0.0.0"}); err == nil || !strings.Contains(err.Error(), "-expose-passwords") {
		t.Errorf("got %v, want a refusal that says how", err)
	}
	for host, expose := range map[string]bool{"": false, "localhost": true, "127.0.0.1": false, "0.0.0.0": true} {
		l, err := listen(Config{IssuerHost: host, ExposeIssuer: expose})
		if err != nil {
			t.Errorf("%q: %v", host, err)
			continue
		}
		if got := address(l.issuer); !strings.HasPrefix(got, "localhost:") {
			t.Errorf("%q: the issuer's tokens would name %s", host, got)
		}
		if err := l.close(); err != nil {
			t.Error(err)
		}
	}
}

func TestNothingListensInThePlaceOfAnotherThatIsUsed(t *testing.T) {
	t.Parallel()
	taken, err := onLocalhost("0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	address := taken.Addr().String()
	tcp, _ := taken.Addr().(*net.TCPAddr)
	for name, cfg := range map[string]Config{
		"issuer": {Issuer: "http://" + address + "/realms/EventProspect", Ports: Ports{Issuer: tcp.Port}},
		"kafka":  {Kafka: Kafka{Brokers: []string{address}}, Ports: Ports{Kafka: tcp.Port}},
	} {
		l, err := listen(cfg)
		if err != nil {
			t.Fatalf("%s: the port is the other's: %v", name, err)
		}
		if err := l.close(); err != nil {
			t.Error(err)
		}
	}
}
