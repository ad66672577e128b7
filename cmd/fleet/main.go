package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

// version is set when a release is built.
var version = "unversioned"

type commands struct {
	Version kong.VersionFlag `help:"Print the version and exit."`
	Demo    demoCommand      `cmd:"" help:"Start HQ and two stores with two lanes each, and tell the story."`
	Phones  phonesCommand    `cmd:"" help:"Play ten thousand phones with Apple passes, and see that no update is lost."`
}

func main() {
	var c commands
	parsed := kong.Parse(&c,
		kong.Name("fleet"),
		kong.Description("Plays a whole company on this machine with the real programs."),
		kong.Vars{"version": version},
		kong.UsageOnError(),
	)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	parsed.BindTo(ctx, (*context.Context)(nil))
	if err := parsed.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "fleet:", err)
		os.Exit(1)
	}
}
