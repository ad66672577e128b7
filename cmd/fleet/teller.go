package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strings"
)

// teller prints the story: numbered steps, what happened, and what to look at.
type teller struct {
	out   io.Writer
	color bool
	// next is sent to when the reader wants to go on; nil never pauses.
	next <-chan struct{}
	step int
}

// Colours of a terminal (ECMA-48).
const (
	bold  = "\x1b[1m"
	green = "\x1b[32m"
	dim   = "\x1b[2m"
	reset = "\x1b[0m"
)

func (t *teller) paint(color, text string) string {
	if !t.color {
		return text
	}
	return color + text + reset
}

// title begins a step.
func (t *teller) title(text string) {
	t.step++
	fmt.Fprintf(t.out, "\n%s\n", t.paint(bold, fmt.Sprintf("%2d. %s", t.step, text)))
}

// say tells what is going on.
func (t *teller) say(format string, args ...any) {
	fmt.Fprintf(t.out, "    %s\n", fmt.Sprintf(format, args...))
}

// fact tells what was checked and found so.
func (t *teller) fact(format string, args ...any) {
	fmt.Fprintf(t.out, "    %s %s\n", t.paint(green, "✓"), fmt.Sprintf(format, args...))
}

// look tells where to see it.
func (t *teller) look(format string, args ...any) {
	fmt.Fprintf(t.out, "      %s\n", t.paint(dim, "look: "+fmt.Sprintf(format, args...)))
}

// block prints lines as they are, indented.
func (t *teller) block(text string) {
	for line := range strings.Lines(strings.TrimRight(text, "\n") + "\n") {
		fmt.Fprint(t.out, "      "+line)
	}
}

// pause waits until the reader presses Enter, or ctx ends.
func (t *teller) pause(ctx context.Context) error {
	if t.next == nil {
		return ctx.Err()
	}
	fmt.Fprint(t.out, t.paint(dim, "    [Enter] "))
	select {
	case <-t.next:
		return nil
	case <-ctx.Done():
		fmt.Fprintln(t.out)
		return ctx.Err()
	}
}

// enters sends once for each line read from in, until in ends; from then on it
// never makes anybody wait.
func enters(in io.Reader) <-chan struct{} {
	next := make(chan struct{})
	// This goroutine ends with the process: nothing can take a read of a terminal back.
	go func() {
		defer close(next)
		lines := bufio.NewScanner(in)
		for lines.Scan() {
			next <- struct{}{}
		}
	}()
	return next
}
