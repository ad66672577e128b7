package layering

import (
	"fmt"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
)

const docReason = "each package says in doc.go what it is for, what it promises and what it must never import"

// Undocumented reports the packages without a doc.go that carries the package
// comment.
func Undocumented(graph []Package) ([]Violation, error) {
	var found []Violation
	for _, p := range graph {
		if !slices.Contains(p.GoFiles, "doc.go") {
			found = append(found, Violation{short(p.ImportPath), "has no doc.go", docReason})
			continue
		}
		comment, err := packageComment(filepath.Join(p.Dir, "doc.go"), nil)
		if err != nil {
			return nil, err
		}
		good := strings.HasPrefix(comment, "Package "+p.Name+" ")
		if p.Name == "main" {
			good = comment != ""
		}
		if !good {
			found = append(found, Violation{short(p.ImportPath), "has a doc.go without its package comment", docReason})
		}
	}
	return found, nil
}

func packageComment(file string, src any) (string, error) {
	tree, err := parser.ParseFile(token.NewFileSet(), file, src, parser.ParseComments|parser.PackageClauseOnly)
	if err != nil {
		return "", fmt.Errorf("parse %s: %w", file, err)
	}
	return strings.TrimSpace(tree.Doc.Text()), nil
}
