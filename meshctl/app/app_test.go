package app_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	prospectv1 "eventprospect/gen/prospect/v1"
)

func TestWrongCommandLinesAndSettings(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, args := range [][]string{
		nil, {"dlq"}, {"dlq", "lost"}, {"status", "--all"}, {"-o", "xml", "status"}, {"--config", "missing", "status"}, {"dlq", "list", "--since", "soon"},
	} {
		if code, out, said := w.run(args...); code != 2 || out != "" || !strings.HasPrefix(said, "meshctl: ") {
			t.Errorf("%v: %d, %s, %s", args, code, out, said)
		}
	}
	for _, setting := range []string{"MESHCTL_BROKERS=x", "MESHCTL_GROUP=", "MESHCTL_REGISTRY=", "MESHCTL_KAFKA_BROKERS="} {
		bad := *w
		bad.environ = append(bad.environ[:len(bad.environ):len(bad.environ)], setting)
		if code, _, said := bad.run("status"); code != 2 {
			t.Errorf("%s: %d, %s", setting, code, said)
		}
	}
}

func TestHelpIsNoFailure(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, args := range [][]string{{"--help"}, {"dlq", "replay", "--help"}, {"rebuild", "-h"}} {
		if out := w.must(0, args...); !strings.Contains(out, "Usage: meshctl") {
			t.Errorf("%v: %s", args, out)
		}
	}
}

func TestSettingsComeFromAFile(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.bury(0, "a", []byte("a"), "invalid", 0)
	file := filepath.Join(t.TempDir(), "meshctl.yaml")
	text := "kafka:\n  brokers: [" + w.kafka.ListenAddrs()[0] + "]\ntoken: t\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	w.environ = nil
	wantLines(t, w.must(0, "--config", file, "dlq", "list"), "1 record (invalid 1)")
}

// TestTheAccountCalls uses the service account, which this issuer gives less rights than the tool needs.
func TestTheAccountCalls(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.services.outbox = &prospectv1.Outbox{}
	w.environ = append(w.environ, "MESHCTL_TOKEN=", "MESHCTL_AUTH_ISSUER="+w.issuer.URL)
	w.must(2, "status") // without a secret, since this isn't the laptop's issuer
	w.environ = append(w.environ, "MESHCTL_AUTH_CLIENT_SECRET=hidden-secret")
	code, out, said := w.run("status")
	if code != 4 || !strings.Contains(out, "admin") {
		t.Errorf("%d: %s%s", code, out, said)
	}
	w.environ = append(w.environ, "MESHCTL_AUTH_TOKEN_URL=http://127.0.0.1:1/token")
	code, out, said = w.run("status")
	if code != 4 || !strings.Contains(out, "check auth.issuer, auth.client_id and auth.client_secret") || strings.Contains(out+said, "hidden-secret") {
		t.Errorf("%d: %s%s", code, out, said)
	}
}

func TestTokensAreNeverShown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := w.issuer.Token("reader") // not enough
	w.environ = append(w.environ, "MESHCTL_TOKEN="+token)
	for _, args := range [][]string{{"status"}, {"rebuild", "--from-beginning"}, {"status", "--wrong"}, {"-o", "json", "status"}} {
		if _, out, said := w.run(args...); strings.Contains(out+said, token) {
			t.Errorf("%v shows the token", args)
		}
	}
}
