package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"syscall"
	"time"
)

// recordDir is where figures wait for the table, seen from the module's root.
const recordDir = "build/suites"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := dispatch(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "suites:", err)
		os.Exit(1)
	}
}

func dispatch(ctx context.Context, args []string, out io.Writer) error {
	if len(args) == 0 {
		return errors.New("say run, table or fuzz")
	}
	switch args[0] {
	case "run":
		return runCommand(ctx, args[1:], out)
	case "table":
		return tableCommand(args[1:], out)
	case "fuzz":
		return fuzzCommand(ctx, args[1:], out)
	default:
		return fmt.Errorf("unknown word %q: say run, table or fuzz", args[0])
	}
}

func runCommand(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("run", flag.ContinueOnError)
	verbose := flags.Bool("v", false, "print what tests say while they run, not only when they fail")
	least := flags.Int("min", 0, "fail when fewer tests than this were found")
	if err := flags.Parse(args); err != nil {
		return err
	}
	rest := flags.Args()
	if len(rest) < 3 || rest[1] != "--" {
		return errors.New("run needs a name, then --, then a command")
	}
	rec := runSuite(ctx, rest[0], rest[2:], *verbose, out)
	if ran := rec.Passed + rec.Failed + len(rec.Skips); rec.Error == "" && ran < *least {
		rec.Error = fmt.Sprintf("ran %d tests, at least %d were expected", ran, *least)
	}
	if err := rec.save(recordDir); err != nil {
		return err
	}
	if rec.Error != "" {
		return fmt.Errorf("%s: %s", rec.Name, rec.Error)
	}
	return nil
}

// runSuite runs the command and counts. A `go test` is asked for its events, so
// that tests can be counted and skips explained; any other command just runs.
func runSuite(ctx context.Context, name string, command []string, verbose bool, out io.Writer) record {
	began := time.Now()
	rec := record{Name: name, Began: began}
	fmt.Fprintf(out, "\n== %s\n", name)
	var err error
	if isGoTest(command) {
		rec.Tests = true
		s := newStream(out, verbose)
		err = execute(ctx, slices.Insert(slices.Clone(command), 2, "-json"), s)
		s.close()
		rec.Passed, rec.Failed, rec.Skips = s.passed, s.failed, s.skips
	} else {
		err = execute(ctx, command, out)
	}
	rec.Seconds = time.Since(began).Seconds()
	if err != nil {
		rec.Error = err.Error()
		rec.Failed = max(rec.Failed, 1)
	}
	return rec
}

func isGoTest(command []string) bool {
	return len(command) >= 2 && command[0] == "go" && command[1] == "test"
}

// execute runs the command with both its outputs going to out. When ctx ends the
// command is asked to stop, and made to ten seconds later.
func execute(ctx context.Context, command []string, out io.Writer) error {
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Stdout, cmd.Stderr = out, out
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 10 * time.Second
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("run %s: %w", command[0], err)
	}
	return nil
}
