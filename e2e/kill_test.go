package e2e_test

import (
	"context"
	"encoding/json"
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
)

const (
	// kills is how often the system is killed, and acked how many prospects it has acknowledged by then, each time.
	kills = 3
	acked = 120
	// callers create prospects at once.
	callers = 8
)

// TestNothingAcknowledgedIsLostWhenKilled kills the whole system again and again, with prospects being created, and starts it on the
// same data. Every prospect that was acknowledged is there, and has become exactly one event in the end.
func TestNothingAcknowledgedIsLostWhenKilled(t *testing.T) {
	t.Parallel()
	executable, data := command.Build(t), t.TempDir()
	var ids []string
	for range kills {
		p := command.Start(t, executable, "-free", "-data", data)
		mustExist(t, p, ids)
		ids = append(ids, createUntilKilled(t, p)...)
	}
	p := command.Start(t, executable, "-free", "-data", data)
	mustExist(t, p, ids)
	begin := time.Now()
	mustHaveOneEventEach(t, p, ids)
	t.Logf("%d prospects outlived %d kills; their events were complete after %v", len(ids), kills, time.Since(begin).Round(time.Millisecond))
}

// createUntilKilled creates prospects until enough are acknowledged, kills the system while the next are under way, and
// returns the ids of all that were acknowledged.
func createUntilKilled(t *testing.T, p *command.Process) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), client.Patience)
	defer cancel()
	created := make(chan string)
	var callersDone sync.WaitGroup
	for range callers {
		callersDone.Go(func() {
			for ctx.Err() == nil {
				id := create(ctx, p)
				if id == "" {
					return // killed
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
		t.Fatalf("only %d prospects were created: %s", len(ids), p.Stderr())
	}
	return ids
}

// create returns the id of a new prospect, or nothing if that wasn't acknowledged.
func create(ctx context.Context, p *command.Process) string {
	req, err := p.Request(ctx, http.MethodPost, "/prospects", `{"firstName": "Grace", "lastName": "Hopper"}`)
	if err != nil {
		return ""
	}
	resp, err := p.Do(req, client.Editor)
	if err != nil {
		return ""
	}
	defer func() { _ = resp.Body.Close() }()
	var answer struct{ ID string }
	if resp.StatusCode != http.StatusCreated || json.NewDecoder(resp.Body).Decode(&answer) != nil {
		return ""
	}
	return answer.ID
}

func mustExist(t *testing.T, p *command.Process, ids []string) {
	t.Helper()
	ctx, conn := call(t, p, "prospect.v1")
	prospects := prospectv1.NewProspectServiceClient(conn)
	for batch := range slices.Chunk(ids, 100) {
		if _, err := prospects.BatchGetProspects(ctx, &prospectv1.BatchGetProspectsRequest{Ids: batch}); err != nil {
			t.Fatalf("an acknowledged prospect is lost: %v", err)
		}
	}
}

func mustHaveOneEventEach(t *testing.T, p *command.Process, ids []string) {
	t.Helper()
	ctx, conn := call(t, p, "event.v1")
	events := eventv1.NewEventServiceClient(conn)
	for _, id := range ids {
		for count := 0; count == 0; {
			answer, err := events.ListEvents(ctx, &eventv1.ListEventsRequest{ProspectId: id})
			if err != nil {
				t.Fatalf("no event for %s: %v", id, err)
			}
			count = len(answer.GetEvents())
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
func call(t *testing.T, p *command.Process, contract string) (context.Context, *grpc.ClientConn) {
	t.Helper()
	conn, err := p.Conn(contract)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), client.Patience)
	t.Cleanup(cancel)
	if ctx, err = p.As(ctx, client.Reader); err != nil {
		t.Fatal(err)
	}
	return ctx, conn
}
