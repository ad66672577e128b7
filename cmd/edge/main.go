package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/tallystick/tallystick/internal/problem"
)

// version is set by the release build.
var version = "dev"

// program holds all flags; each can also be an environment variable
// TALLYSTICK_EDGE_NAME or an entry of the config file, and flags win.
type program struct {
	Config kong.ConfigFlag `help:"JSON file with flags by name, for example {\"data\": \"/var/lib/tallystick\"}." placeholder:"FILE"`
	Data   string          `help:"Data directory: key, journal, cache, token." default:"${data}" type:"path"`

	Enroll  enrollCommand  `cmd:"" help:"Make this machine a terminal, with a one-time code from HQ."`
	Run     runCommand     `cmd:"" help:"Serve the local API and sync with HQ."`
	Export  exportCommand  `cmd:"" help:"Write the journal to a file that HQ can import."`
	Status  statusCommand  `cmd:"" help:"Ask the running agent how the terminal stands."`
	Version versionCommand `cmd:"" help:"Print the version."`
}

const description = `The edge agent of Tallystick: one runs on each till.

Every flag can be set as an environment variable TALLYSTICK_EDGE_NAME (for example TALLYSTICK_EDGE_DATA), and in the
file given with --config; flags win over variables, variables over the file. Secrets are never flags.`

// std are the streams of a process.
type std struct {
	in       io.Reader
	out, err io.Writer
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], std{os.Stdin, os.Stdout, os.Stderr})
	stop()
	os.Exit(code)
}

// run is the whole program. It returns the exit code: 0 done, 1 failed, 2 wrong
// usage.
func run(ctx context.Context, args []string, io std) int {
	var p program
	parser, err := kong.New(&p,
		kong.Name("edge"), kong.Description(description), kong.UsageOnError(),
		kong.DefaultEnvars("TALLYSTICK_EDGE"), kong.Configuration(configFile),
		kong.Vars{"data": defaultData()}, kong.Writers(io.out, io.err), kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.BindTo(ctx, (*context.Context)(nil)), kong.Bind(&p, io),
	)
	if err != nil {
		fmt.Fprintln(io.err, "edge:", err)
		return 1
	}
	call, err := parser.Parse(args)
	if err != nil {
		var usage *kong.ParseError
		if errors.As(err, &usage) {
			_ = usage.Context.PrintUsage(true) // the message below is what matters
		}
		fmt.Fprintln(io.err, "edge:", err)
		return 2
	}
	if err := call.Run(); err != nil {
		report(io.err, err)
		return 1
	}
	return 0
}

// configFile reads the file of --config. Left alone, kong would let the file win
// over variables.
func configFile(r io.Reader) (kong.Resolver, error) {
	file, err := kong.JSON(r)
	if err != nil {
		return nil, fmt.Errorf("read config file: %w", err)
	}
	return kong.ResolverFunc(func(c *kong.Context, parent *kong.Path, flag *kong.Flag) (any, error) {
		for _, name := range flag.Envs {
			if _, set := os.LookupEnv(name); set {
				return nil, nil
			}
		}
		return file.Resolve(c, parent, flag)
	}), nil
}

// report prints an error, and for one with a code what to do about it.
func report(w io.Writer, err error) {
	fmt.Fprintln(w, "edge:", err)
	var coded *problem.Error
	if errors.As(err, &coded) {
		if row := problem.Table[coded.Code]; row.Say != "" {
			fmt.Fprintln(w, row.Say)
		}
	}
}

type versionCommand struct{}

func (versionCommand) Run(io std) error {
	_, err := fmt.Fprintln(io.out, software())
	return err
}

// software names the program and its version, as HQ shows it.
func software() string {
	if version != "dev" {
		return "edge " + version
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" && len(s.Value) >= 12 {
				return "edge dev-" + s.Value[:12]
			}
		}
	}
	return "edge dev"
}

// printJSON writes one line that a program can read.
func printJSON(w io.Writer, v any) error {
	raw, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode line: %w", err)
	}
	if _, err := fmt.Fprintf(w, "%s\n", raw); err != nil {
		return fmt.Errorf("write line: %w", err)
	}
	return nil
}

func newLog(w io.Writer, level string) (*slog.Logger, error) {
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil {
		return nil, fmt.Errorf("read log level: %w", err)
	}
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: l})), nil
}
