package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// lab is a module with one test of every outcome, made new for each test.
var lab = map[string]string{
	"go.mod": "module lab\n\ngo 1.26\n",
	"good/good_test.go": `package good

import "testing"

func TestFine(t *testing.T) { t.Log("nobody needs to read this") }

func TestParts(t *testing.T) {
	t.Run("a", func(t *testing.T) {})
	t.Run("b", func(t *testing.T) { t.Skip("no loop device:\n/dev/loop-control is missing") })
}

func FuzzAnything(f *testing.F) { f.Fuzz(func(t *testing.T, b []byte) {}) }
`,
	"bad/bad_test.go": `package bad

import "testing"

func TestBroken(t *testing.T) { t.Error("two is not three") }
`,
	"panics/panics_test.go": `package panics

import "testing"

func TestPanics(t *testing.T) { panic("on purpose") }
`,
	"unbuilt/unbuilt_test.go": "package unbuilt\n\nvar x int = \"one\"\n",
	"crashes/crashes_test.go": `package crashes

import "testing"

func FuzzCrash(f *testing.F) { f.Fuzz(func(t *testing.T, b []byte) { t.Error("every input is bad") }) }
`,
}

func enterLab(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range lab {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
	// Vetting what the lab imports takes longer than everything else.
	t.Setenv("GOFLAGS", os.Getenv("GOFLAGS")+" -vet=off")
}

func TestRunCounts(t *testing.T) {
	enterLab(t)
	for _, tc := range []struct {
		name           string
		args           []string
		fails          bool
		passed, failed int
		skips          int
		says, hides    string
	}{
		{name: "good", args: []string{"-min", "2", "x", "--", "go", "test", "./good"}, passed: 3, skips: 1, says: "ok  \tlab/good", hides: "nobody needs"},
		{name: "verbose", args: []string{"-v", "x", "--", "go", "test", "./good"}, passed: 3, skips: 1, says: "nobody needs to read this"},
		{name: "bad", args: []string{"x", "--", "go", "test", "./bad", "./good"}, fails: true, passed: 3, failed: 1, skips: 1, says: "two is not three"},
		{name: "panic", args: []string{"x", "--", "go", "test", "./panics"}, fails: true, failed: 1, says: "on purpose"},
		{name: "does not build", args: []string{"x", "--", "go", "test", "./unbuilt"}, fails: true, failed: 1, says: "cannot use"},
		{name: "no such package", args: []string{"x", "--", "go", "test", "./nowhere/..."}, fails: true, failed: 1, says: "nowhere"},
		{name: "too few", args: []string{"-min", "1", "x", "--", "go", "test", "-run", "TestNone", "./good"}, fails: true},
		{name: "plain command", args: []string{"x", "--", "echo", "hello"}, says: "hello"},
		{name: "plain failure", args: []string{"x", "--", "false"}, fails: true, failed: 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var out bytes.Buffer
			err := dispatch(t.Context(), append([]string{"run"}, tc.args...), &out)
			if (err != nil) != tc.fails {
				t.Fatalf("error %v, output:\n%s", err, out.String())
			}
			rec, err := load(recordDir, "x")
			if err != nil || rec == nil {
				t.Fatalf("record %v, %v", rec, err)
			}
			if rec.Passed != tc.passed || rec.Failed != tc.failed || len(rec.Skips) != tc.skips {
				t.Errorf("%d passed, %d failed, skips %v", rec.Passed, rec.Failed, rec.Skips)
			}
			if !strings.Contains(out.String(), tc.says) {
				t.Errorf("does not say %q:\n%s", tc.says, out.String())
			}
			if tc.hides != "" && strings.Contains(out.String(), tc.hides) {
				t.Errorf("says %q:\n%s", tc.hides, out.String())
			}
		})
	}
}

func TestSkipSaysWhy(t *testing.T) {
	enterLab(t)
	if err := dispatch(t.Context(), []string{"run", "x", "--", "go", "test", "./good"}, &bytes.Buffer{}); err != nil {
		t.Fatal(err)
	}
	rec, err := load(recordDir, "x")
	if err != nil {
		t.Fatal(err)
	}
	want := skip{"lab/good", "TestParts/b", "no loop device: /dev/loop-control is missing"}
	if len(rec.Skips) != 1 || rec.Skips[0] != want {
		t.Errorf("skips %+v, want %+v", rec.Skips, want)
	}
}

func TestRunStopsWhenAsked(t *testing.T) {
	t.Chdir(t.TempDir())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	began := time.Now()
	if err := dispatch(ctx, []string{"run", "x", "--", "sleep", "60"}, &bytes.Buffer{}); err == nil {
		t.Error("a suite that was stopped counts as passed")
	}
	if took := time.Since(began); took > 30*time.Second {
		t.Errorf("took %s to stop", took)
	}
}

func TestTable(t *testing.T) {
	dir := t.TempDir()
	for _, r := range []record{
		{Name: "lint", Began: at(0), Seconds: 30},
		{Name: "unit", Began: at(30), Seconds: 90, Tests: true, Passed: 12, Skips: []skip{{"p", "TestPowerCut", "no loop device"}}},
		{Name: "broken", Seconds: 6, Tests: true, Passed: 1, Failed: 2, Error: "exit status 1"},
	} {
		if err := r.save(dir); err != nil {
			t.Fatal(err)
		}
	}
	for _, tc := range []struct {
		name   string
		suites []string
		limit  time.Duration
		forbid string
		fails  bool
		says   []string
	}{
		{
			name: "passed", suites: []string{"lint", "unit"}, limit: 15 * time.Minute,
			says: []string{
				"lint    0.5       -        -        -         ok",
				"unit    1.5       12       0        1         ok",
				"all     2.0       12       0        1         of the 15 minutes it may take",
				"SKIPPED ALOUD: p.TestPowerCut: no loop device",
				"\n12 passed, 0 failed, 1 skipped\n",
			},
		},
		{name: "over time", suites: []string{"unit"}, limit: time.Minute, says: []string{"OVER the 1 minutes"}},
		{name: "forbidden skip", suites: []string{"unit"}, forbid: "loop device", fails: true, says: []string{"SKIPPED ALOUD (NOT ALLOWED HERE): p.TestPowerCut"}},
		{name: "allowed skip", suites: []string{"unit"}, forbid: "zbar"},
		{name: "failed", suites: []string{"lint", "broken"}, fails: true, says: []string{"FAILED: exit status 1", "\n1 passed, 2 failed, 0 skipped\n"}},
		{name: "not run", suites: []string{"lint", "e2e"}, fails: true, says: []string{"e2e", "not run"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var forbidden *regexp.Regexp
			if tc.forbid != "" {
				forbidden = regexp.MustCompile(tc.forbid)
			}
			var out bytes.Buffer
			err := printTable(&out, dir, tc.suites, tc.limit, forbidden)
			if (err != nil) != tc.fails {
				t.Errorf("error %v", err)
			}
			for _, want := range tc.says {
				if !strings.Contains(out.String(), want) {
					t.Errorf("does not say %q:\n%s", want, out.String())
				}
			}
		})
	}
}

func at(second int) time.Time { return time.Date(2026, 5, 4, 9, 0, second, 0, time.UTC) }

func TestTimeSideBySideCountsOnce(t *testing.T) {
	for name, tc := range map[string]struct {
		ran  []record
		want float64
	}{
		"nothing":             {nil, 0},
		"one after the other": {[]record{{Began: at(0), Seconds: 30}, {Began: at(30), Seconds: 90}}, 120},
		"with a pause":        {[]record{{Began: at(0), Seconds: 30}, {Began: at(50), Seconds: 10}}, 40},
		"overlapping":         {[]record{{Began: at(20), Seconds: 20}, {Began: at(0), Seconds: 30}}, 40},
		"one within another":  {[]record{{Began: at(0), Seconds: 50}, {Began: at(10), Seconds: 5}, {Began: at(40), Seconds: 20}}, 60},
	} {
		if got := together(tc.ran); got != tc.want {
			t.Errorf("%s: %v seconds, want %v", name, got, tc.want)
		}
	}
}

func TestFuzzFindsAndRuns(t *testing.T) {
	enterLab(t)
	var out bytes.Buffer
	if err := dispatch(t.Context(), []string{"fuzz", "-each", "1s", "./good"}, &out); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	if !strings.Contains(out.String(), "fuzzed FuzzAnything lab/good") {
		t.Errorf("output:\n%s", out.String())
	}
	out.Reset()
	if err := dispatch(t.Context(), []string{"fuzz", "-each", "1s", "./crashes"}, &out); err == nil {
		t.Errorf("a crash passed:\n%s", out.String())
	}
	if err := dispatch(t.Context(), []string{"fuzz", "./panics"}, &bytes.Buffer{}); err == nil {
		t.Error("no target at all passed")
	}
}

func TestParseTargets(t *testing.T) {
	got := parseTargets("FuzzA\nFuzzB\nok  \tlab/a\t0.01s\n?   \tlab/b\t[no test files]\nok  \tlab/c\t0.01s\nFuzzC\nok  \tlab/d\t0.01s\n")
	want := []target{{"lab/a", "FuzzA"}, {"lab/a", "FuzzB"}, {"lab/d", "FuzzC"}}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestShare(t *testing.T) {
	for _, tc := range []struct {
		each, budget time.Duration
		targets      int
		want         time.Duration
	}{
		{20 * time.Second, 0, 100, 20 * time.Second},
		{20 * time.Second, 6 * time.Minute, 4, 20 * time.Second},
		{20 * time.Second, 6 * time.Minute, 36, 10 * time.Second},
		{20 * time.Second, 10 * time.Second, 36, time.Second},
	} {
		if got := share(tc.each, tc.budget, tc.targets); got != tc.want {
			t.Errorf("share(%s, %s, %d) = %s, want %s", tc.each, tc.budget, tc.targets, got, tc.want)
		}
	}
}

func TestStoppedByItsClock(t *testing.T) {
	for said, want := range map[string]bool{
		"--- FAIL: FuzzA (20.1s)\n    context deadline exceeded\nFAIL\n":                                      true,
		"--- FAIL: FuzzA (20.1s)\n    context deadline exceeded\n    Failing input written to testdata/x\n":   false,
		"failure while testing seed corpus entry: FuzzA/1\n--- FAIL: FuzzA\n    context deadline exceeded\n":  false,
		"--- FAIL: FuzzA (20.1s)\n    a_test.go:9: push: context deadline exceeded\nFAIL\n":                   false,
		"--- FAIL: FuzzA (20.1s)\n    fuzzing process hung or terminated unexpectedly: exit status 2\nFAIL\n": false,
	} {
		if got := stoppedByItsClock(said); got != want {
			t.Errorf("%q: %v, want %v", said, got, want)
		}
	}
}
