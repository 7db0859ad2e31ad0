package main

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"eventprospect/mesh/audit"
	"eventprospect/mesh/telemetry"
)

func TestTheConsoleShowsAllButAuditRecords(t *testing.T) {
	t.Parallel()
	var shown bytes.Buffer
	log := telemetry.NewLog(console{&shown}, "event", slog.LevelWarn)
	audit.Write(t.Context(), log, audit.Entry{Method: "/event.v1.EventService/CreateEvent"})
	log.Warn("no audit today")
	if got := shown.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, "no audit today") {
		t.Errorf("shown: %s", got)
	}
}
