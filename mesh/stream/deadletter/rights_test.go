package deadletter_test

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"eventprospect/mesh/conf"
	"eventprospect/mesh/meshtest"
	"eventprospect/mesh/stream"
	"eventprospect/mesh/stream/deadletter"
)

// right is a line of docs/operations.md: what an operator may do on the topic, its DLQ or the group.
type right struct {
	on        string
	operation kadm.ACLOperation
	// lack is what one hears without it.
	lack string
}

// duty is something that operators do.
type duty struct {
	name string
	// have are rights that it needs and that are shown elsewhere to be needed, need those that are shown here.
	have, need []right
	do         func(context.Context, *world) error
}

func duties() []duty {
	lists := right{"dlq", kadm.OpRead, "has no right to DESCRIBE"}
	marks := right{"dlq", kadm.OpWrite, "not marked as such: a repetition does no harm: this user has no right to WRITE on topic"}
	deletes := right{"dlq", kadm.OpDelete, "has no right to DELETE on topic"}
	publishes := right{"topic", kadm.OpWrite, "was not replayed: this user has no right to WRITE on topic"}
	finds := right{"topic", kadm.OpRead, "can't be read where it was: "}
	return []duty{
		{"the lag", nil, []right{
			{"group", kadm.OpDescribe, "has no right to DESCRIBE it"},
			{"topic", kadm.OpDescribe, "has no right to DESCRIBE"},
		}, askLag},
		{"to list", nil, []right{lists}, list},
		{"to discard", []right{lists}, []right{marks, deletes}, discardAll},
		{"to replay", []right{lists, marks, deletes}, []right{publishes}, replayAll},
		{"to replay what was left out", []right{lists, marks, deletes, publishes}, []right{finds}, replayLeftOut},
		{"to read what is on the topic", nil, []right{{"topic", kadm.OpRead, "has no right to"}}, readTopic},
	}
}

// TestRealEachRightOfOperatorsIsNeededAndAllAreEnough does each duty with all its rights, and without each.
func TestRealEachRightOfOperatorsIsNeededAndAllAreEnough(t *testing.T) {
	t.Parallel()
	for _, d := range duties() {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			d.must(onSecure(t, slices.Concat(d.have, d.need)), "")
		})
		for n, lacking := range d.need {
			t.Run(d.name+" without "+lacking.operation.String()+" on the "+lacking.on, func(t *testing.T) {
				t.Parallel()
				d.must(onSecure(t, slices.Concat(d.have, d.need[:n], d.need[n+1:])), lacking.lack)
			})
		}
	}
}

// must does the duty until it succeeds, or fails as is wanted: a broker knows of a right a while after it was acknowledged.
func (d duty) must(w *world, want string) {
	w.t.Helper()
	for ctx := w.ctx(); ; {
		err := d.do(ctx, w)
		switch {
		case err == nil && want == "", want != "" && contains(err, want):
			return
		case err == nil:
			w.t.Fatal("that is not needed")
		case ctx.Err() != nil:
			w.t.Fatalf("error %v, want %q", err, want)
		}
	}
}

// onSecure is the world of an operator who has these rights and no others. There are records on the DLQ, of which one lacks its value.
func onSecure(t *testing.T, rights []right) *world {
	t.Helper()
	at, err := url.Parse(meshtest.Database(t, "EVENTPROSPECT_TEST_KAFKA_SECURE"))
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, nil, at.Host)
	w.bury(1)
	w.put(onTopic(w, 1, 0))
	published, _ := w.read(w.cfg.Topic)
	w.put(w.leftOut("key-1", "0", published[0].Timestamp.UTC().Format(time.RFC3339Nano)))

	admin := kadm.NewClient(w.client)
	who := stream.SASLConfig{Mechanism: "SCRAM-SHA-512", User: w.cfg.Topic, Password: conf.Secret(meshtest.NewName())}
	users, err := admin.AlterUserSCRAMs(w.ctx(), nil, []kadm.UpsertSCRAM{{
		User: who.User, Mechanism: kadm.ScramSha512, Iterations: 4096, Password: who.Password.Reveal(),
	}})
	if err = errors.Join(err, users.Error()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		gone := []kadm.DeleteSCRAM{{User: who.User, Mechanism: kadm.ScramSha512}}
		if users, err := admin.AlterUserSCRAMs(meshtest.Background(t), gone, nil); err != nil || users.Error() != nil {
			t.Error(err, users.Error())
		}
	})
	for _, r := range rights {
		w.allow(admin, who.User, r)
	}
	w.cfg.Brokers, w.cfg.SASL = []string{at.Query().Get("sasl")}, who
	return w
}

// allow gives a user a right for the time of the test.
func (w *world) allow(admin *kadm.Client, user string, r right) {
	w.t.Helper()
	rights := kadm.NewACLs().Allow("User:" + user).AllowHosts("*").Operations(r.operation).ResourcePatternType(kadm.ACLPatternLiteral)
	switch r.on {
	case "group":
		rights.Groups(w.cfg.Topic)
	case "topic":
		rights.Topics(w.cfg.Topic)
	default:
		rights.Topics(w.cfg.DLQ())
	}
	if answers, err := admin.CreateACLs(w.ctx(), rights); err != nil || answers[0].Err != nil {
		w.t.Fatal(err, answers)
	}
	w.t.Cleanup(func() {
		if _, err := admin.DeleteACLs(meshtest.Background(w.t), rights); err != nil {
			w.t.Error(err)
		}
	})
}

// askLag asks for the lag of the group that is called like the topic.
func askLag(ctx context.Context, w *world) error {
	_, err := w.open().Lag(ctx, w.cfg.Topic)
	return err
}

func list(ctx context.Context, w *world) error {
	v, err := w.open().Look(ctx)
	if err != nil {
		return err
	}
	return v.Each(ctx, deadletter.Filter{}, func(*deadletter.Letter) error { return nil })
}

func discardAll(ctx context.Context, w *world) error {
	v, err := w.open().Look(ctx)
	if err != nil {
		return err
	}
	outcome, err := v.Discard(ctx, deadletter.Filter{}, nil)
	return errors.Join(err, outcome.Undeleted)
}

// replayAll replays what is whole.
func replayAll(ctx context.Context, w *world) error { return replayThose(ctx, w, "1:0") }

func replayLeftOut(ctx context.Context, w *world) error { return replayThose(ctx, w, "0:1") }

func replayThose(ctx context.Context, w *world, place string) error {
	at, err := deadletter.ParsePlace(place)
	if err != nil {
		return err
	}
	v, err := w.open().Look(ctx)
	if err != nil {
		return err
	}
	outcome, err := v.Replay(ctx, deadletter.Filter{Places: map[deadletter.Place]bool{at: true}}, deadletter.Replay{})
	for _, left := range outcome.Left {
		err = errors.Join(err, left.Why)
	}
	return errors.Join(err, outcome.Undeleted)
}

func readTopic(ctx context.Context, w *world) error {
	reader, err := stream.NewReader(w.cfg, w.traces(), w.log())
	if err != nil {
		return err
	}
	defer reader.Close()
	ranges, err := reader.Ranges(ctx, w.cfg.Topic)
	if err != nil {
		return err
	}
	return reader.Read(ctx, w.cfg.Topic, 1, ranges[1], func(*kgo.Record) error { return nil })
}
