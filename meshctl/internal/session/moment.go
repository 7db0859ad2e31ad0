package session

import (
	"fmt"
	"time"
)

// Moment is a time on the command line: 2026-11-23T10:20:30Z, 2026-11-23 (its beginning, UTC), or 90m (so long ago).
type Moment struct{ time.Time }

// UnmarshalText implements encoding.TextUnmarshaler.
func (m *Moment) UnmarshalText(text []byte) error {
	said := string(text)
	if ago, err := time.ParseDuration(said); err == nil && ago >= 0 {
		m.Time = time.Now().Add(-ago)
		return nil
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, said); err == nil {
			m.Time = t
			return nil
		}
	}
	return fmt.Errorf("%q is no time: write 2026-11-23T10:20:30Z, 2026-11-23, or 90m for so long ago", said)
}
