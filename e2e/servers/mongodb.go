//go:build linux

package main

import (
	"context"
	_ "embed"
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
)

var (
	//go:embed mongodb/pom.xml
	mongoProject []byte
	//go:embed mongodb/StandIn.java
	mongoProgram []byte
)

// startMongoDB starts the stand-in for MongoDB, mongo-java-server, which keeps its data in an H2 file.
func startMongoDB(ctx context.Context, s *set) (string, error) {
	folder, err := s.newFolder("mongodb")
	if err != nil {
		return "", err
	}
	program := filepath.Join(folder, "StandIn.java")
	if err := write(program, mongoProgram); err != nil {
		return "", err
	}
	classes, err := classPath(ctx, folder, mongoProject)
	if err != nil {
		return "", err
	}
	port, err := freePort()
	if err != nil {
		return "", err
	}
	server := exec.Command("java", "-Xmx512m", "-cp", classes, program, filepath.Join(folder, "data"), strconv.Itoa(port))
	return fmt.Sprintf("mongodb://127.0.0.1:%d/test", port), s.launch(ctx, "mongodb", port, server)
}
