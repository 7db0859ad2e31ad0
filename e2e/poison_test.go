package e2e_test

import (
	"cmp"
	"context"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"eventprospect/dev/system"
	"eventprospect/e2e/client"
	"eventprospect/e2e/kafka/kafkatest"
)

// TestPoisonIsLaidAsideAndPutBack publishes 1,000 bad records of 20 shapes among 10,000 good ones, on the embedded Kafka.
func TestPoisonIsLaidAsideAndPutBack(t *testing.T) {
	t.Parallel()
	mustOutlivePoison(t, system.Kafka{})
}

// TestPoisonIsLaidAsideAndPutBackOnKafka does it on a real one.
func TestPoisonIsLaidAsideAndPutBackOnKafka(t *testing.T) {
	t.Parallel()
	mustOutlivePoison(t, kafkatest.Own(t))
}

// poisoned is a system whose topic has bad records.
type poisoned struct {
	*world
	group   string
	admin   *kadm.Client
	tool    meshctl
	changes []*change
}

// mustOutlivePoison checks what becomes of bad records, what operators can do about them, and that good ones don't notice.
func mustOutlivePoison(t *testing.T, kafka system.Kafka) {
	t.Helper()
	p := newPoisoned(t, kafka)
	p.publish(t, p.changes)
	p.awaitApplied(t)
	var good, bad []*change
	for _, c := range p.changes {
		if c.shape == nil {
			good = append(good, c)
		} else {
			bad = append(bad, c)
		}
	}
	mustBeInOrder(t, p.mustHaveApplied(t, good))
	p.mustHaveBuried(t, bad)

	edited := p.export(t, bad)
	p.replay(t, edited, bad)
	p.awaitApplied(t)
	all := p.mustHaveApplied(t, p.changes)
	p.mustBeDone(t)
	p.mustReplayNothing(t, edited, len(bad))

	p.deleteEvents(t, all[:5])
	p.rebuild(t, len(bad), 5)
	p.rebuild(t, len(bad), 0)
	p.mustHaveApplied(t, p.changes)
	if strings.Contains(p.log.String(), personal) {
		t.Error("the log repeats what was in a value")
	}
}

func newPoisoned(t *testing.T, kafka system.Kafka) *poisoned {
	t.Helper()
	rng := rand.New(rand.NewPCG(6, 20))
	p := &poisoned{
		world: newWorldOf(t, system.Config{Closed: true, Kafka: kafka}), group: cmp.Or(kafka.Group, "event"),
		changes: newChanges(rng, shapes(rng)),
	}
	p.tool = newMeshctl(t, p.world, p.group)
	kafkaClient, err := kgo.NewClient(kgo.SeedBrokers(p.system.Kafka))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(kafkaClient.Close)
	p.admin = kadm.NewClient(kafkaClient)
	return p
}

// awaitApplied waits until the group has committed all that is on the topic: no partition is held up by a bad record.
func (p *poisoned) awaitApplied(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*client.Patience)
	defer cancel()
	for ; ; time.Sleep(askEvery) {
		lags, err := p.admin.Lag(ctx, p.group)
		if err == nil {
			err = lags.Error()
		}
		if err != nil {
			t.Fatal(err)
		}
		if lag := lags[p.group].Lag; len(lag) > 0 && lag.Total() == 0 {
			return
		}
	}
}

// rebuild makes events anew from the whole topic, on which the bad records still are.
func (p *poisoned) rebuild(t *testing.T, bad, restored int) {
	t.Helper()
	var got struct{ Read, Restored, Present, Newer, Unreadable int }
	p.tool.ask(t, &got, 4, "rebuild", "--from-beginning")
	want := got
	want.Read, want.Restored, want.Present = len(p.changes)+bad, restored, len(p.changes)-restored
	want.Newer, want.Unreadable = ofEachShape, bad-ofEachShape
	if got != want {
		t.Errorf("rebuilt %+v, want %+v", got, want)
	}
}
