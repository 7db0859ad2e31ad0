package app_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
	"google.golang.org/protobuf/proto"

	eventsv1 "eventprospect/gen/prospect/events/v1"
)

// filled puts four records on the DLQ: 0:0 and 0:1 can't be decoded, 1:0 is newer, 1:1 breaks the contract.
func filled(t *testing.T) *world {
	w := newWorld(t)
	w.bury(0, "a", []byte{0xff, 1}, "invalid", 0)
	w.bury(0, "b\x1b[2J", []byte("text"), "invalid", 1)
	newer := event(1)
	newer.Kind = 99
	w.bury(1, "c", encode(t, newer), "newer", 2)
	broken := event(2)
	broken.Version = 0
	w.bury(1, "d", encode(t, broken), "failed", 3)
	return w
}

func TestListShowsWhatIsOpen(t *testing.T) {
	t.Parallel()
	w := filled(t)
	out := w.must(0, "dlq", "list")
	wantLines(t, out,
		"PLACE BURIED REASON KEY MESSAGE ERROR",
		"0:0 2026-11-23T12:00:00.000Z invalid a message-a an error of a",
		`0:1 2026-11-23T12:01:00.000Z invalid "b\x1b[2J" "message-b\x1b[2J" "an error of b\x1b[2J"`,
		"1:0 2026-11-23T12:02:00.000Z newer c message-c an error of c",
		"4 records (failed 1, invalid 2, newer 1)")
	if strings.Contains(out, "\x1b") {
		t.Error("a key commands the terminal")
	}
	wantLines(t, w.must(0, "dlq", "list", "--limit", "1"), "4 records (failed 1, invalid 2, newer 1), the first 1 are listed")
	wantLines(t, w.must(0, "dlq", "list", "--key", "c"), "1 record (newer 1)")
	wantLines(t, w.must(0, "dlq", "list", "--since", "2026-11-23T12:01:00Z", "--until", "2026-11-23T12:03:00Z"), "2 records (invalid 1, newer 1)")
	wantLines(t, w.must(0, "dlq", "list", "--original", "1:42"), "no records")
	wantLines(t, w.must(0, "dlq", "list", "--summary"), "REASON RECORDS", "failed 1", "invalid 2", "newer 1", "total 4")
	w.must(4, "dlq", "list", "--fail-if-any")
	w.must(0, "dlq", "list", "--fail-if-any", "--reason", "none")
}

func TestListForMachines(t *testing.T) {
	t.Parallel()
	w := filled(t)
	list := object(t, w.must(0, "-o", "json", "dlq", "list", "--reason", "invalid"))
	first := list["records"].([]any)[0].(map[string]any)
	if list["total"] != 2. || list["by_reason"].(map[string]any)["invalid"] != 2. || len(list["records"].([]any)) != 2 {
		t.Errorf("%v", list)
	}
	for key, want := range map[string]any{
		"place": "0:0", "original": "1:41", "topic": topic, "reason": "invalid", "key": "a", "attempts": 8., "message_id": "message-a",
		"buried_time": "2026-11-23T12:00:00Z", "time": "2026-11-23T10:20:30.123Z",
	} {
		if first[key] != want {
			t.Errorf("%s is %v, want %v", key, first[key], want)
		}
	}
	if empty := object(t, w.must(0, "-o", "json", "dlq", "list", "--key", "none")); empty["records"] == nil {
		t.Error("none is not a list")
	}
}

func TestShowDecodesTheValue(t *testing.T) {
	t.Parallel()
	w := filled(t)
	out := w.must(0, "dlq", "show", "1:1")
	wantLines(t, out, "place 1:1", "reason failed", "original place 1:41", "published 2026-11-23T10:20:30.123Z", "key d", "header ce_id message-d",
		`"filedWork": "IT",`, "This breaks the contract: version: must be greater than or equal to 1")
	if strings.Contains(out, "dlq_") {
		t.Errorf("headers of the DLQ are among those of the record:\n%s", out)
	}
	wantLines(t, w.must(0, "dlq", "show", "0:0"), "00000000 ff 01 |..|")
	shown := object(t, w.must(0, "-o", "json", "dlq", "show", "0:0"))
	if shown["value_base64"] != "/wE=" || !strings.Contains(shown["decode_error"].(string), "not a prospect.events.v1.ProspectEvent") {
		t.Errorf("%v", shown)
	}
	if shown := object(t, w.must(0, "-o", "json", "dlq", "show", "1:0")); shown["message"].(map[string]any)["kind"] != 99. {
		t.Errorf("%v", shown)
	}
	w.must(1, "dlq", "show", "1:7")
	w.must(2, "dlq", "show", "1")
}

func TestNothingIsDoneUnconfirmed(t *testing.T) {
	t.Parallel()
	w := filled(t)
	for _, command := range []string{"replay", "discard"} {
		if _, _, said := w.run("dlq", command, "--all"); !strings.Contains(said, "4 records (failed 1, invalid 2, newer 1)") || !strings.Contains(said, "--yes") {
			t.Errorf("%s without a terminal says %q", command, said)
		}
		w.must(3, "dlq", command, "--all")
		w.must(2, "dlq", command)
		w.must(2, "dlq", command, "--yes")
		w.must(2, "dlq", command, "--all", "0:1")
		w.at.Interactive = true
		for _, answer := range []string{"", "\n", "n\n", "yep\n", "0:0\n"} {
			w.at.In = strings.NewReader(answer)
			w.must(3, "dlq", command, "--all")
		}
		w.at.Interactive, w.at.In = false, nil
	}
	wantLines(t, w.must(0, "dlq", "list"), "4 records (failed 1, invalid 2, newer 1)")
	if n := w.published(); n != 0 {
		t.Errorf("%d records were replayed", n)
	}
}

func TestReplayAndDiscardWhatIsSelected(t *testing.T) {
	t.Parallel()
	w := filled(t)
	w.at.Interactive, w.at.In = true, strings.NewReader("y\n")
	wantLines(t, w.must(0, "dlq", "replay", "--reason", "newer"), "1 records were replayed")
	if n := w.published(); n != 1 {
		t.Errorf("%d records on the topic", n)
	}
	w.at.Interactive = false
	if done := object(t, w.must(0, "-o", "json", "dlq", "discard", "--yes", "0:1")); done["records"] != 1. || done["how"] != "discarded" || done["left"] != nil {
		t.Errorf("%v", done)
	}
	wantLines(t, w.must(0, "dlq", "list"), "2 records (failed 1, invalid 1)")
	// One is handled already, one was never there.
	if code, _, said := w.run("dlq", "discard", "-y", "0:0", "0:1", "5:5"); code != 4 || !strings.Contains(said, "2 of the places hold no open record") {
		t.Errorf("%d: %s", code, said)
	}
	w.must(0, "dlq", "discard", "-y", "--all")
	wantLines(t, w.must(0, "dlq", "list"), "no records")
	wantLines(t, w.must(0, "dlq", "replay", "-y", "--all"), "0 records were replayed")
}

func TestWhatCannotBeReplayedIsNamed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.bury(0, "a", nil, "failed", 0)
	w.bury(0, "b", []byte("b"), "failed", 0)
	out := w.must(4, "dlq", "replay", "-y", "--all")
	wantLines(t, out, "1 records were replayed", "LEFT WHY", "0:0 its value was left out, for its size, and is no longer where it was")
}

// TestEditedExportsAreReplayed mends two of three records in an export, leaves one as it is, and replays the file.
func TestEditedExportsAreReplayed(t *testing.T) {
	t.Parallel()
	w := filled(t)
	lines := strings.Split(strings.TrimSpace(w.must(0, "dlq", "export")), "\n")
	if len(lines) != 4 {
		t.Fatalf("%d lines", len(lines))
	}
	var edited []byte
	for _, line := range lines[1:] {
		record := object(t, line)
		switch record["place"] {
		case "0:1":
			delete(record, "value_base64")
			record["message"] = json.RawMessage(mustJSON(t, w, "1:1", 3))
		case "1:1":
			record["message"] = json.RawMessage(mustJSON(t, w, "1:1", 4))
		}
		text, err := json.Marshal(record)
		if err != nil {
			t.Fatal(err)
		}
		edited = append(append(edited, text...), '\n')
	}
	file := filepath.Join(t.TempDir(), "edited")
	if err := os.WriteFile(file, edited, 0o600); err != nil {
		t.Fatal(err)
	}
	w.must(2, "dlq", "replay", "-y", "--all", "--edited", file)
	wantLines(t, w.must(0, "dlq", "replay", "-y", "--edited", file), "3 records were replayed")
	versions := map[string]int64{}
	for _, r := range w.read(3) {
		var m eventsv1.ProspectEvent
		if err := proto.Unmarshal(r.Value, &m); err != nil {
			t.Fatal(err)
		}
		versions[string(r.Key)] = m.GetVersion()
	}
	if versions["b\x1b[2J"] != 3 || versions["d"] != 4 || versions["c"] != 1 {
		t.Errorf("versions %v", versions)
	}
	wantLines(t, w.must(0, "dlq", "list"), "1 record (invalid 1)")
}

// mustJSON gives the message of a record with another version.
func mustJSON(t *testing.T, w *world, place string, version int) []byte {
	t.Helper()
	m := object(t, w.must(0, "-o", "json", "dlq", "show", place))["message"].(map[string]any)
	m["version"] = version
	text, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestBadEditsAreRefused(t *testing.T) {
	t.Parallel()
	w := filled(t)
	ahead := append(encode(t, event(7)), 0xf8, 0x7f, 1) // a field that this program doesn't know
	w.bury(1, "e", ahead, "newer", 4)
	for edited, want := range map[string]struct {
		code int
		says string
	}{
		`{"place":"1:1","message":{"id":"x"}}`:                {4, "id: must be a valid UUID"},
		`{"place":"1:1","message":{"nickname":"x"}}`:          {4, "unknown field"},
		`{"place":"1:2","message":{"id":"x"}}`:                {4, "too old for"},
		`{"place":"1:1","message":{}, "value_base64":"AA=="}`: {2, "give one of them"},
		`{"place":"1:1"}{"place":"1:1"}`:                      {2, "twice"},
		`{"place":"1"}`:                                       {2, "PARTITION:OFFSET"},
		`{"site":"1:1"}`:                                      {2, "site"},
		`{"place":"0:0","value_base64":"AAA"}`:                {2, "illegal base64"},
		`{"place":"7:7","message":{"id":"x"}}`:                {4, "hold no open record"},
	} {
		file := filepath.Join(t.TempDir(), "edited")
		if err := os.WriteFile(file, []byte(edited), 0o600); err != nil {
			t.Fatal(err)
		}
		code, out, said := w.run("dlq", "replay", "-y", "--edited", file)
		if code != want.code || !strings.Contains(out+said, want.says) {
			t.Errorf("%s: %d, %s%s", edited, code, out, said)
		}
	}
	if n := w.published(); n != 0 {
		t.Errorf("%d records were replayed", n)
	}
	w.must(2, "dlq", "replay", "-y", "--edited", "missing")
}

// read reads n records of the topic.
func (w *world) read(n int) []*kgo.Record {
	w.t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(w.kafka.ListenAddrs()...), kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		w.t.Fatal(err)
	}
	defer client.Close()
	var all []*kgo.Record
	for len(all) < n {
		fetches := client.PollFetches(w.t.Context())
		if err := w.t.Context().Err(); err != nil {
			w.t.Fatal(err)
		}
		all = append(all, fetches.Records()...)
	}
	return all
}
