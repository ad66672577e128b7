package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/tallystick/tallystick/edge/syncer"
	"github.com/tallystick/tallystick/internal/clock"
	"github.com/tallystick/tallystick/internal/keys"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/journal"
	"github.com/tallystick/tallystick/sync/wire"
)

// codeVariable holds the one-time code, for unattended installations.
const codeVariable = "TALLYSTICK_EDGE_CODE"

type enrollCommand struct {
	HQ        string `name:"hq" required:"" help:"Address of HQ, for example https://hq.example.com." placeholder:"URL"`
	CodeFile  string `help:"File with the one-time code; - reads standard input. Without it the variable TALLYSTICK_EDGE_CODE is taken, or the code is asked for." placeholder:"FILE"`
	Again     bool   `help:"Replace an enrolment. Its journal must have been synced or exported before."`
	AllowHTTP bool   `name:"allow-http" help:"Accept an HQ address on another machine without TLS."`
}

// Run enrols.
func (c enrollCommand) Run(ctx context.Context, p *program, io std) error {
	if err := checkAddress(c.HQ, c.AllowHTTP); err != nil {
		return err
	}
	code, err := c.code(io)
	if err != nil {
		return err
	}
	e := enrolment{
		data: p.Data, address: strings.TrimRight(c.HQ, "/"), code: code, again: c.Again,
		http: &http.Client{Timeout: 30 * time.Second}, clock: clock.System{}, step: func(string) error { return nil },
	}
	id, err := e.run(ctx)
	if err != nil {
		return err
	}
	return printJSON(io.out, map[string]any{
		"enrolled": true, "terminal": id.Terminal, "name": id.Name, "store": id.Store, "epoch": id.Epoch,
		"data": p.Data, "token_file": filepath.Join(p.Data, tokenFile),
	})
}

// checkAddress refuses an HQ whose keys anybody on the way could replace.
func checkAddress(address string, allowHTTP bool) error {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") {
		return fmt.Errorf("the HQ address %q is not an http or https address", address)
	}
	ip := net.ParseIP(u.Hostname())
	local := u.Hostname() == "localhost" || (ip != nil && ip.IsLoopback())
	if u.Scheme == "http" && !local && !allowHTTP {
		return fmt.Errorf("the HQ address %q has no TLS; use https, or --allow-http on a network you trust", address)
	}
	return nil
}

// code finds the one-time code. It is no flag: other users of the machine can read
// command lines.
func (c enrollCommand) code(s std) (string, error) {
	var text string
	switch {
	case c.CodeFile == "-":
		line, err := bufio.NewReader(io.LimitReader(s.in, 4096)).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return "", fmt.Errorf("read code: %w", err)
		}
		text = line
	case c.CodeFile != "":
		raw, err := os.ReadFile(c.CodeFile)
		if err != nil {
			return "", fmt.Errorf("read code: %w", err)
		}
		text = string(raw)
	case os.Getenv(codeVariable) != "":
		text = os.Getenv(codeVariable)
	default:
		in, ok := s.in.(*os.File)
		if !ok || !term.IsTerminal(int(in.Fd())) {
			return "", fmt.Errorf("no code: use --code-file, or the variable %s", codeVariable)
		}
		fmt.Fprint(s.err, "One-time code from HQ: ")
		raw, err := term.ReadPassword(int(in.Fd()))
		fmt.Fprintln(s.err)
		if err != nil {
			return "", fmt.Errorf("read code: %w", err)
		}
		text = string(raw)
	}
	if text = strings.TrimSpace(text); text == "" {
		return "", errors.New("the code is empty")
	}
	return text, nil
}

// enrolment makes a data directory a terminal's. It can be cut off between any two
// steps and run again.
type enrolment struct {
	data, address, code string
	again               bool
	http                *http.Client
	clock               clock.Clock
	// step is called after each step has been made durable.
	step func(name string) error
}

func (e enrolment) run(ctx context.Context) (identity, error) {
	if err := os.MkdirAll(e.data, 0o700); err != nil {
		return identity{}, fmt.Errorf("make data directory: %w", err)
	}
	if err := e.checkOld(ctx); err != nil {
		return identity{}, err
	}
	pending := filepath.Join(e.data, pendingKeyFile)
	signer, err := readOrMakeSigner(pending)
	if err != nil {
		return identity{}, err
	}
	if err := e.step("key made"); err != nil {
		return identity{}, err
	}
	answer, err := syncer.Enrol(ctx, e.http, e.address, e.code, software(), signer)
	if err != nil {
		return identity{}, fmt.Errorf("enrol at %s: %w", e.address, err)
	}
	if err := e.step("answered"); err != nil {
		return identity{}, err
	}
	id, err := e.settle(ctx, answer, signer)
	if err != nil {
		return identity{}, err
	}
	// The key now lies under the name the identity gives it.
	return id, removeDurably(pending)
}

// checkOld refuses to replace an enrolment unless it was asked for and nothing of
// it would be lost.
func (e enrolment) checkOld(ctx context.Context) error {
	old, err := readIdentity(e.data)
	if problem.CodeOf(err) == problem.NotEnrolled {
		return nil
	}
	if err != nil && !e.again {
		return err
	}
	if err != nil {
		return fmt.Errorf("the old enrolment cannot be read, so nobody knows what it still holds; move %s away first: %w", e.data, err)
	}
	if err := e.dropStaleKey(old); err != nil {
		return err
	}
	if !e.again {
		return problem.Newf(problem.StateConflict, "%s is enrolled as terminal %s (%s); to replace that: --again", e.data, old.Terminal, old.Name)
	}
	return checkDelivered(ctx, e.data, old)
}

// dropStaleKey removes the pending key of an enrolment that was cut off after its
// identity was written: a new enrolment takes a new key.
func (e enrolment) dropStaleKey(old identity) error {
	pending := filepath.Join(e.data, pendingKeyFile)
	waiting, err := readSigner(pending)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	used, err := readSigner(filepath.Join(e.data, old.KeyFile))
	if err == nil && used.Public.Key.Equal(waiting.Public.Key) {
		return removeDurably(pending)
	}
	return nil
}

// settle writes everything the identity names, and then the identity.
func (e enrolment) settle(ctx context.Context, answer wire.Enrolment, signer keys.Signer) (identity, error) {
	tag := fmt.Sprintf("%s-%d", answer.Terminal.String()[:8], answer.Epoch)
	id := identity{
		Version: 1, Address: e.address, HQ: answer.HQ, Terminal: answer.Terminal, Epoch: answer.Epoch, Store: answer.Store,
		Name: answer.Name, Keys: answer.Keys, EnrolledAt: time.UnixMilli(answer.HQTime).UTC(),
		KeyFile: keyFileOf(tag), JournalDir: journalDirOf(tag),
	}
	if err := writeSigner(filepath.Join(e.data, id.KeyFile), signer); err != nil {
		return id, err
	}
	if len(answer.Statement) > 0 {
		if err := writeAtomically(filepath.Join(e.data, enrolmentFileOf(tag)), answer.Statement); err != nil {
			return id, err
		}
	}
	if err := e.step("key kept"); err != nil {
		return id, err
	}
	if err := e.beginJournal(ctx, id, signer, answer.TimeZone); err != nil {
		return id, err
	}
	if err := e.step("journal begun"); err != nil {
		return id, err
	}
	if err := ensureToken(e.data); err != nil {
		return id, err
	}
	if err := e.step("token made"); err != nil {
		return id, err
	}
	if err := writeIdentity(e.data, id); err != nil {
		return id, err
	}
	return id, e.step("identity written")
}

// beginJournal creates the journal with the entry enrolled. When an enrolment that
// was cut off has done so before, for the same terminal and epoch, it stays.
func (e enrolment) beginJournal(ctx context.Context, id identity, signer keys.Signer, zone string) (err error) {
	dir := filepath.Join(e.data, id.JournalDir)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("begin journal: %w", err)
	}
	j, err := journal.Open(ctx, dir, id.writer())
	if err != nil {
		return fmt.Errorf("begin journal: %w", err)
	}
	defer func() { err = errors.Join(err, j.Close()) }()
	if j.Head().Seq > 0 {
		return nil
	}
	// The wall clock may stand anywhere; HQ has just said what time it is.
	now := id.EnrolledAt
	raw, err := entry.Encode(entry.Entry{
		HLC: clock.NewStamp(now, 0), OccurredAt: now.UnixMilli(), BusinessDate: businessDate(now, zone), Kind: entry.KindEnrolled,
	}, entry.Enrolled{
		Terminal: id.Terminal, Store: id.Store, Epoch: id.Epoch, PublicKey: signer.Public.Key, HQ: id.HQ, Software: software(),
	})
	if err != nil {
		return err
	}
	if _, err := j.Append(ctx, raw); err != nil {
		return fmt.Errorf("begin journal: %w", err)
	}
	return syncDir(e.data)
}

// businessDate is the date in the store; an HQ that named no zone, or one that this
// machine does not know, leaves the date in UTC.
func businessDate(now time.Time, zone string) entry.Date {
	at, err := time.LoadLocation(zone)
	if err != nil {
		at = time.UTC
	}
	return entry.DateOf(now.In(at))
}
