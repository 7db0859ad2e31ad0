package issuer

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
)

// refusal is an answer that says no, in the words of RFC 6749 and of Keycloak. It never repeats what was sent.
type refusal struct {
	status      int
	Code        string `json:"error"`
	Description string `json:"error_description,omitempty"`
}

func (r refusal) Error() string { return r.Code + ": " + r.Description }

func badRequest(code, description string) refusal {
	return refusal{http.StatusBadRequest, code, description}
}

func unauthorized(code, description string) refusal {
	return refusal{http.StatusUnauthorized, code, description}
}

// badForm is the refusal of a request that can't be read.
func badForm(err error) refusal {
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return refusal{http.StatusRequestEntityTooLarge, "invalid_request", "The request is too large"}
	}
	return badRequest("invalid_request", "The request is not a valid form")
}

// refuse answers with err. One that is no refusal is a defect of the issuer: the log gets it, the caller doesn't.
func refuse(w http.ResponseWriter, r *http.Request, err error) {
	no, ok := errors.AsType[refusal](err)
	if !ok {
		slog.ErrorContext(r.Context(), "issuer failed", "path", r.URL.Path, "error", err)
		no = refusal{http.StatusInternalServerError, "server_error", ""}
	}
	if no.status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", challenge(no))
	}
	writeJSON(w, no.status, no)
}

// challenge names what the caller has to show: its token where that was missing or bad, else its own credentials.
func challenge(no refusal) string {
	if no.Code == invalidToken {
		return `Bearer error="invalid_token"`
	}
	return "Basic"
}

// writeJSON answers with something that no cache may keep: it holds tokens, or somebody's data.
func writeJSON(w http.ResponseWriter, status int, answer any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(answer) // it fails when the caller has gone; nobody is left to tell
}
