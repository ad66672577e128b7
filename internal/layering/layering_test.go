package layering

import (
	"os"
	"path/filepath"
	"testing"
)

// root is the module's root, seen from this folder.
func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "go.mod")); err != nil {
		t.Fatalf("the module's root is not where this test looks for it: %v", err)
	}
	return dir
}

// TestLayering holds the module to the table, as built for each system that a
// till runs on.
func TestLayering(t *testing.T) {
	for _, goos := range []string{"linux", "windows"} {
		t.Run(goos, func(t *testing.T) {
			graph, err := Load(t.Context(), root(t), goos)
			if err != nil {
				t.Fatal(err)
			}
			if len(graph) == 0 {
				t.Fatal("go list found no package")
			}
			report(t, Run(Rules, graph))
		})
	}
}

// TestAmbient keeps clock and dice out of the rooms that decide.
func TestAmbient(t *testing.T) {
	graph, err := Load(t.Context(), root(t), "linux")
	if err != nil {
		t.Fatal(err)
	}
	found, err := Ambient(graph)
	if err != nil {
		t.Fatal(err)
	}
	report(t, found)
}

// TestDocumented asks every package for its doc.go.
func TestDocumented(t *testing.T) {
	graph, err := Load(t.Context(), root(t), "linux")
	if err != nil {
		t.Fatal(err)
	}
	found, err := Undocumented(graph)
	if err != nil {
		t.Fatal(err)
	}
	report(t, found)
}

func report(t *testing.T, found []Violation) {
	t.Helper()
	for _, v := range found {
		t.Errorf("%s", v)
	}
}
