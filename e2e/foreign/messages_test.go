package foreign_test

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"

	"eventprospect/e2e/foreign/kafkajs"
)

// descriptor is what the project publishes for those who read its messages.
const descriptor = "../../gen/prospect/events/v1/prospect_event.binpb"

// TestKcatReadsTheMessages: librdkafka reads what was written, and the published descriptor says what it is.
func TestKcatReadsTheMessages(t *testing.T) {
	t.Parallel()
	kcat := prepared(t, "EVENTPROSPECT_TEST_KCAT")
	p := newPublished(t)
	// The payload's length goes before it, in 4 bytes: it may hold any byte.
	out := output(t, exec.CommandContext(t.Context(), kcat, "-b", p.broker, "-C", "-t", p.topic, "-o", "beginning", "-e", "-q", "-f", `%k\t%h\t%R%s`))
	p.mustBe(t, readKcat(t, out))
}

// TestKafkaJSReadsTheMessages: a program with npm's kafkajs and protobufjs reads what was written.
func TestKafkaJSReadsTheMessages(t *testing.T) {
	t.Parallel()
	packages := prepared(t, "EVENTPROSPECT_TEST_KAFKA_JS")
	p := newPublished(t)
	program := filepath.Join(t.TempDir(), "reader.js")
	if err := os.WriteFile(program, []byte(kafkajs.Program), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "node", program, p.broker, p.topic, descriptor, strconv.Itoa(len(p.kinds)))
	cmd.Env = append(os.Environ(), "NODE_PATH="+filepath.Join(packages, "node_modules"))
	var records []record
	for line := range bytes.Lines(output(t, cmd)) {
		var r record
		if err := json.Unmarshal(line, &r); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		records = append(records, r)
	}
	p.mustBe(t, records)
}

// record is one that a foreign program has read.
type record struct {
	Key     string
	Headers map[string]string
	Value   message
}

// message is the value, in the JSON of Protobuf.
type message struct {
	ID, Kind, ProspectID, Version, FiledWork, OccurTime string
	ChangedFields                                       []string
}

// output runs a program to its end, and gives what it says.
func output(t *testing.T, cmd *exec.Cmd) []byte {
	t.Helper()
	cmd.Stderr = t.Output()
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v", filepath.Base(cmd.Path), err)
	}
	return out
}

// readKcat takes apart what kcat says of each record: key, headers, and payload.
func readKcat(t *testing.T, out []byte) []record {
	t.Helper()
	value := publishedType(t)
	var records []record
	for in := bufio.NewReader(bytes.NewReader(out)); ; {
		key, err := in.ReadString('\t')
		if errors.Is(err, io.EOF) {
			return records
		}
		headers, headersErr := in.ReadString('\t')
		var size int32
		if err := errors.Join(err, headersErr, binary.Read(in, binary.BigEndian, &size)); err != nil {
			t.Fatalf("%v in %q", err, out)
		}
		payload := make([]byte, size)
		if _, err := io.ReadFull(in, payload); err != nil {
			t.Fatal(err)
		}
		r := record{Key: strings.TrimSuffix(key, "\t"), Headers: map[string]string{}, Value: decode(t, value, payload)}
		for pair := range strings.SplitSeq(strings.TrimSuffix(headers, "\t"), ",") {
			name, text, _ := strings.Cut(pair, "=")
			r.Headers[name] = text
		}
		records = append(records, r)
	}
}

// publishedType finds the messages' type in the published descriptor.
func publishedType(t *testing.T) protoreflect.MessageDescriptor {
	t.Helper()
	text, err := os.ReadFile(descriptor)
	if err != nil {
		t.Fatal(err)
	}
	var set descriptorpb.FileDescriptorSet
	if err := proto.Unmarshal(text, &set); err != nil {
		t.Fatal(err)
	}
	files, err := protodesc.NewFiles(&set)
	if err != nil {
		t.Fatal(err)
	}
	found, err := files.FindDescriptorByName("prospect.events.v1.ProspectEvent")
	if err != nil {
		t.Fatal(err)
	}
	value, ok := found.(protoreflect.MessageDescriptor)
	if !ok {
		t.Fatalf("%s is no message", found.FullName())
	}
	return value
}

// decode reads a payload with nothing but the descriptor.
func decode(t *testing.T, value protoreflect.MessageDescriptor, payload []byte) message {
	t.Helper()
	dynamic := dynamicpb.NewMessage(value)
	if err := proto.Unmarshal(payload, dynamic); err != nil {
		t.Fatal(err)
	}
	if unknown := dynamic.GetUnknown(); len(unknown) > 0 {
		t.Errorf("the descriptor doesn't know %x", unknown)
	}
	text, err := protojson.Marshal(dynamic)
	if err != nil {
		t.Fatal(err)
	}
	var m message
	if err := json.Unmarshal(text, &m); err != nil {
		t.Fatal(err)
	}
	return m
}
