package console

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
)

func TestExitCodes(t *testing.T) {
	t.Parallel()
	for code, err := range map[int]error{
		Done: nil, Failed: errors.New("x"), Usage: fmt.Errorf("about: %w", With(Usage, errors.New("x"))),
		Aborted: fmt.Errorf("about: %w", context.Canceled), Partly: With(Partly, errors.New("x")),
	} {
		if got := Code(err); got != code {
			t.Errorf("%v: %d, want %d", err, got, code)
		}
	}
}

func TestQuestionsGoToStandardErrorAndEndWithTheContext(t *testing.T) {
	t.Parallel()
	var out, asked bytes.Buffer
	c := Console{In: strings.NewReader("YES\n"), Out: &out, Err: &asked, Interactive: true}
	if err := c.Confirm(t.Context(), "Sure?", false); err != nil || out.Len() > 0 || asked.String() != "Sure? [y/N] " {
		t.Errorf("%v, %q, %q", err, out.String(), asked.String())
	}
	silent, end := io.Pipe()
	defer end.Close()
	c.In = silent
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.Confirm(ctx, "Sure?", false); Code(err) != Aborted {
		t.Error(err)
	}
}

func TestProgress(t *testing.T) {
	t.Parallel()
	for live, holds := range map[bool]func(told string) bool{
		true:  func(told string) bool { return strings.Contains(told, "work") && !strings.Contains(told, "\n") },
		false: func(told string) bool { return told == "work: 50 of 100\nwork: 100 of 100\n" },
	} {
		var out, told bytes.Buffer
		c := Console{Out: &out, Err: &told, Live: live}
		p := c.Progress("work", 100)
		p.Add(5)
		p.Add(45)
		p.Add(50)
		p.End()
		if !holds(told.String()) || out.Len() > 0 {
			t.Errorf("live %v: %q, %q", live, told.String(), out.String())
		}
	}
}

func TestTextsOfOthersDoNotCommandTheTerminal(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"Génie civil": "Génie civil", "\x1b[2J": `"\x1b[2J"`, "a\nb": `"a\nb"`, "a\tb": `"a\tb"`, "\xff": `"\xff"`, "\u202e": `"\u202e"`,
	} {
		if got := Plain(text); got != want {
			t.Errorf("%q: %s", text, got)
		}
	}
}
