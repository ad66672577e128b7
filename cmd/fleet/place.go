package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/tallystick/tallystick/internal/testkit/process"
)

// placeFlags say where the programs are.
type placeFlags struct {
	Bin string `type:"existingdir" placeholder:"DIR" help:"Folder with the programs hq and edge. Default: the folder of this program."`
}

// binaries finds programs beside this one, or where --bin says.
func (p placeFlags) binaries(names ...string) (process.Binaries, error) {
	dir := p.Bin
	if dir == "" {
		self, err := os.Executable()
		if err != nil {
			return process.Binaries{}, fmt.Errorf("find this program: %w", err)
		}
		dir = filepath.Dir(self)
	}
	bin := process.Binaries{Dir: dir}
	for _, name := range names {
		if _, err := os.Stat(bin.Path(name)); err != nil {
			return bin, fmt.Errorf("find the program %s (make build makes it): %w", name, err)
		}
	}
	return bin, nil
}

// openRun makes a new folder for this run below dir, with a file in it for what the
// processes say.
func openRun(dir string) (made string, log *os.File, err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", nil, fmt.Errorf("make folder: %w", err)
	}
	if made, err = os.MkdirTemp(dir, "run-"); err != nil {
		return "", nil, fmt.Errorf("make folder: %w", err)
	}
	if made, err = filepath.Abs(made); err != nil {
		return "", nil, fmt.Errorf("make folder: %w", err)
	}
	if log, err = os.Create(filepath.Join(made, "processes.log")); err != nil {
		return "", nil, fmt.Errorf("create log: %w", err)
	}
	return made, log, nil
}
