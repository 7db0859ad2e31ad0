package api

import (
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	prospectv1 "eventprospect/gen/prospect/v1"
	"eventprospect/services/prospect/internal/prospect"
)

func TestEncodeAndDecode(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 23, 10, 20, 30, 123456000, time.UTC)
	full := prospect.Prospect{
		ID: "id", Details: prospect.Details{FirstName: "Ada", LastName: "Lovelace", FiledWork: "IT", IDEvent: "e"},
		Created: at, Updated: at.Add(time.Second), Version: 2,
	}
	got := encode(full)
	want := &prospectv1.Prospect{
		Id: "id", FirstName: "Ada", LastName: "Lovelace", FiledWork: "IT", IdEvent: "e",
		CreateTime: timestamppb.New(at), UpdateTime: timestamppb.New(at.Add(time.Second)), Etag: full.ETag(),
	}
	if !proto.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	fields := got.ProtoReflect().Descriptor().Fields()
	for i := range fields.Len() {
		if field := fields.Get(i); !got.ProtoReflect().Has(field) {
			t.Errorf("%s is not set", field.Name())
		}
	}
	if back := decode(got); back != full.Details {
		t.Errorf("decoded %+v, want %+v", back, full.Details)
	}
}
