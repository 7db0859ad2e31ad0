//go:build linux

package main

import (
	"context"
	_ "embed"
	"fmt"
	"os/exec"
	"path/filepath"
)

var (
	//go:embed kafka/pom.xml
	kafkaProject []byte
	//go:embed kafka/server.properties
	kafkaSettings string
)

// clusterID is any UUID in Kafka's spelling; each cluster is new.
const clusterID = "MkU3OEVBNTcwNTJENDM2Qg"

// startKafka starts one Apache Kafka broker in KRaft mode.
func startKafka(ctx context.Context, s *set) (string, error) {
	folder, err := s.newFolder("kafka")
	if err != nil {
		return "", err
	}
	classes, err := classPath(ctx, folder, kafkaProject)
	if err != nil {
		return "", err
	}
	brokers, err := freePort()
	if err != nil {
		return "", err
	}
	controllers, err := freePort()
	if err != nil {
		return "", err
	}
	settings := filepath.Join(folder, "server.properties")
	if err := write(settings, fmt.Appendf(nil, kafkaSettings, filepath.Join(folder, "data"), brokers, controllers)); err != nil {
		return "", err
	}
	if err := complete(exec.CommandContext(ctx, "java", "-cp", classes, "kafka.tools.StorageTool", "format", "-t", clusterID, "-c", settings)); err != nil {
		return "", err
	}
	server := exec.Command("java", "-Xmx512m", "-cp", classes, "kafka.Kafka", settings)
	return fmt.Sprintf("127.0.0.1:%d", brokers), s.launch(ctx, "kafka", brokers, server)
}
