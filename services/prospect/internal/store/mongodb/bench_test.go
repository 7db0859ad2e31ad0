package mongodb

import (
	"fmt"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"eventprospect/mesh/outbox"
)

// timed gives the time of n runs.
func timed(n int, run func(int)) time.Duration {
	begin := time.Now()
	for i := range n {
		run(i)
	}
	return time.Since(begin)
}

// BenchmarkCreate stores prospects with their messages, beside the same documents by the bare driver.
func BenchmarkCreate(b *testing.B) {
	s := openAt(b, newDatabase(b), options.Client())
	bare := s.prospects.Database().Collection("bare")
	create := func(i int) {
		id := fmt.Sprintf("%036d", i)
		do(b, s.Create(b.Context(), sample(id), told(id, i)))
	}
	insert := func(i int) {
		id := fmt.Sprintf("%036d", i)
		m := told(id, i)
		_, err := bare.InsertOne(b.Context(), bson.D{
			{Key: "_id", Value: id},
			{Key: "firstName", Value: ada.FirstName},
			{Key: "lastName", Value: ada.LastName},
			{Key: "filedWork", Value: ada.FiledWork},
			{Key: "idEvent", Value: ada.IDEvent},
			{Key: "created", Value: int64(1)},
			{Key: "updated", Value: int64(1)},
			{Key: "version", Value: int64(1)},
			{Key: "deleted", Value: false},
			{Key: "pending", Value: bson.A{bson.D{{Key: "id", Value: m.ID}, {Key: "time", Value: int64(i)}, {Key: "payload", Value: m.Payload}}}},
			{Key: "waiting", Value: int64(i)},
		})
		do(b, err)
	}
	keys := bson.D{{Key: "deleted", Value: 1}, {Key: "created", Value: 1}, {Key: "_id", Value: 1}}
	_, err := bare.Indexes().CreateMany(b.Context(), []mongo.IndexModel{
		{Keys: keys},
		{Keys: append(bson.D{{Key: "filedWork", Value: 1}}, keys...)},
		{Keys: append(bson.D{{Key: "idEvent", Value: 1}}, keys...)},
		{Keys: bson.D{{Key: "waiting", Value: 1}}, Options: options.Index().SetSparse(true)},
	})
	do(b, err)
	create(-1)
	insert(-1)
	b.ResetTimer()
	ours := timed(b.N, create)
	b.StopTimer()
	b.ReportMetric(float64(ours)/float64(timed(b.N, insert)), "x-bare")
}

// BenchmarkClaimDone publishes messages in batches as the relay does, and gives the time for one message, beside that for its
// insert by Create.
func BenchmarkClaimDone(b *testing.B) {
	const batch = 500
	s := openAt(b, newDatabase(b), options.Client())
	created := timed(b.N, func(i int) {
		id := fmt.Sprintf("%036d", i)
		do(b, s.Create(b.Context(), sample(id), outbox.Message{ID: id, Key: id, Time: time.UnixMicro(int64(i)), Payload: make([]byte, 100)}))
	})
	b.ResetTimer()
	begin, n := time.Now(), 0
	for {
		claimed, err := s.Claim(b.Context(), "relay", batch, time.Hour)
		do(b, err)
		if len(claimed) == 0 {
			break
		}
		do(b, s.Done(b.Context(), claimed))
		n += len(claimed)
	}
	published := time.Since(begin)
	b.StopTimer()
	if n != b.N {
		b.Fatalf("%d of %d messages", n, b.N)
	}
	b.ReportMetric(float64(published)/float64(created), "x-create")
}
