package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// BinVariable names the environment variable with a folder of finished binaries;
// when it is set nothing is built.
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

// Build builds the named commands (below cmd/) into dir, with tags, or takes the
// folder of [BinVariable] when it is set and no tags are asked for. Tagged builds
// are broken on purpose, for negative controls, and are never taken from there.
func Build(ctx context.Context, dir string, tags []string, names ...string) (Binaries, error) {
	if given := os.Getenv(BinVariable); given != "" && len(tags) == 0 {
		return Binaries{Dir: given}, present(given, names)
	}
	root, err := ModuleRoot(ctx)
	if err != nil {
		return Binaries{}, err
	}
	args := []string{"build", "-o", dir + string(filepath.Separator)}
	if len(tags) > 0 {
		args = append(args, "-tags", strings.Join(tags, ","))
	}
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
