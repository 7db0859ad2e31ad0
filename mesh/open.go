package mesh

import (
	"context"
	"errors"
	"time"

	"eventprospect/mesh/fault"
)

// Resource is something outside of the process that it can't do without, such as a database.
type Resource interface {
	// Ping tells whether it answers.
	Ping(ctx context.Context) error
	Close() error
}

// How long Open waits before it tries again, at first and at most.
const (
	firstWait = 100 * time.Millisecond
	maxWait   = 2 * time.Second
)

var errNotOpen = errors.New("not open yet")

// Open opens a resource, and closes it when the process stops. While it is away, which open says by a fault of kind
// Unavailable, Open tries again until the context ends; any other error is final. Readiness tells of it by name all the time.
func Open[R Resource](ctx context.Context, app *App, name string, open func(context.Context) (R, error)) (R, error) {
	var resource R
	opened := make(chan struct{})
	app.Ready(name, func(ctx context.Context) error {
		select {
		case <-opened:
			return resource.Ping(ctx)
		default:
			return errNotOpen
		}
	})
	for wait := firstWait; ; wait = min(2*wait, maxWait) {
		got, err := open(ctx)
		if err == nil {
			resource = got
			app.OnClose(resource.Close)
			close(opened)
			return resource, nil
		}
		if !fault.Is(err, fault.Unavailable) || ctx.Err() != nil {
			return resource, err
		}
		app.Log.Warn("waiting", "for", name, "error", err)
		pause(ctx, wait)
	}
}
