package mongodb

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"eventprospect/mesh/outbox"
)

// message is how a waiting message is kept in its prospect's document.
type message struct {
	ID      string `bson:"id"`
	Type    string `bson:"type"`
	Time    int64  `bson:"time"`
	Payload []byte `bson:"payload"`
	Trace   string `bson:"trace"`
	// Owner is the relay that has claimed it, until Leased: microseconds since 1970. What is published takes its lease along.
	Owner  string `bson:"owner,omitempty"`
	Leased int64  `bson:"leased,omitempty"`
}

// lastPlace is there in a document that has no room for another message.
var lastPlace = fmt.Sprintf("pending.%d", maxWaiting-1)

func fromMessages(messages []outbox.Message) []message {
	all := make([]message, len(messages))
	for i, m := range messages {
		all[i] = message{ID: m.ID, Type: m.Type, Time: m.Time.UnixMicro(), Payload: m.Payload, Trace: m.Trace}
	}
	return all
}

func oldestTime(messages []outbox.Message) *int64 {
	var oldest *int64
	for _, m := range messages {
		if at := m.Time.UnixMicro(); oldest == nil || at < *oldest {
			oldest = &at
		}
	}
	return oldest
}

func (m message) outbox(key string) outbox.Message {
	return outbox.Message{
		ID: m.ID, Key: key, Type: m.Type, Time: time.UnixMicro(m.Time).UTC(), Payload: m.Payload, Trace: m.Trace,
	}
}

// Claim implements outbox.Queue. Each message has its own lease, but a prospect of which another owner holds any is passed over
// as a whole: so nobody gets a later message of a key while somebody else holds an earlier one.
func (s *Store) Claim(ctx context.Context, owner string, limit int, lease time.Duration) (claimed []outbox.Message, err error) {
	err = bounded(ctx, func(ctx context.Context) error {
		now := time.Now()
		until := now.Add(lease).UnixMicro()
		found, err := s.waiting(ctx, claimable(owner, now), limit)
		chosen := oldest(found, limit)
		if err != nil || len(chosen) == 0 {
			return err
		}
		var takes []mongo.WriteModel
		byKey := idsByKey(chosen)
		for key, ids := range byKey {
			filter := bson.M{"_id": key, "pending.id": bson.M{"$in": ids}, "pending": unclaimed(owner, now)}
			takes = append(takes, mongo.NewUpdateOneModel().SetFilter(filter).
				SetUpdate(bson.M{"$set": bson.M{"pending.$[m].owner": owner, "pending.$[m].leased": until}}).
				SetArrayFilters([]any{bson.M{"m.id": bson.M{"$in": ids}}}))
		}
		if _, err := s.prospects.BulkWrite(ctx, takes, options.BulkWrite().SetOrdered(false)); err != nil {
			return err
		}
		claimed, err = s.held(ctx, owner, until, chosen)
		return err
	})
	return claimed, err
}

// claimable matches prospects with waiting messages of which no other owner holds any.
func claimable(owner string, now time.Time) bson.M {
	return bson.M{"waiting": bson.M{"$exists": true}, "pending": unclaimed(owner, now)}
}

func unclaimed(owner string, now time.Time) bson.M {
	return bson.M{"$not": bson.M{"$elemMatch": bson.M{"owner": bson.M{"$ne": owner}, "leased": bson.M{"$gt": now.UnixMicro()}}}}
}

// waiting finds the prospects whose messages have waited longest. Of the messages it reads what tells which are the oldest.
func (s *Store) waiting(ctx context.Context, filter bson.M, limit int) ([]document, error) {
	cursor, err := s.prospects.Find(ctx, filter, waitingOptions(limit))
	if err != nil {
		return nil, err
	}
	var found []document
	err = cursor.All(ctx, &found)
	return found, err
}

func waitingOptions(limit int) *options.FindOptionsBuilder {
	return options.Find().SetSort(bson.D{{Key: "waiting", Value: 1}}).SetLimit(int64(limit)).
		SetProjection(bson.M{"pending.id": 1, "pending.time": 1})
}

// oldest chooses the oldest messages of all, but those of one key in their order, whatever their times say.
func oldest(found []document, limit int) []outbox.Message {
	type aged struct {
		outbox.Message
		since int64 // not before that of an earlier message of its key
	}
	var all []aged
	for _, d := range found {
		var latest int64
		for _, m := range d.Pending {
			latest = max(latest, m.Time)
			all = append(all, aged{m.outbox(d.ID), latest})
		}
	}
	slices.SortStableFunc(all, func(a, b aged) int { return cmp.Compare(a.since, b.since) })
	chosen := make([]outbox.Message, min(len(all), limit))
	for i := range chosen {
		chosen[i] = all[i].Message
	}
	return chosen
}

// held reads those of the chosen messages that the owner has got by this claim: of each key the first that wait, up to one that it hasn't.
// Another owner may have been faster with the first, or an operation that was given up may have come late: those after it may name the
// owner of an earlier claim, but must not be published before it.
func (s *Store) held(ctx context.Context, owner string, until int64, chosen []outbox.Message) ([]outbox.Message, error) {
	var keys []string
	for key := range idsByKey(chosen) {
		keys = append(keys, key)
	}
	cursor, err := s.prospects.Find(ctx, bson.M{"_id": bson.M{"$in": keys}, "pending.owner": owner},
		options.Find().SetProjection(bson.M{"pending": 1}))
	if err != nil {
		return nil, err
	}
	var found []document
	if err := cursor.All(ctx, &found); err != nil {
		return nil, err
	}
	mine := map[string]outbox.Message{}
	for _, d := range found {
		for _, m := range d.Pending {
			if m.Owner != owner || m.Leased < until {
				break
			}
			mine[m.ID] = m.outbox(d.ID)
		}
	}
	var messages []outbox.Message
	for _, c := range chosen {
		if m, ok := mine[c.ID]; ok {
			messages = append(messages, m)
		}
	}
	return messages, nil
}

func idsByKey(messages []outbox.Message) map[string][]string {
	ids := map[string][]string{}
	for _, m := range messages {
		ids[m.Key] = append(ids[m.Key], m.ID)
	}
	return ids
}

// Done implements outbox.Queue. Each step is whole by itself: where a process dies between two of them, some messages are published
// again, and nothing else.
func (s *Store) Done(ctx context.Context, published []outbox.Message) error {
	if len(published) == 0 {
		return nil
	}
	return bounded(ctx, func(ctx context.Context) error {
		removals, updates := doneSteps(published)
		if _, err := s.prospects.BulkWrite(ctx, removals, options.BulkWrite().SetOrdered(false)); err != nil {
			return err
		}
		_, err := s.prospects.BulkWrite(ctx, updates) // in this order
		return err
	})
}

// doneSteps gives the steps of which, for each prospect, one fits: what is left of a deleted prospect goes with its last messages; one
// without further messages leaves the queue; or the further ones stay. A message that comes between the steps makes the last one fit.
func doneSteps(published []outbox.Message) (removals, updates []mongo.WriteModel) {
	latest := map[string]int64{}
	for _, m := range published {
		latest[m.Key] = max(latest[m.Key], m.Time.UnixMicro())
	}
	for key, ids := range idsByKey(published) {
		further := bson.M{"$elemMatch": bson.M{"id": bson.M{"$nin": ids}}}
		last := func(deleted bool) bson.M {
			return bson.M{"_id": key, "deleted": deleted, "pending": bson.M{"$not": further}}
		}
		removals = append(removals, mongo.NewDeleteOneModel().SetFilter(last(true)))
		updates = append(updates,
			mongo.NewUpdateOneModel().SetFilter(last(false)).SetUpdate(bson.M{"$unset": bson.M{"pending": "", "waiting": ""}}),
			mongo.NewUpdateOneModel().SetFilter(bson.M{"_id": key, "pending": further, "pending.id": bson.M{"$in": ids}}).
				SetUpdate(bson.M{"$pull": bson.M{"pending": bson.M{"id": bson.M{"$in": ids}}}, "$max": bson.M{"waiting": latest[key]}}))
	}
	return removals, updates
}
