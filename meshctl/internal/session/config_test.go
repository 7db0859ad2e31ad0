package session

import (
	"strings"
	"testing"
	"time"
)

func TestOnALaptopNothingNeedsToBeSet(t *testing.T) {
	t.Parallel()
	cfg, err := Load("", nil)
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Auth.ClientID != "meshctl" || cfg.Auth.ClientSecret.Reveal() != "meshctl" || cfg.Kafka.Topic != "prospect-events" || cfg.Group != "event" {
		t.Errorf("%+v", cfg)
	}
}

func TestElsewhereTheSecretMustBeSet(t *testing.T) {
	t.Parallel()
	for _, setting := range []string{"MESHCTL_AUTH_ISSUER=https://keycloak.example/realms/EventProspect", "MESHCTL_AUTH_CLIENT_ID=other", "MESHCTL_AUTH_TOKEN_URL=https://keycloak.example/token"} {
		if _, err := Load("", []string{setting}); err == nil || !strings.Contains(err.Error(), "auth.client_secret: must be set") {
			t.Errorf("%s: %v", setting, err)
		}
		if cfg, err := Load("", []string{setting, "MESHCTL_TOKEN=t"}); err != nil || cfg.Auth.ClientSecret != "" {
			t.Errorf("%s with a token: %v, %v", setting, cfg.Auth, err)
		}
	}
}

func TestMoments(t *testing.T) {
	t.Parallel()
	day := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Time{
		"2026-11-23": day, "2026-11-23T10:20:30Z": day.Add(10*time.Hour + 20*time.Minute + 30*time.Second),
		"2026-11-23T01:00:00+01:00": day, "90m": time.Now().Add(-90 * time.Minute),
	} {
		var m Moment
		if err := m.UnmarshalText([]byte(text)); err != nil || m.Sub(want).Abs() > time.Minute {
			t.Errorf("%s: %v, %v", text, m, err)
		}
	}
	for _, text := range []string{"", "now", "-1h", "23.11.2026", "2026-11-23 10:20"} {
		if err := new(Moment).UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is a time", text)
		}
	}
}
