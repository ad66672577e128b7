package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os/exec"
	"regexp"
	"strings"
	"time"
)

// target is one fuzz function.
type target struct{ pkg, name string }

func fuzzCommand(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("fuzz", flag.ContinueOnError)
	each := flags.Duration("each", 20*time.Second, "how long each target is fuzzed")
	budget := flags.Duration("budget", 0, "how long all of them may take together; 0 is no limit")
	if err := flags.Parse(args); err != nil {
		return err
	}
	targets, err := listTargets(ctx, flags.Args())
	if err != nil {
		return err
	}
	if len(targets) == 0 {
		return errors.New("no fuzz target found")
	}
	spell := share(*each, *budget, len(targets))
	fmt.Fprintf(out, "%d fuzz targets, %s each\n", len(targets), spell)
	failed := 0
	for _, t := range targets {
		if err := fuzz(ctx, t, spell, out); err != nil {
			failed++
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d fuzz targets failed", failed, len(targets))
	}
	return nil
}

// share gives each target its time, less when there are many of them.
func share(each, budget time.Duration, targets int) time.Duration {
	if budget > 0 {
		each = min(each, budget/time.Duration(targets))
	}
	return max(each.Truncate(time.Second), time.Second)
}

func listTargets(ctx context.Context, patterns []string) ([]target, error) {
	var out, errs bytes.Buffer
	cmd := exec.CommandContext(ctx, "go", append([]string{"test", "-run", "^$", "-list", "^Fuzz"}, patterns...)...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("list fuzz targets: %w\n%s%s", err, out.String(), errs.String())
	}
	return parseTargets(out.String()), nil
}

// parseTargets reads what `go test -list` prints: the names, then a line that
// says which package they were in.
func parseTargets(text string) []target {
	var found []target
	var names []string
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		switch {
		case len(fields) == 1 && strings.HasPrefix(fields[0], "Fuzz"):
			names = append(names, fields[0])
		case len(fields) >= 2 && fields[0] == "ok":
			for _, name := range names {
				found = append(found, target{fields[1], name})
			}
			names = nil
		}
	}
	return found
}

// fuzz runs one target and prints one line about it, or all it said if it failed.
func fuzz(ctx context.Context, t target, spell time.Duration, out io.Writer) error {
	said, err := fuzzOnce(ctx, t, spell)
	note := ""
	if err != nil && ctx.Err() == nil && stoppedByItsClock(said) {
		err, note = nil, " (the last run was cut short by the end of the time)"
	}
	if err != nil {
		fmt.Fprintf(out, "FAIL   %s %s\n%s", t.name, t.pkg, said)
		return err
	}
	fmt.Fprintf(out, "fuzzed %s %s: %s%s\n", t.name, t.pkg, lastProgress(said), note)
	return nil
}

func fuzzOnce(ctx context.Context, t target, spell time.Duration) (string, error) {
	var said bytes.Buffer
	err := execute(ctx, []string{
		"go", "test", "-vet=off", "-run", "^$", "-fuzz", "^" + t.name + "$", "-fuzztime", spell.String(), "-fuzzminimizetime", "20x", t.pkg,
	}, &said)
	return said.String(), err
}

var deadline = regexp.MustCompile(`(?m)^\s+context deadline exceeded$`)

// stoppedByItsClock knows the one failure that is none: before Go 1.27 the go
// command sometimes reports the end of -fuzztime itself (golang/go#75804). What
// fails for a real reason also names an input, a seed or a panic.
func stoppedByItsClock(said string) bool {
	if !deadline.MatchString(said) {
		return false
	}
	for _, sign := range []string{"Failing input written to", "seed corpus entry", "panic:", "hung or terminated"} {
		if strings.Contains(said, sign) {
			return false
		}
	}
	return true
}

var progress = regexp.MustCompile(`(?m)^fuzz: elapsed: .*$`)

func lastProgress(said string) string {
	all := progress.FindAllString(said, -1)
	if len(all) == 0 {
		return "done"
	}
	return strings.TrimPrefix(all[len(all)-1], "fuzz: ")
}
