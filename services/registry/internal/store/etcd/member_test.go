package etcd

import (
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"testing"

	"go.etcd.io/etcd/server/v3/embed"
	"go.uber.org/goleak"
)

// memberSettings is the variable that makes this program a member of a cluster, with these settings.
const memberSettings = "TEST_ETCD_MEMBER"

func TestMain(m *testing.M) {
	if settings := os.Getenv(memberSettings); settings != "" {
		runMember(settings)
		return
	}
	goleak.VerifyTestMain(m)
}

// member is one of a cluster: a process of its own, so that it can be killed.
type member struct {
	Name, Folder, Cluster string
	Peer, Client          string // URLs

	t       *testing.T
	line    *line // to its clients
	running *exec.Cmd
	hold    io.Closer // the process ends when this is closed, also if the test is killed
}

func (m *member) start() {
	m.t.Helper()
	settings, err := json.Marshal(m)
	if err != nil {
		m.t.Fatal(err)
	}
	m.running = exec.Command(os.Args[0])
	m.running.Env = append(os.Environ(), memberSettings+"="+string(settings))
	m.running.Stderr = m.t.Output()
	if m.hold, err = m.running.StdinPipe(); err != nil {
		m.t.Fatal(err)
	}
	if err := m.running.Start(); err != nil {
		m.t.Fatal(err)
	}
}

// kill ends the member without a chance to say goodbye.
func (m *member) kill() {
	if m.running == nil {
		return
	}
	_ = m.running.Process.Kill()
	_ = m.running.Wait() // it says that it was killed
	_ = m.hold.Close()
	m.running = nil
}

// runMember runs a member until its standard input ends.
func runMember(settings string) {
	var m member
	if err := json.Unmarshal([]byte(settings), &m); err != nil {
		panic(err)
	}
	cfg := embed.NewConfig()
	cfg.Name, cfg.Dir, cfg.InitialCluster = m.Name, m.Folder, m.Cluster
	peer, client := []url.URL{mustParse(m.Peer)}, []url.URL{mustParse(m.Client)}
	cfg.ListenPeerUrls, cfg.AdvertisePeerUrls = peer, peer
	cfg.ListenClientUrls, cfg.AdvertiseClientUrls = client, client
	cfg.EnableGRPCGateway, cfg.LogLevel = false, "fatal"
	if _, err := embed.StartEtcd(cfg); err != nil {
		fmt.Fprintln(os.Stderr, "start etcd:", err)
		os.Exit(1)
	}
	_, _ = io.Copy(io.Discard, os.Stdin)
}

func mustParse(text string) url.URL {
	u, err := url.Parse(text)
	if err != nil {
		panic(err)
	}
	return *u
}
