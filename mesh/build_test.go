package mesh

import (
	"net"
	"runtime/debug"
	"testing"
)

// build makes what the Go tools note in an executable.
func build(version string, settings ...string) *debug.BuildInfo {
	info := &debug.BuildInfo{Main: debug.Module{Version: version}}
	for i := 0; i < len(settings); i += 2 {
		info.Settings = append(info.Settings, debug.BuildSetting{Key: settings[i], Value: settings[i+1]})
	}
	return info
}

func TestTheVersionIsTheCommitOrElseTheModules(t *testing.T) {
	t.Parallel()
	const commit = "3cc81e4f0d1a2b3c4d5e6f708192a3b4c5d6e7f8"
	for name, c := range map[string]struct {
		build *debug.BuildInfo
		want  string
	}{
		"a clean commit":      {build("v0.0.0-2026", "GOOS", "linux", "vcs.revision", commit, "vcs.modified", "false"), "3cc81e4f0d1a"},
		"a changed tree":      {build("", "vcs.modified", "true", "vcs.revision", commit), "3cc81e4f0d1a-dirty"},
		"a short hash":        {build("", "vcs.revision", "3cc81e4"), "3cc81e4"},
		"a released module":   {build("v1.2.3"), "v1.2.3"},
		"built from a folder": {build("(devel)"), ""},
		"a test":              {build(""), ""},
		"not known at all":    {nil, ""},
	} {
		if got := versionOf(c.build); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

func TestTheRegistryIsToldTheVersion(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	app := &App{Name: "event", listener: listener}
	if got := app.instance(build("v1.2.3")).GetMetadata(); len(got) != 1 || got["version"] != "v1.2.3" {
		t.Errorf("metadata is %v", got)
	}
	if got := app.instance(nil).GetMetadata(); len(got) != 0 {
		t.Errorf("metadata is %v", got)
	}
}
