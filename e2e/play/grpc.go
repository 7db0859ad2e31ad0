package play

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"eventprospect/e2e/client"
)

// overGRPC makes one call of an RPC.
func overGRPC(ctx context.Context, c *client.Client, user string, rpc protoreflect.MethodDescriptor, request map[string]any) (answer, error) {
	text, err := json.Marshal(request)
	if err != nil {
		return answer{}, err
	}
	in, err := newMessage(rpc.Input())
	if err != nil {
		return answer{}, err
	}
	if err := protojson.Unmarshal(text, in); err != nil {
		return answer{}, fmt.Errorf("the request is none of %s: %w", rpc.FullName(), err)
	}
	out, err := newMessage(rpc.Output())
	if err != nil {
		return answer{}, err
	}
	conn, err := c.Conn(string(rpc.ParentFile().Package()))
	if err != nil {
		return answer{}, err
	}
	if ctx, err = c.As(ctx, user); err != nil {
		return answer{}, err
	}
	method := fmt.Sprintf("/%s/%s", rpc.Parent().FullName(), rpc.Name())
	if err := conn.Invoke(ctx, method, in, out); err != nil {
		return refusal(rpc, status.Convert(err)), nil
	}
	text, err = protojson.MarshalOptions{EmitUnpopulated: true}.Marshal(out)
	if err != nil {
		return answer{}, err
	}
	body, err := parseTree(text)
	return answer{body: body}, err
}

func newMessage(descriptor protoreflect.MessageDescriptor) (proto.Message, error) {
	found, err := protoregistry.GlobalTypes.FindMessageByName(descriptor.FullName())
	if err != nil {
		return nil, err
	}
	return found.New().Interface(), nil
}

// refusal reads an error. Every one of ours carries a reason in this domain.
func refusal(rpc protoreflect.MethodDescriptor, st *status.Status) answer {
	a := answer{code: st.Code(), detail: st.Message()}
	for _, detail := range st.Details() {
		switch d := detail.(type) {
		case *errdetails.ErrorInfo:
			if d.GetDomain() == "eventprospect" {
				a.reason = d.GetReason()
			}
		case *errdetails.BadRequest:
			for _, v := range d.GetFieldViolations() {
				a.refused = append(a.refused, Violation{clientField(rpc, v.GetField()), v.GetDescription()})
			}
		}
	}
	if a.reason == "" {
		a.defects = append(a.defects, fmt.Sprintf("the error has no reason: %v", st))
	}
	if (a.code == codes.InvalidArgument) != (len(a.refused) > 0) {
		a.defects = append(a.defects, fmt.Sprintf("%v names %d fields: %s", a.code, len(a.refused), a.detail))
	}
	return a
}

// clientField spells a field of a request as a JSON client knows it: from inside the body, in lowerCamelCase.
func clientField(rpc protoreflect.MethodDescriptor, path string) string {
	body := bindingsOf(rpc)[0].body
	if body != "" {
		if path == body {
			return "body"
		}
		path = strings.TrimPrefix(path, body+".")
	}
	return jsonName(path)
}
