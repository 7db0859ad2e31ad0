package xds

import (
	"encoding/json"
	"net"
	"net/http"
	"regexp"
	"strings"
)

// The texts that a bootstrap is made of. They come from who asks.
var (
	plain     = regexp.MustCompile(`^[A-Za-z0-9._:/@-]{1,128}$`)
	plainHost = regexp.MustCompile(`^([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?$`)
)

// BootstrapPath is where Bootstrap is to be served.
const BootstrapPath = "/xds/bootstrap.json"

// The bootstrap of a gRPC client (gRFC A27, A53, A30).
type bootstrap struct {
	Servers []bootstrapServer `json:"xds_servers"`
	Node    bootstrapNode     `json:"node"`
}

type bootstrapServer struct {
	URI         string                `json:"server_uri"`
	Credentials []bootstrapCredential `json:"channel_creds"`
	Features    []string              `json:"server_features"`
}

type bootstrapCredential struct {
	Type string `json:"type"`
}

type bootstrapNode struct {
	ID       string             `json:"id"`
	Locality *bootstrapLocality `json:"locality,omitempty"`
}

type bootstrapLocality struct {
	Zone string `json:"zone"`
}

// Bootstrap serves what a gRPC client needs to know to use this registry over xDS, as a file for GRPC_XDS_BOOTSTRAP or the
// value of GRPC_XDS_BOOTSTRAP_CONFIG. The query parameters id and zone say who the client is, and where.
func (s *Server) Bootstrap() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		query := r.URL.Query()
		id, zone := query.Get("id"), query.Get("zone")
		address := s.cfg.Address
		if address == "" {
			address = withPort(r.Host, r.TLS != nil)
		}
		switch {
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "only GET is served here", http.StatusMethodNotAllowed)
		case id != "" && !plain.MatchString(id):
			refuse(w, "id")
		case zone != "" && (!plain.MatchString(zone) || len(zone) > maxZone):
			refuse(w, "zone")
		case address == "":
			http.Error(w, "the Host header must be a host name or address", http.StatusBadRequest)
		default:
			answer(w, newBootstrap(address, id, zone, r.TLS != nil))
		}
	})
}

func refuse(w http.ResponseWriter, parameter string) {
	http.Error(w, parameter+": can be of letters, digits and ._:/@- only, and not long", http.StatusBadRequest)
}

// withPort gives the address behind a Host header, which lacks the port if it is HTTP's own, or HTTPS's; empty if it is none.
func withPort(host string, secure bool) string {
	if !plainHost.MatchString(host) {
		return ""
	}
	if _, _, err := net.SplitHostPort(host); err == nil {
		return host
	}
	port := "80"
	if secure {
		port = "443"
	}
	return net.JoinHostPort(strings.Trim(host, "[]"), port)
}

// newBootstrap makes the bootstrap of a client that is to speak TLS if it asked by TLS; it trusts whom its machine trusts then.
func newBootstrap(address, id, zone string, secure bool) bootstrap {
	credential := bootstrapCredential{"insecure"}
	if secure {
		credential = bootstrapCredential{"tls"}
	}
	b := bootstrap{
		Servers: []bootstrapServer{{
			URI: address, Credentials: []bootstrapCredential{credential},
			// A registry that came back with less doesn't make clients forget what they know (gRFC A53).
			Features: []string{"xds_v3", "ignore_resource_deletion"},
		}},
		Node: bootstrapNode{ID: id},
	}
	if id == "" {
		b.Node.ID = "grpc"
	}
	if zone != "" {
		b.Node.Locality = &bootstrapLocality{zone}
	}
	return b
}

// answer isn't kept by caches: it depends on who asks, and how.
func answer(w http.ResponseWriter, b bootstrap) {
	body, err := json.MarshalIndent(b, "", "  ")
	if err != nil {
		http.Error(w, "something went wrong on our side", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write(append(body, '\n')) // who is gone doesn't miss it
}
