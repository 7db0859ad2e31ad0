package stack

import (
	"bufio"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// Instruction is one of a Dockerfile, with the lines that it goes on in joined by spaces: COPY, and `gen gen`.
type Instruction struct{ Name, Args string }

// Dockerfile reads the instructions of a Dockerfile.
func Dockerfile(text string) []Instruction {
	var all []Instruction
	var said strings.Builder
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		part, goesOn := strings.CutSuffix(line, `\`)
		said.WriteString(strings.TrimSpace(part) + " ")
		if !goesOn {
			name, args, _ := strings.Cut(strings.TrimSpace(said.String()), " ")
			all = append(all, Instruction{strings.ToUpper(name), strings.TrimSpace(args)})
			said.Reset()
		}
	}
	return all
}

// Command gives what RUN gives to the shell: its arguments without its own flags.
func Command(args string) string {
	for strings.HasPrefix(args, "--") {
		_, args, _ = strings.Cut(args, " ")
		args = strings.TrimSpace(args)
	}
	return args
}

// Ignored is what a .dockerignore keeps out of a build. It knows the patterns that ours has: everything but some folders, and names
// that are kept out anywhere.
type Ignored struct{ folders, names []string }

// ReadIgnored reads a .dockerignore.
func ReadIgnored(file string) (Ignored, error) {
	var ignored Ignored
	text, err := os.ReadFile(file)
	if err != nil {
		return ignored, err
	}
	everything := false
	for lines := bufio.NewScanner(strings.NewReader(string(text))); lines.Scan(); {
		switch line := lines.Text(); {
		case line == "" || strings.HasPrefix(line, "#"):
		case line == "*":
			everything = true
		case strings.HasPrefix(line, "!"):
			ignored.folders = append(ignored.folders, line[1:])
		case strings.HasPrefix(line, "**/"):
			ignored.names = append(ignored.names, line[3:])
		default:
			return ignored, fmt.Errorf("the pattern %q is none of those that are known here", line)
		}
	}
	if !everything {
		return ignored, fmt.Errorf("not everything is ignored at first: %s", text)
	}
	return ignored, nil
}

// Has tells whether a path is kept out.
func (i Ignored) Has(file string) bool {
	out := true
	for _, folder := range i.folders {
		if file == folder || strings.HasPrefix(file, folder+"/") {
			out = false
		}
	}
	for part := range strings.SplitSeq(file, "/") {
		for _, name := range i.names {
			if match, err := path.Match(name, part); match || err != nil {
				return true
			}
		}
	}
	return out
}

// Copy copies a folder of the repository as COPY does.
func (i Ignored) Copy(root, folder, to string) error {
	files := 0
	from := os.DirFS(root)
	err := fs.WalkDir(from, folder, func(file string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case i.Has(file) && entry.IsDir():
			return fs.SkipDir
		case i.Has(file) || entry.IsDir():
			return nil
		}
		files++
		content, err := fs.ReadFile(from, file)
		if err != nil {
			return err
		}
		target := filepath.Join(to, filepath.FromSlash(file))
		if err := os.MkdirAll(filepath.Dir(target), 0o700); err != nil {
			return err
		}
		return os.WriteFile(target, content, 0o600)
	})
	if err == nil && files == 0 {
		err = fmt.Errorf("COPY %s: the build is given none of it", folder)
	}
	return err
}
