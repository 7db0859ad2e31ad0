package eureka

import (
	"context"
	"errors"
	"net/http"
	"strings"
)

// outcome is what became of one change of a batch.
type outcome struct {
	Status int   `json:"statusCode"`
	Entity *info `json:"responseEntity,omitempty"`
}

// postBatch takes in what another Eureka server passes on of what its clients say
// (com.netflix.eureka.resources.PeerReplicationResource). Nothing is passed on to it.
func (f *face) postBatch(w http.ResponseWriter, r *http.Request) error {
	e, err := readBody(w, r, maxBatch)
	if err != nil {
		return err
	}
	var answer struct {
		Outcomes []outcome `json:"responseList"`
	}
	answer.Outcomes = []outcome{}
	for i := range e.children {
		if c := &e.children[i]; sameName(c.name, "replicationList") && !c.null {
			answer.Outcomes = append(answer.Outcomes, f.outcome(r.Context(), c))
		}
	}
	writeDocument(w, r, http.StatusOK, asJSON, newDocument(render(asJSON, "", answer)))
	return nil
}

// outcome carries out one change.
func (f *face) outcome(ctx context.Context, e *element) outcome {
	err := f.replicate(ctx, e)
	var known *refusal
	switch {
	case err == nil:
		return outcome{Status: http.StatusOK}
	case errors.As(err, &known):
		return outcome{known.status, known.entity}
	default:
		status, _ := statusOf(err)
		if status == http.StatusInternalServerError {
			f.log.ErrorContext(ctx, "eureka_replication_failed", "error", err)
		}
		return outcome{Status: status}
	}
}

func (f *face) replicate(ctx context.Context, e *element) error {
	t := target{app: strings.ToUpper(e.value("appName")), id: e.value("id"), replicated: true}
	if err := checkNames(t.app, t.id); err != nil {
		return err
	}
	dirty, status := e.value("lastDirtyTimestamp"), e.value("status")
	switch e.value("action") {
	case "Register":
		if e.child("instanceInfo") == nil {
			return badRequest("Missing instanceInfo")
		}
		return f.register(ctx, t, e.child("instanceInfo"))
	case "Heartbeat":
		return f.renew(ctx, t, dirty, e.value("overriddenStatus"))
	case "Cancel":
		return f.core.Cancel(ctx, keyOf(t.app, t.id))
	case "StatusUpdate":
		return f.override(ctx, t, status, dirty)
	case "DeleteStatusOverride":
		return f.release(ctx, t, status, dirty)
	default:
		return badRequest("action: must be Register, Heartbeat, Cancel, StatusUpdate or DeleteStatusOverride")
	}
}
