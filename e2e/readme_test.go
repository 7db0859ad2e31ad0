package e2e_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"eventprospect/dev/system"
	"eventprospect/e2e/client"
)

const (
	readme  = "../README.md"
	grpcurl = "../.bin/grpcurl"
)

// TestTheReadmeWorks pastes the main path of the README into a shell, as a reader would, with a system on other ports.
func TestTheReadmeWorks(t *testing.T) {
	t.Parallel()
	need(t, "bash", "curl", "sed")
	blocks := mainPath(t)
	w := newWorldOf(t, system.Config{})
	mustSay(t, w.paste(t, patiently(t, blocks[0])), "HTTP/1.1 201", "PROSPECT_CREATED", "PROSPECT_UPDATED", "PROSPECT_DELETED")

	t.Run("grpcurl", func(t *testing.T) {
		if len(blocks) < 2 || !strings.Contains(blocks[1], "grpcurl") {
			t.Fatal("the second block of the main path has no grpcurl")
		}
		if _, err := os.Stat(grpcurl); err != nil {
			if os.Getenv("EVENTPROSPECT_TEST_NO_SKIP") != "" {
				t.Fatalf("not installed: %v", err)
			}
			t.Skipf("not installed, run `task setup`: %v", err)
		}
		// What the first block has set in the shell is still set.
		out := w.paste(t, blocks[0]+"echo over gRPC:\n"+patiently(t, blocks[1]))
		_, out, _ = strings.Cut(out, "over gRPC:")
		mustSay(t, out, `"firstName": "Grace"`, "PROSPECT_CREATED", "PROSPECT_UPDATED", "PROSPECT_DELETED")
	})
}

// patiently asks for the history until it is complete, with the block's own command: events follow in their own time, and a
// shell is fast.
func patiently(t *testing.T, block string) string {
	t.Helper()
	ask := ""
	for line := range strings.Lines(block) {
		if strings.Contains(line, "prospectId") {
			ask = strings.TrimSpace(line)
		}
	}
	if ask == "" {
		t.Fatalf("nothing asks for the history:\n%s", block)
	}
	return block + "\nuntil " + ask + " | tee /dev/stderr | grep -q PROSPECT_DELETED; do :; done\n"
}

func need(t *testing.T, commands ...string) {
	t.Helper()
	for _, command := range commands {
		if _, err := exec.LookPath(command); err != nil {
			t.Skipf("this machine has no %s", command)
		}
	}
}

var (
	heading = regexp.MustCompile(`(?m)^## The main path *$`)
	section = regexp.MustCompile(`(?m)^## `)
	block   = regexp.MustCompile("(?ms)^```sh *\n(.*?)^``` *$")
)

// mainPath gives the shell blocks of the README's main path.
func mainPath(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	begin := heading.FindIndex(text)
	if begin == nil {
		t.Fatal(`the README has no heading "## The main path"`)
	}
	text = text[begin[1]:]
	if end := section.FindIndex(text); end != nil {
		text = text[:end[0]]
	}
	var blocks []string
	for _, found := range block.FindAllSubmatch(text, -1) {
		blocks = append(blocks, string(found[1]))
	}
	if len(blocks) == 0 || !strings.Contains(blocks[0], "curl ") {
		t.Fatal("the first block of the main path has no curl")
	}
	return blocks
}

// paste runs commands of the README in a shell, and returns what they print.
func (w *world) paste(t *testing.T, commands string) string {
	t.Helper()
	tools, err := filepath.Abs(filepath.Dir(grpcurl))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), client.Patience)
	defer cancel()
	shell := exec.CommandContext(ctx, "bash", "-c", w.readdress(commands))
	shell.Dir = ".."
	shell.Env = append(os.Environ(), "PATH="+tools+":"+os.Getenv("PATH"))
	out, err := shell.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return string(out)
}

// readdress puts the addresses of this system in the place of the known ones.
func (w *world) readdress(text string) string {
	for known, here := range map[string]string{
		"8081": strings.TrimPrefix(w.system.Gateway, "http://"),
		"8180": strings.Split(w.system.Issuer, "/")[2],
		"8080": w.system.Event,
		"9090": w.system.Prospect,
		"8761": w.system.Registry,
		"9092": w.system.Kafka,
	} {
		text = regexp.MustCompile(`(localhost|127\.0\.0\.1):`+known+`\b`).ReplaceAllString(text, here)
	}
	return text
}

func mustSay(t *testing.T, out string, words ...string) {
	t.Helper()
	for _, word := range words {
		if !strings.Contains(out, word) {
			t.Errorf("the output doesn't say %q:\n%s", word, out)
		}
	}
}
