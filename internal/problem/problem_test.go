package problem_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"testing"

	"github.com/tallystick/tallystick/internal/problem"
)

func TestEveryCodeHasARow(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "table.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Values) != 1 {
			return true
		}
		lit, ok := spec.Values[0].(*ast.BasicLit)
		if !ok || lit.Kind != token.STRING {
			return true
		}
		code := problem.Code(lit.Value[1 : len(lit.Value)-1])
		seen++
		if row, ok := problem.Table[code]; !ok || row.Status < 400 || row.Title == "" {
			t.Errorf("code %q has no complete row", code)
		}
		return true
	})
	if seen != len(problem.Table) {
		t.Errorf("%d codes, %d rows", seen, len(problem.Table))
	}
}

func TestRenderHidesWhatHasNoCode(t *testing.T) {
	body := problem.Render(errors.New("password is hunter2"))
	if body.Code != problem.Internal || body.Detail != "" || body.Status != 500 {
		t.Errorf("rendered %+v", body)
	}
	if got := problem.Render(problem.New("no_such_code", "secret")); got.Code != problem.Internal || got.Detail != "" {
		t.Errorf("rendered %+v", got)
	}
}

func TestErrorRoundTripsTheWire(t *testing.T) {
	sent := fmt.Errorf("push: %w", problem.Newf(problem.BatchGap, "want %d", 7))
	raw, err := json.Marshal(problem.Render(sent))
	if err != nil {
		t.Fatal(err)
	}
	got := problem.Parse(409, raw)
	if !errors.Is(got, problem.New(problem.BatchGap, "")) || got.Detail != "want 7" {
		t.Errorf("parsed %v", got)
	}
	if errors.Is(got, problem.New(problem.Conflict, "")) {
		t.Error("matches another code")
	}
	if got := problem.Parse(502, []byte("<html>")); got.Code != problem.Unavailable {
		t.Errorf("parsed %v", got)
	}
}
