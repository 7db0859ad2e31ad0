package mongodb

import (
	"context"
	"errors"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"eventprospect/mesh/fault"
	"eventprospect/mesh/outbox"
	"eventprospect/services/prospect/internal/prospect"
)

// Create implements prospect.Store. What is left of a deleted prospect of this id is taken over with its messages; it may go
// at any moment, as they are published.
func (s *Store) Create(ctx context.Context, p prospect.Prospect, messages ...outbox.Message) error {
	return bounded(ctx, func(ctx context.Context) error {
		d := fromProspect(p)
		d.Pending, d.Waiting = fromMessages(messages), oldestTime(messages)
		for range attempts {
			_, err := s.prospects.InsertOne(ctx, d)
			if !mongo.IsDuplicateKeyError(err) {
				return err
			}
			result, err := s.prospects.UpdateOne(ctx, withRoom(bson.M{"_id": p.ID, "deleted": true}, messages), change(p, messages, false))
			if err != nil || result.MatchedCount == 1 {
				return err
			}
			there, err := s.exists(ctx, bson.M{"_id": p.ID, "deleted": false})
			if there {
				return fault.Taken(prospect.Resource, p.ID)
			}
			if err := errors.Join(err, s.checkRoom(ctx, p.ID, messages)); err != nil {
				return err
			}
		}
		return errContended
	})
}

var errContended = fault.New(fault.Exhausted, "too many changes of one prospect at once")

// withRoom adds to the filter of a write that the document has room for these messages.
func withRoom(filter bson.M, messages []outbox.Message) bson.M {
	if len(messages) > 0 {
		filter[lastPlace] = bson.M{"$exists": false}
	}
	return filter
}

// checkRoom refuses messages for which a document has no room.
func (s *Store) checkRoom(ctx context.Context, id string, messages []outbox.Message) error {
	if len(messages) == 0 {
		return nil
	}
	full, err := s.exists(ctx, bson.M{"_id": id, lastPlace: bson.M{"$exists": true}})
	if full {
		f := fault.New(fault.Exhausted, "%d changes of %s %q wait to be published: try again later", maxWaiting, prospect.Resource, id)
		f.RetryAfter = retryAfter
		return f
	}
	return err
}

func (s *Store) exists(ctx context.Context, filter bson.M) (bool, error) {
	err := s.latest.FindOne(ctx, filter, options.FindOne().SetProjection(bson.M{"_id": 1})).Err()
	if errors.Is(err, mongo.ErrNoDocuments) {
		return false, nil
	}
	return err == nil, err
}

// change gives the update that makes a document say what the prospect says, and adds messages.
func change(p prospect.Prospect, messages []outbox.Message, deleted bool) bson.M {
	d := fromProspect(p)
	update := bson.M{"$set": bson.M{
		"firstName": d.FirstName, "lastName": d.LastName, "filedWork": d.FiledWork, "idEvent": d.IDEvent,
		"created": d.Created, "updated": d.Updated, "version": d.Version, "deleted": deleted,
	}}
	if len(messages) > 0 {
		update["$push"] = bson.M{"pending": bson.M{"$each": fromMessages(messages)}}
		update["$min"] = bson.M{"waiting": oldestTime(messages)}
	}
	return update
}

// Update implements prospect.Store. It writes only if the document is still the one that was read, and begins again if it isn't.
func (s *Store) Update(ctx context.Context, id string, update func(*prospect.Prospect) ([]outbox.Message, error)) (p prospect.Prospect, err error) {
	err = s.write(ctx, id, func(ctx context.Context, d document) (bool, error) {
		p = d.prospect()
		messages, err := update(&p)
		if err != nil {
			return false, err
		}
		return s.replace(ctx, d, p, messages, false)
	})
	return p, err
}

// Delete implements prospect.Store. What is left is a document without personal data, which goes when its messages are
// published; nothing is left if there are none.
func (s *Store) Delete(ctx context.Context, id string, remove func(prospect.Prospect) ([]outbox.Message, error)) error {
	return s.write(ctx, id, func(ctx context.Context, d document) (bool, error) {
		messages, err := remove(d.prospect())
		if err != nil {
			return false, err
		}
		if len(messages) == 0 && d.Waiting == nil {
			filter := same(d)
			filter["waiting"] = bson.M{"$exists": false}
			result, err := s.prospects.DeleteOne(ctx, filter)
			return err == nil && result.DeletedCount == 1, err
		}
		read := d.prospect()
		rest := prospect.Prospect{ID: id, Created: read.Created, Updated: read.Updated, Version: read.Version + 1}
		return s.replace(ctx, d, rest, messages, true)
	})
}

// same matches a document that is still as it was read.
func same(d document) bson.M {
	return bson.M{"_id": d.ID, "deleted": false, "version": d.Version, "updated": d.Updated}
}

// replace writes what becomes of a document, and tells whether it was still as it was read.
func (s *Store) replace(ctx context.Context, d document, p prospect.Prospect, messages []outbox.Message, deleted bool) (bool, error) {
	filter := withRoom(same(d), messages)
	if deleted && len(messages) == 0 {
		filter["waiting"] = bson.M{"$exists": true} // else nothing would ever remove what is left
	}
	result, err := s.prospects.UpdateOne(ctx, filter, change(p, messages, deleted))
	if err != nil {
		return false, err
	}
	if result.MatchedCount == 0 {
		return false, s.checkRoom(ctx, d.ID, messages)
	}
	return true, nil
}

// write reads a prospect and hands it over to be written, again and again until nothing came between.
func (s *Store) write(ctx context.Context, id string, attempt func(context.Context, document) (written bool, err error)) error {
	return bounded(ctx, func(ctx context.Context) error {
		for range attempts {
			var d document
			err := s.latest.FindOne(ctx, bson.M{"_id": id, "deleted": false}, options.FindOne().SetProjection(withoutMessages)).Decode(&d)
			if errors.Is(err, mongo.ErrNoDocuments) {
				return fault.Missing(prospect.Resource, id)
			}
			if err != nil {
				return err
			}
			if written, err := attempt(ctx, d); written || err != nil {
				return err
			}
		}
		return errContended
	})
}
