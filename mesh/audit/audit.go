// Package audit writes down who changed what, when and from where: one record in the log for each call that may change
// something, whatever came of it. It tells ids and no contents: of a person, nothing but the id that the issuer gave them.
package audit

import (
	"context"
	"log/slog"
	"time"

	"google.golang.org/genproto/googleapis/rpc/code"
	"google.golang.org/grpc/codes"

	"eventprospect/mesh/auth"
)

// Message is the message of every record, and of nothing else in the log.
const Message = "audit"

// Entry is what is told of one call. What isn't known is empty, and left out.
type Entry struct {
	// Method is the RPC's full name: "/event.v1.EventService/CreateEvent".
	Method string
	// Caller is who called, once that was verified; nil before.
	Caller *auth.Identity
	// Peer is the host at the other end of the connection. Nobody can say of himself that he is another.
	Peer string
	// ForwardedFor is the host for which the peer says it calls. Only a gateway's word counts.
	ForwardedFor string
	// Resource is the id of what was changed, or was to be.
	Resource string
	// Code is what came of it, as the caller was told.
	Code codes.Code
}

// Write writes one record, whatever the log's level: what is logged besides is for those who run the process to choose,
// this isn't.
func Write(ctx context.Context, log *slog.Logger, e Entry) {
	attrs := []slog.Attr{slog.String("method", e.Method)}
	add := func(name, value string) {
		if value != "" {
			attrs = append(attrs, slog.String(name, value))
		}
	}
	if e.Caller != nil {
		add("subject", e.Caller.Subject)
		add("client", e.Caller.Client)
		if e.Caller.User != nil {
			add("user", e.Caller.User.Subject)
			add("user_client", e.Caller.User.Client)
		}
	}
	add("peer", e.Peer)
	add("forwarded_for", e.ForwardedFor)
	add("resource", e.Resource)
	add("code", code.Code(e.Code).String())
	record := slog.NewRecord(time.Now(), slog.LevelInfo, Message, 0)
	record.AddAttrs(slog.Attr{Key: "audit", Value: slog.GroupValue(attrs...)})
	// As with any log, there is nobody left to tell of a record that can't be written.
	_ = log.Handler().Handle(ctx, record)
}
