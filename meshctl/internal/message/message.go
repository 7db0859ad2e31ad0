// Package message reads and writes the values of records of the topic prospect-events.
package message

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"buf.build/go/protovalidate"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	eventsv1 "eventprospect/gen/prospect/events/v1"
)

// Decode reads a value. It may break the contract: see Check.
func Decode(value []byte) (*eventsv1.ProspectEvent, error) {
	m := &eventsv1.ProspectEvent{}
	if err := proto.Unmarshal(value, m); err != nil {
		return nil, fmt.Errorf("not a prospect.events.v1.ProspectEvent: %w", err)
	}
	return m, nil
}

// JSON writes a message as ProtoJSON.
func JSON(m *eventsv1.ProspectEvent) (json.RawMessage, error) {
	text, err := protojson.Marshal(m)
	if err != nil {
		return nil, err
	}
	var compact bytes.Buffer // protojson varies its blanks on purpose
	err = json.Compact(&compact, text)
	return compact.Bytes(), err
}

// Check tells what in a message breaks the contract.
func Check(m *eventsv1.ProspectEvent) error {
	if err := m.GetOccurTime().CheckValid(); m.GetOccurTime() != nil && err != nil {
		return fmt.Errorf("occur_time: %w", err)
	}
	err := protovalidate.Validate(m)
	var broken *protovalidate.ValidationError
	if !errors.As(err, &broken) {
		return err
	}
	var all []string
	for _, v := range broken.Violations {
		all = append(all, protovalidate.FieldPathString(v.Proto.GetField())+": "+v.Proto.GetMessage())
	}
	return errors.New(strings.Join(all, "; "))
}

// Encode gives the value of an edited message. One that says what the value before it said is left as it was, byte by byte.
func Encode(text json.RawMessage, before []byte) ([]byte, error) {
	m := &eventsv1.ProspectEvent{}
	if err := protojson.Unmarshal(text, m); err != nil {
		return nil, fmt.Errorf("message: %w", err)
	}
	if was, err := Decode(before); err == nil && len(before) > 0 {
		unknown := was.ProtoReflect().GetUnknown()
		was.ProtoReflect().SetUnknown(nil)
		switch {
		case proto.Equal(was, m):
			return before, nil
		case len(unknown) > 0:
			return nil, errors.New("message: the record has fields that this program is too old for, and that would be lost: edit value_base64")
		}
	}
	if err := Check(m); err != nil {
		return nil, fmt.Errorf("message: %w", err)
	}
	return proto.MarshalOptions{Deterministic: true}.Marshal(m)
}
