package fieldmask

import (
	"errors"
	"slices"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/fieldmaskpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	eventv1 "eventprospect/gen/event/v1"
	prospectv1 "eventprospect/gen/prospect/v1"
	"eventprospect/mesh/fault"
)

func TestWritable(t *testing.T) {
	t.Parallel()
	read := &eventv1.Event{
		Id: "a", Name: "n", DateEvent: "2026-11-23", Kind: eventv1.Event_PLANNED, ProspectId: "p",
		CreateTime: timestamppb.Now(), UpdateTime: timestamppb.Now(), Etag: "1",
	}
	named := &eventv1.Event{Id: "a", Name: "n", Etag: "1"}
	all := []string{"name", "date_event"}
	cases := map[string]struct {
		resource proto.Message
		paths    []string
		want     []string
	}{
		"no mask":              {named, nil, []string{"name"}},
		"no mask, all set":     {read, nil, all},
		"no mask, nothing set": {&eventv1.Event{Id: "a"}, nil, nil},
		"everything":           {named, []string{"*"}, all},
		"everything and more":  {named, []string{"name", "*"}, all},
		"one":                  {read, []string{"name"}, []string{"name"}},
		"one that is cleared":  {named, []string{"date_event"}, []string{"date_event"}},
		"as in JSON":           {named, []string{"dateEvent"}, []string{"date_event"}},
		"both spellings":       {named, []string{"dateEvent", "date_event"}, []string{"date_event"}},
		"twice":                {named, []string{"name", "name"}, []string{"name"}},
		"what was read":        {read, []string{"id", "name", "date_event", "kind", "prospect_id", "create_time", "updateTime", "etag"}, all},
		"only the server's":    {read, []string{"id", "etag", "kind"}, nil},
		"prospect": {
			&prospectv1.Prospect{}, []string{"*"}, []string{"first_name", "last_name", "filed_work", "id_event"},
		},
		"prospect as in JSON": {&prospectv1.Prospect{}, []string{"filedWork", "idEvent"}, []string{"filed_work", "id_event"}},
	}
	for name, c := range cases {
		got, err := Writable(c.resource, &fieldmaskpb.FieldMask{Paths: c.paths})
		slices.Sort(got) // the order doesn't matter
		want := slices.Sorted(slices.Values(c.want))
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %v, %v; want %v", name, got, err, want)
		}
	}
	if got, err := Writable(named, nil); err != nil || !slices.Equal(got, []string{"name"}) {
		t.Errorf("a mask that is missing: %v, %v", got, err)
	}
}

func TestUnknownPathsAreRefused(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"", "nam", "Name", "NAME", "name.first", "event.name", "dateevent", "date-event", " name", "**"} {
		_, err := Writable(&eventv1.Event{Name: "n"}, &fieldmaskpb.FieldMask{Paths: []string{"name", path}})
		var f *fault.Error
		if !errors.As(err, &f) || f.Kind != fault.Invalid || len(f.Violations) != 1 || f.Violations[0].Field != "update_mask" {
			t.Errorf("%q: error %v, want update_mask to be refused", path, err)
		}
	}
}
