package discovery

import (
	"fmt"
	"net"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/resolver"
	"google.golang.org/grpc/resolver/manual"
)

// registries is the scheme of the target that stands for all registries of the mesh.
const registries = "registries"

// Registries reads the addresses of the mesh's registries, host:port split by commas: any of them knows all instances. The target
// and the option are for the client's connection, which spreads its streams over the registries that answer.
func Registries(addresses string) (target string, option grpc.DialOption, err error) {
	var all []string
	for address := range strings.SplitSeq(addresses, ",") {
		address = strings.TrimSpace(address)
		if _, port, err := net.SplitHostPort(address); err != nil || port == "" {
			return "", nil, fmt.Errorf("%q is not host:port", address)
		}
		all = append(all, address)
	}
	fixed := manual.NewBuilderWithScheme(registries)
	fixed.InitialState(resolver.State{Endpoints: endpoints(all)})
	return registries + ":///registry", grpc.WithResolvers(fixed), nil
}
