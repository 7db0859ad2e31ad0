package audit

import (
	"context"
	"net"
	"net/netip"

	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
)

// ForwardedForHeader is the metadata key under which a gateway tells who called it.
const ForwardedForHeader = "x-forwarded-for"

// Host gives the host of an address.
func Host(address string) string {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	return host
}

func peerOf(ctx context.Context) string {
	p, ok := peer.FromContext(ctx)
	if !ok {
		return ""
	}
	return Host(p.Addr.String())
}

// forwardedFor gives the address in the header, and nothing if that is anything but one address: whatever else a caller
// writes there must not reach the log.
func forwardedFor(ctx context.Context) string {
	values := metadata.ValueFromIncomingContext(ctx, ForwardedForHeader)
	if len(values) != 1 {
		return ""
	}
	address, err := netip.ParseAddr(values[0])
	if err != nil {
		return ""
	}
	return address.WithZone("").String() // a zone is any text
}
