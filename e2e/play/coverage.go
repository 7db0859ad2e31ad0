package play

import (
	"fmt"
	"maps"
	"slices"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
)

// Doors gives every door of the contracts of these packages: each unary RPC, and each of its REST paths.
func Doors(contracts ...protoreflect.FullName) []string {
	var all []string
	protoregistry.GlobalFiles.RangeFiles(func(file protoreflect.FileDescriptor) bool {
		if !slices.Contains(contracts, file.Package()) {
			return true
		}
		for i := range file.Services().Len() {
			methods := file.Services().Get(i).Methods()
			for j := range methods.Len() {
				if rpc := methods.Get(j); !rpc.IsStreamingClient() && !rpc.IsStreamingServer() {
					all = append(all, doorsOf(rpc)...)
				}
			}
		}
		return true
	})
	return all
}

func doorsOf(rpc protoreflect.MethodDescriptor) []string {
	all := []string{string(rpc.FullName())}
	for _, b := range bindingsOf(rpc) {
		all = append(all, fmt.Sprintf("%s at %s", rpc.FullName(), b))
	}
	return all
}

// Covered gives the doors through which some case wants a success.
func Covered(cases []Case) []string {
	covered := map[string]bool{}
	for _, c := range cases {
		for _, p := range c.Playings() {
			for _, s := range c.Steps {
				rpc, err := findRPC(s.Call)
				if err != nil || s.Want.Code != "OK" {
					continue
				}
				door := string(rpc.FullName())
				if p.path >= 0 {
					door += " at " + p.binding(s).String()
				}
				covered[door] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(covered))
}
