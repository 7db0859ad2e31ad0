package discovery

import (
	"maps"
	"slices"

	registryv1 "eventprospect/gen/registry/v1"
)

// view is what a client knows of a service: the addresses of its instances that are UP, by id. It is never changed.
type view struct {
	revision  int64
	addresses map[string]string
}

// after gives what is known after this response.
func (v view) after(answer *registryv1.WatchResponse) view {
	next := view{revision: answer.GetRevision(), addresses: map[string]string{}}
	if !answer.GetSnapshot() {
		maps.Copy(next.addresses, v.addresses)
	}
	for _, id := range answer.GetRemovedIds() {
		delete(next.addresses, id)
	}
	for _, instance := range answer.GetInstances() {
		next.addresses[instance.GetId()] = instance.GetAddress()
	}
	return next
}

// list gives the addresses, each once, in their order. It isn't nil.
func (v view) list() []string {
	all := slices.AppendSeq(make([]string, 0, len(v.addresses)), maps.Values(v.addresses))
	slices.Sort(all)
	return slices.Compact(all)
}
