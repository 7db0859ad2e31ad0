// Package stack holds the rules for compose.yaml and for the image of our processes.
package stack

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"

	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
)

// Load reads a compose file as Docker does, with nothing from the environment. What its schema doesn't have is an error.
func Load(ctx context.Context, path string) (*types.Project, error) {
	return loader.LoadWithContext(ctx, types.ConfigDetails{
		WorkingDir:  filepath.Dir(path),
		ConfigFiles: []types.ConfigFile{{Filename: path}},
		Environment: types.Mapping{},
	})
}

// A rule speaks for every service; it gives what breaks it, or nothing.
type rule struct {
	name   string
	broken func(types.ServiceConfig) string
}

var rules = []rule{
	{"an image is pinned to a version", unpinned},
	{"a port is open to this machine alone", open},
	{"a service has a health check", unchecked},
	{"a dependency is waited for until it is healthy", unawaited},
	{"what is kept has a name, and what is mounted is there to be read", astray},
	{"a service comes back", gone},
	{"a process of ours may do nothing but its work", privileged},
}

// Broken lists what breaks a rule, as service: rule: what.
func Broken(project *types.Project) []string {
	var all []string
	used := map[string]bool{}
	for name, service := range project.Services {
		for _, r := range rules {
			if what := r.broken(service); what != "" {
				all = append(all, fmt.Sprintf("%s: %s: %s", name, r.name, what))
			}
		}
		for _, mount := range service.Volumes {
			used[mount.Source] = true
		}
	}
	for name := range project.Volumes {
		if !used[name] {
			all = append(all, fmt.Sprintf("%s: %s", name, unusedVolume))
		}
	}
	slices.Sort(all)
	return all
}

// unusedVolume is the one rule that isn't about a service.
const unusedVolume = "a volume is used"

// version is the end of an image's name: a tag that begins with a number, or a digest.
var version = regexp.MustCompile(`:v?[0-9][^/:]*$|@sha256:[0-9a-f]{64}$`)

func unpinned(s types.ServiceConfig) string {
	if s.Build != nil && s.Image == "" || version.MatchString(s.Image) {
		return ""
	}
	return fmt.Sprintf("image %q", s.Image)
}

func open(s types.ServiceConfig) string {
	for _, port := range s.Ports {
		if port.HostIP != "127.0.0.1" || port.Published == "" {
			return fmt.Sprintf("%d at %q", port.Target, port.HostIP+":"+port.Published)
		}
	}
	if s.NetworkMode == "host" {
		return "the host's network"
	}
	return ""
}

func unchecked(s types.ServiceConfig) string {
	if h := s.HealthCheck; h == nil || h.Disable || len(h.Test) == 0 || h.Test[0] == "NONE" {
		return "none"
	}
	return ""
}

func unawaited(s types.ServiceConfig) string {
	for name, on := range s.DependsOn {
		if on.Condition != types.ServiceConditionHealthy && on.Condition != types.ServiceConditionCompletedSuccessfully {
			return name + " " + on.Condition
		}
	}
	return ""
}

func astray(s types.ServiceConfig) string {
	for _, mount := range s.Volumes {
		switch mount.Type {
		case types.VolumeTypeVolume:
			if mount.Source == "" {
				return mount.Target + " is kept without a name"
			}
		case types.VolumeTypeBind:
			if _, err := os.Stat(mount.Source); err != nil || !mount.ReadOnly {
				return filepath.Base(mount.Source) + " is missing or can be written"
			}
		}
	}
	return ""
}

func gone(s types.ServiceConfig) string {
	if s.Restart != types.RestartPolicyUnlessStopped {
		return fmt.Sprintf("restart %q", s.Restart)
	}
	return ""
}

func privileged(s types.ServiceConfig) string {
	switch {
	case s.Build == nil:
	case !s.ReadOnly:
		return "can write to its image"
	case !slices.Equal(s.CapDrop, []string{"ALL"}) || len(s.CapAdd) > 0 || s.Privileged:
		return "has capabilities"
	case !slices.Contains(s.SecurityOpt, "no-new-privileges:true"):
		return "can gain privileges"
	case s.MemLimit == 0:
		return "can take all memory"
	}
	return ""
}
