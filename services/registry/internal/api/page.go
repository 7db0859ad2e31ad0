package api

import (
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	registryv1 "eventprospect/gen/registry/v1"
	"eventprospect/mesh/paging"
	"eventprospect/services/registry/internal/registry"
)

const (
	// maxPage bounds a page, and is its size if none is asked for.
	maxPage = 1000
	// maxBytes bounds the instances in one message, which may have 4 MiB with all else (rpc.MaxMessage).
	maxBytes = 3 << 20
)

// paginate gives the page of the sorted instances that is asked for, and the token of the next one if there is one. The token holds
// the last instance of the page, so that instances which come and go meanwhile hide no other.
func paginate(all []registry.Instance, request *registryv1.ListInstancesRequest) (page []*registryv1.Instance, next string, err error) {
	cursor, err := paging.Parse(request.GetPageToken(), request.GetService())
	if err != nil {
		return nil, "", err
	}
	all = all[place(all, cursor):]
	size := int(request.GetPageSize())
	if size == 0 || size > maxPage {
		size = maxPage
	}
	page = fromInstances(all[:min(size, len(all))])
	page = page[:fitting(page)]
	if len(page) == len(all) {
		return page, "", nil
	}
	last := page[len(page)-1]
	return page, paging.Token(paging.Cursor{ID: last.GetService() + "/" + last.GetId()}, request.GetService()), nil
}

// place gives the index of the first instance after the cursor.
func place(all []registry.Instance, cursor paging.Cursor) int {
	if cursor.ID == "" {
		return 0
	}
	service, id, _ := strings.Cut(cursor.ID, "/") // a service's name has no slash
	index, found := slices.BinarySearchFunc(all, registry.Key{Service: service, ID: id}, func(i registry.Instance, k registry.Key) int { return i.Compare(k) })
	if found {
		index++
	}
	return index
}

// fitting gives how many of the instances fit in one message; one always does.
func fitting(instances []*registryv1.Instance) int {
	bytes := 0
	for i, instance := range instances {
		if bytes += proto.Size(instance); bytes > maxBytes && i > 0 {
			return i
		}
	}
	return len(instances)
}
