package issuer

import (
	"fmt"
	"net"
)

// Listen opens an address, "localhost:8180", for an issuer. It gives tokens for passwords that stand in a file, so it has to
// be told twice to let other machines in: by an address that they reach, and by exposed. Else such an address is refused
// before it is opened.
func Listen(address string, exposed bool) (net.Listener, error) {
	resolved, err := net.ResolveTCPAddr("tcp", address)
	if err != nil {
		return nil, err
	}
	if !exposed && !resolved.IP.IsLoopback() {
		return nil, fmt.Errorf("%s is reached from other machines, and the development issuer takes passwords that anybody can read in "+
			"the realm file: use localhost, or say -expose-passwords, too", address)
	}
	return net.ListenTCP("tcp", resolved) // what was checked, not what the name means by now
}
