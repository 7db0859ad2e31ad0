package xds_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"eventprospect/services/registry/internal/xds"
)

// ask gives the answer to one request for the bootstrap, and its status.
func ask(cfg xds.Config, method, host, query string) (string, int) {
	server := xds.New(nil, cfg, 0, slog.New(slog.DiscardHandler))
	request := httptest.NewRequest(method, "/xds/bootstrap.json"+query, nil)
	request.Host = host
	answer := httptest.NewRecorder()
	server.Bootstrap().ServeHTTP(answer, request)
	return answer.Body.String(), answer.Code
}

func TestTheBootstrapSaysWhereTheRegistryIsAndWhoAsks(t *testing.T) {
	t.Parallel()
	body, _ := ask(xds.Default(), "GET", "registry:8761", "?id=event-7&zone=z1")
	const want = `{
  "xds_servers": [
    {
      "server_uri": "registry:8761",
      "channel_creds": [
        {
          "type": "insecure"
        }
      ],
      "server_features": [
        "xds_v3",
        "ignore_resource_deletion"
      ]
    }
  ],
  "node": {
    "id": "event-7",
    "locality": {
      "zone": "z1"
    }
  }
}
`
	if body != want {
		t.Errorf("got %s", body)
	}
	fixed := xds.Default()
	fixed.Address = "mesh.example:1"
	for host, uri := range map[string]string{"registry": "registry:80", "[::1]": "[::1]:80", "[::1]:8761": "[::1]:8761"} {
		if body, _ := ask(xds.Default(), "GET", host, ""); !strings.Contains(body, `"server_uri": "`+uri+`"`) {
			t.Errorf("at %s: got %s", host, body)
		}
		if body, _ := ask(fixed, "GET", host, ""); !strings.Contains(body, `"server_uri": "mesh.example:1"`) {
			t.Errorf("at %s: got %s", host, body)
		}
	}
}

func TestWhoAsksByTLSIsToSpeakTLS(t *testing.T) {
	t.Parallel()
	server := xds.New(nil, xds.Default(), 0, slog.New(slog.DiscardHandler))
	answer := httptest.NewRecorder()
	server.Bootstrap().ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "https://registry/xds/bootstrap.json", nil))
	if body := answer.Body.String(); !strings.Contains(body, `"type": "tls"`) || !strings.Contains(body, `"server_uri": "registry:443"`) {
		t.Errorf("got %s", body)
	}
}

func TestABootstrapIsNotMadeOfNonsense(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		method, host, query string
		status              int
	}{
		{"GET", "registry:8761", "?id=a%22b", 400},
		{"GET", "registry:8761", "?id=" + strings.Repeat("a", 129), 400},
		{"GET", "registry:8761", "?zone=a%20b", 400},
		{"GET", "registry:8761", "?zone=" + strings.Repeat("a", 65), 400},
		{"GET", `a","b`, "", 400},
		{"GET", "", "", 400},
		{"POST", "registry:8761", "", 405},
		{"HEAD", "registry:8761", "", 200},
	} {
		if body, status := ask(xds.Default(), c.method, c.host, c.query); status != c.status {
			t.Errorf("%s %q %s: %d %s, want %d", c.method, c.host, c.query, status, body, c.status)
		}
	}
}
