package main

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
)

func TestTellerNumbersStepsAndKeepsColoursOutOfPipes(t *testing.T) {
	var out bytes.Buffer
	plain := &teller{out: &out}
	plain.title("Sale")
	plain.fact("%d points", 42)
	plain.look("here")
	plain.block("a\nb\n")
	plain.title("Cut")
	want := "\n 1. Sale\n    ✓ 42 points\n      look: here\n      a\n      b\n\n 2. Cut\n"
	if out.String() != want {
		t.Fatalf("got %q, want %q", out.String(), want)
	}
	out.Reset()
	(&teller{out: &out, color: true}).title("Sale")
	if !strings.Contains(out.String(), bold) {
		t.Fatalf("no colour: %q", out.String())
	}
}

func TestPause(t *testing.T) {
	var out bytes.Buffer
	if err := (&teller{out: &out}).pause(t.Context()); err != nil || out.Len() > 0 {
		t.Fatalf("without a reader: %v, %q", err, out.String())
	}
	asking := &teller{out: &out, next: enters(strings.NewReader("\n"))}
	for range 3 { // one line, then the end of input, which never holds anybody up
		if err := asking.pause(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	never := &teller{out: &out, next: make(chan struct{})}
	if err := never.pause(ctx); !errors.Is(err, context.Canceled) {
		t.Fatalf("Ctrl-C during a pause: %v", err)
	}
}

func TestExpectNamesBoth(t *testing.T) {
	if err := expect("points", 41, 42); err == nil || err.Error() != "points: got 41, want 42" {
		t.Fatal(err)
	}
	if err := expect("points", 42, 42); err != nil {
		t.Fatal(err)
	}
}

func TestDemoNeedsThePrograms(t *testing.T) {
	if _, err := (demoCommand{placeFlags: placeFlags{Bin: t.TempDir()}}).binaries("hq"); err == nil || !strings.Contains(err.Error(), "make build") {
		t.Fatalf("got %v", err)
	}
}
