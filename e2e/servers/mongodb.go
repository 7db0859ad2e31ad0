//go:build linux

package main

import (
	"context"
	"embed"
	"os/exec"
	"path/filepath"

	"eventprospect/e2e/prepared"
)

var (
	//go:embed mongodb/pom.xml
	mongoProject embed.FS
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
	classes, err := prepared.Classes(ctx, "mongodb", mongoProject)
	if err != nil {
		return "", err
	}
	address, port, err := freeAddress()
	if err != nil {
		return "", err
	}
	server := exec.Command("java", "-Xmx512m", "-cp", classes, program, filepath.Join(folder, "data"), port)
	return "mongodb://" + address + "/test", s.launch(ctx, "mongodb", address, server)
}
