package mongodb

import (
	"context"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"eventprospect/mesh/outbox"
)

// Renew implements outbox.Queue.
func (s *Store) Renew(ctx context.Context, owner string, held []outbox.Message, lease time.Duration) error {
	if len(held) == 0 {
		return nil
	}
	var keys, ids []string
	for key, ofKey := range idsByKey(held) {
		keys, ids = append(keys, key), append(ids, ofKey...)
	}
	return bounded(ctx, func(ctx context.Context) error {
		_, err := s.prospects.UpdateMany(ctx, bson.M{"_id": bson.M{"$in": keys}, "pending.owner": owner},
			bson.M{"$set": bson.M{"pending.$[m].leased": time.Now().Add(lease).UnixMicro()}},
			options.UpdateMany().SetArrayFilters([]any{bson.M{"m.owner": owner, "m.id": bson.M{"$in": ids}}}))
		return err
	})
}

// Waiting implements outbox.Queue. It reads the prospects with waiting messages alone, by their index. The last message of one may be
// published between its being found and its being read.
func (s *Store) Waiting(ctx context.Context) (b outbox.Backlog, err error) {
	err = bounded(ctx, func(ctx context.Context) error {
		cursor, err := s.prospects.Aggregate(ctx, mongo.Pipeline{
			{{Key: "$match", Value: bson.M{"waiting": bson.M{"$exists": true}}}},
			{{Key: "$group", Value: bson.M{
				"_id":    nil,
				"count":  bson.M{"$sum": bson.M{"$size": bson.M{"$ifNull": bson.A{"$pending", bson.A{}}}}},
				"oldest": bson.M{"$min": bson.M{"$min": "$pending.time"}},
			}}},
		})
		if err != nil {
			return err
		}
		var found []struct {
			Count  int   `bson:"count"`
			Oldest int64 `bson:"oldest"`
		}
		if err := cursor.All(ctx, &found); err != nil || len(found) == 0 || found[0].Count == 0 {
			return err
		}
		b = outbox.Backlog{Count: found[0].Count, Oldest: time.UnixMicro(found[0].Oldest).UTC()}
		return nil
	})
	return b, err
}
