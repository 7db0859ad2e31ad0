package stack

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestReadsDockerfile(t *testing.T) {
	t.Parallel()
	got := Dockerfile("# A comment.\n\nFROM a AS b\nrun --mount=type=cache,target=/x \\\n    --mount=type=cache,target=/y \\\n    A=1 \\\n    # Between.\n    go build\n")
	want := []Instruction{{"FROM", "a AS b"}, {"RUN", "--mount=type=cache,target=/x --mount=type=cache,target=/y A=1 go build"}}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := Command(want[1].Args); got != "A=1 go build" {
		t.Errorf("command %q", got)
	}
}

func TestIgnored(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), ".dockerignore")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("# Words.\n*\n!mesh\n**/*_test.go\n**/testdata\n")
	ignored, err := ReadIgnored(file)
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]bool{
		"mesh": false, "mesh/go.mod": false, "mesh/a/b.go": false,
		"meshes/a.go": true, ".git": true, "mesh/a/b_test.go": true, "mesh/testdata/a.go": true,
	} {
		if got := ignored.Has(path); got != want {
			t.Errorf("%s: kept out %v, want %v", path, got, want)
		}
	}
	if err := ignored.Copy("..", "stack", t.TempDir()); err == nil {
		t.Error("copied what the build is not given")
	}
	for _, text := range []string{"!mesh\n", "*\n/dev/*.go\n"} {
		write(text)
		if _, err := ReadIgnored(file); err == nil {
			t.Errorf("%q: no error", text)
		}
	}
}
