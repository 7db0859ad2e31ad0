package console

import (
	"context"
	"errors"
)

// The exit codes of the program.
const (
	// Done: all that was asked for.
	Done = 0
	// Failed: nothing more could be done.
	Failed = 1
	// Usage: the command line or a setting is wrong; nothing was tried.
	Usage = 2
	// Aborted: it was not confirmed, or was interrupted.
	Aborted = 3
	// Partly: something was left out, or is not as it should be.
	Partly = 4
)

// coded is an error that ends the program with a code of its own.
type coded struct {
	error
	code int
}

func (c coded) Unwrap() error { return c.error }

// With gives an error that ends the program with this code.
func With(code int, err error) error { return coded{err, code} }

// Code gives the exit code of a program that ended with this error, or with none.
func Code(err error) int {
	var c coded
	switch {
	case err == nil:
		return Done
	case errors.As(err, &c):
		return c.code
	case errors.Is(err, context.Canceled):
		return Aborted
	}
	return Failed
}
