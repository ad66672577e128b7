package layering

import "fmt"

// Violation is one import (or use) that a rule forbids.
type Violation struct {
	Where  string // the package, or file:line
	What   string // what it does that it may not
	Reason string // why the rule is there
}

// String says it on one line, as a compiler would.
func (v Violation) String() string {
	return fmt.Sprintf("%s %s: %s", v.Where, v.What, v.Reason)
}

// Rule is one line of the table.
type Rule interface {
	Check(graph []Package) []Violation
}

// Never forbids the rooms to import any of the paths.
type Never struct {
	Rooms   []string
	Import  []string
	InTests bool // the tests of the rooms may not either
	Because string
}

// Check implements Rule.
func (r Never) Check(graph []Package) []Violation {
	var found []Violation
	for _, p := range graph {
		if !coveredByAny(r.Rooms, p.ImportPath) {
			continue
		}
		imports := p.Imports
		if r.InTests {
			imports = p.allImports()
		}
		for _, imp := range imports {
			if coveredByAny(r.Import, imp) {
				found = append(found, Violation{short(p.ImportPath), "imports " + short(imp), r.Because})
			}
		}
	}
	return found
}

// Only keeps an import to the rooms named in By. Tests are free.
type Only struct {
	Import  []string
	By      []string
	Because string
}

// Check implements Rule.
func (r Only) Check(graph []Package) []Violation {
	var found []Violation
	for _, p := range graph {
		if coveredByAny(r.By, p.ImportPath) || coveredByAny(r.Import, p.ImportPath) {
			continue
		}
		for _, imp := range p.Imports {
			if coveredByAny(r.Import, imp) {
				found = append(found, Violation{short(p.ImportPath), "imports " + short(imp), r.Because})
			}
		}
	}
	return found
}

// Knows lists all that a room may import, itself aside. Tests are free.
type Knows struct {
	Room    string
	May     []string
	Because string
}

// Check implements Rule.
func (r Knows) Check(graph []Package) []Violation {
	var found []Violation
	for _, p := range graph {
		if !covers(r.Room, p.ImportPath) {
			continue
		}
		for _, imp := range p.Imports {
			if !coveredByAny(r.May, imp) && !covers(r.Room, imp) {
				found = append(found, Violation{short(p.ImportPath), "imports " + short(imp), r.Because})
			}
		}
	}
	return found
}

// Without keeps a program free of packages, however deep they come in.
type Without struct {
	Program string
	Of      []string
	Because string
}

// Check implements Rule.
func (r Without) Check(graph []Package) []Violation {
	var found []Violation
	for _, p := range graph {
		if !covers("="+r.Program, p.ImportPath) {
			continue
		}
		for _, dep := range p.Deps {
			if coveredByAny(r.Of, dep) {
				found = append(found, Violation{short(p.ImportPath), "links " + short(dep), r.Because})
			}
		}
	}
	return found
}

// NoGoFiles keeps Go files out of one folder (not out of those below it).
type NoGoFiles struct {
	Folder  string
	Because string
}

// Check implements Rule.
func (r NoGoFiles) Check(graph []Package) []Violation {
	for _, p := range graph {
		if covers("="+r.Folder, p.ImportPath) {
			return []Violation{{short(p.ImportPath), "holds Go files", r.Because}}
		}
	}
	return nil
}

// Run checks the graph against the rules, in their order.
func Run(rules []Rule, graph []Package) []Violation {
	var found []Violation
	for _, r := range rules {
		found = append(found, r.Check(graph)...)
	}
	return found
}
