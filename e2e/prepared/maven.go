//go:build linux

package prepared

import (
	"context"
	"io/fs"
	"path/filepath"

	"eventprospect/e2e/process"
)

// Classes has Maven fetch what a project depends on, and gives the class path of it. The project is the pom.xml in files, in a folder called name.
func Classes(ctx context.Context, name string, files fs.FS) (string, error) {
	folder, err := Folder(ctx, name, files, func(folder string) error {
		return process.Complete(Command(ctx, filepath.Join(folder, name), "mvn", "-q", "-B", "dependency:copy-dependencies",
			"-DincludeScope=runtime", "-DoutputDirectory="+filepath.Join(folder, "lib")))
	})
	return filepath.Join(folder, "lib", "*"), err
}
