package stage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/tallystick/tallystick/internal/testkit/hqclient"
	"github.com/tallystick/tallystick/internal/testkit/process"
)

// stopWithin bounds an orderly stop.
const stopWithin = 20 * time.Second

// errNotRunning answers calls that need a running process.
var errNotRunning = errors.New("is not running")

// HQ is one head office. Its process may be down. It is for one goroutine at a
// time, except Client's client.
type HQ struct {
	bin      process.Binaries
	log      io.Writer
	proc     *process.Process
	Data     string   // its data directory
	Addr     string   // "host:port" it serves on
	Password string   // of the administrator called [Admin]
	More     []string // further flags of the next start
	Env      []string // added to the environment of every hq it starts, as in NAME=value
}

// NewHQ initialises an HQ in dir/hq with env added to its environment. It does not start
// it. log may be nil.
func NewHQ(ctx context.Context, bin process.Binaries, dir string, log io.Writer, env ...string) (*HQ, error) {
	addr, err := process.FreeAddr(ctx)
	if err != nil {
		return nil, err
	}
	h := &HQ{bin: bin, log: log, Data: filepath.Join(dir, "hq"), Addr: addr, Env: env}
	printed, err := h.Command(ctx, hqInit(h.Data)...)
	if err != nil {
		return nil, err
	}
	h.Password, err = passwordOf(printed)
	return h, err
}

// URL returns HQ's own address, behind every proxy.
func (h *HQ) URL() string { return "http://" + h.Addr }

// PID returns the process that serves.
func (h *HQ) PID() int { return h.proc.PID() }

// Start starts serving and waits until HQ is ready.
func (h *HQ) Start(ctx context.Context) error {
	proc, err := process.Start(ctx, process.Spec{
		Name: "hq serve", Path: h.bin.Path("hq"), Args: append(hqServe(h.Data, h.Addr), h.More...), Env: h.Env, Log: h.log, Ready: ready,
	})
	if err != nil {
		return err
	}
	h.proc = proc
	return nil
}

// Stop ends HQ in good order. Stopping one that is down does nothing.
func (h *HQ) Stop(ctx context.Context) error {
	if h.proc == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, stopWithin)
	defer cancel()
	err := h.proc.Stop(ctx)
	h.proc = nil
	return err
}

// Kill ends HQ with SIGKILL.
func (h *HQ) Kill() error {
	if h.proc == nil {
		return fmt.Errorf("hq: %w", errNotRunning)
	}
	err := h.proc.Kill()
	h.proc = nil
	return err
}

// SignIn returns a client signed in as the administrator.
func (h *HQ) SignIn(ctx context.Context) (*hqclient.Client, error) {
	return hqclient.SignIn(ctx, h.URL(), Admin, h.Password)
}

// Verify runs `hq verify` and returns what it printed.
func (h *HQ) Verify(ctx context.Context) (string, error) {
	out, err := h.Command(ctx, hqVerify(h.Data)...)
	return strings.TrimSpace(string(out)), err
}

// Import runs `hq import` on a journal export and returns what it printed.
func (h *HQ) Import(ctx context.Context, file string) (string, error) {
	out, err := h.Command(ctx, hqImport(h.Data, file)...)
	return strings.TrimSpace(string(out)), err
}

// VerifyCertificates runs `hq verify-certificate` on a file with nothing but the keys that
// HQ publishes, and returns what it printed.
func (h *HQ) VerifyCertificates(ctx context.Context, file string) (string, error) {
	out, err := h.Command(ctx, "verify-certificate", "--keys", h.URL()+"/.well-known/jwks.json", file)
	return strings.TrimSpace(string(out)), err
}

// AuditPack has HQ write a pack and an auditor verify it with the published keys; it
// returns what the auditor's program printed.
func (h *HQ) AuditPack(ctx context.Context, dir, keys string) (string, error) {
	if out, err := h.Command(ctx, "audit-pack", "--data", h.Data, dir); err != nil {
		return string(out), err
	}
	out, err := process.Run(ctx, process.Spec{Name: "verify", Path: h.bin.Path("verify"), Args: []string{"--keys", keys, dir}, Log: h.log})
	return string(out), err
}

// Command runs one command of hq, as in backup --data DIR FILE, and returns what it printed.
func (h *HQ) Command(ctx context.Context, args ...string) ([]byte, error) {
	return process.Run(ctx, process.Spec{Name: "hq " + args[0], Path: h.bin.Path("hq"), Args: args, Env: h.Env, Log: h.log})
}
