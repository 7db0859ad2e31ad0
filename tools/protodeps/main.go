// Command protodeps writes the third-party .proto files that our contracts import into a git-ignored
// buf module. It prints them from the descriptors linked into pinned Go modules, so that tools/go.mod
// is the one place that says which version we build against, and nothing is copied into the repository.
package main

import (
	"bytes"
	"flag"
	"log"
	"os"
	"path/filepath"
	"strings"

	_ "buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	_ "github.com/grpc-ecosystem/grpc-gateway/v2/protoc-gen-openapiv2/options"
	"github.com/jhump/protoreflect/v2/protoprint"
	_ "google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
)

// roots are the files that our contracts import; what these import in turn comes with them.
var roots = []string{
	"buf/validate/validate.proto",
	"google/api/annotations.proto",
	"google/api/field_behavior.proto",
	"protoc-gen-openapiv2/options/annotations.proto",
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("protodeps: ")
	out := flag.String("out", ".proto-deps", "folder to write to")
	flag.Parse()
	files := map[string]protoreflect.FileDescriptor{}
	for _, path := range roots {
		file, err := protoregistry.GlobalFiles.FindFileByPath(path)
		if err != nil {
			log.Fatalf("%s: %v", path, err)
		}
		collect(file, files)
	}
	for _, file := range files {
		if err := write(file, *out); err != nil {
			log.Fatal(err)
		}
	}
}

// collect adds the file and all that it imports, but for google/protobuf, which buf carries itself.
func collect(file protoreflect.FileDescriptor, into map[string]protoreflect.FileDescriptor) {
	if into[file.Path()] != nil || strings.HasPrefix(file.Path(), "google/protobuf/") {
		return
	}
	into[file.Path()] = file
	for i := range file.Imports().Len() {
		collect(file.Imports().Get(i).FileDescriptor, into)
	}
}

// write leaves a file alone that is right already, so that tools that watch times see no change.
func write(file protoreflect.FileDescriptor, folder string) error {
	var text bytes.Buffer
	printer := protoprint.Printer{Compact: true}
	if err := printer.PrintProtoFile(file, &text); err != nil {
		return err
	}
	path := filepath.Join(folder, filepath.FromSlash(file.Path()))
	if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, text.Bytes()) {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, text.Bytes(), 0o644)
}
