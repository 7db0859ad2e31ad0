package strictjson_test

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"

	"eventprospect/gateway/internal/strictjson"
	prospectv1 "eventprospect/gen/prospect/v1"
	registryv1 "eventprospect/gen/registry/v1"
)

func TestExplainFollowsTheMessage(t *testing.T) {
	t.Parallel()
	join := (&registryv1.JoinRequest{}).ProtoReflect().Descriptor()
	page := (&prospectv1.PageProspectsResponse{}).ProtoReflect().Descriptor()
	term := (&registryv1.JoinResponse{}).ProtoReflect().Descriptor()
	mask := (&prospectv1.UpdateProspectRequest{}).ProtoReflect().Descriptor()
	any := (&descriptorpb.UninterpretedOption{}).ProtoReflect().Descriptor()
	for _, c := range []struct {
		message    protoreflect.MessageDescriptor
		body, want string
	}{
		{join, `{"instance":{"zones":"a","metadata":{"a":1}}}`, "instance.zones: unknown key; instance.metadata: must be an object"},
		{join, `{"instance":[]}`, "instance: must be an object"},
		{join, `{"instance":null,"instance":{}}`, "instance: is given more than once"},
		{page, `{"content":{},"last":"yes","size":1.5,"pageable":{"offset":"x"}}`, "content: must be a list; last: must be true or false; " +
			"size: must be a whole number from -2147483648 to 2147483647; pageable.offset: must be a whole number from -2147483648 to 2147483647"},
		{page, `{"content":[1]}`, "content: must be a list"},
		{term, `{"term":5}`, "term: must be a duration like 1.5s"},
		{mask, `{"updateMask":["name"]}`, "updateMask: must be names of fields, separated by commas"},
		{any, `{"positiveIntValue":-1,"negativeIntValue":"x","doubleValue":"x","stringValue":"?"}`, "positiveIntValue: must be a whole number, not below zero; " +
			"negativeIntValue: must be a whole number; doubleValue: must be a number; stringValue: must be a string in base64"},
		{page, `{}`, "body: is not what the contract asks for"},
	} {
		var got []string
		for _, v := range strictjson.Explain([]byte(c.body), c.message) {
			got = append(got, v.Field+": "+v.Detail)
		}
		if text := strings.Join(got, "; "); text != c.want {
			t.Errorf("%s: got  %s\nwant %s", c.body, text, c.want)
		}
	}
}

func TestExplainDoesNotGoOnForEver(t *testing.T) {
	t.Parallel()
	body := `{"a":1` + strings.Repeat(`,"a":1`, 1000) + `}`
	message := (&registryv1.JoinRequest{}).ProtoReflect().Descriptor()
	if got := len(strictjson.Explain([]byte(body), message)); got != 20 {
		t.Errorf("%d things are said", got)
	}
}

func TestDecoderTakesNothingButMessages(t *testing.T) {
	t.Parallel()
	var text string
	for _, target := range []any{&text, text, new(*string)} {
		if err := strictjson.NewCodec().NewDecoder(strings.NewReader("{}")).Decode(target); err == nil {
			t.Errorf("a %T was read", target)
		}
	}
}
