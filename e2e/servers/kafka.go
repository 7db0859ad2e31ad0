//go:build linux

package main

import (
	"context"
	"crypto/rand"
	"errors"
	"net/url"
	"path/filepath"
	"time"

	"eventprospect/e2e/kafka"
	"eventprospect/mesh/mtls/authority"
)

// startKafka starts one broker of Apache Kafka.
func startKafka(ctx context.Context, s *set) (string, error) {
	folder, err := s.newFolder("kafka")
	if err != nil {
		return "", err
	}
	cluster, err := s.launchKafka(ctx, kafka.Options{Folder: folder, Brokers: 1})
	if err != nil {
		return "", err
	}
	return "kafka://" + cluster.Addresses()[0], nil
}

// startSecureKafka starts one broker that asks who comes. The address is that of its administrator, who comes in plaintext; it
// tells the ones by SASL, without and with TLS, the certificate to trust, and the user and the password that PLAIN knows.
func startSecureKafka(ctx context.Context, s *set) (string, error) {
	folder, err := s.newFolder("kafka-secure")
	if err != nil {
		return "", err
	}
	ca, secure := filepath.Join(folder, "ca.crt"), &kafka.Secure{
		CertFile: filepath.Join(folder, "tls.crt"), KeyFile: filepath.Join(folder, "tls.key"),
	}
	if err := certify(ca, secure.CertFile, secure.KeyFile); err != nil {
		return "", err
	}
	const name = "plain"
	password := rand.Text()
	secure.Users = map[string]string{name: password}
	cluster, err := s.launchKafka(ctx, kafka.Options{Folder: folder, Brokers: 1, Secure: secure})
	if err != nil {
		return "", err
	}
	query := url.Values{"sasl": cluster.SASLAddresses(), "tls": cluster.TLSAddresses(), "ca": {ca}}
	at := url.URL{Scheme: "kafka", User: url.UserPassword(name, password), Host: cluster.Addresses()[0], RawQuery: query.Encode()}
	return at.String(), nil
}

// prepareOldKafka gives the class path of the Kafka that runs on ZooKeeper. The few tests that need it start it: it would cost all
// others the memory and the time of two more servers.
func prepareOldKafka(ctx context.Context, _ *set) (string, error) { return kafka.PrepareOld(ctx) }

func (s *set) launchKafka(ctx context.Context, o kafka.Options) (*kafka.Cluster, error) {
	cluster, err := kafka.Start(ctx, o)
	if err == nil {
		s.onStop(cluster.Stop)
	}
	return cluster, err
}

// certify writes the certificate of a new authority, and one that this issues for this machine, with its key.
func certify(ca, cert, key string) error {
	const life = 30 * 24 * time.Hour // longer than anybody lets `servers up` run
	made, err := authority.New("servers", life)
	if err != nil {
		return err
	}
	issued, private, err := made.Issue(authority.Leaf{Names: []string{"127.0.0.1", "localhost"}, Until: made.Until()})
	if err != nil {
		return err
	}
	return errors.Join(write(ca, made.Certificate()), write(cert, issued), write(key, private))
}
