package sqlite

import (
	"database/sql"
	"fmt"
	"testing"
	"time"

	"eventprospect/mesh/outbox"
)

// fill puts n messages into the outbox, of as many keys.
func fill(b *testing.B, s *Store, n, keys int) {
	b.Helper()
	for from := 0; from < n; from += 10_000 {
		err := s.Write(b.Context(), func(tx *sql.Tx) error {
			var messages []outbox.Message
			for i := from; i < min(n, from+10_000); i++ {
				messages = append(messages, outbox.Message{
					ID: fmt.Sprintf("%036d", i), Key: fmt.Sprintf("%036d", i%keys), Type: "prospect.events.v1.updated", Time: time.UnixMicro(int64(i)),
					Payload: make([]byte, 150), Trace: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
				})
			}
			return enqueue(b.Context(), tx, messages)
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkWaiting counts what waits, as the relay does once a second.
func BenchmarkWaiting(b *testing.B) {
	for _, n := range []int{0, 1000, 1_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			s := opened(b)
			fill(b, s, n, n/5+1)
			for b.Loop() {
				if found, err := s.Waiting(b.Context()); err != nil || found.Count != n {
					b.Fatalf("%+v, %v", found, err)
				}
			}
		})
	}
}

// BenchmarkClaimDoneBatch claims and finishes whole batches out of a long outbox, as a relay does after an outage.
func BenchmarkClaimDoneBatch(b *testing.B) {
	const batch = 500
	for _, keys := range []int{1, 200, 1 << 30} {
		b.Run(fmt.Sprint(keys, "-keys"), func(b *testing.B) {
			s := opened(b)
			fill(b, s, b.N*batch, keys)
			b.ResetTimer()
			for range b.N {
				claimed, err := s.Claim(b.Context(), "relay", batch, time.Minute)
				if err != nil || len(claimed) != batch {
					b.Fatalf("claimed %d, %v", len(claimed), err)
				}
				if err := s.Done(b.Context(), claimed); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N*batch)/b.Elapsed().Seconds(), "messages/s")
		})
	}
}
