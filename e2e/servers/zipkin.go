//go:build linux

package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"eventprospect/e2e/process"
)

// startZipkin starts Zipkin, which keeps its traces in memory.
func startZipkin(ctx context.Context, s *set) (string, error) {
	folder, err := s.newFolder("zipkin")
	if err != nil {
		return "", err
	}
	program, err := fetch(ctx, folder, "io.zipkin:zipkin-server:3.5.1:jar:exec")
	if err != nil {
		return "", err
	}
	address, port, err := freeAddress()
	if err != nil {
		return "", err
	}
	server := exec.Command("java", "-Xmx256m", "-jar", program)
	server.Env = append(os.Environ(), "QUERY_PORT="+port, "STORAGE_TYPE=mem")
	return "http://" + address, s.launch(ctx, "zipkin", address, server)
}

// fetch has Maven put one artifact into a folder, and gives the path of the file. It is downloaded once for all runs.
func fetch(ctx context.Context, folder, artifact string) (string, error) {
	err := process.Complete(exec.CommandContext(ctx, "mvn", "-q", "-B", "dependency:copy", "-Dartifact="+artifact, "-DoutputDirectory="+folder))
	if err != nil {
		return "", err
	}
	part := strings.Split(artifact, ":") // group, name, version, kind and, for some, classifier
	name := part[1] + "-" + part[2]
	if len(part) > 4 {
		name += "-" + part[4]
	}
	return filepath.Join(folder, name+"."+part[3]), nil
}
