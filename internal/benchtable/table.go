package benchtable

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"text/tabwriter"
)

// Publish prints the results as a table to w and writes them to dir/name.json,
// an array of [Result] objects. It makes dir when it is missing.
func Publish(w io.Writer, dir, name string, results []Result) error {
	if err := check(results); err != nil {
		return err
	}
	if err := Print(w, results); err != nil {
		return err
	}
	return writeJSON(dir, name, results)
}

// Print writes the results to w as one aligned table.
func Print(w io.Writer, results []Result) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "name\tvalue\tunit\tbaseline\tratio\ttarget\tpass")
	for _, r := range results {
		baseline, ratio, target, pass := "-", "-", "-", "-"
		if r.Baseline != 0 {
			baseline, ratio = number(r.Baseline), number(r.Ratio)
		}
		if r.Target != (Target{}) {
			target, pass = r.Target.String(), "yes"
			if !r.Pass {
				pass = "NO"
			}
		}
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", r.Name, number(r.Value), r.Unit, baseline, ratio, target, pass)
	}
	if err := tw.Flush(); err != nil {
		return fmt.Errorf("print results: %w", err)
	}
	return nil
}

// number keeps three digits that mean something, and all digits before the point.
func number(v float64) string {
	switch {
	case v >= 100 || v <= -100:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case v >= 10 || v <= -10:
		return strconv.FormatFloat(v, 'f', 1, 64)
	default:
		return strconv.FormatFloat(v, 'g', 3, 64)
	}
}

func writeJSON(dir, name string, results []Result) error {
	if results == nil {
		results = []Result{}
	}
	data, err := json.MarshalIndent(results, "", "  ")
	if err != nil {
		return fmt.Errorf("encode results: %w", err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make results folder: %w", err)
	}
	file := filepath.Join(dir, name+".json")
	if err := os.WriteFile(file, append(data, '\n'), 0o644); err != nil {
		return fmt.Errorf("write results: %w", err)
	}
	return nil
}

// Dir returns build/bench of the module that from stands in (a folder of it, such
// as "." in a test).
func Dir(from string) (string, error) {
	at, err := filepath.Abs(from)
	if err != nil {
		return "", fmt.Errorf("find module root: %w", err)
	}
	for {
		_, err := os.Stat(filepath.Join(at, "go.mod"))
		if err == nil {
			return filepath.Join(at, "build", "bench"), nil
		}
		if !errors.Is(err, os.ErrNotExist) {
			return "", fmt.Errorf("find module root: %w", err)
		}
		up := filepath.Dir(at)
		if up == at {
			return "", fmt.Errorf("find module root: no go.mod above %s", from)
		}
		at = up
	}
}
