package stream

import (
	"container/list"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

const (
	// maxBatch bounds how many records are handed over at once.
	maxBatch = 500
	// maxRoom bounds what waits in a lane, in bytes of values and overhead for each record: with more, its partition isn't fetched
	// for a while.
	maxRoom  = 8 << 20
	overhead = 1 << 10
	// maxAhead bounds how far a lane goes on beyond a record that isn't settled: after a crash, all from there come again.
	maxAhead = 100_000
)

// item is a record that isn't settled.
type item struct {
	record *kgo.Record
	place  *list.Element // in the lane's list
	// attempts is how often it was tried by its own fault, and wait how long the next pause is.
	attempts int
	wait     *backoff
	due      time.Time // when it is tried again
	// alone tells whether it was tried alone, and seen how many records had been applied then.
	alone bool
	seen  uint64
	// doom, if set, is why it goes to the DLQ, and refused tells whether it wasn't taken there, which is logged once.
	doom    *doom
	refused bool
	// leftOut is what doesn't go there with it.
	leftOut leftOut
}

// lane holds the records of one partition that aren't settled, in a line for each key. The first of each line may be tried; the
// others wait for it. What is here is safe to use from anywhere.
type lane struct {
	partition int32
	era       int // of the consumer when it was opened
	stop      context.CancelFunc
	stopped   chan struct{}
	some      chan struct{} // has room for one note that something came

	mu sync.Mutex
	// unsettled is in the order of offsets: nothing is committed from its first one on. Next follows on the last record that came,
	// committed is what was committed last, and high is where the partition ended when records of it were last fetched.
	unsettled       list.List
	next            kgo.EpochOffset
	committed, high int64
	size            int // of what isn't settled
	paused          bool
	// lines are the records of each key, those without a key being of one. Of a line that isn't under way, ready has the first one, if it may be tried with others,
	// or held, if it has failed and is tried alone.
	lines map[string][]*item
	ready []*item
	held  []*item
	turn  bool // it is that of one which is held
	// batch is how many may be tried at once. After what they need was away it is 1, and doubles with each success.
	batch int
	until time.Time // nothing is tried before
	wait  *backoff
}

func newLane(partition int32, wait *backoff) *lane {
	return &lane{
		partition: partition, stopped: make(chan struct{}), some: make(chan struct{}, 1),
		lines: map[string][]*item{}, batch: maxBatch, wait: wait,
	}
}

func weight(r *kgo.Record) int { return overhead + len(r.Value) }

// add puts records at the end of their lines.
func (l *lane) add(records []*kgo.Record, high int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.next.Offset == 0 {
		l.committed = records[0].Offset // from where it came to us
	}
	for _, r := range records {
		i := &item{record: r}
		i.place = l.unsettled.PushBack(i)
		key := string(r.Key)
		if l.lines[key] = append(l.lines[key], i); len(l.lines[key]) == 1 {
			l.ready = append(l.ready, i)
		}
		l.size += weight(r)
		l.next = kgo.EpochOffset{Epoch: r.LeaderEpoch, Offset: r.Offset + 1}
	}
	l.high = high
}

// choose takes out what is to be tried now. If there is nothing, it tells after which time to ask again; 0 if not before
// something else happens.
func (l *lane) choose(now time.Time) ([]*item, time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if wait := l.until.Sub(now); wait > 0 {
		return nil, wait
	}
	first := l.earliest()
	isDue := first >= 0 && !l.held[first].due.After(now)
	l.turn = !l.turn
	switch {
	case isDue && (len(l.ready) == 0 || l.turn):
		chosen := l.held[first]
		l.held = slices.Delete(l.held, first, first+1)
		return []*item{chosen}, 0
	case len(l.ready) > 0:
		n := min(l.batch, len(l.ready))
		chosen := slices.Clone(l.ready[:n])
		l.ready = slices.Delete(l.ready, 0, n)
		return chosen, 0
	case first >= 0:
		return nil, l.held[first].due.Sub(now)
	}
	return nil, 0
}

// earliest gives the one of those held that is due first; -1 if there is none.
func (l *lane) earliest() int {
	first := -1
	for i, held := range l.held {
		if first < 0 || held.due.Before(l.held[first].due) {
			first = i
		}
	}
	return first
}

// await waits until something came, for at most this long if it isn't 0, or until the context ends.
func (l *lane) await(ctx context.Context, atMost time.Duration) {
	var over <-chan time.Time
	if atMost > 0 {
		over = time.After(atMost)
	}
	select {
	case <-ctx.Done():
	case <-l.some:
	case <-over:
	}
}

// settle takes out a record that was applied or put on the DLQ. The next of its line is ready.
func (l *lane) settle(i *item) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.unsettled.Remove(i.place)
	l.size -= weight(i.record)
	key := string(i.record.Key)
	l.lines[key][0] = nil // or the slice would keep it
	if rest := l.lines[key][1:]; len(rest) > 0 {
		l.lines[key] = rest
		l.ready = append(l.ready, rest[0])
	} else {
		delete(l.lines, key)
	}
}

// hold has a record tried again, alone, after a pause of its own.
func (l *lane) hold(i *item, now time.Time, first, most time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if i.wait == nil {
		i.wait = newBackoff(first, most)
	}
	i.due = now.Add(i.wait.take())
	l.held = append(l.held, i)
}

// retreat has records tried again that failed because what they need is away. One is tried next, after a pause; if one was tried
// alone, it is another one.
func (l *lane) retreat(items []*item, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(items) == 1 {
		l.ready = append(l.ready, items...)
	} else {
		l.ready = append(slices.Clone(items), l.ready...)
	}
	l.batch, l.until = 1, now.Add(l.wait.take())
}

// advance notes that what the records need is there.
func (l *lane) advance() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.batch = min(2*l.batch, maxBatch)
	l.until = time.Time{}
	l.wait.reset()
}

// position tells up to where all is settled. The caller holds the lock.
func (l *lane) position() kgo.EpochOffset {
	if first := l.unsettled.Front(); first != nil {
		r := first.Value.(*item).record
		return kgo.EpochOffset{Epoch: r.LeaderEpoch, Offset: r.Offset}
	}
	return l.next
}

// uncommitted tells up to where all is settled, and whether something else was committed: less, or more, if Kafka lost records and others
// have their places.
func (l *lane) uncommitted() (kgo.EpochOffset, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	at := l.position()
	return at, at.Offset != l.committed
}

func (l *lane) setCommitted(at kgo.EpochOffset) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.committed = at.Offset
}

// fill tells how full the lane is: 1 or more is too much. The caller holds the lock.
func (l *lane) fill(room int) float64 {
	ahead := float64(l.next.Offset-l.position().Offset) / maxAhead
	return max(ahead, float64(l.size)/float64(room))
}

// lag tells how many records of the partition, as far as known, come after what is settled.
func (l *lane) lag() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return max(0, l.high-l.position().Offset)
}
