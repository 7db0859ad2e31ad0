// Package console is where the operator sits: tables or JSON go to standard output, questions and progress to standard error.
package console

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"
)

// Console is what a command speaks with.
type Console struct {
	In       io.Reader
	Out, Err io.Writer
	// Interactive tells whether somebody is there to answer questions, Live whether lines on Err can be written over.
	Interactive, Live bool
	// JSON writes what machines read instead of tables.
	JSON bool
}

// Show writes a value as JSON, or calls for its table.
func (c *Console) Show(value any, table func()) error {
	if !c.JSON {
		table()
		return nil
	}
	encoder := json.NewEncoder(c.Out)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(value)
}

// Say tells a person something.
func (c *Console) Say(format string, args ...any) { fmt.Fprintf(c.Err, format+"\n", args...) }

// Table writes rows under their titles. Cells may be anything that came over the network: see Plain.
func (c *Console) Table(titles []string, rows [][]string) {
	w := tabwriter.NewWriter(c.Out, 0, 0, 2, ' ', 0)
	for _, row := range append([][]string{titles}, rows...) {
		cells := make([]string, len(row))
		for i, cell := range row {
			cells[i] = Plain(cell)
		}
		fmt.Fprintln(w, strings.Join(cells, "\t"))
	}
	_ = w.Flush() // what a person is shown: there is nobody left to tell
}

// Plain gives a text that can't command a terminal: one with characters that aren't printed is quoted.
func Plain(text string) string {
	if strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) || r == unicode.ReplacementChar }) {
		return strconv.Quote(text)
	}
	return text
}

// Time writes a time for people; "" if it isn't known.
func Time(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05.000Z")
}

// errUnconfirmed is what ends a command that nobody wanted after all.
var errUnconfirmed = errors.New("nothing was done")

// Confirm asks whether to go on, unless that was said on the command line already. If it returns an error nothing must be done.
func (c *Console) Confirm(ctx context.Context, question string, yes bool) error {
	switch {
	case yes:
		return nil
	case !c.Interactive:
		return With(Aborted, fmt.Errorf("%s There is no terminal to ask at: say --yes", question))
	}
	fmt.Fprintf(c.Err, "%s [y/N] ", question)
	answer := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(c.In).ReadString('\n') // without a line it's no
		answer <- line
	}()
	select {
	case <-ctx.Done():
		return With(Aborted, errUnconfirmed)
	case line := <-answer:
		if said := strings.ToLower(strings.TrimSpace(line)); said != "y" && said != "yes" {
			return With(Aborted, errUnconfirmed)
		}
	}
	return nil
}
