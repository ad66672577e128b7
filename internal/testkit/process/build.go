package process

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// BinVariable names the environment variable with a folder of finished binaries;
// when it is set, the programs that ship are taken from there and not built.
const BinVariable = "TALLYSTICK_BIN"

// Binaries is a folder with the product's programs.
type Binaries struct{ Dir string }

// Path returns the path of one program.
func (b Binaries) Path(name string) string {
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	return filepath.Join(b.Dir, name)
}

// Build builds the named commands (below cmd/) into dir, or takes the folder of
// [BinVariable] when it is set.
func Build(ctx context.Context, dir string, names ...string) (Binaries, error) {
	if given := os.Getenv(BinVariable); given != "" {
		return Binaries{Dir: given}, present(given, names)
	}
	return build(ctx, dir, nil, names)
}

// BuildBroken builds the named commands with some source files replaced: a product
// that is broken on purpose, so that a test can be seen to catch it. broken maps a
// path in this module to the file's new text; the source itself is not touched.
func BuildBroken(ctx context.Context, dir string, broken map[string]string, names ...string) (Binaries, error) {
	flags, err := overlay(ctx, dir, broken)
	if err != nil {
		return Binaries{}, err
	}
	return build(ctx, dir, flags, names)
}

// BuildBrokenTest builds the tests of a package (as in ./internal/sim) over a product that
// is broken on purpose, and returns the program that runs them.
func BuildBrokenTest(ctx context.Context, dir string, broken map[string]string, of string) (string, error) {
	flags, err := overlay(ctx, dir, broken)
	if err != nil {
		return "", err
	}
	root, err := ModuleRoot(ctx)
	if err != nil {
		return "", err
	}
	program := Binaries{Dir: dir}.Path("broken.test")
	cmd := exec.CommandContext(ctx, "go", append(append([]string{"test", "-c", "-o", program}, flags...), of)...)
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build tests of %s: %w\n%s", of, err, out)
	}
	return program, nil
}

// overlay writes the changed files into dir and returns the flag of go that puts them in
// the place of the source.
func overlay(ctx context.Context, dir string, broken map[string]string) ([]string, error) {
	root, err := ModuleRoot(ctx)
	if err != nil {
		return nil, err
	}
	overlay := struct{ Replace map[string]string }{map[string]string{}}
	for path, text := range broken {
		original := filepath.Join(root, path)
		if _, err := os.Stat(original); err != nil {
			return nil, fmt.Errorf("break source: %w", err)
		}
		replacement := filepath.Join(dir, fmt.Sprintf("broken%d.go", len(overlay.Replace)))
		if err := os.WriteFile(replacement, []byte(text), 0o600); err != nil {
			return nil, fmt.Errorf("break source: %w", err)
		}
		overlay.Replace[original] = replacement
	}
	raw, err := json.Marshal(overlay)
	if err != nil {
		return nil, fmt.Errorf("break source: %w", err)
	}
	file := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(file, raw, 0o600); err != nil {
		return nil, fmt.Errorf("break source: %w", err)
	}
	return []string{"-overlay", file}, nil
}

func build(ctx context.Context, dir string, flags, names []string) (Binaries, error) {
	root, err := ModuleRoot(ctx)
	if err != nil {
		return Binaries{}, err
	}
	args := append([]string{"build", "-o", dir + string(filepath.Separator)}, flags...)
	for _, name := range names {
		args = append(args, "./cmd/"+name)
	}
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return Binaries{}, fmt.Errorf("build %s: %w\n%s", strings.Join(names, ", "), err, out)
	}
	return Binaries{Dir: dir}, nil
}

// present checks that a given folder has the named programs.
func present(dir string, names []string) error {
	for _, name := range names {
		if _, err := os.Stat(Binaries{Dir: dir}.Path(name)); err != nil {
			return fmt.Errorf("find program in %s: %w", BinVariable, err)
		}
	}
	return nil
}

// ModuleRoot returns the folder of the go.mod that the working directory belongs to.
func ModuleRoot(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("find module: %w", err)
	}
	mod := strings.TrimSpace(string(out))
	if mod == "" || mod == os.DevNull {
		return "", errors.New("find module: the working directory is in none")
	}
	return filepath.Dir(mod), nil
}
