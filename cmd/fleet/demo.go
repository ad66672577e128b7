package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/term"

	"github.com/tallystick/tallystick/internal/testkit/process"
	"github.com/tallystick/tallystick/internal/testkit/stage"
)

// The ways to tell the story.
const (
	modeAsk   = ""      // pause on each step when run in a terminal, then stay up
	modeAuto  = "auto"  // straight through, then stay up
	modeCheck = "check" // straight through, then stop everything
)

type demoCommand struct {
	Mode string `enum:",auto,check" default:"" help:"Empty pauses on each step in a terminal; auto goes straight through; both then stay up until Ctrl-C. check goes straight through and stops everything."`
	placeFlags
	Dir string `default:"build/demo" help:"Folder under which the demo keeps its data."`
}

// Run tells the story. Its error says which step was not as told.
func (c demoCommand) Run(ctx context.Context) (err error) {
	bin, err := c.binaries("hq", "edge")
	if err != nil {
		return err
	}
	dir, log, err := openRun(c.Dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	t := c.teller(os.Stdin, os.Stdout)
	err = play(ctx, t, bin, dir, log, c.Mode != modeCheck)
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		err = nil // Ctrl-C is how a demo ends
	}
	if err == nil && c.Mode == modeCheck {
		t.say("Every step was as told. Everything is stopped.")
		return os.RemoveAll(dir)
	}
	t.say("Everything is stopped. Data and logs are in %s", dir)
	return err
}

// play sets the stage, tells the story, stays up if it shall, and stops everything.
func play(ctx context.Context, t *teller, bin process.Binaries, dir string, log io.Writer, stay bool) (err error) {
	t.title("Setting the stage: HQ, two stores, two lanes each")
	s, err := stage.New(ctx, bin, dir, log)
	if err != nil {
		return fmt.Errorf("set the stage: %w", err)
	}
	d := &demo{Stage: s, t: t}
	defer func() { err = errors.Join(err, s.Close(ctx), d.closeWallets()) }()
	if err := d.open(ctx); err != nil {
		return fmt.Errorf("set the stage: %w", err)
	}
	if err := t.pause(ctx); err != nil {
		return err
	}
	for _, step := range d.story() {
		t.title(step.title)
		if err := step.tell(ctx); err != nil {
			return fmt.Errorf("step %d (%s) was not as told: %w", t.step, step.title, err)
		}
		if err := t.pause(ctx); err != nil {
			return err
		}
	}
	if stay {
		d.addresses()
		<-ctx.Done()
		t.say("")
	}
	return nil
}

func (c demoCommand) teller(in, out *os.File) *teller {
	terminal := term.IsTerminal(int(out.Fd()))
	t := &teller{out: out, color: terminal}
	if c.Mode == modeAsk && terminal && term.IsTerminal(int(in.Fd())) {
		t.next = enters(in)
	}
	return t
}
