package ports

import (
	"net"
	"testing"
)

func TestAddressesCanBeListenedOn(t *testing.T) {
	t.Parallel()
	addresses, err := Addresses(3)
	if err != nil {
		t.Fatal(err)
	}
	for _, address := range addresses { // at the same time, so they differ
		listener, err := net.Listen("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer listener.Close()
	}
}
