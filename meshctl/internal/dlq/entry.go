package dlq

import (
	"encoding/json"
	"time"
	"unicode/utf8"

	"eventprospect/mesh/stream/deadletter"
	"eventprospect/meshctl/internal/message"
)

// Entry is a record as `export` and `-o json` write it, a JSON object, and as an edited export is read. Bytes that are no UTF-8
// are in the _base64 fields instead.
type Entry struct {
	Place     deadletter.Place  `json:"place"`
	Buried    time.Time         `json:"buried_time"`
	Reason    string            `json:"reason"`
	Error     string            `json:"error"`
	Attempts  int               `json:"attempts"`
	Topic     string            `json:"topic"`
	Original  *deadletter.Place `json:"original,omitempty"`
	Time      *time.Time        `json:"time,omitempty"`
	MessageID string            `json:"message_id,omitempty"`
	Key       string            `json:"key,omitempty"`
	KeyBytes  []byte            `json:"key_base64,omitempty"`
	Headers   []Header          `json:"headers,omitempty"`

	// Message is the value, if it can be decoded, else ValueBytes is. Neither is there if it was left out for its size.
	Message      json.RawMessage `json:"message,omitempty"`
	ValueBytes   []byte          `json:"value_base64,omitempty"`
	DecodeError  string          `json:"decode_error,omitempty"`
	ValueLeftOut bool            `json:"value_left_out,omitempty"`
}

// Header is one of the record's own headers.
type Header struct {
	Key        string `json:"key"`
	Value      string `json:"value,omitempty"`
	ValueBytes []byte `json:"value_base64,omitempty"`
}

// summary gives what a list tells of a record.
func summary(l *deadletter.Letter) Entry {
	e := Entry{
		Place: l.Place, Buried: l.Buried, Reason: l.Reason, Error: l.Error, Attempts: l.Attempts,
		Topic: l.Topic, Original: l.Original, MessageID: l.Header("ce_id"),
	}
	if !l.Time.IsZero() {
		e.Time = &l.Time
	}
	e.Key, e.KeyBytes = text(l.Key)
	return e
}

// entry gives all that there is.
func entry(l *deadletter.Letter) Entry {
	e := summary(l)
	for _, h := range l.Headers {
		value, bytes := text(h.Value)
		e.Headers = append(e.Headers, Header{h.Key, value, bytes})
	}
	if e.ValueLeftOut = l.LeftOut(); e.ValueLeftOut {
		return e
	}
	m, err := message.Decode(l.Value)
	if err == nil {
		e.Message, err = message.JSON(m)
	}
	if err == nil {
		err = message.Check(m)
	} else {
		e.ValueBytes = l.Value
	}
	if err != nil {
		e.DecodeError = err.Error()
	}
	return e
}

// text gives bytes as text if they are that.
func text(value []byte) (string, []byte) {
	if utf8.Valid(value) {
		return string(value), nil
	}
	return "", value
}
