package powercut

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"testing"
)

// SkipPrefix starts the message of every skip for want of root or loop devices;
// the continuous integration run fails when it sees it.
const SkipPrefix = "SKIPPED ALOUD: power cut"

// Need skips the test, aloud, when this machine cannot cut power.
func Need(tb testing.TB) {
	tb.Helper()
	if err := Available(); err != nil {
		// Standard error too: `go test` hides the words of a skip unless asked.
		fmt.Fprintf(os.Stderr, "%s: %s: %v\n", SkipPrefix, tb.Name(), err)
		tb.Skipf("%s: %v", SkipPrefix, err)
	}
}

// Available tells why power cannot be cut here, or nil.
func Available() error {
	if os.Geteuid() != 0 {
		return errors.New("needs root")
	}
	if _, err := os.Stat("/dev/loop-control"); err != nil {
		return fmt.Errorf("needs loop devices: %w", err)
	}
	for _, tool := range []string{"mkfs.ext4", "mount", "umount"} {
		if _, err := exec.LookPath(tool); err != nil {
			return fmt.Errorf("needs a tool: %w", err)
		}
	}
	return nil
}
