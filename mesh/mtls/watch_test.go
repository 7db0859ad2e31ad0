package mtls_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"log/slog"
	"math/big"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/credentials"

	"eventprospect/mesh/meshtest"
	"eventprospect/mesh/mtls"
	"eventprospect/mesh/mtls/authority"
)

// buffer is a log that may be read while it is written.
type buffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

// count tells how often the log says something.
func (b *buffer) count(words string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.Count(b.text.String(), words)
}

// world is a server and a client that trust one authority. Its time is that of synctest.
type world struct {
	ca                       *meshtest.Authority
	serverFiles, clientFiles meshtest.Files
	server                   *tls.Config
	creds                    credentials.TransportCredentials
	log                      *buffer
	watchedServer            *mtls.Server
}

func inWorld(t *testing.T, test func(*testing.T, *world)) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := &world{ca: meshtest.NewAuthority(t), log: &buffer{}}
		log := slog.New(slog.NewTextHandler(w.log, nil))
		w.serverFiles, w.clientFiles = w.ca.Files("event"), w.ca.Files("prospect")
		server, err := mtls.NewServer(w.serverFiles.Server(), log)
		if err != nil {
			t.Fatal(err)
		}
		client, err := mtls.NewClient(w.clientFiles.Client(), tls.VersionTLS13, log)
		if err != nil {
			t.Fatal(err)
		}
		w.watchedServer, w.server, w.creds = server, server.GRPC(), client.Credentials()
		test(t, w)
	})
}

// serials are those of the certificates that two ends showed each other.
type serials struct{ server, client *big.Int }

// connect shakes hands over a pipe. The error is the server's, or else the client's.
func (w *world) connect() (serials, error) {
	near, far := net.Pipe()
	defer func() { _ = near.Close() }()
	served := make(chan error, 1)
	var shown serials
	go func() {
		defer func() { _ = far.Close() }()
		conn := tls.Server(far, w.server)
		err := conn.Handshake()
		if err == nil {
			shown.client = conn.ConnectionState().PeerCertificates[0].SerialNumber
			_, err = conn.Write([]byte("!"))
		}
		served <- err
	}()
	conn, info, err := w.creds.ClientHandshake(context.Background(), "event", near)
	if err == nil {
		_, err = conn.Read(make([]byte, 1))
	} else {
		_ = near.Close()
	}
	if failed := <-served; err == nil {
		err = failed
	}
	if err == nil {
		shown.server = info.(credentials.TLSInfo).State.PeerCertificates[0].SerialNumber
	}
	return shown, err
}

func (w *world) mustConnect(t *testing.T) serials {
	t.Helper()
	shown, err := w.connect()
	if err != nil {
		t.Fatal(err)
	}
	return shown
}

func TestNewConnectionsUseNewCertificates(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		first := w.mustConnect(t)
		w.serverFiles.Renew(w.ca, authority.Leaf{Names: []string{"event"}})
		w.clientFiles.Renew(w.ca, authority.Leaf{Names: []string{"prospect"}})
		time.Sleep(time.Second)
		second := w.mustConnect(t)
		if first.server.Cmp(second.server) == 0 || first.client.Cmp(second.client) == 0 {
			t.Error("an old certificate was shown")
		}
		if n := w.log.count("read anew"); n != 2 {
			t.Errorf("the log tells %d times of new certificates, want 2", n)
		}
	})
}

func TestAnAuthorityIsReplacedWithoutAGap(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		next, both := meshtest.NewAuthority(t), []meshtest.Files{w.serverFiles, w.clientFiles}
		step := func(what string, change func(meshtest.Files)) {
			for _, files := range both {
				change(files)
				time.Sleep(time.Second)
				if _, err := w.connect(); err != nil {
					t.Errorf("%s: %v", what, err)
				}
			}
		}
		step("trust both", func(f meshtest.Files) { f.Trust(w.ca, next) })
		step("certificates of the new one", func(f meshtest.Files) { f.Renew(next, authority.Leaf{Names: []string{"event"}}) })
		step("trust the new one alone", func(f meshtest.Files) { f.Trust(next) })
		w.clientFiles.Renew(w.ca, authority.Leaf{Names: []string{"prospect"}})
		time.Sleep(time.Second)
		if _, err := w.connect(); err == nil {
			t.Error("a certificate of the old authority is accepted")
		}
	})
}

func TestBrokenFilesChangeNothing(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		first := w.mustConnect(t)
		good, err := os.ReadFile(w.serverFiles.Key)
		if err != nil {
			t.Fatal(err)
		}
		for name, spoil := range map[string]func(){
			"half a key":            func() { w.serverFiles.Write(w.serverFiles.Key, good[:100]) },
			"no key":                func() { _ = os.Remove(w.serverFiles.Key) },
			"no certificate":        func() { w.serverFiles.Write(w.serverFiles.Cert, nil) },
			"another's certificate": func() { w.serverFiles.Write(w.serverFiles.Cert, w.ca.Authority.Certificate()) },
			"no authority":          func() { w.serverFiles.Write(w.serverFiles.CA, []byte("none")) },
			"an expired certificate": func() {
				w.serverFiles.Renew(w.ca, authority.Leaf{Names: []string{"event"}, Until: time.Now().Add(-time.Hour)})
			},
		} {
			before := w.log.count("can't be used")
			cert, _ := os.ReadFile(w.serverFiles.Cert)
			spoil()
			for range 5 {
				time.Sleep(time.Second)
				if shown := w.mustConnect(t); shown.server.Cmp(first.server) != 0 {
					t.Errorf("%s: another certificate was shown", name)
				}
			}
			if n := w.log.count("can't be used") - before; n != 1 {
				t.Errorf("%s: the log tells it %d times", name, n)
			}
			w.serverFiles.Write(w.serverFiles.Key, good)
			w.serverFiles.Write(w.serverFiles.Cert, cert)
			w.serverFiles.Trust(w.ca)
			time.Sleep(time.Second)
			w.mustConnect(t)
		}
		w.serverFiles.Renew(w.ca, authority.Leaf{Names: []string{"event"}})
		time.Sleep(time.Second)
		if w.mustConnect(t).server.Cmp(first.server) == 0 {
			t.Error("after the failures a good certificate is not taken")
		}
	})
}

func TestTheLogWarnsOfAnEndOnceADay(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go w.watchedServer.Watch(ctx) // nobody connects
		const day = 24 * time.Hour
		life := 8 * day
		for _, c := range []struct {
			until    time.Time
			warnings int
		}{{time.Now().Add(life), 2}, {time.Now().Add(2 * life), 2}} {
			before := w.log.count("ends soon")
			w.serverFiles.Renew(w.ca, authority.Leaf{Names: []string{"event"}, Until: c.until})
			time.Sleep(time.Until(c.until) - time.Hour)
			if n := w.log.count("ends soon") - before; n != c.warnings {
				t.Errorf("%d warnings, want %d", n, c.warnings)
			}
		}
	})
}
