//go:build linux

package main

import (
	"context"
	"embed"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"

	"eventprospect/dev/stack"
	"eventprospect/e2e/prepared"
	"eventprospect/e2e/process"
)

// keycloakProject pins Keycloak's distribution.
//
//go:embed keycloak/pom.xml
var keycloakProject embed.FS

// keycloakAdmin rules all realms of the Keycloak of tests; the password is compose.yaml's, too.
var keycloakAdmin = url.UserPassword("admin", "development")

// startKeycloak starts Keycloak as in production, but with a database in memory, and with the realm of this repository. The
// address names the administrator, too.
func startKeycloak(ctx context.Context, s *set) (string, error) {
	distribution, err := prepareKeycloak(ctx)
	if err != nil {
		return "", err
	}
	home, err := s.newFolder("keycloak")
	if err != nil {
		return "", err
	}
	if err := furnish(home, distribution); err != nil {
		return "", err
	}
	address, port, err := freeAddress()
	if err != nil {
		return "", err
	}
	at := url.URL{Scheme: "http", Host: "localhost:" + port}
	server := keycloak(context.Background(), home, "start", "--optimized", "--import-realm", "--cache=local", "--log-level=warn",
		"--http-enabled=true", "--http-host=127.0.0.1", "--http-port="+port, "--hostname="+at.String())
	password, _ := keycloakAdmin.Password()
	server.Env = append(os.Environ(), "KC_BOOTSTRAP_ADMIN_USERNAME="+keycloakAdmin.Username(), "KC_BOOTSTRAP_ADMIN_PASSWORD="+password)
	at.User = keycloakAdmin
	return at.String(), s.launch(ctx, "keycloak", address, server)
}

// prepareKeycloak gives the folder of the distribution, built: what it takes to fit the server to its database is done once.
func prepareKeycloak(ctx context.Context) (string, error) {
	folder, err := prepared.Folder(ctx, "keycloak", keycloakProject, func(folder string) error {
		if err := process.Complete(prepared.Command(ctx, filepath.Join(folder, "keycloak"), "mvn", "-q", "-B", "dependency:unpack")); err != nil {
			return err
		}
		home, err := distributionIn(folder)
		if err != nil {
			return err
		}
		return process.Complete(keycloak(ctx, home, "build", "--db=dev-mem"))
	})
	if err != nil {
		return "", err
	}
	return distributionIn(folder)
}

// distributionIn gives the one folder that unpacking has made; its name has the version.
func distributionIn(folder string) (string, error) {
	found, err := filepath.Glob(filepath.Join(folder, "keycloak", "keycloak-*"))
	if err != nil {
		return "", err
	}
	if len(found) != 1 {
		return "", fmt.Errorf("%s has %d distributions of Keycloak, want 1", folder, len(found))
	}
	return found[0], nil
}

// furnish makes a folder that Keycloak can live in: the distribution, which it only reads, and data of its own.
func furnish(home, distribution string) error {
	for _, part := range []string{"conf", "lib", "providers", "themes"} {
		if err := os.Symlink(filepath.Join(distribution, part), filepath.Join(home, part)); err != nil {
			return err
		}
	}
	imports := filepath.Join(home, "data", "import")
	if err := os.MkdirAll(imports, 0o700); err != nil {
		return err
	}
	return write(filepath.Join(imports, "EventProspect-realm.json"), stack.Realm)
}

// keycloak makes a command of the Keycloak in a folder. It is what bin/kc.sh runs, but without the shell between, which ends
// at a signal and leaves Keycloak running.
func keycloak(ctx context.Context, home string, args ...string) *exec.Cmd {
	machine := []string{
		"-Xmx512m", "-XX:+UseSerialGC", "-XX:+ExitOnOutOfMemoryError",
		"-Dkc.home.dir=" + home, "-Djboss.server.config.dir=" + filepath.Join(home, "conf"),
		"-Djava.util.logging.manager=org.jboss.logmanager.LogManager", "-Dpicocli.disable.closures=true",
		"-Djava.util.concurrent.ForkJoinPool.common.threadFactory=io.quarkus.bootstrap.forkjoin.QuarkusForkJoinWorkerThreadFactory",
		"--add-opens=java.base/java.util=ALL-UNNAMED", "--add-opens=java.base/java.util.concurrent=ALL-UNNAMED",
		"--add-opens=java.base/java.security=ALL-UNNAMED",
		"-cp", filepath.Join(home, "lib", "quarkus-run.jar"), "io.quarkus.bootstrap.runner.QuarkusEntryPoint",
	}
	return exec.CommandContext(ctx, "java", append(machine, args...)...)
}
