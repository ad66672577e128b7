package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/tallystick/tallystick/server/store"
)

type backupCommand struct {
	File string `arg:"" help:"File to make; it must not exist." type:"path"`
}

// Run backs the database up, while serve may run.
func (b backupCommand) Run(ctx context.Context, s *surroundings) (err error) {
	o, err := openOffice(ctx, s.cli, tuning{})
	if err != nil {
		return err
	}
	defer func() { err = o.close(err) }()
	if err := o.db.Backup(ctx, b.File); err != nil {
		return err
	}
	if err := syncDir(filepath.Dir(b.File)); err != nil {
		return err
	}
	if err := checkFile(ctx, b.File); err != nil {
		return err
	}
	info, err := os.Stat(b.File)
	if err != nil {
		return fmt.Errorf("back up: %w", err)
	}
	return json.NewEncoder(s.stdout).Encode(map[string]any{
		"file": b.File, "bytes": info.Size(), "keys": "not in it: keep a copy of " + filepath.Join(s.cli.Data, keyFile) + " apart",
	})
}

// checkFile reads a backup through.
func checkFile(ctx context.Context, file string) error {
	db, err := store.Open(ctx, "sqlite:"+file, store.Options{})
	if err != nil {
		return err
	}
	return errors.Join(db.CheckWhole(ctx), db.Close())
}

type restoreCommand struct {
	File string `arg:"" help:"What hq backup made." type:"existingfile"`
	Keys string `help:"Copy of the key file of the HQ that was backed up." required:"" type:"existingfile"`
}

// Run makes an HQ of a backup in an empty data directory, in a new HQ epoch. The key
// file is written last: without it there is no HQ.
func (r restoreCommand) Run(ctx context.Context, s *surroundings) (err error) {
	if s.cli.DB != "" {
		return errors.New("restore: it restores hq.db in the data directory; restore PostgreSQL with its own tools, then run hq new-epoch")
	}
	secret, err := readKeyFile(r.Keys)
	if err != nil {
		return err
	}
	for _, name := range []string{keyFile, "hq.db"} {
		if _, err := os.Lstat(filepath.Join(s.cli.Data, name)); !errors.Is(err, fs.ErrNotExist) {
			return errors.Join(fmt.Errorf("restore: there is a %s in %s; give an empty directory", name, s.cli.Data), err)
		}
	}
	if err := os.MkdirAll(s.cli.Data, 0o700); err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	if err := copyFile(r.File, filepath.Join(s.cli.Data, "hq.db")); err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	if err := syncDir(s.cli.Data); err != nil {
		return err
	}
	if err := checkFile(ctx, filepath.Join(s.cli.Data, "hq.db")); err != nil {
		return err
	}
	secret, err = startEpoch(ctx, s.cli, secret, "Restore", "restore")
	if err != nil {
		return err
	}
	written, err := writeSecrets(s.cli.Data, secret)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.Remove(written)) }()
	if err := keepSecrets(s.cli.Data, written); err != nil {
		return err
	}
	return json.NewEncoder(s.stdout).Encode(map[string]any{"data": s.cli.Data, "hq": secret.HQ, "epoch": secret.Epoch})
}

// copyFile makes a new file durably, for its owner only.
func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Sync(), out.Close())
}

type newEpochCommand struct{}

// Run starts a new HQ epoch on a database that was restored by its own tools.
func (newEpochCommand) Run(ctx context.Context, s *surroundings) (err error) {
	secret, err := readSecrets(s.cli.Data)
	if err != nil {
		return err
	}
	if secret, err = startEpoch(ctx, s.cli, secret, "NewEpoch", "new-epoch"); err != nil {
		return err
	}
	written, err := writeSecrets(s.cli.Data, secret)
	if err != nil {
		return err
	}
	if err := os.Rename(written, filepath.Join(s.cli.Data, keyFile)); err != nil {
		return errors.Join(fmt.Errorf("keep keys: %w", err), os.Remove(written))
	}
	if err := syncDir(s.cli.Data); err != nil {
		return err
	}
	return json.NewEncoder(s.stdout).Encode(map[string]any{"data": s.cli.Data, "hq": secret.HQ, "epoch": secret.Epoch})
}

// startEpoch begins an HQ epoch in the database, which may be an old copy, and
// returns the secrets of that epoch, which the caller keeps. Doing it again begins
// one more.
//
// Epoch and versions are the second of the restore, which is higher than any that
// was given out: an old copy of the keys does not know the epochs since, nor an old
// copy of the database the versions. Operation and command are what the audit log says.
func startEpoch(ctx context.Context, c *cli, secret secrets, operation, command string) (_ secrets, err error) {
	db, err := store.Open(ctx, c.database(), c.options())
	if err != nil {
		return secrets{}, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := db.Migrate(ctx); err != nil {
		return secrets{}, err
	}
	now := uint64(time.Now().Unix())
	secret.Epoch = max(secret.Epoch+1, uint32(now))
	secret.Version = max(secret.Version+1, now)
	o, err := assemble(db, secret, tuning{})
	if err != nil {
		return secrets{}, err
	}
	err = db.InTx(ctx, func(ctx context.Context) error {
		if err := db.Forget(ctx); err != nil {
			return err
		}
		if err := o.programme.PublishKeys(ctx, o.keys); err != nil {
			return err
		}
		if err := o.programme.Renew(ctx, now); err != nil {
			return err
		}
		return deed(ctx, db, operation, command, fmt.Sprintf("epoch=%d", secret.Epoch))
	})
	if err != nil {
		return secrets{}, fmt.Errorf("start HQ epoch %d: %w", secret.Epoch, err)
	}
	return secret, nil
}
