//go:build !linux

package process

import "syscall"

// childAttributes has nothing to add where the system cannot end a child with its
// parent.
func childAttributes() *syscall.SysProcAttr { return nil }
