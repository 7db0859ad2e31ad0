package app

import (
	"fmt"
	"time"

	"eventprospect/mesh/stream"
)

// brokersRetention is for how long brokers keep a record unless they are told otherwise (log.retention.hours).
const brokersRetention = 7 * 24 * time.Hour

// validateInbox refuses to forget a message that can still come again. One on the DLQ can be put back on the topic at the end of its time
// there, and has all of the topic's before it.
func validateInbox(keep time.Duration, kafka stream.Config) error {
	if keep == 0 {
		return nil
	}
	can := orBrokers(kafka.Retention) + orBrokers(kafka.DLQRetention)
	if keep <= can {
		return fmt.Errorf("inbox_retention: %v is too short: a message can come again for %v, which is kafka.retention and kafka.dlq_retention (0: %v) together; "+
			"set more than that, or 0 to keep the inbox for ever", keep, can, brokersRetention)
	}
	return nil
}

func orBrokers(retention time.Duration) time.Duration {
	if retention == 0 {
		return brokersRetention
	}
	return retention
}
