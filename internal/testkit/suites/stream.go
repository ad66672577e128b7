package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
)

// event is one line of `go test -json` (see `go doc test2json`).
type event struct {
	Action  string
	Package string
	Test    string
	Output  string
}

// testID names a running test; package-wide output has no Test.
type testID struct{ pkg, test string }

// stream turns the events of `go test -json` back into text as they come in, and
// counts. Passing tests are silent unless it is verbose; failing ones say all.
type stream struct {
	out     io.Writer
	verbose bool
	partial []byte              // the start of a line whose end has not come yet
	said    map[testID][]string // what a running test has printed
	blamed  map[string]bool     // packages in which a test has failed

	passed, failed int // top-level tests
	skips          []skip
}

func newStream(out io.Writer, verbose bool) *stream {
	return &stream{out: out, verbose: verbose, said: map[testID][]string{}, blamed: map[string]bool{}}
}

// Write takes any piece of the event stream.
func (s *stream) Write(p []byte) (int, error) {
	s.partial = append(s.partial, p...)
	for {
		line, rest, whole := bytes.Cut(s.partial, []byte("\n"))
		if !whole {
			return len(p), nil
		}
		s.line(line)
		s.partial = rest
	}
}

// close takes what came after the last line's end.
func (s *stream) close() {
	if len(s.partial) > 0 {
		s.line(s.partial)
		s.partial = nil
	}
}

func (s *stream) line(line []byte) {
	var e event
	if err := json.Unmarshal(line, &e); err != nil || e.Action == "" {
		fmt.Fprintf(s.out, "%s\n", line) // a word of the go command itself
		return
	}
	id := testID{e.Package, e.Test}
	switch e.Action {
	case "output", "build-output":
		s.output(id, e.Output)
	case "pass", "fail", "skip":
		if e.Test == "" {
			s.packageDone(e)
		} else {
			s.testDone(id, e.Action)
		}
	}
}

func (s *stream) output(id testID, text string) {
	if id.test == "" {
		if text != "PASS\n" && !strings.HasPrefix(text, "?   ") {
			fmt.Fprint(s.out, text)
		}
		return
	}
	if strings.HasPrefix(text, "=== ") {
		return
	}
	if s.verbose {
		fmt.Fprint(s.out, text)
	}
	s.said[id] = append(s.said[id], text)
}

func (s *stream) testDone(id testID, action string) {
	top := !strings.Contains(id.test, "/")
	switch action {
	case "pass":
		if top {
			s.passed++
		}
	case "fail":
		if top {
			s.failed++
		}
		s.blamed[id.pkg] = true
		s.flush(id)
	case "skip":
		s.skips = append(s.skips, skip{id.pkg, id.test, reason(s.said[id])})
	}
	delete(s.said, id)
}

// packageDone counts a package that failed without any test of it failing: one
// that did not build, panicked or ran out of time.
func (s *stream) packageDone(e event) {
	if e.Action != "fail" {
		return
	}
	var unfinished []testID
	for id := range s.said {
		if id.pkg == e.Package {
			unfinished = append(unfinished, id)
		}
	}
	slices.SortFunc(unfinished, func(a, b testID) int { return strings.Compare(a.test, b.test) })
	for _, id := range unfinished {
		s.flush(id)
		delete(s.said, id)
	}
	if !s.blamed[e.Package] {
		s.failed++
	}
}

// flush prints what a failing test has said, unless that has been seen already.
func (s *stream) flush(id testID) {
	if s.verbose {
		return
	}
	for _, text := range s.said[id] {
		fmt.Fprint(s.out, text)
	}
}

var location = regexp.MustCompile(`^\s*[\w.-]+\.go:\d+: `)

// reason finds the words given to t.Skip among what the test has printed.
func reason(said []string) string {
	var words []string
	for _, text := range said {
		if strings.HasPrefix(strings.TrimSpace(text), "--- ") {
			continue
		}
		words = append(words, strings.Fields(location.ReplaceAllString(text, ""))...)
	}
	if len(words) == 0 {
		return "no reason given"
	}
	return strings.Join(words, " ")
}
