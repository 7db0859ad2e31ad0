// Package mongodb keeps prospects in MongoDB. A prospect's document holds the messages that tell of its changes, too: a
// change of one document is atomic on any server, so that no transaction, and no replica set, is needed.
package mongodb

import (
	"context"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"eventprospect/services/prospect/internal/prospect"
)

const (
	// attempts is how often a write is tried of which another one got ahead.
	attempts = 1000
	// maxWaiting is how many messages of one prospect may wait: its document, which holds them, may not exceed 16 MB.
	maxWaiting = 1000
)

// Store is a prospect.Store and an outbox.Queue in one MongoDB database.
type Store struct {
	client    *mongo.Client
	prospects *mongo.Collection
	// latest is the same collection for what is read to be written: it shows what the write will meet, though a majority of
	// the servers may not have it yet. The write that follows can't outlive what was read.
	latest *mongo.Collection
}

// document is how a prospect is kept. Times are microseconds since 1970 in UTC: BSON's own have milliseconds.
type document struct {
	ID        string `bson:"_id"`
	FirstName string `bson:"firstName"`
	LastName  string `bson:"lastName"`
	FiledWork string `bson:"filedWork"`
	IDEvent   string `bson:"idEvent"`
	Created   int64  `bson:"created"`
	Updated   int64  `bson:"updated"`
	Version   int64  `bson:"version"`
	// Deleted marks what is left of a deleted prospect while its messages wait. It holds no personal data.
	Deleted bool `bson:"deleted"`
	// Pending are the messages that wait to be published, and Waiting is a time not after that of the oldest. Every write that
	// changes them keeps to this: both are there, or neither, and so in no index. There is never an empty list.
	Pending []message `bson:"pending,omitempty"`
	Waiting *int64    `bson:"waiting,omitempty"`
}

func fromProspect(p prospect.Prospect) document {
	return document{
		ID: p.ID, FirstName: p.FirstName, LastName: p.LastName, FiledWork: p.FiledWork, IDEvent: p.IDEvent,
		Created: p.Created.UnixMicro(), Updated: p.Updated.UnixMicro(), Version: p.Version,
	}
}

func (d document) prospect() prospect.Prospect {
	return prospect.Prospect{
		ID: d.ID,
		Details: prospect.Details{
			FirstName: d.FirstName, LastName: d.LastName, FiledWork: d.FiledWork, IDEvent: d.IDEvent,
		},
		Created: time.UnixMicro(d.Created).UTC(), Updated: time.UnixMicro(d.Updated).UTC(), Version: d.Version,
	}
}

// Get implements prospect.Store.
func (s *Store) Get(ctx context.Context, ids ...string) ([]prospect.Prospect, error) {
	found, err := s.find(ctx, bson.M{"_id": bson.M{"$in": ids}, "deleted": false}, options.Find())
	if err != nil {
		return nil, err
	}
	return prospect.InOrder(found, ids)
}

// List implements prospect.Store.
func (s *Store) List(ctx context.Context, q prospect.Query) ([]prospect.Prospect, error) {
	return s.find(ctx, listFilter(q), listOptions(q))
}

// withoutMessages reads a prospect alone.
var withoutMessages = bson.M{"pending": 0}

var order = bson.D{{Key: "created", Value: 1}, {Key: "_id", Value: 1}}

func listOptions(q prospect.Query) *options.FindOptionsBuilder {
	return options.Find().SetSort(order).SetSkip(int64(q.Offset)).SetLimit(int64(q.Limit))
}

// listFilter asks for a range of the index without what comes before the place at its time. An $or would have the server weigh other plans.
func listFilter(q prospect.Query) bson.M {
	filter := conditions(q.Filter)
	if q.After != (prospect.Place{}) {
		at := q.After.Created.UnixMicro()
		filter["created"] = bson.M{"$gte": at}
		filter["$nor"] = bson.A{bson.M{"created": at, "_id": bson.M{"$lte": q.After.ID}}}
	}
	return filter
}

func conditions(f prospect.Filter) bson.M {
	filter := bson.M{"deleted": false}
	if f.FiledWork != "" {
		filter["filedWork"] = f.FiledWork
	}
	if f.IDEvent != "" {
		filter["idEvent"] = f.IDEvent
	}
	return filter
}

// Count implements prospect.Store.
func (s *Store) Count(ctx context.Context, f prospect.Filter) (n int, err error) {
	err = bounded(ctx, func(ctx context.Context) error {
		count, err := s.prospects.CountDocuments(ctx, conditions(f))
		n = int(count)
		return err
	})
	return n, err
}

func (s *Store) find(ctx context.Context, filter bson.M, options *options.FindOptionsBuilder) (found []prospect.Prospect, err error) {
	err = bounded(ctx, func(ctx context.Context) error {
		cursor, err := s.prospects.Find(ctx, filter, options.SetProjection(withoutMessages))
		if err != nil {
			return err
		}
		var all []document
		err = cursor.All(ctx, &all)
		found = make([]prospect.Prospect, len(all))
		for i, d := range all {
			found[i] = d.prospect()
		}
		return err
	})
	return found, err
}
