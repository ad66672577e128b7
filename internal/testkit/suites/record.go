package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"text/tabwriter"
	"time"
)

// record is what one suite cost and found.
type record struct {
	Name    string    `json:"name"`
	Began   time.Time `json:"began"`
	Seconds float64   `json:"seconds"`
	Tests   bool      `json:"tests"` // whether the command was one that counts tests
	Passed  int       `json:"passed"`
	Failed  int       `json:"failed"`
	Skips   []skip    `json:"skips"`
	Error   string    `json:"error"` // empty when the suite passed
}

// skip is one test that did not run, and what it said about that.
type skip struct {
	Package string `json:"package"`
	Test    string `json:"test"`
	Reason  string `json:"reason"`
}

func (s skip) String() string { return s.Package + "." + s.Test + ": " + s.Reason }

func (r record) save(dir string) error {
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("encode record: %w", err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make record folder: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, r.Name+".json"), data, 0o644); err != nil {
		return fmt.Errorf("write record: %w", err)
	}
	return nil
}

// load returns nil without an error when the suite was not run.
func load(dir, name string) (*record, error) {
	data, err := os.ReadFile(filepath.Join(dir, name+".json"))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read record: %w", err)
	}
	var r record
	if err := json.Unmarshal(data, &r); err != nil {
		return nil, fmt.Errorf("read record %s: %w", name, err)
	}
	return &r, nil
}

func tableCommand(args []string, out io.Writer) error {
	flags := flag.NewFlagSet("table", flag.ContinueOnError)
	limit := flags.Duration("limit", 0, "say so when all suites together took longer")
	forbid := flags.String("forbid-skips", "", "fail when a skip (package.Test: reason) matches this expression")
	if err := flags.Parse(args); err != nil {
		return err
	}
	var forbidden *regexp.Regexp
	if *forbid != "" {
		var err error
		if forbidden, err = regexp.Compile(*forbid); err != nil {
			return fmt.Errorf("read -forbid-skips: %w", err)
		}
	}
	return printTable(out, recordDir, flags.Args(), *limit, forbidden)
}

// printTable prints one line per named suite, the skips, and the closing count;
// it returns an error when a suite failed, was not run, or skipped what it may
// not skip.
func printTable(out io.Writer, dir string, names []string, limit time.Duration, forbidden *regexp.Regexp) error {
	var total record
	bad := 0
	var ran []record
	tw := tabwriter.NewWriter(out, 0, 0, 3, ' ', 0)
	fmt.Fprintln(tw, "\nsuite\tminutes\tpassed\tfailed\tskipped\tresult")
	for _, name := range names {
		r, err := load(dir, name)
		if err != nil {
			return err
		}
		if r == nil {
			bad++
			fmt.Fprintf(tw, "%s\t-\t-\t-\t-\tnot run\n", name)
			continue
		}
		result := "ok"
		if r.Error != "" {
			bad++
			result = "FAILED: " + r.Error
		}
		row(tw, r, result)
		ran = append(ran, *r)
		total.Passed += r.Passed
		total.Failed += r.Failed
		total.Skips = append(total.Skips, r.Skips...)
	}
	total.Name, total.Tests, total.Seconds = "all", true, together(ran)
	row(tw, &total, against(total.Seconds, limit))
	if err := tw.Flush(); err != nil {
		return fmt.Errorf("print table: %w", err)
	}
	refused := printSkips(out, total.Skips, forbidden)
	fmt.Fprintf(out, "\n%d passed, %d failed, %d skipped\n", total.Passed, total.Failed, len(total.Skips))
	if bad > 0 {
		return fmt.Errorf("%d of %d suites failed or were not run", bad, len(names))
	}
	if refused > 0 {
		return fmt.Errorf("%d tests were skipped that may not be skipped here", refused)
	}
	return nil
}

// together is how long suites took in all, in seconds. Time in which several ran side by
// side counts once.
func together(ran []record) (seconds float64) {
	slices.SortFunc(ran, func(a, b record) int { return a.Began.Compare(b.Began) })
	var until time.Time
	for _, r := range ran {
		end := r.Began.Add(time.Duration(r.Seconds * float64(time.Second)))
		if begin := latest(until, r.Began); end.After(begin) {
			seconds += end.Sub(begin).Seconds()
		}
		until = latest(until, end)
	}
	return seconds
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func row(w io.Writer, r *record, result string) {
	count := func(n int) string {
		if !r.Tests {
			return "-"
		}
		return strconv.Itoa(n)
	}
	fmt.Fprintf(w, "%s\t%.1f\t%s\t%s\t%s\t%s\n",
		r.Name, r.Seconds/60, count(r.Passed), count(r.Failed), count(len(r.Skips)), result)
}

func against(seconds float64, limit time.Duration) string {
	switch {
	case limit == 0:
		return ""
	case seconds > limit.Seconds():
		return fmt.Sprintf("OVER the %.0f minutes it may take", limit.Minutes())
	default:
		return fmt.Sprintf("of the %.0f minutes it may take", limit.Minutes())
	}
}

func printSkips(out io.Writer, skips []skip, forbidden *regexp.Regexp) (refused int) {
	for _, s := range skips {
		note := ""
		if forbidden != nil && forbidden.MatchString(s.String()) {
			refused++
			note = " (NOT ALLOWED HERE)"
		}
		fmt.Fprintf(out, "SKIPPED ALOUD%s: %s\n", note, s)
	}
	return refused
}
