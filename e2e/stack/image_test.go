package stack

import (
	"context"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/compose-spec/compose-go/v2/types"

	"eventprospect/mesh/meshtest"
)

// patience is how long a process may take to answer on a busy machine.
const patience = 30 * time.Second

// TestDockerfile checks what the image is made of.
func TestDockerfile(t *testing.T) {
	t.Parallel()
	instructions := dockerfile(t)
	said := func(name, pattern string) bool {
		return slices.ContainsFunc(instructions, func(i Instruction) bool {
			return i.Name == name && regexp.MustCompile(pattern).MatchString(i.Args)
		})
	}
	for _, want := range []struct{ name, pattern string }{
		{"FROM", `^--platform=\$BUILDPLATFORM golang:1\.26\.\d+-\w+ AS build$`},
		{"ARG", `^PROCESS$`},
		{"RUN", `^--mount=type=cache,.* GOWORK=off CGO_ENABLED=0 go build .*-trimpath `},
		{"FROM", `^scratch$`},
		{"COPY", `^--from=build /etc/ssl/certs/ca-certificates\.crt `},
		{"USER", `^[1-9]\d*:[1-9]\d*$`},
		{"EXPOSE", `^8081 8080 9090 8761$`},
		{"HEALTHCHECK", ` CMD \["/process", "health"\]$`},
		{"ENTRYPOINT", `^\["/process"\]$`},
	} {
		if !said(want.name, want.pattern) {
			t.Errorf("no %s like %s in %q", want.name, want.pattern, instructions)
		}
	}
	if said("COPY", `^\.`) || said("ADD", ``) {
		t.Error("more is copied than is needed")
	}
}

// TestProcesses builds every process as the Dockerfile does, out of what that copies, and runs it with the settings that compose.yaml
// gives it: a setting that doesn't exist, or can't work, would end it. Then it asks for health as the container does.
func TestProcesses(t *testing.T) {
	t.Parallel()
	project, err := Load(t.Context(), filepath.Join(root, "compose.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	built := map[string]bool{}
	for name, service := range project.Services {
		if service.Build == nil {
			continue
		}
		built[name] = true
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			checkProcess(t, name, service)
		})
	}
	if len(built) != 4 {
		t.Errorf("processes %v, want four", built)
	}
}

func checkProcess(t *testing.T, name string, service types.ServiceConfig) {
	process := service.Build.Args["PROCESS"]
	if process == nil || service.Build.Dockerfile != "deploy/Dockerfile" {
		t.Fatalf("build: %+v", service.Build)
	}
	if check := strings.Join(service.HealthCheck.Test, " "); check != "CMD /process health" {
		t.Errorf("health check: %s", check)
	}
	program := build(t, *process)
	prefix := strings.ToUpper(name)
	port := freePort(t)
	settings := []string{prefix + "_LISTEN=:0", prefix + "_ADMIN=:" + port}
	for key, v := range service.Environment {
		if v == nil {
			t.Fatalf("%s has no value", key)
		}
		if key != prefix+"_LISTEN" && key != prefix+"_ADMIN" {
			settings = append(settings, key+"="+*v)
		}
	}
	awaitAlive(t, port, start(t, program, settings))
	said, err := health(t.Context(), program, settings)
	if err != nil && !strings.Contains(said, "not ready: ") && !strings.Contains(said, "deadline exceeded") {
		t.Errorf("health of a process that waits for what isn't here: %v: %s", err, said)
	}
	said, err = health(t.Context(), program, append(settings, prefix+"_NONSENSE=1"))
	if err == nil || !strings.Contains(said, "stands for no setting") {
		t.Errorf("with a setting that does not exist: %v: %s", err, said)
	}
}

// TestTheOperatorsTool runs it with the settings of compose.yaml: it can't reach anything here, but finds nothing wrong with them.
func TestTheOperatorsTool(t *testing.T) {
	t.Parallel()
	project, err := Load(t.Context(), filepath.Join(root, "compose.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	service := project.DisabledServices["meshctl"] // it is in a profile
	program := build(t, *service.Build.Args["PROCESS"])
	settings := []string{"MESHCTL_CALLS_TIMEOUT=100ms"}
	for key, v := range service.Environment {
		settings = append(settings, key+"="+*v)
	}
	const unreachable, usage = 4, 2
	for code, settings := range map[int][]string{unreachable: settings, usage: append(settings, "MESHCTL_NONSENSE=1")} {
		command := exec.CommandContext(t.Context(), program, "status")
		command.Env = settings
		if said, _ := command.CombinedOutput(); command.ProcessState.ExitCode() != code {
			t.Errorf("exit code %d, want %d: %s", command.ProcessState.ExitCode(), code, said)
		}
	}
}

// build does what the first stage of the Dockerfile does, and returns the path of the program.
func build(t *testing.T, process string) string {
	t.Helper()
	src, out := t.TempDir(), t.TempDir()
	ignored, err := ReadIgnored(filepath.Join(root, ".dockerignore"))
	if err != nil {
		t.Fatal(err)
	}
	command := ""
	for _, i := range dockerfile(t) {
		switch {
		case i.Name == "COPY" && !strings.HasPrefix(i.Args, "--"):
			from, to, _ := strings.Cut(strings.ReplaceAll(i.Args, "${PROCESS}", process), " ")
			if from != to {
				t.Fatalf("COPY %s: the copy is elsewhere", i.Args)
			}
			if err := ignored.Copy(root, from, src); err != nil {
				t.Fatal(err)
			}
		case i.Name == "RUN":
			command += Command(i.Args) + "\n"
		}
	}
	if strings.Count(command, " /out/process") != 1 {
		t.Fatalf("RUN %s: want one program", command)
	}
	program := filepath.Join(out, "process")
	shell := exec.CommandContext(t.Context(), "sh", "-ec", strings.Replace(command, " /out/process", " "+program, 1))
	shell.Dir = src
	shell.Env = append(os.Environ(), "PROCESS="+process)
	if output, err := shell.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", command, err, output)
	}
	return program
}

func dockerfile(t *testing.T) []Instruction {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "deploy/Dockerfile"))
	if err != nil {
		t.Fatal(err)
	}
	return Dockerfile(string(text))
}

// start starts a program with nothing but these settings. It ends with the test; what it wrote is sent if it ends before.
func start(t *testing.T, program string, settings []string) <-chan string {
	t.Helper()
	var output strings.Builder
	cmd := exec.Command(program)
	cmd.Env, cmd.Dir, cmd.Stdout, cmd.Stderr = settings, t.TempDir(), &output, &output
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended, waited := make(chan string, 1), make(chan struct{})
	go func() {
		_ = cmd.Wait() // that it ended says enough
		ended <- output.String()
		close(waited)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have ended by itself
		<-waited
	})
	return ended
}

// awaitAlive returns when the process that has this admin port says that it lives.
func awaitAlive(t *testing.T, port string, ended <-chan string) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		answer, err := http.Get("http://127.0.0.1:" + port + "/livez")
		if err == nil {
			answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return
			}
		}
		select {
		case output := <-ended:
			t.Fatalf("does not run with its settings: %s", output)
		default:
		}
		if time.Now().After(deadline) {
			t.Fatalf("does not live: %v", err)
		}
	}
}

// health runs the health check of the container.
func health(ctx context.Context, program string, settings []string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, "health")
	cmd.Env = settings
	said, err := cmd.CombinedOutput()
	return string(said), err
}

func freePort(t *testing.T) string {
	t.Helper()
	_, port, err := net.SplitHostPort(meshtest.FreeAddress(t))
	if err != nil {
		t.Fatal(err)
	}
	return port
}
