package etcd

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	"go.uber.org/zap"

	"eventprospect/mesh/fault"
)

func TestEmbeddedListensNowhere(t *testing.T) {
	t.Parallel()
	server, err := serve(t.Context(), t.TempDir(), quiet())
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	if p, c := len(server.Peers), len(server.Clients); p+c > 0 {
		t.Errorf("it has %d listeners for peers and %d for clients", p, c)
	}
}

func TestAFolderIsOneProcess(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	first, err := Embedded(t.Context(), folder, quiet())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Embedded(t.Context(), folder, quiet()); err == nil || !strings.Contains(err.Error(), "another process") {
		t.Errorf("a second one in the same folder: error %v", err)
	}
	create(t, first, "a")
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second, err := Embedded(t.Context(), folder, quiet())
	if err != nil {
		t.Fatal(err)
	}
	closeLater(t, second)
}

// TestEmbeddedGivesUp: an end at the first start, at any moment, leaves a folder that can be used.
func TestEmbeddedGivesUp(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	folder := t.TempDir()
	s, err := Embedded(ctx, folder, quiet())
	if err == nil { // it was ready as fast
		_ = s.Close()
	} else if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want the end of the context", err)
	}
	if s, err = Embedded(t.Context(), folder, quiet()); err != nil {
		t.Fatalf("the folder is not free: %v", err)
	}
	closeLater(t, s)
}

func TestLastWords(t *testing.T) {
	t.Parallel()
	var text bytes.Buffer
	log := lastWords(slog.New(slog.NewTextHandler(&text, nil))).With(zap.String("name", "n"))
	log.Error("closing")
	if text.Len() > 0 {
		t.Errorf("it says %s", text.String())
	}
	defer func() {
		_ = recover()
		if got := text.String(); !strings.Contains(got, "disk is full") || !strings.Contains(got, "no space") {
			t.Errorf("it says %q, want why etcd ends", got)
		}
	}()
	log.Panic("the disk is full", zap.Error(errors.New("no space")), zap.String("dir", "d"))
}

func TestAddresses(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]struct {
		endpoints              []string
		prefix, user, password string
	}{
		"etcd://a":                     {[]string{"http://a:2379"}, defaultPrefix, "", ""},
		"etcd://a:1,b,c:3/":            {[]string{"http://a:1", "http://b:2379", "http://c:3"}, defaultPrefix, "", ""},
		"etcd://127.0.0.1:1,[::1]:2/x": {[]string{"http://127.0.0.1:1", "http://[::1]:2"}, "/x", "", ""},
		"etcd://[::1]/x/y/":            {[]string{"http://[::1]:2379"}, "/x/y", "", ""},
		"etcds://u:p%2F%40:@a,b/x":     {[]string{"https://a:2379", "https://b:2379"}, "/x", "u", "p/@:"},
	} {
		cfg, prefix, err := parse(address)
		if err != nil || !slices.Equal(cfg.Endpoints, want.endpoints) || prefix != want.prefix || cfg.Username != want.user || cfg.Password != want.password {
			t.Errorf("%s: %v, prefix %s, user %s, password %s, error %v", address, cfg.Endpoints, prefix, cfg.Username, cfg.Password, err)
		}
		if secure := cfg.TLS != nil; secure != strings.HasPrefix(address, "etcds:") {
			t.Errorf("%s: TLS %v", address, secure)
		}
	}
	for _, address := range []string{
		"", "a:2379", "http://a:2379", "etcd://", "etcd:///x", "etcd://a,,b", "etcd://a:x", "etcd://a:1:x", "etcd://u:@a", "etcd://secret@a", "etcd://:secret@a",
		"etcd://u:secret%zz@a", "etcd://u:secret/x@a", "etcd://u:secret@",
	} {
		if _, err := Connect(t.Context(), address, nil, quiet()); err == nil || strings.Contains(err.Error(), "secret") || fault.Is(err, fault.Unavailable) {
			t.Errorf("%s: error %v", address, err)
		}
	}
}

// TestLogin: a cluster that knows its users serves them, and refuses others for good.
func TestLogin(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 1)
	for _, err := range []error{
		second(c.admin.UserAdd(t.Context(), "root", "se:cr/et")), second(c.admin.UserGrantRole(t.Context(), "root", "root")),
		second(c.admin.AuthEnable(t.Context())),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	host := c.members[0].line.address()
	create(t, c.opened("etcd://root:se%3Acr%2Fet@"+host+"/x"), "a")
	for _, login := range []string{"", "root:wrong@", "nobody:wrong@"} {
		_, err := Connect(t.Context(), "etcd://"+login+host+"/x", nil, quiet())
		if err == nil || fault.Is(err, fault.Unavailable) || strings.Contains(err.Error(), "wrong") {
			t.Errorf("as %q: error %v, want a final one", login, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

func TestEveryErrorHasItsKind(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		err  error
		kind fault.Kind // Internal: it stays as it is
	}{
		"no leader":      {rpctypes.ErrNoLeader, fault.Unavailable},
		"not the leader": {rpctypes.ErrNotLeader, fault.Unavailable},
		"leader changed": {rpctypes.ErrLeaderChanged, fault.Unavailable},
		"slow":           {rpctypes.ErrTimeout, fault.Unavailable},
		"busy":           {rpctypes.ErrTooManyRequests, fault.Unavailable},
		"full":           {rpctypes.ErrNoSpace, fault.Unavailable},
		"stopped":        {rpctypes.ErrStopped, fault.Unavailable},
		"no time left":   {context.DeadlineExceeded, fault.Unavailable},
		"other":          {errors.New("other"), fault.Unavailable},
		"too large":      {rpctypes.ErrRequestTooLarge, fault.Internal},
		"refused":        {rpctypes.ErrPermissionDenied, fault.Internal},
		"wrong password": {rpctypes.ErrAuthFailed, fault.Internal},
		"compacted":      {rpctypes.ErrCompacted, fault.Internal},
		"lease lost":     {rpctypes.ErrLeaseNotFound, fault.Internal},
	} {
		err := kind(t.Context(), c.err)
		if !errors.Is(err, c.err) {
			t.Errorf("%s: the cause is lost: %v", name, err)
		}
		var f *fault.Error
		if errors.As(err, &f) != (c.kind != fault.Internal) || f != nil && f.Kind != c.kind {
			t.Errorf("%s: %v, want kind %v", name, err, c.kind)
		}
		if got, want := final(c.err), c.kind != fault.Unavailable; got != want {
			t.Errorf("%s: final %v, want %v", name, got, want)
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := kind(ended, rpctypes.ErrNoLeader); !errors.Is(err, context.Canceled) || fault.Is(err, fault.Unavailable) {
		t.Errorf("an ended context: %v", err)
	}
	if kind(ended, nil) != nil {
		t.Error("no error became one")
	}
}
