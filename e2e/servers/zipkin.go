//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
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
	port, err := freePort()
	if err != nil {
		return "", err
	}
	server := exec.Command("java", "-Xmx256m", "-jar", program)
	server.Env = append(os.Environ(), "QUERY_PORT="+strconv.Itoa(port), "STORAGE_TYPE=mem")
	return fmt.Sprintf("http://127.0.0.1:%d", port), s.launch(ctx, "zipkin", port, server)
}
