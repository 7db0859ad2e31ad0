package conf_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"eventprospect/mesh/conf"
)

const hidden = "hunter2"

func TestASecretIsNeverPrinted(t *testing.T) {
	t.Parallel()
	type holder struct {
		Name   string
		Secret conf.Secret
		List   []conf.Secret
	}
	values := map[string]any{
		"itself":             conf.Secret(hidden),
		"a field":            holder{"event", hidden, []conf.Secret{hidden}},
		"behind a pointer":   &holder{"event", hidden, nil},
		"a value of a map":   map[string]conf.Secret{"password": hidden},
		"in a configuration": config{Common: Common{Auth: auth{"event", hidden}}},
	}
	for name, value := range values {
		for way, text := range printed(t, value) {
			if strings.Contains(text, hidden) || strings.Contains(text, fmt.Sprintf("%x", hidden)) {
				t.Errorf("%s, printed with %s: %s", name, way, text)
			}
		}
	}
}

// printed prints a value in every way in which it could get into a log.
func printed(t *testing.T, value any) map[string]string {
	t.Helper()
	texts := map[string]string{}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X"} {
		texts[verb] = fmt.Sprintf(verb, value)
	}
	asJSON, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	texts["JSON"] = string(asJSON)
	var out bytes.Buffer
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "value", value)
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "value", value)
	texts["slog"] = out.String()
	return texts
}

func TestARefusedSecretIsNotRepeated(t *testing.T) {
	t.Parallel()
	for _, file := range []string{
		"auth:\n  client_secret: [" + hidden + ", x]\n",
		"auth:\n  client_secret: {" + hidden + ": x}\n",
		"auth: " + hidden + "\n",
	} {
		_, err := conf.Load(defaults(), "X", writeFile(t, file), nil)
		if err == nil || strings.Contains(err.Error(), hidden) {
			t.Errorf("%q: %v", file, err)
		}
	}
}

func TestASecretCanBeUsed(t *testing.T) {
	t.Parallel()
	cfg, err := conf.Load(defaults(), "X", "", []string{"X_AUTH_CLIENT_SECRET=" + hidden})
	if err != nil {
		t.Fatal(err)
	}
	if got := cfg.Auth.ClientSecret.Reveal(); got != hidden {
		t.Errorf("Reveal() = %q", got)
	}
	if conf.Secret("").String() != "" {
		t.Error("an empty secret doesn't show that it is empty")
	}
}
