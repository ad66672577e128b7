package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/clock"
	"github.com/tallystick/tallystick/internal/keys"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/journal"
	"github.com/tallystick/tallystick/sync/wire"
)

// fakeHQ hands out enrolments: one code is one terminal, asked with one key. Other
// calls it refuses as an HQ does that is busy.
type fakeHQ struct {
	*httptest.Server
	mu    sync.Mutex
	taken map[string]wire.EnrolRequest
	epoch uint32
}

var testTerminal = uuid.MustParse("0190e7a0-0000-7000-8000-0000000000c1")

func newFakeHQ(t *testing.T) *fakeHQ {
	h := &fakeHQ{taken: map[string]wire.EnrolRequest{}}
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, err := io.ReadAll(r.Body)
		if err != nil {
			return // the connection broke
		}
		answer, err := h.enrol(r.URL.Path, raw)
		if err != nil {
			w.WriteHeader(problem.Render(err).Status)
			_, _ = w.Write([]byte(`{"code":"` + string(problem.CodeOf(err)) + `"}`))
			return
		}
		_, _ = w.Write(answer)
	}))
	t.Cleanup(h.Close)
	return h
}

func (h *fakeHQ) enrol(path string, raw []byte) ([]byte, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if path != wire.PathEnrol {
		return nil, problem.New(problem.Backpressure, "")
	}
	req, err := wire.Unmarshal[wire.EnrolRequest](raw)
	if err != nil {
		return nil, err
	}
	if err := keys.Verify(req.PublicKey, wire.DomainEnrol, append([]byte(req.Code), req.PublicKey...), req.Signature); err != nil {
		return nil, problem.New(problem.ProofInvalid, "")
	}
	if earlier, taken := h.taken[req.Code]; taken && !bytes.Equal(earlier.PublicKey, req.PublicKey) {
		return nil, problem.New(problem.EnrolCodeInvalid, "used with another key")
	} else if !taken {
		h.epoch++
	}
	h.taken[req.Code] = req
	seed := make([]byte, 32)
	signer, err := keys.NewSigner(keys.Public{ID: 1, Use: keys.UseStatement, NotAfter: time.Now().Add(time.Hour)}, seed)
	if err != nil {
		return nil, err
	}
	return wire.Marshal(wire.Enrolment{
		V: 1, HQ: sandboxHQ, Terminal: testTerminal, Epoch: h.epoch, Store: sandboxStore, Name: "Lane 1",
		Keys: keys.Set{Version: 1, Keys: []keys.Public{signer.Public}}, HQTime: time.Now().UnixMilli(),
	})
}

// edge runs the program to its end.
func edge(t *testing.T, stdin string, args ...string) (code int, out, errs string) {
	t.Helper()
	var o, e bytes.Buffer
	code = run(t.Context(), args, std{in: strings.NewReader(stdin), out: &o, err: &e})
	return code, o.String(), e.String()
}

func enrollOK(t *testing.T, h *fakeHQ, data, code string, more ...string) {
	t.Helper()
	if got, _, errs := edge(t, code+"\n", append([]string{"--data", data, "enroll", "--hq", h.URL, "--code-file", "-"}, more...)...); got != 0 {
		t.Fatalf("exit code %d: %s", got, errs)
	}
}

// checkEnrolled checks that a data directory is whole.
func checkEnrolled(t *testing.T, h *fakeHQ, data, code string) identity {
	t.Helper()
	id, err := readIdentity(data)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := readSigner(filepath.Join(data, id.KeyFile))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(signer.Public.Key, h.taken[code].PublicKey) {
		t.Fatal("the key kept is not the one HQ knows")
	}
	if _, err := readToken(data); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(data, pendingKeyFile)); !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("the pending key is still there: %v", err)
	}
	for _, name := range []string{identityFile, tokenFile, id.KeyFile} {
		info, err := os.Stat(filepath.Join(data, name))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Fatalf("%s: %v %v", name, info, err)
		}
	}
	j, err := journal.OpenReadOnly(t.Context(), filepath.Join(data, id.JournalDir))
	if err != nil {
		t.Fatal(err)
	}
	run, err := j.Read(t.Context(), 1, 10, 1<<20)
	if err != nil || len(run.Entries) != 1 {
		t.Fatalf("%d entries, %v", len(run.Entries), err)
	}
	first, err := entry.Decode(run.Entries[0])
	if err != nil {
		t.Fatal(err)
	}
	body, err := entry.DecodeBody[entry.Enrolled](first)
	if err != nil || first.Kind != entry.KindEnrolled || body.Terminal != id.Terminal || body.Epoch != id.Epoch ||
		!bytes.Equal(body.PublicKey, signer.Public.Key) {
		t.Fatalf("%+v, %v", body, err)
	}
	return id
}

// TestEnrollCutOffAtAnyStep cuts an enrolment off after each step and runs it
// again: HQ gives one terminal for the code, and the directory is whole.
func TestEnrollCutOffAtAnyStep(t *testing.T) {
	cut := errors.New("cut off")
	steps := []string{"key made", "answered", "key kept", "journal begun", "token made", "identity written"}
	for _, last := range steps {
		t.Run(last, func(t *testing.T) {
			h, data := newFakeHQ(t), filepath.Join(t.TempDir(), "data")
			seen := false
			e := enrolment{data: data, address: h.URL, code: "c", http: h.Client(), clock: clock.System{}, step: func(name string) error {
				if name == last {
					seen = true
					return cut
				}
				return nil
			}}
			if _, err := e.run(t.Context()); !errors.Is(err, cut) || !seen {
				t.Fatal(err)
			}
			code, _, errs := edge(t, "c", "--data", data, "enroll", "--hq", h.URL, "--code-file", "-")
			if last == steps[len(steps)-1] {
				// It was complete; the second run says so and tidies up.
				if code != 1 || !strings.Contains(errs, "is enrolled as terminal") {
					t.Fatalf("%d %s", code, errs)
				}
			} else if code != 0 {
				t.Fatalf("%d %s", code, errs)
			}
			if checkEnrolled(t, h, data, "c"); h.epoch != 1 {
				t.Fatalf("HQ gave %d terminals", h.epoch)
			}
		})
	}
}

func TestEnrollAgainLosesNothing(t *testing.T) {
	h, data := newFakeHQ(t), t.TempDir()
	enrollOK(t, h, data, "first")
	old := checkEnrolled(t, h, data, "first")
	again := []string{"--data", data, "enroll", "--hq", h.URL, "--code-file", "-", "--again"}
	if code, _, errs := edge(t, "second", again[:len(again)-1]...); code != 1 || !strings.Contains(errs, "--again") {
		t.Fatalf("%d %s", code, errs)
	}
	if code, _, errs := edge(t, "second", again...); code != 1 || !strings.Contains(errs, "edge export") {
		t.Fatalf("%d %s", code, errs)
	}
	token, err := readToken(data)
	if err != nil {
		t.Fatal(err)
	}
	if code, _, errs := edge(t, "", "--data", data, "export", "--out", filepath.Join(t.TempDir(), "old.tsx")); code != 0 {
		t.Fatal(errs)
	}
	j, err := journal.Open(t.Context(), filepath.Join(data, old.JournalDir), old.writer())
	if err != nil {
		t.Fatal(err)
	}
	if code, _, errs := edge(t, "second", again...); code != 1 || !strings.Contains(errs, "stop it first") {
		t.Fatalf("%d %s", code, errs)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	enrollOK(t, h, data, "second", "--again")
	id := checkEnrolled(t, h, data, "second")
	if id.Epoch != old.Epoch+1 || id.KeyFile == old.KeyFile || id.JournalDir == old.JournalDir {
		t.Fatalf("old %+v, new %+v", old, id)
	}
	if kept, err := readToken(data); err != nil || kept != token {
		t.Fatal("the till software's token changed")
	}
	if _, err := os.Stat(filepath.Join(data, old.JournalDir)); err != nil {
		t.Fatalf("the old journal is gone: %v", err)
	}
}

func TestEnrollRefusals(t *testing.T) {
	h := newFakeHQ(t)
	for name, tc := range map[string]struct {
		args  []string
		stdin string
		code  int
		want  string
	}{
		"code as a flag":     {[]string{"enroll", "--hq", h.URL, "--code", "secret"}, "", 2, "unknown flag --code"},
		"no code":            {[]string{"enroll", "--hq", h.URL}, "", 1, codeVariable},
		"empty code":         {[]string{"enroll", "--hq", h.URL, "--code-file", "-"}, " \n", 1, "the code is empty"},
		"no TLS":             {[]string{"enroll", "--hq", "http://hq.example", "--code-file", "-"}, "c", 1, "has no TLS"},
		"no address":         {[]string{"enroll", "--hq", "hq.example", "--code-file", "-"}, "c", 1, "is not an http"},
		"not enrolled":       {[]string{"run", "--listen", "127.0.0.1:0"}, "", 1, "not_enrolled"},
		"nothing to export":  {[]string{"export", "--out", "x"}, "", 1, "not_enrolled"},
		"listen for all":     {[]string{"run", "--listen", "0.0.0.0:7070"}, "", 1, "can be reached from other machines"},
		"listen on a name":   {[]string{"run", "--listen", "till.example:7070"}, "", 1, "can be reached from other machines"},
		"unknown command":    {[]string{"serve"}, "", 2, "unexpected argument serve"},
		"unknown log level":  {[]string{"run", "--log-level", "loud"}, "", 1, "log level"},
		"status, no data":    {[]string{"status"}, "", 1, "token"},
		"listen without one": {[]string{"run", "--listen", "7070"}, "", 1, "--listen"},
	} {
		t.Run(name, func(t *testing.T) {
			code, _, errs := edge(t, tc.stdin, append([]string{"--data", t.TempDir()}, tc.args...)...)
			if code != tc.code || !strings.Contains(errs, tc.want) {
				t.Fatalf("%d %s", code, errs)
			}
		})
	}
}

func TestEnrollWithAUsedCodeLeavesNothingHalfDone(t *testing.T) {
	h := newFakeHQ(t)
	enrollOK(t, h, t.TempDir(), "c")
	data := t.TempDir()
	if code, _, errs := edge(t, "c", "--data", data, "enroll", "--hq", h.URL, "--code-file", "-"); code != 1 || !strings.Contains(errs, "Ask head office for a new one") {
		t.Fatalf("%d %s", code, errs)
	}
	enrollOK(t, h, data, "d")
	checkEnrolled(t, h, data, "d")
}

func TestSettingsFromVariablesAndFile(t *testing.T) {
	h, data := newFakeHQ(t), t.TempDir()
	file := filepath.Join(t.TempDir(), "edge.json")
	if err := os.WriteFile(file, []byte(`{"data": "/nowhere", "hq": "`+h.URL+`"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TALLYSTICK_EDGE_DATA", data)
	t.Setenv(codeVariable, "c")
	if code, _, errs := edge(t, "", "--config", file, "enroll"); code != 0 {
		t.Fatalf("%d %s", code, errs)
	}
	checkEnrolled(t, h, data, "c")
}

// TestRunRefusesALostJournal: an enrolled terminal never begins again at 1.
func TestRunRefusesALostJournal(t *testing.T) {
	for _, how := range []string{"removed", "emptied"} {
		t.Run(how, func(t *testing.T) {
			h, data := newFakeHQ(t), t.TempDir()
			enrollOK(t, h, data, "c")
			id := checkEnrolled(t, h, data, "c")
			dir := filepath.Join(data, id.JournalDir)
			if err := os.RemoveAll(dir); err != nil {
				t.Fatal(err)
			}
			if how == "emptied" {
				if err := os.Mkdir(dir, 0o700); err != nil {
					t.Fatal(err)
				}
			}
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			var errs bytes.Buffer
			if code := run(ctx, []string{"--data", data, "run", "--listen", "127.0.0.1:0"}, std{out: io.Discard, err: &errs}); code != 1 {
				t.Fatalf("exit code %d", code)
			}
			if !strings.Contains(errs.String(), string(problem.JournalDamaged)) {
				t.Fatal(errs.String())
			}
		})
	}
}
