//go:build linux

package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// classPath has Maven fetch what a project depends on, once for all runs, and gives the class path of it.
func classPath(ctx context.Context, folder string, project []byte) (string, error) {
	pom, path := filepath.Join(folder, "pom.xml"), filepath.Join(folder, "classpath")
	if err := write(pom, project); err != nil {
		return "", err
	}
	if err := complete(exec.CommandContext(ctx, "mvn", "-q", "-B", "-f", pom, "dependency:build-classpath", "-Dmdep.outputFile="+path)); err != nil {
		return "", err
	}
	classes, err := os.ReadFile(path)
	return strings.TrimSpace(string(classes)), err
}

// fetch has Maven put one artifact into a folder, and gives the path of the file. It is downloaded once for all runs.
func fetch(ctx context.Context, folder, artifact string) (string, error) {
	err := complete(exec.CommandContext(ctx, "mvn", "-q", "-B", "dependency:copy", "-Dartifact="+artifact, "-DoutputDirectory="+folder))
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

func write(path string, content []byte) error { return os.WriteFile(path, content, 0o600) }
