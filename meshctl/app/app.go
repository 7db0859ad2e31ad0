// Package app puts the tool together.
package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
	"github.com/mattn/go-isatty"

	"eventprospect/mesh/conf"
	"eventprospect/meshctl/internal/console"
	"eventprospect/meshctl/internal/dlq"
	"eventprospect/meshctl/internal/rebuild"
	"eventprospect/meshctl/internal/session"
	"eventprospect/meshctl/internal/status"
)

// commands is the command line.
type commands struct {
	Config string `help:"YAML file with settings; ${variable} in the environment names one, too." placeholder:"FILE"`
	Output string `short:"o" help:"How to write what was found: table, or json for machines." enum:"table,json" default:"table"`

	DLQ struct {
		List    dlq.List    `cmd:"" help:"List the records that could not be applied and are open, and count them."`
		Show    dlq.Show    `cmd:"" help:"Show all of one record."`
		Export  dlq.Export  `cmd:"" help:"Write records as JSON, an object a line."`
		Replay  dlq.Replay  `cmd:"" help:"Put records back on their topic, as they were or edited."`
		Discard dlq.Discard `cmd:"" help:"Lay records aside for ever."`
	} `cmd:"" name:"dlq" help:"Records that could not be applied."`
	Rebuild rebuild.Command `cmd:"" help:"Make the events of prospects anew from the messages on the topic: those that are missing, also deleted ones. It may be repeated."`
	Status  status.Command  `cmd:"" help:"Tell what waits to be published, to be consumed, and to be looked at."`
}

const about = `Tells operators what is on its way between the services, and puts it right.

Settings are environment variables, as those of the services are: MESHCTL_KAFKA_BROKERS, MESHCTL_REGISTRY, MESHCTL_AUTH_CLIENT_SECRET.
Exit codes: 0 done, 1 failed, 2 wrong command line or settings, 3 not confirmed or interrupted, 4 something was left out or is not as it should be.`

// Main is the whole main function.
func Main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := Run(ctx, os.Args[1:], os.Environ(), terminal())
	stop()
	os.Exit(code)
}

// terminal is the console that the process was started at.
func terminal() console.Console {
	live := isatty.IsTerminal(os.Stderr.Fd())
	return console.Console{In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Live: live, Interactive: live && isatty.IsTerminal(os.Stdin.Fd())}
}

// Run carries out a command line and gives the exit code.
func Run(ctx context.Context, args, environ []string, at console.Console) int {
	err := run(ctx, args, environ, &at)
	if err != nil {
		at.Say("meshctl: %v", err)
	}
	return console.Code(err)
}

func run(ctx context.Context, args, environ []string, at *console.Console) error {
	var asked commands
	command, err := parse(&asked, args, at)
	if command == nil || err != nil {
		return err
	}
	at.JSON = asked.Output == "json"
	cfg, err := session.Load(conf.Path(session.Prefix, asked.Config), environ)
	if err != nil {
		return console.With(console.Usage, err)
	}
	s, err := session.New(cfg, at)
	if err != nil {
		return err
	}
	defer s.Close()
	command.BindTo(ctx, (*context.Context)(nil))
	return command.Run(s)
}

// parse reads the command line. There is no command if only help was asked for, which is written then.
func parse(into *commands, args []string, at *console.Console) (*kong.Context, error) {
	helped := false
	parser, err := kong.New(into, kong.Name("meshctl"), kong.Description(about), kong.Writers(at.Out, at.Err),
		kong.Vars{"variable": conf.FileVariable(session.Prefix)}, kong.Exit(func(int) { helped = true }))
	if err != nil {
		return nil, err
	}
	command, err := parser.Parse(args)
	var wrong *kong.ParseError
	switch {
	case helped:
		return nil, nil
	case errors.As(err, &wrong):
		return nil, console.With(console.Usage, fmt.Errorf("%w: see --help", err))
	}
	return command, err
}
