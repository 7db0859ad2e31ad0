package message

import (
	"bytes"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	eventsv1 "eventprospect/gen/prospect/events/v1"
)

func good() *eventsv1.ProspectEvent {
	return &eventsv1.ProspectEvent{
		Id: "0195f0c8-1111-7000-8000-000000000001", Kind: eventsv1.ProspectEvent_CREATED, ProspectId: "p", Version: 1,
		OccurTime: &timestamppb.Timestamp{Seconds: 1795429230},
	}
}

// unknown is a field that no version of the contract has.
var unknown = []byte{0xf8, 0x7f, 1}

func TestWhatIsNotEditedStaysByteByByte(t *testing.T) {
	t.Parallel()
	value, err := proto.Marshal(good())
	if err != nil {
		t.Fatal(err)
	}
	text, err := JSON(good())
	if err != nil {
		t.Fatal(err)
	}
	broken := proto.CloneOf(good())
	broken.Version = 0
	brokenValue, _ := proto.Marshal(broken)
	brokenText, _ := JSON(broken)
	for name, c := range map[string]struct{ value, text []byte }{
		"as we write it":      {value, text},
		"with unknown fields": {append(unknown, value...), text},
		"in another order":    {append([]byte{0x20, 1}, value...), text}, // version comes twice
		"breaking a rule":     {brokenValue, brokenText},
	} {
		if got, err := Encode(c.text, c.value); err != nil || !bytes.Equal(got, c.value) {
			t.Errorf("%s: %x, %v, want %x", name, got, err, c.value)
		}
	}
}

func TestEditedMessagesMustBeGood(t *testing.T) {
	t.Parallel()
	value, err := proto.Marshal(good())
	if err != nil {
		t.Fatal(err)
	}
	better := good()
	better.FiledWork = "IT"
	text, err := JSON(better)
	if err != nil {
		t.Fatal(err)
	}
	for _, before := range [][]byte{value, nil, {0xff}} {
		edited, err := Encode(text, before)
		if m, bad := Decode(edited); err != nil || bad != nil || !proto.Equal(m, better) {
			t.Errorf("over %x: %v, %v", before, m, err)
		}
	}
	for edit, want := range map[string]string{
		`"version":"1"`: "version", `"occurTime"`: "unknown field", `"kind":"CREATED"`: "kind",
	} {
		bad := strings.Replace(string(text), edit, map[string]string{"version": `"version":"0"`, "unknown field": `"time"`, "kind": `"kind":0`}[want], 1)
		if _, err := Encode([]byte(bad), value); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", bad, err)
		}
	}
	if _, err := Encode(text, append(unknown, value...)); err == nil || !strings.Contains(err.Error(), "too old for") {
		t.Error(err)
	}
}

// TestAllThatIsWrongIsOneLine lets people see at once what to correct, and tables and logs stay whole.
func TestAllThatIsWrongIsOneLine(t *testing.T) {
	t.Parallel()
	err := Check(&eventsv1.ProspectEvent{Id: "x", Kind: eventsv1.ProspectEvent_CREATED, ProspectId: "p"})
	const want = "id: must be a valid UUID; version: must be greater than or equal to 1; occur_time: value is required"
	if err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}
