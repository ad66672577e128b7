package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// defaultData is where a till's data lies when nothing else is said.
func defaultData() string {
	if runtime.GOOS == "windows" {
		return filepath.Join(os.Getenv("ProgramData"), "Tallystick")
	}
	return "/var/lib/tallystick"
}

// writeAtomically puts data in place of the file name, whole or not at all, also
// through a power cut: temporary file, sync, rename, sync of the directory. The
// file is readable by its owner only.
func writeAtomically(name string, data []byte) (err error) {
	tmp, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*")
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	defer func() {
		if err != nil {
			_ = tmp.Close()
			_ = os.Remove(tmp.Name()) // the error to report is the one above
			err = fmt.Errorf("write %s: %w", name, err)
		}
	}()
	if _, err := tmp.Write(data); err != nil {
		return err
	}
	return publish(tmp, name)
}

// publish makes a complete temporary file durable under its name.
func publish(tmp *os.File, name string) error {
	if err := tmp.Chmod(0o600); err != nil {
		return err
	}
	if err := tmp.Sync(); err != nil {
		return err
	}
	if err := tmp.Close(); err != nil {
		return err
	}
	if err := os.Rename(tmp.Name(), name); err != nil {
		return err
	}
	return syncDir(filepath.Dir(name))
}

// syncDir makes renames and removals in a directory durable. Windows has no such
// call and needs none: NTFS journals them.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("sync directory: %w", err)
	}
	defer d.Close()
	if err := d.Sync(); err != nil {
		return fmt.Errorf("sync directory %s: %w", dir, err)
	}
	return nil
}

// removeDurably removes a file, if it is there.
func removeDurably(name string) error {
	if err := os.Remove(name); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return fmt.Errorf("remove file: %w", err)
	}
	return syncDir(filepath.Dir(name))
}
