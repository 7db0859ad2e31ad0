package mesh

import (
	"context"
	"fmt"
	"net"
	"os"
	"runtime/debug"
	"time"

	registryv1 "eventprospect/gen/registry/v1"
	"eventprospect/mesh/discovery"
)

const (
	// drainTimeout bounds how long a stopping process tries to tell the registry so.
	drainTimeout = time.Second
	// commitLength is how much of a commit's hash is told: enough to find it.
	commitLength = 12
)

// join registers this instance, if a registry is configured, and takes it out first when the process stops.
func (a *App) join() {
	if a.registry == nil {
		return
	}
	build, _ := debug.ReadBuildInfo()
	member := discovery.NewMember(a.registry, a.instance(build), a.Log)
	a.joined = member.Joined()
	a.Go("registration", member.Run)
	a.OnStop(func(ctx context.Context) error {
		telling, cancel := context.WithTimeout(ctx, drainTimeout)
		defer cancel()
		member.Drain(telling)
		pause(ctx, a.config.Drain)
		return nil
	})
}

// Address is the host and port under which others reach the main listener.
func (a *App) Address() string {
	if a.config.Advertise != "" {
		return a.config.Advertise
	}
	return a.listener.Addr().String()
}

// ID names this process among those of its service; it stays the same when the process starts again where it was.
func (a *App) ID() string {
	host, _ := os.Hostname()
	return fmt.Sprintf("%s-%s", host, portOf(a.Address()))
}

// instance is what the registry is told of this process.
func (a *App) instance(build *debug.BuildInfo) *registryv1.Instance {
	instance := &registryv1.Instance{
		Service: a.Name, Id: a.ID(), Address: a.Address(), Status: registryv1.Instance_UP, Zone: a.config.Zone,
	}
	if version := versionOf(build); version != "" {
		instance.Metadata = map[string]string{"version": version}
	}
	return instance
}

// versionOf tells what was built: the commit, with "-dirty" if files were changed since, or else the module's version. It
// is empty if that isn't known, as in a test. A nil build is not known.
func versionOf(build *debug.BuildInfo) string {
	if build == nil {
		return ""
	}
	settings := map[string]string{}
	for _, s := range build.Settings {
		settings[s.Key] = s.Value
	}
	if commit := settings["vcs.revision"]; commit != "" {
		version := commit[:min(commitLength, len(commit))]
		if settings["vcs.modified"] == "true" {
			version += "-dirty"
		}
		return version
	}
	if build.Main.Version == "(devel)" {
		return ""
	}
	return build.Main.Version
}

// awaitJoin calls back once this instance can be found. It doesn't hold up the process: the registry may come later.
func (a *App) awaitJoin(ctx context.Context, started func()) {
	if a.joined == nil {
		started()
		return
	}
	go func() {
		select {
		case <-a.joined:
			started()
		case <-ctx.Done():
		}
	}()
}

func portOf(address string) string {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	return port
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
