package benchtable

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTargets(t *testing.T) {
	for _, tc := range []struct {
		name            string
		value, baseline float64
		target          Target
		pass            bool
		text            string
	}{
		{"none asks nothing", 7, 0, Target{}, true, ""},
		{"ratio at the limit", 300, 100, RatioAtMost(3), true, "ratio <= 3"},
		{"ratio above the limit", 301, 100, RatioAtMost(3), false, "ratio <= 3"},
		{"rate high enough", 1000, 100, RatioAtLeast(10), true, "ratio >= 10"},
		{"rate too low", 79, 100, RatioAtLeast(0.8), false, "ratio >= 0.8"},
		{"ratio without baseline", 1, 0, RatioAtMost(3), false, "ratio <= 3"},
		{"value small enough", 79, 0, ValueAtMost(80), true, "value <= 80"},
		{"value too large", 81, 0, ValueAtMost(80), false, "value <= 80"},
		{"value too small", 1, 0, ValueAtLeast(2), false, "value >= 2"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := Against("x", "µs", tc.value, tc.baseline, tc.target)
			if r.Pass != tc.pass || r.Target.String() != tc.text {
				t.Errorf("got pass %v, target %q", r.Pass, r.Target)
			}
		})
	}
}

func TestMedian(t *testing.T) {
	for _, tc := range []struct {
		values []float64
		want   float64
	}{
		{[]float64{9}, 9},
		{[]float64{4, 2}, 3},
		{[]float64{5, 1, 100, 3, 4}, 4},
	} {
		if got := Median(tc.values); got != tc.want {
			t.Errorf("median of %v is %v, want %v", tc.values, got, tc.want)
		}
	}
}

func TestPublish(t *testing.T) {
	results := []Result{
		Against("sale_commit_1", "µs", 612.4, 230, RatioAtMost(3)),
		Against("sale_commit_32", "sales/s", 900, 100, RatioAtLeast(10)),
		Alone("edge_rss_100k", "MB", 61.25, Target{}),
	}
	dir := filepath.Join(t.TempDir(), "build", "bench")
	var out bytes.Buffer
	if err := Publish(&out, dir, "edge", results); err != nil {
		t.Fatal(err)
	}
	want := strings.Join([]string{
		"name            value  unit     baseline  ratio  target       pass",
		"sale_commit_1   612    µs       230       2.66   ratio <= 3   yes",
		"sale_commit_32  900    sales/s  100       9      ratio >= 10  NO",
		"edge_rss_100k   61.2   MB       -         -      -            -",
		"",
	}, "\n")
	if out.String() != want {
		t.Errorf("table is\n%s\nwant\n%s", out.String(), want)
	}
	data, err := os.ReadFile(filepath.Join(dir, "edge.json"))
	if err != nil {
		t.Fatal(err)
	}
	var objects []map[string]any
	if err := json.Unmarshal(data, &objects); err != nil {
		t.Fatal(err)
	}
	if len(objects) != 3 {
		t.Fatalf("%d objects, want 3: %s", len(objects), data)
	}
	for key, want := range map[string]any{
		"name": "sale_commit_32", "value": 900.0, "unit": "sales/s", "baseline": 100.0,
		"ratio": 9.0, "target": "ratio >= 10", "pass": false,
	} {
		if got := objects[1][key]; got != want {
			t.Errorf("%s is %v, want %v", key, got, want)
		}
	}
	if missed := Missed(results); len(missed) != 1 || missed[0].Name != "sale_commit_32" {
		t.Errorf("missed %v", missed)
	}
}

func TestPublishNothing(t *testing.T) {
	dir := t.TempDir()
	if err := Publish(&bytes.Buffer{}, dir, "none", nil); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(dir, "none.json"))
	if err != nil {
		t.Fatal(err)
	}
	if string(data) != "[]\n" {
		t.Errorf("file is %q, want an empty array", data)
	}
}

func TestPublishRefuses(t *testing.T) {
	for name, results := range map[string][]Result{
		"NaN":      {Alone("x", "µs", math.NaN(), Target{})},
		"infinity": {Alone("x", "µs", math.Inf(1), Target{})},
		"no name":  {Alone("", "µs", 1, Target{})},
		"twice":    {Alone("x", "µs", 1, Target{}), Alone("x", "µs", 2, Target{})},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := Publish(&bytes.Buffer{}, dir, "bad", results); err == nil {
				t.Error("published")
			}
			if _, err := os.Stat(filepath.Join(dir, "bad.json")); err == nil {
				t.Error("wrote a file")
			}
		})
	}
}

func TestDir(t *testing.T) {
	root := t.TempDir()
	deep := filepath.Join(root, "internal", "bench")
	if err := os.MkdirAll(deep, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "go.mod"), []byte("module m\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := Dir(deep)
	if err != nil || got != filepath.Join(root, "build", "bench") {
		t.Errorf("got %q, %v", got, err)
	}
	if got, err := Dir(string(filepath.Separator)); err == nil {
		t.Errorf("found a module at the root of the file system: %q", got)
	}
}
