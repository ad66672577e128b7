package main

import (
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/journal"
	"github.com/tallystick/tallystick/sync/wire"
)

// ranOffline enrols a terminal, runs it once with HQ refusing everything, and adds
// n entries to its journal: without rules from HQ there is no currency to sell in.
func ranOffline(t *testing.T, n int) (data string) {
	t.Helper()
	h := newFakeHQ(t)
	data = t.TempDir()
	enrollOK(t, h, data, "c")
	r := start(t, "--data", data, "run", "--listen", "127.0.0.1:0", "--log-level", "error")
	if status := r.call(http.MethodGet, "/v1/status", "", ""); status["sync"] == "ok" || status["online"] != false {
		t.Fatalf("%v", status)
	}
	r.end(0)
	id, err := readIdentity(data)
	if err != nil {
		t.Fatal(err)
	}
	j, err := journal.Open(t.Context(), filepath.Join(data, id.JournalDir), id.writer())
	if err != nil {
		t.Fatal(err)
	}
	for range n {
		if _, err := j.Append(t.Context(), []byte(strings.Repeat("entry ", 50))); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	return data
}

// readExport verifies a file as HQ does and returns how many entries it proves.
func readExport(t *testing.T, name, data string) (first, last uint64) {
	t.Helper()
	id, err := readIdentity(data)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := readSigner(filepath.Join(data, id.KeyFile))
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var known journal.Head
	trailer, err := wire.ReadExport(f, func(r wire.ExportRecord) error {
		if r.Batch == nil {
			return nil
		}
		b := *r.Batch
		if first == 0 {
			first, known = b.First, journal.Head{Seq: b.First - 1, Hash: journal.Hash(b.Prev)}
		}
		cp := journal.Checkpoint{Writer: id.writer(), First: b.First, Last: b.Last(), Head: journal.Hash(b.Head), Signature: b.Signature}
		heads, err := journal.VerifyRun(id.writer(), known, b.Entries, cp, signer.Public.Key)
		if err != nil {
			return err
		}
		last = b.Last()
		known = journal.Head{Seq: last, Hash: heads[len(heads)-1]}
		return nil
	})
	if err == nil {
		err = trailer.Verify(signer.Public.Key)
	}
	if err != nil {
		t.Fatal(err)
	}
	return first, last
}

func TestExportFromAMovedDisk(t *testing.T) {
	home := ranOffline(t, 1200)
	moved := filepath.Join(t.TempDir(), "disk")
	if err := os.CopyFS(moved, os.DirFS(home)); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "journal.tsx")
	code, text, errs := edge(t, "", "--data", moved, "export", "--out", out)
	if code != 0 {
		t.Fatal(errs)
	}
	var report exportReport
	if err := json.Unmarshal([]byte(text), &report); err != nil {
		t.Fatal(err)
	}
	first, last := readExport(t, out, moved)
	if first != 1 || last != report.Last || last != report.Head.Seq || last < 1200 || report.Entries != last || report.Batches < 3 || report.Damage != "" {
		t.Fatalf("%d to %d, %+v", first, last, report)
	}
	if code, _, errs := edge(t, "", "--data", moved, "export", "--out", out); code != 1 || !strings.Contains(errs, "exists already") {
		t.Fatalf("%d %s", code, errs)
	}
}

func TestExportLeavesOutWhatHQHas(t *testing.T) {
	data := ranOffline(t, 20)
	id, err := readIdentity(data)
	if err != nil {
		t.Fatal(err)
	}
	if err := writeProgress(data, progress{Epoch: id.Epoch, Acked: journal.Head{Seq: 10}}); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, tc := range []struct {
		args []string
		want uint64
	}{{nil, 11}, {[]string{"--all"}, 1}} {
		out := filepath.Join(dir, strings.Join(tc.args, "")+"x")
		if code, _, errs := edge(t, "", append([]string{"--data", data, "export", "--out", out}, tc.args...)...); code != 0 {
			t.Fatal(errs)
		}
		if first, _ := readExport(t, out, data); first != tc.want {
			t.Fatalf("from %d, want %d", first, tc.want)
		}
	}
}

func TestExportOfADamagedJournal(t *testing.T) {
	data := ranOffline(t, 300)
	id, err := readIdentity(data)
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(data, id.JournalDir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(files)
	flipped := false
	for _, name := range files {
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if at := 60_000; len(raw) > at && raw[at] != 0 {
			raw[at] ^= 1
			if err := os.WriteFile(name, raw, 0o600); err != nil {
				t.Fatal(err)
			}
			flipped = true
			break
		}
	}
	if !flipped {
		t.Fatal("no segment was found to damage")
	}
	out := filepath.Join(t.TempDir(), "journal.tsx")
	code, text, errs := edge(t, "", "--data", data, "export", "--out", out)
	if code != 1 || !strings.Contains(errs, string(problem.JournalDamaged)) {
		t.Fatalf("%d %s", code, errs)
	}
	var report exportReport
	if err := json.Unmarshal([]byte(text), &report); err != nil {
		t.Fatal(err)
	}
	if first, last := readExport(t, out, data); first != 1 || last != report.Last || last < 50 || last >= 300 || report.Damage == "" {
		t.Fatalf("%d to %d, %+v", first, last, report)
	}
	if code, _, errs := edge(t, "", "--data", data, "run", "--listen", "127.0.0.1:0"); code != 1 || !strings.Contains(errs, string(problem.JournalDamaged)) {
		t.Fatalf("%d %s", code, errs)
	}
}

func TestExportThatFailsLeavesNoFile(t *testing.T) {
	data := ranOffline(t, 3)
	out := filepath.Join(t.TempDir(), "missing", "journal.tsx")
	if code, _, _ := edge(t, "", "--data", data, "export", "--out", out); code != 1 {
		t.Fatalf("exit code %d", code)
	}
	if _, err := os.Stat(out); !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
}
