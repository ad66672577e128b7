package layering

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// ambientFree says where time and randomness may be taken from the air. All
// other rooms are handed a clock, an io.Reader or an id.
var ambientFree = append([]string{"./internal/clock", "./internal/keys", "./cmd"}, outside...)

const ambientReason = "time, randomness and new ids are passed in, so that every decision can be played again"

// ambient maps an import path to the names that read the machine's clock or its
// randomness.
var ambient = map[string][]string{
	"time":                   {"Now", "Since", "Until"},
	"crypto/rand":            {"Reader", "Read", "Int", "Prime", "Text"},
	"math/rand":              globalRand,
	"math/rand/v2":           globalRand,
	"github.com/google/uuid": {"New", "NewString", "NewRandom", "NewUUID", "NewV6", "NewV7", "NewV7FromReader"},
}

// globalRand are the functions of math/rand that draw from the process-wide
// source; rand.New with a seed that was passed in stays free.
var globalRand = []string{
	"ExpFloat64", "Float32", "Float64", "Int", "Int31", "Int31n", "Int32", "Int32N", "Int63", "Int63n", "Int64", "Int64N",
	"IntN", "Intn", "N", "NormFloat64", "Perm", "Read", "Seed", "Shuffle", "Uint", "Uint32", "Uint32N", "Uint64", "Uint64N", "UintN",
}

// Ambient reports every use of the machine's clock or randomness in the
// non-test files of the graph, outside the rooms that may.
func Ambient(graph []Package) ([]Violation, error) {
	var found []Violation
	for _, p := range graph {
		if coveredByAny(ambientFree, p.ImportPath) {
			continue
		}
		for _, name := range slices.Concat(p.GoFiles, p.IgnoredGoFiles) {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			uses, err := ambientUses(filepath.Join(p.Dir, name), nil)
			if err != nil {
				return nil, err
			}
			for _, u := range uses {
				where := fmt.Sprintf("%s/%s:%d", short(p.ImportPath), name, u.line)
				found = append(found, Violation{where, "uses " + u.name, ambientReason})
			}
		}
	}
	return found, nil
}

type use struct {
	line int
	name string
}

// ambientUses reads one file, or src when it is not nil. It looks at names, not
// only at calls: handing time.Now to somebody is the same as calling it.
func ambientUses(file string, src any) ([]use, error) {
	fset := token.NewFileSet()
	tree, err := parser.ParseFile(fset, file, src, parser.SkipObjectResolution)
	if err != nil {
		return nil, fmt.Errorf("parse %s: %w", file, err)
	}
	banned := bannedNames(tree)
	var found []use
	ast.Inspect(tree, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if pkg, ok := sel.X.(*ast.Ident); ok && slices.Contains(banned[pkg.Name], sel.Sel.Name) {
			found = append(found, use{fset.Position(sel.Pos()).Line, pkg.Name + "." + sel.Sel.Name})
		}
		return true
	})
	return found, nil
}

// bannedNames maps the name a file gives an import to what it may not use of it.
func bannedNames(tree *ast.File) map[string][]string {
	banned := map[string][]string{}
	for _, spec := range tree.Imports {
		importPath, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			continue // the parser has already refused such a file
		}
		names, ok := ambient[importPath]
		if !ok {
			continue
		}
		local := path.Base(importPath)
		if local == "v2" {
			local = path.Base(path.Dir(importPath))
		}
		if spec.Name != nil {
			local = spec.Name.Name
		}
		banned[local] = append(banned[local], names...)
	}
	return banned
}
