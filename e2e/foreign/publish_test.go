package foreign_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"eventprospect/dev/stack"
	"eventprospect/dev/system"
	"eventprospect/e2e/client"
	"eventprospect/e2e/kafka/kafkatest"
)

// trace is the trace that a client begins.
const trace = "4bf92f3577b34da6a3ce929d0e0e4736"

// published is a topic on a real Kafka with all that happened to one prospect.
type published struct {
	broker, topic, prospect string
	kinds                   []string
}

// newPublished has a system create, change and delete a prospect, and waits until its messages are there.
func newPublished(t *testing.T) published {
	t.Helper()
	kafka := kafkatest.Own(t)
	s, err := system.Start(t.Context(), system.Config{Realm: stack.Realm, Log: t.Output(), LogLevel: slog.LevelWarn, Kafka: kafka})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	c, err := client.New(client.Endpoints{Gateway: s.Gateway, Issuer: s.Issuer, Event: s.Event, Prospect: s.Prospect, Registry: s.Registry})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	p := published{broker: kafka.Brokers[0], topic: kafka.Topic, kinds: []string{"CREATED", "UPDATED", "DELETED"}}
	var created struct{ ID string }
	send(t, c, http.MethodPost, "/prospects", `{"firstName": "Gracissima", "lastName": "Hopperissima", "filedWork": "Génie civil"}`, &created)
	p.prospect = created.ID
	send(t, c, http.MethodPatch, "/prospects/"+p.prospect, `{"filedWork": "R&D / IT"}`, nil)
	send(t, c, http.MethodDelete, "/prospects/"+p.prospect, "", nil)
	eventually(t, "each message has become an event", func() error {
		var history struct{ Events []any }
		send(t, c, http.MethodGet, "/v1/events?prospectId="+p.prospect, "", &history)
		if len(history.Events) != len(p.kinds) {
			return fmt.Errorf("there are %d events", len(history.Events))
		}
		return nil
	})
	return p
}

// send sends a request that must succeed, and reads its answer.
func send(t *testing.T, c *client.Client, method, path, body string, answer any) {
	t.Helper()
	req, err := c.Request(t.Context(), method, path, body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Traceparent", "00-"+trace+"-00f067aa0ba902b7-01")
	resp, err := c.Do(req, client.Editor)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err == nil && answer != nil {
		err = json.Unmarshal(text, answer)
	}
	if err != nil || resp.StatusCode >= http.StatusMultipleChoices {
		t.Fatalf("%s %s: %s %v %s", method, path, resp.Status, err, text)
	}
}

// mustBe holds that the records are what happened, in order, each with all that docs/messaging.md promises.
func (p published) mustBe(t *testing.T, records []record) {
	t.Helper()
	var kinds []string
	for i, r := range records {
		kinds = append(kinds, r.Value.Kind)
		if err := p.check(i, r); err != nil {
			t.Errorf("%v in %+v", err, r)
		}
	}
	if !slices.Equal(kinds, p.kinds) {
		t.Errorf("read %v, want %v", kinds, p.kinds)
	}
}

// check says how a record is not as promised.
func (p published) check(i int, r record) error {
	var errs []error
	want := func(what, is, wanted string) {
		if is != wanted || is == "" {
			errs = append(errs, fmt.Errorf("%s is %q, want %q", what, is, wanted))
		}
	}
	want("the key", r.Key, p.prospect)
	want("the prospect", r.Value.ProspectID, p.prospect)
	want("the version", r.Value.Version, fmt.Sprint(i+1))
	want("ce_id", r.Headers["ce_id"], r.Value.ID)
	want("ce_type", r.Headers["ce_type"], "prospect.events.v1."+strings.ToLower(r.Value.Kind))
	want("ce_source", r.Headers["ce_source"], "/prospect")
	want("ce_specversion", r.Headers["ce_specversion"], "1.0")
	want("content-type", r.Headers["content-type"], "application/protobuf")
	told, toldErr := time.Parse(time.RFC3339Nano, r.Headers["ce_time"])
	occurred, occurredErr := time.Parse(time.RFC3339Nano, r.Value.OccurTime)
	if err := errors.Join(toldErr, occurredErr); err != nil || !told.Equal(occurred) {
		errs = append(errs, fmt.Errorf("ce_time is %q, and it happened at %q: %w", r.Headers["ce_time"], r.Value.OccurTime, err))
	}
	if parent := strings.Split(r.Headers["traceparent"], "-"); len(parent) != 4 || parent[1] != trace {
		errs = append(errs, fmt.Errorf("traceparent is %q, want one of the trace %s", r.Headers["traceparent"], trace))
	}
	if text := fmt.Sprint(r); strings.Contains(text, "issima") {
		errs = append(errs, errors.New("personal data"))
	}
	return errors.Join(errs...)
}
