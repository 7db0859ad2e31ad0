package stream

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"strconv"
	"sync"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"eventprospect/mesh/meshtest"
)

// Of the answers to a kind of request each fifth is lost, up to the fifteenth. The client has several requests under way at once, which
// are lost together, and may wait for 5 s before it tries again.
const (
	loseEach = 5
	loseLast = 15
)

// lossy is a way to a broker that loses answers: when the broker has done what it was asked, the connection is cut.
type lossy struct {
	net.Listener
	broker string
	// The broker tells where it is: clients are told to be where this listener is.
	is, shown []byte
	wg        sync.WaitGroup

	mu    sync.Mutex
	asked map[kmsg.Key]int // how often, of the kinds whose answers are lost
}

// behindLossy gives the settings of who comes that way.
func (k apache) behindLossy(t *testing.T, kinds ...kmsg.Key) (Config, *lossy) {
	t.Helper()
	cfg := k.cfg
	l := &lossy{Listener: meshtest.Listen(t), broker: cfg.Brokers[0], asked: map[kmsg.Key]int{}}
	l.is, l.shown = place(t, l.broker), place(t, l.Addr().String())
	for _, kind := range kinds {
		l.asked[kind] = 0
	}
	l.wg.Go(l.serve)
	t.Cleanup(func() { _ = l.Close(); l.wg.Wait() })
	cfg.Brokers = []string{l.Addr().String()}
	return cfg, l
}

// place is how a host and a port stand in Kafka's answers.
func place(t *testing.T, address string) []byte {
	t.Helper()
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		t.Fatal(err)
	}
	return binary.BigEndian.AppendUint32([]byte(host), uint32(number))
}

func (l *lossy) serve() {
	for {
		client, err := l.Accept()
		if err != nil {
			return
		}
		l.wg.Go(func() { l.connect(client) })
	}
}

// connect carries what goes over one connection.
func (l *lossy) connect(client net.Conn) {
	defer client.Close()
	broker, err := net.Dial("tcp", l.broker)
	if err != nil {
		return
	}
	lose := make(chan bool, 1000) // of each request under way, whether its answer is lost; Kafka answers in order
	l.wg.Go(func() {
		defer broker.Close()
		for {
			request, err := frame(client)
			if err != nil {
				return
			}
			lose <- l.isLost(kmsg.Key(binary.BigEndian.Uint16(request[4:])))
			if _, err := broker.Write(request); err != nil {
				return
			}
		}
	})
	for {
		answer, err := frame(broker)
		if err != nil || <-lose {
			return
		}
		if _, err := client.Write(bytes.ReplaceAll(answer, l.is, l.shown)); err != nil {
			return
		}
	}
}

// frame reads a request or an answer, with its size.
func frame(from io.Reader) ([]byte, error) {
	size := make([]byte, 4)
	if _, err := io.ReadFull(from, size); err != nil {
		return nil, err
	}
	all := append(size, make([]byte, binary.BigEndian.Uint32(size))...)
	_, err := io.ReadFull(from, all[4:])
	return all, err
}

func (l *lossy) isLost(kind kmsg.Key) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, counted := l.asked[kind]; !counted {
		return false
	}
	l.asked[kind]++
	return l.asked[kind]%loseEach == 0 && l.asked[kind] <= loseLast
}

func (l *lossy) wantLost(t *testing.T) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	for kind, asked := range l.asked {
		if asked < loseEach {
			t.Errorf("no answer to %s was lost", kind.Name())
		}
	}
}

// TestRealNothingIsLostWithTheConnection cuts connections while messages are published and applied: each time the broker has done
// what it was asked, but nobody was told.
func TestRealNothingIsLostWithTheConnection(t *testing.T) {
	t.Parallel()
	const keys, each = 20, 100
	k, q, j := newApache(t), &queue{}, &journal{}
	cfg, way := k.behindLossy(t, kmsg.Produce, kmsg.Fetch, kmsg.OffsetCommit)
	relay := k.relay(t, cfg, q, quiet(t))
	start(t, k.consumer(t, cfg, j.handle, quiet(t)).Run)
	for sent := 0; sent < each; {
		addAll(q, keys, sent, sent+20)
		relay.Wake()
		sent += 20
		eventually(t, "what was published is applied", func() bool { return j.different() == sent*keys })
	}
	eventually(t, "all are done", q.isEmpty)
	wantOrdered(t, j.all(), keys, each)
	eventually(t, "all are committed", func() bool { return k.settled(t) == k.written(t) })
	way.wantLost(t)
	t.Logf("%d messages were %d records, applied %d times", keys*each, k.written(t), len(j.all()))
}
