package powercut

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// DefaultSize is the size of a disk in bytes when none is given.
const DefaultSize = 256 << 20

// The ioctl of linux/fs.h that shuts a file system down, and the flag that keeps
// it from writing its log first.
const (
	fsIOCShutdown = 0x8004587d
	noLogFlush    = 2
)

// Disk is an ext4 file system of its own. It is not safe for concurrent use,
// except that processes may work on it at any time.
type Disk struct {
	dir   string // holds the image and the mount point
	image string
	mount string
	cuts  int
}

// New makes a disk of size bytes (0: [DefaultSize]) below parent and mounts it. The
// image is sparse. Disks that a dead process left behind are removed first.
func New(ctx context.Context, parent string, size int64) (*Disk, error) {
	if err := Available(); err != nil {
		return nil, fmt.Errorf("make disk: %w", err)
	}
	if err := sweep(ctx); err != nil {
		return nil, err
	}
	if size == 0 {
		size = DefaultSize
	}
	dir, err := os.MkdirTemp(parent, dirPrefix())
	if err != nil {
		return nil, fmt.Errorf("make disk: %w", err)
	}
	d := &Disk{dir: dir, image: filepath.Join(dir, "image"), mount: filepath.Join(dir, "mnt")}
	if err := d.format(ctx, size); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	if err := d.attach(ctx); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return d, nil
}

// Dir returns the folder under which the disk is mounted.
func (d *Disk) Dir() string { return d.mount }

// Cuts returns how often the power was cut.
func (d *Disk) Cuts() int { return d.cuts }

func (d *Disk) format(ctx context.Context, size int64) error {
	if err := os.Mkdir(d.mount, 0o755); err != nil {
		return fmt.Errorf("make mount point: %w", err)
	}
	f, err := os.Create(d.image)
	if err != nil {
		return fmt.Errorf("make disk image: %w", err)
	}
	if err := errors.Join(f.Truncate(size), f.Close()); err != nil {
		return fmt.Errorf("size disk image: %w", err)
	}
	return run(ctx, "mkfs.ext4", "-q", "-F", "-m", "0", "-E", "lazy_itable_init=0,lazy_journal_init=0", d.image)
}

func (d *Disk) attach(ctx context.Context) error {
	return run(ctx, "mount", "-t", "ext4", "-o", "loop,noatime", d.image, d.mount)
}

// Cut takes the power away. From its return on nothing more reaches the disk and
// every write and sync on it fails with EIO. What was acknowledged must have been
// counted before the call: an answer read afterwards may be for a sync that the
// cut overtook.
func (d *Disk) Cut() error {
	f, err := os.Open(d.mount)
	if err != nil {
		return fmt.Errorf("cut power: %w", err)
	}
	defer f.Close()
	flag := uint32(noLogFlush)
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, f.Fd(), fsIOCShutdown, uintptr(unsafe.Pointer(&flag)))
	runtime.KeepAlive(&flag)
	if errno != 0 {
		return fmt.Errorf("cut power: %w", errno)
	}
	d.cuts++
	return nil
}

// Restore gives the power back: it unmounts the dead file system and mounts it
// again, which replays its log. All processes that had files open on it must be
// gone; Restore waits a moment for the last of them.
func (d *Disk) Restore(ctx context.Context) error {
	if err := d.detach(ctx); err != nil {
		return err
	}
	return d.attach(ctx)
}

// detachFor bounds the wait for the last open file to go.
const detachFor = 10 * time.Second

func (d *Disk) detach(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, detachFor)
	defer cancel()
	for {
		err := unix.Unmount(d.mount, 0)
		if err == nil {
			return nil
		}
		if !errors.Is(err, unix.EBUSY) {
			return fmt.Errorf("unmount %s: %w", d.mount, err)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("unmount %s: %w", d.mount, err)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// Close unmounts the disk, by force if it must, and removes its image.
func (d *Disk) Close() error {
	return remove(d.dir)
}

// run runs a system tool and gives its words with the error.
func run(ctx context.Context, name string, args ...string) error {
	if out, err := exec.CommandContext(ctx, name, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("run %s: %w: %s", name, err, out)
	}
	return nil
}
