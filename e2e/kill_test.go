package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"

	eventv1 "eventprospect/gen/event/v1"
	prospectv1 "eventprospect/gen/prospect/v1"

	"eventprospect/e2e/client"
	"eventprospect/e2e/command"
	"eventprospect/e2e/databases"
	"eventprospect/e2e/kafka/kafkatest"
)

const (
	// kills is how often the system is killed, and acked how many prospects it has acknowledged by then, each time.
	kills = 3
	acked = 120
	// callers create prospects at once.
	callers = 8
	// lease is how long messages that a killed system was about to publish are left alone, where several could share a store
	// (mesh/stream). SQLite's file has one system, which gives them back when it starts.
	lease = 6 * time.Second
	// absence is how long Kafka waits for a member of a group that was killed, before another gets its partitions. It waits for one
	// once more if that was about to become a member.
	absence = 10 * time.Second
	// askEvery is how often one asks for an event that isn't there yet.
	askEvery = 5 * time.Millisecond
)

// TestNothingAcknowledgedIsLostWhenKilled kills the system on SQLite.
func TestNothingAcknowledgedIsLostWhenKilled(t *testing.T) {
	t.Parallel()
	mustOutliveKills(t, client.Patience)
}

// TestNothingAcknowledgedIsLostWhenKilledOnRealStores kills the system, and not the servers of its databases.
func TestNothingAcknowledgedIsLostWhenKilledOnRealStores(t *testing.T) {
	t.Parallel()
	mustOutliveKills(t, lease+client.Patience, "-event-store", databases.MariaDB(t), "-prospect-store", databases.MongoDB(t))
}

// TestNothingAcknowledgedIsLostWhenKilledOnKafka kills the system, and not its broker, which knows its topic and its group under
// their usual names.
func TestNothingAcknowledgedIsLostWhenKilledOnKafka(t *testing.T) {
	t.Parallel()
	mustOutliveKills(t, 2*absence+client.Patience, "-kafka", kafkatest.Usual(t))
}

// mustOutliveKills kills the whole system again and again, with prospects being created, and starts it on the same data. Every
// prospect that was acknowledged is there, and has become exactly one event in the end.
func mustOutliveKills(t *testing.T, patience time.Duration, args ...string) {
	t.Helper()
	executable, args := command.Build(t), append([]string{"-free", "-data", t.TempDir()}, args...)
	var ids []string
	for range kills {
		p := command.Start(t, executable, args...)
		mustExist(t, p, ids)
		ids = append(ids, createUntilKilled(t, p)...)
		<-p.Ended()
		keepFromOthers(t, p.Event, p.Prospect)
	}
	p := command.Start(t, executable, args...)
	mustExist(t, p, ids)
	begin := time.Now()
	mustHaveOneEventEach(t, p, patience, ids)
	t.Logf("%d prospects outlived %d kills; their events were complete after %v", len(ids), kills, time.Since(begin).Round(time.Millisecond))
}

// keepFromOthers takes the ports of services that were killed until the test ends, and answers nobody there. The registry knows them for a
// while, on the same data also when it is started again: another test's server would get their calls.
func keepFromOthers(t *testing.T, addresses ...string) {
	t.Helper()
	for _, address := range addresses {
		listener, err := net.Listen("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		var accepting sync.WaitGroup
		accepting.Go(func() {
			for {
				conn, err := listener.Accept()
				if err != nil {
					return
				}
				_ = conn.Close()
			}
		})
		t.Cleanup(func() { _ = listener.Close(); accepting.Wait() })
	}
}

// createUntilKilled creates prospects until enough are acknowledged, kills the system while the next are under way, and
// returns the ids of all that were acknowledged.
func createUntilKilled(t *testing.T, p *command.Process) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), client.Patience)
	defer cancel()
	created, ends := make(chan string), make(chan error, callers)
	var callersDone sync.WaitGroup
	for range callers {
		callersDone.Go(func() {
			for ctx.Err() == nil {
				id, err := create(ctx, p)
				if err != nil {
					ends <- err // killed
					return
				}
				created <- id
			}
		})
	}
	go func() { callersDone.Wait(); close(created) }()
	var ids []string
	for id := range created {
		if ids = append(ids, id); len(ids) == acked {
			go p.Kill()
		}
	}
	if len(ids) < acked {
		t.Fatalf("only %d prospects were created: %v: %s", len(ids), <-ends, p.Stderr())
	}
	return ids
}

// create returns the id of a new prospect, or why that wasn't acknowledged.
func create(ctx context.Context, p *command.Process) (string, error) {
	req, err := p.Request(ctx, http.MethodPost, "/prospects", `{"firstName": "Grace", "lastName": "Hopper"}`)
	if err != nil {
		return "", err
	}
	resp, err := p.Do(req, client.Editor)
	if err != nil {
		return "", err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return "", err
	}
	var answer struct{ ID string }
	if resp.StatusCode != http.StatusCreated || json.Unmarshal(body, &answer) != nil || answer.ID == "" {
		return "", fmt.Errorf("answered by %s: %s", resp.Status, body)
	}
	return answer.ID, nil
}

func mustExist(t *testing.T, p *command.Process, ids []string) {
	t.Helper()
	ctx, conn := call(t, p, client.Patience, "prospect.v1")
	prospects := prospectv1.NewProspectServiceClient(conn)
	for batch := range slices.Chunk(ids, 100) {
		if _, err := prospects.BatchGetProspects(ctx, &prospectv1.BatchGetProspectsRequest{Ids: batch}); err != nil {
			t.Fatalf("an acknowledged prospect is lost: %v", err)
		}
	}
}

func mustHaveOneEventEach(t *testing.T, p *command.Process, patience time.Duration, ids []string) {
	t.Helper()
	ctx, conn := call(t, p, patience, "event.v1")
	events := eventv1.NewEventServiceClient(conn)
	for _, id := range ids {
		for count := 0; count == 0; {
			answer, err := events.ListEvents(ctx, &eventv1.ListEventsRequest{ProspectId: id})
			if err != nil {
				t.Fatalf("no event for %s: %v", id, err)
			}
			if count = len(answer.GetEvents()); count == 0 {
				time.Sleep(askEvery)
			}
		}
	}
	for _, id := range ids {
		answer, err := events.ListEvents(ctx, &eventv1.ListEventsRequest{ProspectId: id})
		if err != nil || len(answer.GetEvents()) != 1 || answer.GetEvents()[0].GetKind() != eventv1.Event_PROSPECT_CREATED {
			t.Errorf("%s has the events %v %v", id, answer.GetEvents(), err)
		}
	}
}

// call gives the connection to a service of the process, and the context of calls that must be done before patience runs out.
func call(t *testing.T, p *command.Process, patience time.Duration, contract string) (context.Context, *grpc.ClientConn) {
	t.Helper()
	conn, err := p.Conn(contract)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	if ctx, err = p.As(ctx, client.Reader); err != nil {
		t.Fatal(err)
	}
	return ctx, conn
}
