package rpc

import (
	"context"
	"errors"

	"buf.build/go/protovalidate"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"eventprospect/mesh/fault"
)

// validator applies the contract's buf.validate rules to every request. It is built once: a new one compiles every rule.
type validator struct{ protovalidate.Validator }

func newValidator() (validator, error) {
	v, err := protovalidate.New()
	return validator{v}, err
}

func (v validator) unary(ctx context.Context, req any, _ *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
	if err := v.check(req); err != nil {
		return nil, err
	}
	return handle(ctx, req)
}

func (v validator) stream(srv any, ss grpc.ServerStream, _ *grpc.StreamServerInfo, handle grpc.StreamHandler) error {
	return handle(srv, validated{ss, v})
}

// check names every rule that the message breaks, with the path of its field.
func (v validator) check(message any) error {
	m, ok := message.(proto.Message)
	if !ok {
		return fault.New(fault.Internal, "not a protobuf message: %T", message)
	}
	err := v.Validate(m)
	var broken *protovalidate.ValidationError
	if err == nil || !errors.As(err, &broken) {
		return err
	}
	violations := make([]fault.Violation, len(broken.Violations))
	for i, b := range broken.Violations {
		violations[i] = fault.Violation{
			Field:  protovalidate.FieldPathString(b.Proto.GetField()),
			Detail: b.Proto.GetMessage(),
		}
	}
	return fault.InvalidFields(violations...)
}

// validated is a stream whose incoming messages are checked.
type validated struct {
	grpc.ServerStream
	v validator
}

func (s validated) RecvMsg(message any) error {
	if err := s.ServerStream.RecvMsg(message); err != nil {
		return err
	}
	return s.v.check(message)
}
