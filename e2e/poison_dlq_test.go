package e2e_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protojson"
)

// letter is what meshctl tells of a record on the DLQ.
type letter struct {
	Original, Topic, Reason, Error string
	Attempts                       int
}

// counted is how many records meshctl counts.
type counted struct {
	Total    int
	ByReason map[string]int `json:"by_reason"`
}

// mustHaveBuried checks that the DLQ holds the bad records and no other, each with its reason, its error and its place.
func (p *poisoned) mustHaveBuried(t *testing.T, bad []*change) {
	t.Helper()
	var found struct {
		counted
		Records []letter
	}
	p.tool.ask(t, &found, 0, "dlq", "list", "--limit", "0")
	if len(found.Records) != len(bad) || found.Total != len(bad) || found.ByReason["newer"] != ofEachShape || found.ByReason["invalid"] != len(bad)-ofEachShape {
		t.Fatalf("%d records listed, counted %+v", len(found.Records), found.counted)
	}
	at := byPlace(bad)
	for _, l := range found.Records {
		c := at[l.Original]
		if c == nil {
			t.Errorf("%+v is not bad, or there twice", l)
			continue
		}
		delete(at, l.Original)
		if l.Reason != c.shape.reason || !strings.Contains(l.Error, c.shape.says) || l.Topic != p.topic || l.Attempts != 1 {
			t.Errorf("%s: %+v, want the reason %s and the error %q", c.shape.name, l, c.shape.reason, c.shape.says)
		}
		if strings.Contains(l.Error, personal) || strings.Contains(l.Error, c.message.GetProspectId()) {
			t.Errorf("%s: the error repeats what is in the record: %s", c.shape.name, l.Error)
		}
	}
}

func byPlace(some []*change) map[string]*change {
	all := make(map[string]*change, len(some))
	for _, c := range some {
		all[c.at] = c
	}
	return all
}

// export gives the path of an export of which every record was corrected: that of a newer kind, too, whose publisher is taken to
// have published it by mistake.
func (p *poisoned) export(t *testing.T, bad []*change) string {
	t.Helper()
	out, _ := p.tool.run(t, 0, "dlq", "export")
	at := byPlace(bad)
	var edited bytes.Buffer
	for line := range bytes.Lines(out) {
		var record map[string]any
		if err := json.Unmarshal(line, &record); err != nil {
			t.Fatal(err)
		}
		c := at[record["original"].(string)]
		delete(record, "message")
		delete(record, "value_base64")
		if c.shape.foreign {
			record["value_base64"] = encoded(t, c.message)
		} else {
			text, err := protojson.Marshal(c.message)
			if err != nil {
				t.Fatal(err)
			}
			record["message"] = json.RawMessage(text)
		}
		if err := json.NewEncoder(&edited).Encode(record); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(t.TempDir(), "edited.jsonl")
	if err := os.WriteFile(path, edited.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// replay replays the corrected records.
func (p *poisoned) replay(t *testing.T, edited string, bad []*change) {
	t.Helper()
	if _, said := p.tool.run(t, 3, "dlq", "replay", "--edited", edited); !strings.Contains(said, "1000 records (invalid 950, newer 50)") {
		t.Errorf("asked: %s", said)
	}
	var done map[string]any
	p.tool.ask(t, &done, 0, "dlq", "replay", "--yes", "--edited", edited)
	if len(done) != 2 || done["how"] != "replayed" || done["records"] != float64(len(bad)) {
		t.Errorf("replayed: %v", done)
	}
}

// mustReplayNothing checks that what was replayed isn't replayed again.
func (p *poisoned) mustReplayNothing(t *testing.T, edited string, records int) {
	t.Helper()
	before := p.ends(t)
	var again struct{ Records int }
	p.tool.ask(t, &again, 4, "dlq", "replay", "--yes", "--edited", edited)
	if again.Records != 0 {
		t.Errorf("%d of %d records were replayed again", again.Records, records)
	}
	if now := p.ends(t); !slices.Equal(now, before) {
		t.Errorf("the topic ends at %v, and ended at %v", now, before)
	}
}

// ends gives the end of each partition of the topic.
func (p *poisoned) ends(t *testing.T) []int64 {
	t.Helper()
	listed, err := p.admin.ListEndOffsets(t.Context(), p.topic)
	if err != nil || listed.Error() != nil {
		t.Fatal(err, listed.Error())
	}
	ends := make([]int64, len(listed[p.topic]))
	for partition, at := range listed[p.topic] {
		ends[partition] = at.Offset
	}
	return ends
}

// mustBeDone checks that nothing waits anywhere, and that the DLQ's records are deleted.
func (p *poisoned) mustBeDone(t *testing.T) {
	t.Helper()
	var found struct {
		Outbox struct{ Waiting int }
		Lag    struct{ Total int }
		DLQ    counted
		Errors map[string]string
	}
	found.Outbox.Waiting, found.Lag.Total, found.DLQ.Total = -1, -1, -1
	p.tool.ask(t, &found, 0, "status")
	if found.Outbox.Waiting != 0 || found.Lag.Total != 0 || found.DLQ.Total != 0 || len(found.Errors) > 0 {
		t.Errorf("status: %+v", found)
	}
	p.tool.run(t, 0, "dlq", "list", "--fail-if-any")
	first, err := p.admin.ListStartOffsets(t.Context(), p.topic+".dlq")
	if err != nil {
		t.Fatal(err)
	}
	last, err := p.admin.ListEndOffsets(t.Context(), p.topic+".dlq")
	if err != nil {
		t.Fatal(err)
	}
	for partition, end := range last[p.topic+".dlq"] {
		if begin := first[p.topic+".dlq"][partition].Offset; begin != end.Offset {
			t.Errorf("partition %d of the DLQ still holds %d to %d", partition, begin, end.Offset)
		}
	}
}
