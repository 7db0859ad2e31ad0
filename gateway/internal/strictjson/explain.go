package strictjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"

	"eventprospect/gateway/internal/route"
	"eventprospect/mesh/fault"
)

// maxViolations bounds how much is said of one body.
const maxViolations = 20

// Explain says why a body that the codec refused is no JSON of this message. Fields are named as they
// stand in the body.
func Explain(data []byte, message protoreflect.MessageDescriptor) []fault.Violation {
	var e explainer
	switch value := bytes.TrimSpace(data); {
	case len(value) == 0:
		e.add(route.WholeBody, "must not be empty: send a JSON object")
	case !utf8.Valid(data):
		e.add(route.WholeBody, "must be UTF-8: "+place(data, invalidAt(data)))
	case e.malformed(data):
	case value[0] != '{':
		e.add(route.WholeBody, "must be a JSON object")
	default:
		e.object(value, message, "")
	}
	if len(e.found) == 0 {
		e.add(route.WholeBody, "is not what the contract asks for")
	}
	return e.found
}

// explainer collects what is wrong.
type explainer struct{ found []fault.Violation }

func (e *explainer) add(path, detail string) {
	if len(e.found) < maxViolations {
		e.found = append(e.found, fault.Violation{Field: path, Detail: detail})
	}
}

// malformed tells whether it isn't JSON at all, and where it stops being so.
func (e *explainer) malformed(data []byte) bool {
	var value json.RawMessage
	err := json.Unmarshal(data, &value)
	if err == nil {
		return false
	}
	var syntax *json.SyntaxError
	if !errors.As(err, &syntax) {
		e.add(route.WholeBody, "can't be read as JSON")
		return true
	}
	e.add(route.WholeBody, "can't be read as JSON from "+place(data, int(syntax.Offset)-1))
	return true
}

// object names every key that is unknown, given twice, or of the wrong type.
func (e *explainer) object(data []byte, message protoreflect.MessageDescriptor, prefix string) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	if _, err := decoder.Token(); err != nil {
		return
	}
	seen := map[protoreflect.FieldNumber]bool{}
	for decoder.More() {
		token, err := decoder.Token()
		if err != nil {
			return
		}
		key, _ := token.(string)
		var value json.RawMessage
		if decoder.Decode(&value) != nil {
			return
		}
		field := route.Field(message, key)
		switch {
		case field == nil:
			e.add(prefix+key, "unknown key")
		case seen[field.Number()]:
			e.add(prefix+key, "is given more than once")
		default:
			seen[field.Number()] = true
			e.value(value, field, prefix+key)
		}
	}
}

// value asks protojson about this one value; what it refuses is described by what would be right.
func (e *explainer) value(value json.RawMessage, field protoreflect.FieldDescriptor, path string) {
	var alone bytes.Buffer
	fmt.Fprintf(&alone, "{%q:%s}", field.JSONName(), value)
	if protojson.Unmarshal(alone.Bytes(), dynamicpb.NewMessage(field.ContainingMessage())) == nil {
		return
	}
	nested := field.Message()
	if nested != nil && !field.IsList() && !field.IsMap() && value[0] == '{' && !wellKnown(nested) {
		e.object(value, nested, path+".")
		return
	}
	if field.Kind() == protoreflect.StringKind && value[0] == '"' {
		e.add(path, "must be a string of whole Unicode characters: it has half of a surrogate pair")
		return
	}
	e.add(path, Wanted(field))
}

func wellKnown(message protoreflect.MessageDescriptor) bool {
	return strings.HasPrefix(string(message.FullName()), "google.protobuf.")
}

func invalidAt(data []byte) int {
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return len(data)
}

// place tells a position in the way of editors, counting from one.
func place(data []byte, offset int) string {
	before := data[:min(max(offset, 0), len(data))]
	line := bytes.Count(before, []byte("\n")) + 1
	column := utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:]) + 1
	return fmt.Sprintf("line %d, column %d", line, column)
}
