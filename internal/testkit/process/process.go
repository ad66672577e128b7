package process

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// Spec says what to start.
type Spec struct {
	// Name is used in messages; empty means the program's base name.
	Name string
	Path string
	Args []string
	// Env is added to the parent's environment.
	Env []string
	Dir string
	// Stdin is closed at once when nil.
	Stdin io.Reader
	// Log gets a copy of everything the process writes, as it comes. May be nil.
	Log io.Writer
	// Ready tells whether a line of standard output says that the process is ready.
	// Nil means ready when started.
	Ready func(line []byte) bool
	// ReadyWithin bounds the wait; zero means 30 s.
	ReadyWithin time.Duration
}

func (s Spec) name() string {
	if s.Name != "" {
		return s.Name
	}
	return filepath.Base(s.Path)
}

// Process is one running or ended child.
type Process struct {
	spec   Spec
	cmd    *exec.Cmd
	output *output
	done   chan struct{}
	err    error // set before done is closed
	began  time.Time
	ready  time.Duration
}

// Start starts the process and waits for its ready line. On any error nothing is
// left running, and the error holds the end of what the process wrote.
func Start(ctx context.Context, spec Spec) (*Process, error) {
	p := &Process{spec: spec, done: make(chan struct{}), output: newOutput(spec.Log, spec.Ready)}
	p.cmd = exec.Command(spec.Path, spec.Args...) //nolint:noctx // the child outlives the call; Stop and Kill end it
	p.cmd.Env = append(os.Environ(), spec.Env...)
	p.cmd.Dir, p.cmd.Stdin = spec.Dir, spec.Stdin
	p.cmd.Stdout, p.cmd.Stderr = p.output.stdout(), p.output.stderr()
	p.cmd.SysProcAttr = childAttributes()
	// A grandchild that holds the pipes must not keep Wait from returning.
	p.cmd.WaitDelay = 5 * time.Second
	p.began = time.Now()
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", spec.name(), err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.done)
	}()
	if err := p.awaitReady(ctx); err != nil {
		_ = p.Kill() // the reason to report is the one above
		return nil, fmt.Errorf("start %s: %w\n%s", spec.name(), err, p.output.tail())
	}
	return p, nil
}

func (p *Process) awaitReady(ctx context.Context) error {
	if p.spec.Ready == nil {
		return nil
	}
	within := p.spec.ReadyWithin
	if within == 0 {
		within = 30 * time.Second
	}
	timer := time.NewTimer(within)
	defer timer.Stop()
	select {
	case <-p.output.ready:
		p.ready = time.Since(p.began)
		return nil
	case <-p.done:
		return fmt.Errorf("ended before it was ready: %w", exitError(p.err))
	case <-timer.C:
		return fmt.Errorf("not ready within %s", within)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Run starts the process, waits for its end and returns what it wrote to standard
// output. The error of a failed run holds all it wrote.
func Run(ctx context.Context, spec Spec) ([]byte, error) {
	spec.Ready = nil
	p, err := Start(ctx, spec)
	if err != nil {
		return nil, err
	}
	select {
	case <-p.done:
	case <-ctx.Done():
		_ = p.Kill()
		return nil, fmt.Errorf("run %s: %w", spec.name(), ctx.Err())
	}
	if p.err != nil {
		return p.output.standard(), fmt.Errorf("run %s: %w\n%s", spec.name(), p.err, p.output.tail())
	}
	return p.output.standard(), nil
}

// PID returns the process id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// ReadyLine returns the line that said ready.
func (p *Process) ReadyLine() []byte { return p.output.readyLine() }

// ReadyAfter returns the time from the start to the ready line.
func (p *Process) ReadyAfter() time.Duration { return p.ready }

// Done is closed when the process has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Log returns everything written so far, both streams in order of arrival.
func (p *Process) Log() string { return p.output.all() }

// Running tells whether the process has not ended.
func (p *Process) Running() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// Wait waits for the end and returns how the process ended: nil for exit code 0.
func (p *Process) Wait(ctx context.Context) error {
	select {
	case <-p.done:
		return p.err
	case <-ctx.Done():
		return fmt.Errorf("wait for %s: %w", p.spec.name(), ctx.Err())
	}
}

// Kill sends SIGKILL and waits until the process is gone.
func (p *Process) Kill() error {
	if err := p.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("kill %s: %w", p.spec.name(), err)
	}
	<-p.done
	return nil
}

// Stop asks the process to end (SIGTERM) and waits; when it has not ended within
// the context it is killed and that is the error. An exit code other than 0 is an
// error too. Stopping an ended process returns how it ended.
func (p *Process) Stop(ctx context.Context) error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop %s: %w", p.spec.name(), err)
	}
	select {
	case <-p.done:
		if p.err != nil {
			return fmt.Errorf("stop %s: %w\n%s", p.spec.name(), p.err, p.output.tail())
		}
		return nil
	case <-ctx.Done():
		_ = p.Kill()
		return fmt.Errorf("stop %s: it did not end by itself: %w\n%s", p.spec.name(), ctx.Err(), p.output.tail())
	}
}

// exitError makes "exit code 0" sayable as an error.
func exitError(err error) error {
	if err == nil {
		return errors.New("exit status 0")
	}
	return err
}
