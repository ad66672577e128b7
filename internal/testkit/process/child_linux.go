package process

import "syscall"

// childAttributes gives the child a process group of its own, so that Ctrl-C in a
// terminal reaches only the parent, which stops its children in order; and a
// SIGKILL at the parent's death, so that nothing is left behind.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
