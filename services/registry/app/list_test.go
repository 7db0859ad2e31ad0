package app_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	registryv1 "eventprospect/gen/registry/v1"
	"eventprospect/mesh/fault"
	"eventprospect/services/registry/app"
)

func TestPagesCoverAllOnce(t *testing.T) {
	t.Parallel()
	r := start(t)
	var want []string
	// A dash comes before a slash, and a dot, too.
	for _, service := range []string{"event", "event-log", "prospect"} {
		for i := range 7 {
			r.join(t, instance(service, fmt.Sprint(i)))
			want = append(want, fmt.Sprint(service, "/", i))
		}
	}
	for size := int32(1); size < 23; size++ {
		var got []string
		request := &registryv1.ListInstancesRequest{PageSize: size}
		for {
			page, err := r.client.ListInstances(r.ctx, request)
			if err != nil {
				t.Fatal(err)
			}
			if len(page.GetInstances()) > int(size) {
				t.Fatalf("%d instances in a page of %d", len(page.GetInstances()), size)
			}
			for _, i := range page.GetInstances() {
				got = append(got, i.GetService()+"/"+i.GetId())
			}
			if request.PageToken = page.GetNextPageToken(); request.PageToken == "" {
				break
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("pages of %d: %v, want %v", size, got, want)
		}
	}
}

func TestATokenOfAnotherListIsRefused(t *testing.T) {
	t.Parallel()
	r := start(t)
	r.join(t, instance("event", "a"))
	r.join(t, instance("event", "b"))
	page, err := r.client.ListInstances(r.ctx, &registryv1.ListInstancesRequest{PageSize: 1})
	if err != nil {
		t.Fatal(err)
	}
	_, err = r.client.ListInstances(r.ctx, &registryv1.ListInstancesRequest{Service: "event", PageToken: page.GetNextPageToken()})
	wantField(t, err, "page_token")
}

// Neither a list nor a watch may need a larger message than gRPC takes.
func TestManyLargeInstancesCome(t *testing.T) {
	t.Parallel()
	const many = 700 // times 10 kB
	r := start(t, func(c *app.Config) { c.MaxInstances = many })
	for n := range many {
		large := instance("event", fmt.Sprint(n))
		large.Metadata = map[string]string{}
		for k := range 32 {
			large.Metadata[fmt.Sprintf("%064d", k)] = strings.Repeat("v", 256)
		}
		r.join(t, large)
	}
	watch := r.watch(t, "event")
	parts := 1
	for watch.take(t).GetMore() {
		parts++
	}
	if len(watch.known) != many || parts < 2 {
		t.Errorf("%d instances in %d parts, want %d in several", len(watch.known), parts, many)
	}
	listed := 0
	for request := (&registryv1.ListInstancesRequest{}); ; {
		page, err := r.client.ListInstances(r.ctx, request)
		if err != nil {
			t.Fatal(err)
		}
		listed += len(page.GetInstances())
		if request.PageToken = page.GetNextPageToken(); request.PageToken == "" {
			break
		}
	}
	if listed != many {
		t.Errorf("%d are listed, want %d", listed, many)
	}
}

func TestOneInstanceIsGotAndSet(t *testing.T) {
	t.Parallel()
	r := start(t)
	r.join(t, instance("event", "a"))
	watch := r.watch(t, "event")
	first := wantNext(t, watch, "a")
	request := &registryv1.SetStatusRequest{Service: "event", Id: "a", Status: registryv1.Instance_OUT_OF_SERVICE}
	set, err := r.client.SetStatus(r.ctx, request)
	if err != nil || set.GetStatus() != request.Status || set.GetOverride() != request.Status {
		t.Errorf("instance %v, error %v", set, err)
	}
	wantNext(t, watch)
	got, err := r.client.GetInstance(r.ctx, &registryv1.GetInstanceRequest{Service: "event", Id: "a"})
	if err != nil || got.GetStatus() != request.Status {
		t.Errorf("instance %v, error %v", got, err)
	}
	request.Status = registryv1.Instance_STATUS_UNSPECIFIED
	if _, err = r.client.SetStatus(r.ctx, request); err != nil {
		t.Fatal(err)
	}
	wantNext(t, watch, "a")
	// Who comes back with the first revision has missed the way there and back: it ends where it began.
	if again := wantNext(t, r.resume(t, "event", first.GetRevision()), "a"); again.GetSnapshot() {
		t.Error("it was told everything, want what changed")
	}
	request.Id = "b"
	_, err = r.client.SetStatus(r.ctx, request)
	wantKind(t, err, fault.NotFound)
	_, err = r.client.GetInstance(r.ctx, &registryv1.GetInstanceRequest{Service: "nobody", Id: "a"})
	wantKind(t, err, fault.NotFound)
}
