package conf

// Secret is a setting that is never printed: not by fmt, not in JSON, not in a log.
type Secret string

// Reveal gives the secret itself, to the code that needs it.
func (s Secret) Reveal() string { return string(s) }

// String hides the secret; an empty one shows that it is empty.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return "[secret]"
}

// GoString hides the secret from %#v.
func (s Secret) GoString() string { return s.String() }

// MarshalText hides the secret from encoders, JSON and slog among them.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
