package mongodb

import (
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"eventprospect/mesh/outbox"
)

// TestWhatIsPublishedMeanwhileDoesNotWait has a prospect be found whose messages are gone when it is read.
func TestWhatIsPublishedMeanwhileDoesNotWait(t *testing.T) {
	t.Parallel()
	s := openAt(t, newDatabase(t), options.Client())
	_, err := s.prospects.InsertOne(t.Context(), bson.M{"_id": "emptied", "waiting": 1})
	do(t, err)
	if b, err := s.Waiting(t.Context()); err != nil || b != (outbox.Backlog{}) {
		t.Errorf("%+v, error %v", b, err)
	}
	since := time.UnixMicro(1_700_000_000_000_000).UTC()
	do(t, s.Create(t.Context(), sample("full"), outbox.Message{ID: "m", Key: "full", Time: since, Payload: []byte{1}}))
	if b, err := s.Waiting(t.Context()); err != nil || b != (outbox.Backlog{Count: 1, Oldest: since}) {
		t.Errorf("%+v, error %v", b, err)
	}
}
