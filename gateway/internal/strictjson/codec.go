// Package strictjson reads and writes the JSON of the REST API. It reads strictly: one value, known keys once each, right
// types; and says exactly what is wrong.
package strictjson

import (
	"fmt"
	"io"
	"reflect"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// Codec is the marshaler of the edge. It writes every key, as the original API did: an unset message is null, an
// empty string "". It reads the whole body, where runtime.JSONPb stops after the first value.
type Codec struct{ runtime.JSONPb }

// NewCodec makes a codec.
func NewCodec() *Codec {
	return &Codec{runtime.JSONPb{MarshalOptions: protojson.MarshalOptions{EmitUnpopulated: true}}}
}

// NewDecoder reads one message.
func (c *Codec) NewDecoder(r io.Reader) runtime.Decoder {
	return runtime.DecoderFunc(func(target any) error {
		data, err := io.ReadAll(r)
		if err != nil {
			return err
		}
		message, err := allocate(target)
		if err != nil {
			return err
		}
		return c.UnmarshalOptions.Unmarshal(data, message)
	})
}

// allocate gives the message to read into. Generated code hands over the address of the request's field that the body
// is; the field is nil so far.
func allocate(target any) (proto.Message, error) {
	if message, ok := target.(proto.Message); ok {
		return message, nil
	}
	address := reflect.ValueOf(target)
	if address.Kind() == reflect.Pointer && address.Elem().Kind() == reflect.Pointer {
		field := address.Elem()
		field.Set(reflect.New(field.Type().Elem()))
		if message, ok := field.Interface().(proto.Message); ok {
			return message, nil
		}
	}
	return nil, fmt.Errorf("can't read JSON into a %T", target)
}
