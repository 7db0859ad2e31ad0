//go:build linux

package main

import (
	"archive/zip"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"

	"eventprospect/dev/stack"
)

const keycloakVersion = "26.4.0"

// startKeycloak starts Keycloak in development mode with the realm of this repository.
func startKeycloak(ctx context.Context, s *set) (string, error) {
	folder, err := s.newFolder("keycloak")
	if err != nil {
		return "", err
	}
	archive, err := fetch(ctx, folder, "org.keycloak:keycloak-quarkus-dist:"+keycloakVersion+":zip")
	if err != nil {
		return "", err
	}
	if err := extract(archive, folder); err != nil {
		return "", err
	}
	home := filepath.Join(folder, "keycloak-"+keycloakVersion)
	imports := filepath.Join(home, "data", "import")
	if err := os.MkdirAll(imports, 0o700); err != nil {
		return "", err
	}
	if err := write(filepath.Join(imports, "EventProspect-realm.json"), stack.Realm); err != nil {
		return "", err
	}
	port, err := freePort()
	if err != nil {
		return "", err
	}
	server := exec.Command(filepath.Join(home, "bin", "kc.sh"), "start-dev", "--import-realm",
		"--http-host=127.0.0.1", "--http-port="+strconv.Itoa(port))
	return fmt.Sprintf("http://127.0.0.1:%d", port), s.launch(ctx, "keycloak", port, server)
}

// extract unpacks an archive into a folder, and leaves no place for a name that would lead out of it.
func extract(archive, folder string) error {
	reader, err := zip.OpenReader(archive)
	if err != nil {
		return err
	}
	defer func() { _ = reader.Close() }() // it was only read
	for _, file := range reader.File {
		if !filepath.IsLocal(file.Name) {
			return fmt.Errorf("%s: %q leads out of the folder", archive, file.Name)
		}
		if err := extractFile(file, filepath.Join(folder, file.Name)); err != nil {
			return err
		}
	}
	return nil
}

func extractFile(file *zip.File, path string) error {
	if file.FileInfo().IsDir() {
		return os.MkdirAll(path, 0o755)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	from, err := file.Open()
	if err != nil {
		return err
	}
	defer func() { _ = from.Close() }() // it was only read
	to, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, file.Mode())
	if err != nil {
		return err
	}
	if _, err := io.Copy(to, from); err != nil {
		_ = to.Close() // that copying failed is what matters
		return err
	}
	return to.Close()
}
