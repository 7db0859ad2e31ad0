package etcd

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/url"
	"strings"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"

	"eventprospect/mesh/mtls"
)

const (
	defaultPort = "2379"
	// dialTimeout bounds the login.
	dialTimeout = 2 * time.Second
	// keepAliveTime and keepAliveTimeout: after both, a member that doesn't answer is left. gRPC allows no less.
	keepAliveTime, keepAliveTimeout = 10 * time.Second, 2 * time.Second
)

// Connect opens a store in the etcd cluster of this address:
//
//	etcd://USER:PASSWORD@HOST:PORT,HOST:PORT,HOST:PORT/PREFIX
//
// User, ports (2379) and prefix may be left out; etcds: speaks TLS, as secure says, or else trusts whom this machine trusts. It
// fails with Unavailable while the cluster doesn't answer.
func Connect(ctx context.Context, address string, secure *mtls.Client, log *slog.Logger) (*Store, error) {
	cfg, prefix, err := parse(address)
	if err != nil {
		return nil, err
	}
	if secure != nil {
		cfg.DialOptions = append(cfg.DialOptions, secure.DialOption())
	}
	client, err := clientv3.New(cfg)
	if err != nil {
		return nil, kind(ctx, err)
	}
	s := newStore(client, prefix, log, nil)
	// Each watch has a connection's stream to itself: on a shared one it would wait for what a hung member owes to the one before.
	s.watcher = func() (clientv3.Watcher, func()) {
		w := clientv3.NewWatcher(client)
		return w, func() { _ = w.Close() } // it was only told to stop
	}
	if err := s.Ping(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// parse reads an address. Its errors don't repeat it: it may hold a password.
func parse(address string) (cfg clientv3.Config, prefix string, err error) {
	scheme, rest, _ := strings.Cut(address, "://")
	hosts, path, _ := strings.Cut(rest, "/")
	cfg = clientv3.Config{
		DialTimeout: dialTimeout, DialKeepAliveTime: keepAliveTime, DialKeepAliveTimeout: keepAliveTimeout,
		Logger: zap.NewNop(), // what it would print comes back as an error, too
	}
	web := "http://"
	switch scheme {
	case "etcd":
	case "etcds":
		web, cfg.TLS = "https://", &tls.Config{MinVersion: tls.VersionTLS12}
	default:
		return cfg, "", errors.New("not an etcd URL: want etcd: or etcds://USER:PASSWORD@HOST:PORT,HOST:PORT/PREFIX")
	}
	if at := strings.LastIndex(hosts, "@"); at >= 0 {
		if cfg.Username, cfg.Password, err = login(hosts[:at]); err != nil {
			return cfg, "", err
		}
		hosts = hosts[at+1:]
	}
	for host := range strings.SplitSeq(hosts, ",") {
		endpoint, err := endpoint(host)
		if err != nil {
			return cfg, "", err
		}
		cfg.Endpoints = append(cfg.Endpoints, web+endpoint)
	}
	if path = strings.Trim(path, "/"); path == "" {
		return cfg, defaultPrefix, nil
	}
	return cfg, "/" + path, nil
}

// login reads USER:PASSWORD, each escaped as in any URL.
func login(text string) (user, password string, err error) {
	user, password, both := strings.Cut(text, ":")
	user, errUser := url.PathUnescape(user)
	password, errPassword := url.PathUnescape(password)
	if !both || user == "" || password == "" || errUser != nil || errPassword != nil {
		return "", "", errors.New("an etcd URL needs both user and password, with anything but letters and digits written as %XX, or none")
	}
	return user, password, nil
}

// endpoint reads HOST:PORT.
func endpoint(text string) (string, error) {
	u, err := url.Parse("//" + text)
	if err != nil || u.Hostname() == "" || u.Host != text {
		return "", errors.New("an etcd URL has hosts as HOST:PORT, separated by commas")
	}
	if u.Port() == "" {
		return net.JoinHostPort(u.Hostname(), defaultPort), nil
	}
	return text, nil
}
