package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/base32"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/term"

	"github.com/tallystick/tallystick/internal/clock"
	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/people"
	"github.com/tallystick/tallystick/server/store"
)

// passwordVariable may hold the first administrator's password.
const passwordVariable = "TALLYSTICK_HQ_ADMIN_PASSWORD"

type initCommand struct {
	Admin        string `help:"Name of the first administrator." default:"admin"`
	PasswordFile string `help:"File with the administrator's password, - for standard input. Else the environment's TALLYSTICK_HQ_ADMIN_PASSWORD, else asked for on a terminal, else made and printed once." type:"path"`
	FeedScope    string `help:"Which members a store is told of: all, or those with ties to it (who bought there, or were tied by hand). It cannot be changed later." enum:"all,ties" default:"all"`
	Currency     string `help:"Also put a plain programme in force in this currency (ISO 4217): a point for each full unit of money, and caps."`
}

// scopeTies is the scope of the feed by ties.
const scopeTies = "ties"

// Run makes a new HQ. The key file is written last: without it there is no HQ, and
// init may be run again.
func (i initCommand) Run(ctx context.Context, s *surroundings) error {
	if _, err := os.Stat(filepath.Join(s.cli.Data, keyFile)); !errors.Is(err, fs.ErrNotExist) {
		if err != nil {
			return fmt.Errorf("make HQ: %w", err)
		}
		return fmt.Errorf("make HQ: there is one in %s already; nothing was changed", s.cli.Data)
	}
	password, made, err := i.password(s)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(s.cli.Data, 0o700); err != nil {
		return fmt.Errorf("make HQ: %w", err)
	}
	if err := os.Chmod(s.cli.Data, 0o700); err != nil {
		return fmt.Errorf("make HQ: %w", err)
	}
	if err := i.make(ctx, s, password); err != nil {
		return fmt.Errorf("make HQ: %w", err)
	}
	said := struct {
		Data     string `json:"data"`
		Admin    string `json:"admin"`
		Password string `json:"password,omitempty"`
	}{Data: s.cli.Data, Admin: i.Admin}
	if made {
		said.Password = password // shown this once
	}
	return json.NewEncoder(s.stdout).Encode(said)
}

// make fills the database and then writes the key file.
func (i initCommand) make(ctx context.Context, s *surroundings, password string) (err error) {
	db, err := store.Open(ctx, s.cli.database(), s.cli.options())
	if err != nil {
		return err
	}
	defer func() {
		if cerr := db.Close(); err == nil {
			err = cerr
		}
	}()
	if err := db.Migrate(ctx); err != nil {
		return err
	}
	secret, err := newSecrets(rand.Reader, newID(), clock.System{}.Now())
	if err != nil {
		return err
	}
	secret.FeedTies = i.FeedScope == scopeTies
	o, err := assemble(db, secret, tuning{})
	if err != nil {
		return err
	}
	// Written before the database is filled, and given its name after: a full disk
	// shows before anything is kept.
	written, err := writeSecrets(s.cli.Data, secret)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.Remove(written)) }()
	err = db.InTx(ctx, func(ctx context.Context) error {
		switch n, err := db.CountPeople(ctx); {
		case err != nil:
			return err
		case n > 0:
			return errors.New("the database belongs to another HQ; give an empty one")
		}
		admin, err := o.people.Add(ctx, i.Admin, people.Administrator, password)
		if err != nil {
			return explain(err)
		}
		if err := o.programme.PublishKeys(ctx, o.keys); err != nil {
			return err
		}
		if err := i.plainProgramme(ctx, o, admin); err != nil {
			return explain(err)
		}
		return deed(ctx, db, "Init", "init", "hq="+secret.HQ.String())
	})
	if err != nil {
		return err
	}
	return keepSecrets(s.cli.Data, written)
}

// plainProgramme puts rules and caps in force that a small shop can start with.
func (i initCommand) plainProgramme(ctx context.Context, o *office, admin people.Person) error {
	if i.Currency == "" {
		return nil
	}
	_, err := o.programme.PutRuleSet(ctx, admin.ID, loyalty.RuleSet{
		Currency: i.Currency, Earn: []loyalty.EarnRule{{Unit: "points", Points: 1, Per: 100}},
	})
	if err != nil {
		return err
	}
	_, err = o.programme.PutPolicy(ctx, admin.ID, loyalty.Policy{
		Unit: "points", PerSale: 500, PerMemberDay: 500, PerTerminal: 5000,
		VouchersPerSale: 2, VouchersTerminal: 50, MaxCacheAgeSeconds: 7 * 24 * 3600, RestartCap: 5000,
		// Half of what is free is set aside where a member shops, so that most redemptions
		// without head office cost nothing.
		PerStore: 20_000, SpendEarned: true, Rights: loyalty.Rights{
			SharePercent: 50, Cap: 2000, Min: 50, LifeSeconds: 7 * 24 * 3600, OneOffSeconds: 3600,
			ClockBoundSeconds: 300, GraceSeconds: 2 * 24 * 3600, Clones: 1,
		},
	})
	return err
}

// explain adds the fields of a refusal, which on the command line are flags.
func explain(err error) error {
	var p *problem.Error
	if errors.As(err, &p) && len(p.Fields) > 0 {
		return fmt.Errorf("%w %v", err, p.Fields)
	}
	return err
}

// password finds the administrator's password, or makes one.
func (i initCommand) password(s *surroundings) (password string, made bool, err error) {
	if password = os.Getenv(passwordVariable); password != "" && i.PasswordFile == "" {
		return password, false, nil
	}
	return givenPassword(s, i.PasswordFile, i.Admin)
}

// givenPassword reads somebody's password from a file or from the terminal, or makes one.
func givenPassword(s *surroundings, file, name string) (password string, made bool, err error) {
	if file != "" {
		password, err = readPassword(file, s.stdin)
		return password, false, err
	}
	if s.stdin != nil && term.IsTerminal(int(s.stdin.Fd())) {
		fmt.Fprintf(s.stderr, "Password for %s (empty makes one): ", name)
		typed, err := term.ReadPassword(int(s.stdin.Fd()))
		fmt.Fprintln(s.stderr)
		if err != nil {
			return "", false, fmt.Errorf("read password: %w", err)
		}
		if len(typed) > 0 {
			return string(typed), false, nil
		}
	}
	raw := make([]byte, 15)
	if _, err := io.ReadFull(rand.Reader, raw); err != nil {
		return "", false, fmt.Errorf("make password: %w", err)
	}
	return base32.StdEncoding.EncodeToString(raw), true, nil
}

// readPassword reads the first line of a file or of standard input.
func readPassword(path string, stdin io.Reader) (string, error) {
	in := stdin
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return "", fmt.Errorf("read password: %w", err)
		}
		defer f.Close()
		in = f
	}
	line, err := bufio.NewReader(io.LimitReader(in, people.MaxPassword+2)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("read password: %w", err)
	}
	return strings.TrimRight(line, "\r\n"), nil
}
