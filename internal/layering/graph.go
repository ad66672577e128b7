package layering

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"strings"
)

// module is the module's own path; inside this package its packages are written
// relative to it, with a leading "./", so that "./sync" is never mistaken for
// the standard library's sync.
const module = "github.com/tallystick/tallystick"

// Package is what the rules look at: a subset of what `go list -json` prints.
type Package struct {
	ImportPath     string
	Dir            string
	Name           string
	GoFiles        []string
	IgnoredGoFiles []string // left out by build constraints, still ours
	TestGoFiles    []string
	XTestGoFiles   []string
	Imports        []string // by the package itself
	TestImports    []string // by its tests, in the package
	XTestImports   []string // by its tests, beside the package
	Deps           []string // everything it links, directly or not
}

// Load lists the packages of the module whose root is dir as they are built for
// goos. Packages that do not compile are listed too: the imports are all the
// rules need, and other checks speak about the rest.
func Load(ctx context.Context, dir, goos string) ([]Package, error) {
	cmd := exec.CommandContext(ctx, "go", "list", "-e",
		"-json=ImportPath,Dir,Name,GoFiles,IgnoredGoFiles,TestGoFiles,XTestGoFiles,Imports,TestImports,XTestImports,Deps", "./...")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOOS="+goos, "GOARCH=amd64", "CGO_ENABLED=0")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("list packages for %s: %w: %s", goos, err, stderr.String())
	}
	return decode(out)
}

func decode(out []byte) ([]Package, error) {
	var packages []Package
	dec := json.NewDecoder(bytes.NewReader(out))
	for {
		var p Package
		err := dec.Decode(&p)
		if errors.Is(err, io.EOF) {
			return packages, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read package list: %w", err)
		}
		packages = append(packages, p)
	}
}

// short writes a path of this module as "./room/part" and leaves others alone.
func short(importPath string) string {
	if importPath == module {
		return "."
	}
	if rest, ok := strings.CutPrefix(importPath, module+"/"); ok {
		return "./" + rest
	}
	return importPath
}

// covers reports whether pattern names importPath or a folder above it. In a
// pattern, "std" is the whole standard library, "*" is any one path element,
// and a leading "=" asks for that very path and nothing below it.
func covers(pattern, importPath string) bool {
	p := short(importPath)
	if pattern == "std" {
		return isStandard(p)
	}
	if exact, ok := strings.CutPrefix(pattern, "="); ok {
		return exact == p
	}
	want, have := strings.Split(pattern, "/"), strings.Split(p, "/")
	if len(have) < len(want) {
		return false
	}
	for i, w := range want {
		if ok, err := path.Match(w, have[i]); err != nil || !ok {
			return false
		}
	}
	return true
}

// isStandard follows the go command: a first element without a dot belongs to
// the standard library.
func isStandard(p string) bool {
	first, _, _ := strings.Cut(p, "/")
	return !strings.Contains(first, ".")
}

func coveredByAny(patterns []string, importPath string) bool {
	for _, pattern := range patterns {
		if covers(pattern, importPath) {
			return true
		}
	}
	return false
}

// allImports is what the package and its tests import.
func (p Package) allImports() []string {
	all := append([]string{}, p.Imports...)
	all = append(all, p.TestImports...)
	return append(all, p.XTestImports...)
}
