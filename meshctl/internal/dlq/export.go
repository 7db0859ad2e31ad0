package dlq

import (
	"context"
	"encoding/json"

	"eventprospect/mesh/stream/deadletter"
	"eventprospect/meshctl/internal/session"
)

// Export is `dlq export`.
type Export struct {
	Conditions
}

// Run implements the command. It writes a JSON object a line, whatever -o says.
func (c *Export) Run(ctx context.Context, s *session.Session) error {
	view, err := look(ctx, s)
	if err != nil {
		return err
	}
	encoder := json.NewEncoder(s.Out)
	encoder.SetEscapeHTML(false)
	return view.Each(ctx, c.filter(), func(l *deadletter.Letter) error { return encoder.Encode(entry(l)) })
}
