package issuer

import (
	"net"
	"strings"
	"testing"
)

func TestListenRefusesToBeReachedUnlessToldTwice(t *testing.T) {
	t.Parallel()
	for address, local := range map[string]bool{
		"localhost:0": true, "127.0.0.1:0": true, "127.0.0.2:0": true, "[::1]:0": true, "[::ffff:127.0.0.1]:0": true,
		":0": false, "0.0.0.0:0": false, "[::]:0": false, "192.0.2.1:0": false, "[::ffff:0.0.0.0]:0": false,
	} {
		listener, err := Listen(address, false)
		if err == nil {
			if ip := listener.Addr().(*net.TCPAddr).IP; !local || !ip.IsLoopback() {
				t.Errorf("%s: it listens on %v", address, ip)
			}
			_ = listener.Close()
			continue
		}
		// That this machine has no such address is another matter.
		if refused := strings.Contains(err.Error(), "other machines"); refused == local {
			t.Errorf("%s: %v", address, err)
		}
	}
	for _, address := range []string{"", "localhost", "localhost:http:1"} {
		if _, err := Listen(address, false); err == nil {
			t.Errorf("%q is accepted", address)
		}
	}
}

func TestListenDoesAsItIsToldTwice(t *testing.T) {
	t.Parallel()
	listener, err := Listen("0.0.0.0:0", true)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	if ip := listener.Addr().(*net.TCPAddr).IP; !ip.IsUnspecified() {
		t.Errorf("it listens on %v", ip)
	}
}
