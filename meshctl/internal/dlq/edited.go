package dlq

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"eventprospect/mesh/stream/deadletter"
	"eventprospect/meshctl/internal/message"
)

// edits are the lines of an edited export, by their places. All but the place and the value is passed over: it is the record's.
type edits map[deadletter.Place]Entry

func readEdits(path string) (edits, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }() // it is only read
	all := edits{}
	decoder := json.NewDecoder(file)
	decoder.DisallowUnknownFields()
	for line := 1; ; line++ {
		var e Entry
		err := decoder.Decode(&e)
		switch {
		case errors.Is(err, io.EOF):
			return all, nil
		case err != nil:
			return nil, fmt.Errorf("%s: object %d: %w", path, line, err)
		}
		if _, twice := all[e.Place]; twice {
			return nil, fmt.Errorf("%s: object %d: the place %v is there twice", path, line, e.Place)
		}
		if e.Message != nil && e.ValueBytes != nil {
			return nil, fmt.Errorf("%s: object %d: it has a message and value_base64: give one of them", path, line)
		}
		all[e.Place] = e
	}
}

// value gives the value that a record is replayed with; none if it is its own.
func (e edits) value(l *deadletter.Letter) ([]byte, error) {
	edited := e[l.Place]
	if edited.Message == nil {
		return edited.ValueBytes, nil
	}
	return message.Encode(edited.Message, l.Value)
}

func (e edits) filter() deadletter.Filter {
	f := deadletter.Filter{Places: map[deadletter.Place]bool{}}
	for place := range e {
		f.Places[place] = true
	}
	return f
}
