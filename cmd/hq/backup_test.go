package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestBackupAndRestoreRefuseWhatWouldOverwrite(t *testing.T) {
	dir := initialised(t)
	keys := filepath.Join(dir, keyFile)
	file := filepath.Join(t.TempDir(), "hq.backup")
	if code, _, errs := hq(t, "backup", "--data", dir, file); code != 0 {
		t.Fatal(errs)
	}
	info, err := os.Stat(file)
	if err != nil || openToOthers(info) {
		t.Fatalf("the backup: %v, %v", info, err)
	}
	damaged := filepath.Join(t.TempDir(), "damaged")
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(damaged, raw[:len(raw)/2], 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"backup", "--data", dir, file}, "exists"},
		{[]string{"restore", "--data", dir, "--keys", keys, file}, "give an empty directory"},
		{[]string{"restore", "--data", t.TempDir(), "--keys", file, file}, "read keys"},
		{[]string{"restore", "--data", t.TempDir(), "--keys", keys, damaged}, "hq:"},
		{[]string{"restore", "--data", t.TempDir(), "--db", "postgres://x", "--keys", keys, file}, "new-epoch"},
	} {
		if code, out, errs := hq(t, c.args...); code != 1 || !strings.Contains(errs, c.want) {
			t.Errorf("hq %v: %d, %q, %q; want %q", c.args, code, out, errs, c.want)
		}
	}
	left, err := filepath.Glob(file + "*")
	if err != nil || len(left) != 1 {
		t.Errorf("files beside the backup: %v, %v", left, err)
	}
}

// Two restores of one backup are two epochs, each later than the first HQ's.
func TestEachRestoreIsAnEpochOfItsOwn(t *testing.T) {
	dir := initialised(t)
	file := filepath.Join(t.TempDir(), "hq.backup")
	if code, _, errs := hq(t, "backup", "--data", dir, file); code != 0 {
		t.Fatal(errs)
	}
	first, err := readSecrets(dir)
	if err != nil {
		t.Fatal(err)
	}
	again := filepath.Join(t.TempDir(), "again")
	if code, _, errs := hq(t, "restore", "--data", again, "--keys", filepath.Join(dir, keyFile), file); code != 0 {
		t.Fatal(errs)
	}
	second, err := readSecrets(again)
	if err != nil || second.HQ != first.HQ || second.Epoch <= first.Epoch || second.Version <= first.Version {
		t.Errorf("restored: epoch %d, version %d, %v", second.Epoch, second.Version, err)
	}
	if code, _, errs := hq(t, "new-epoch", "--data", again); code != 0 {
		t.Fatal(errs)
	}
	third, err := readSecrets(again)
	if err != nil || third.Epoch <= second.Epoch || third.Version <= second.Version {
		t.Errorf("once more: epoch %d, version %d, %v", third.Epoch, third.Version, err)
	}
	for _, args := range [][]string{{"verify", "--data", again}, {"rebuild", "--data", again}} {
		if code, out, errs := hq(t, args...); code != 0 {
			t.Errorf("hq %v: %s%s", args, out, errs)
		}
	}
}
