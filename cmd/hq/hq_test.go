package main

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// hq runs one command line and returns its exit code and output.
func hq(t *testing.T, args ...string) (code int, out, errs string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	code = run(args, null, &stdout, &stderr)
	return code, stdout.String(), stderr.String()
}

func initialised(t *testing.T, more ...string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "data")
	if code, _, errs := hq(t, append([]string{"init", "--data", dir}, more...)...); code != 0 {
		t.Fatalf("init: %d %s", code, errs)
	}
	return dir
}

func TestInitMakesAnHQForItsOwnerOnly(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	code, out, errs := hq(t, "init", "--data", dir, "--admin", "boss", "--currency", "EUR")
	var said struct{ Data, Admin, Password string }
	if err := json.Unmarshal([]byte(out), &said); code != 0 || err != nil || said.Admin != "boss" || len(said.Password) < 20 {
		t.Fatalf("%d %q %q %v", code, out, errs, err)
	}
	if runtime.GOOS != "windows" {
		for path, want := range map[string]os.FileMode{dir: 0o700, filepath.Join(dir, keyFile): 0o600} {
			if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
				t.Errorf("%s: %v, %v, want %o", path, info.Mode(), err, want)
			}
		}
	}
	keys, err := os.ReadFile(filepath.Join(dir, keyFile))
	if err != nil || bytes.Contains(keys, []byte(said.Password)) {
		t.Errorf("%v, or the key file holds the password", err)
	}
	code, _, errs = hq(t, "init", "--data", dir)
	again, err := os.ReadFile(filepath.Join(dir, keyFile))
	if code != 1 || !strings.Contains(errs, "already") || err != nil || !bytes.Equal(keys, again) {
		t.Errorf("a second init: %d %q %v", code, errs, err)
	}
	if left, err := filepath.Glob(filepath.Join(dir, keyFile+".*")); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}

func TestInitTakesThePasswordFromFileOrEnvironment(t *testing.T) {
	file := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(file, []byte("from the file 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "a")
	if code, out, errs := hq(t, "init", "--data", dir, "--password-file", file); code != 0 || strings.Contains(out, "password") {
		t.Errorf("%d %q %q", code, out, errs)
	}
	t.Setenv(passwordVariable, "short")
	dir = filepath.Join(t.TempDir(), "b")
	if code, _, errs := hq(t, "init", "--data", dir); code != 1 || !strings.Contains(errs, "/password") {
		t.Errorf("%d %q", code, errs)
	}
	t.Setenv(passwordVariable, "long enough by now")
	if code, out, errs := hq(t, "init", "--data", dir); code != 0 || strings.Contains(out, "long enough") {
		t.Errorf("after a refusal: %d %q %q", code, out, errs)
	}
}

func TestCommandsSayWhatIsWrong(t *testing.T) {
	dir := initialised(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	garbage := filepath.Join(t.TempDir(), "garbage")
	if err := os.WriteFile(garbage, []byte("no export"), 0o600); err != nil {
		t.Fatal(err)
	}
	rows := map[string]struct {
		args []string
		code int
		want string
	}{
		"no HQ":         {[]string{"serve", "--data", t.TempDir()}, 1, "hq init makes one"},
		"port in use":   {[]string{"serve", "--data", dir, "--listen", l.Addr().String()}, 1, "another program uses this port"},
		"no command":    {nil, 2, "--help"},
		"unknown flag":  {[]string{"serve", "--password", "x"}, 2, "unknown flag"},
		"bad database":  {[]string{"verify", "--data", dir, "--db", "mysql://x"}, 1, "sqlite:"},
		"no export":     {[]string{"import", "--data", dir, garbage}, 1, "no Tallystick journal export"},
		"missing file":  {[]string{"import", "--data", dir, filepath.Join(dir, "none")}, 2, "none"},
		"other's base":  {[]string{"init", "--data", t.TempDir(), "--db", "sqlite:" + filepath.Join(dir, "hq.db")}, 1, "belongs to another HQ"},
		"bad duration":  {[]string{"serve", "--data", dir, "--grace", "soon"}, 2, "grace"},
		"bad programme": {[]string{"init", "--data", t.TempDir(), "--currency", "euro"}, 1, "/currency"},
	}
	for name, row := range rows {
		if code, _, errs := hq(t, row.args...); code != row.code || !strings.Contains(errs, row.want) {
			t.Errorf("%s: %d %q, want %d with %q", name, code, errs, row.code, row.want)
		}
	}
	if runtime.GOOS != "windows" {
		if err := os.Chmod(filepath.Join(dir, keyFile), 0o644); err != nil {
			t.Fatal(err)
		}
		if code, _, errs := hq(t, "verify", "--data", dir); code != 1 || !strings.Contains(errs, "chmod 600") {
			t.Errorf("open keys: %d %q", code, errs)
		}
	}
}

func TestFlagsWinOverEnvironmentAndEnvironmentOverFile(t *testing.T) {
	dir := initialised(t)
	file := filepath.Join(t.TempDir(), "hq.json")
	write := func(data string) {
		if err := os.WriteFile(file, []byte(`{"data":"`+data+`"}`), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(dir)
	if code, _, errs := hq(t, "--config", file, "verify"); code != 0 {
		t.Errorf("file: %d %s", code, errs)
	}
	write("/nowhere")
	t.Setenv("TALLYSTICK_HQ_DATA", dir)
	if code, _, errs := hq(t, "--config", file, "verify"); code != 0 {
		t.Errorf("environment over file: %d %s", code, errs)
	}
	t.Setenv("TALLYSTICK_HQ_DATA", "/nowhere")
	if code, _, errs := hq(t, "--config", file, "verify", "--data", dir); code != 0 {
		t.Errorf("flag over environment: %d %s", code, errs)
	}
	if code, _, _ := hq(t, "--config", file, "verify"); code != 1 {
		t.Error("the environment is not looked at: the rows above show nothing")
	}
}

func TestVerifySaysWhatItCheckedAndFindsAChange(t *testing.T) {
	dir := initialised(t, "--currency", "EUR")
	if code, out, errs := hq(t, "verify", "--data", dir); code != 0 || !strings.Contains(out, "everything matches") || !strings.Contains(out, "HQ entries") {
		t.Fatalf("%d %q %q", code, out, errs)
	}
	db, err := sql.Open("sqlite", filepath.Join(dir, "hq.db"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec("UPDATE hq_journal SET raw = zeroblob(length(raw)) WHERE seq = 1"); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if code, out, _ := hq(t, "verify", "--data", dir); code != 1 || !strings.Contains(out, "FAILED") || strings.Contains(out, "everything matches") {
		t.Errorf("after a change: %d %q", code, out)
	}
	if code, out, _ := hq(t, "verify", "--data", dir, "--json"); code != 1 || !json.Valid([]byte(out)) {
		t.Errorf("as JSON: %d %q", code, out)
	}
}

func TestMigrateTwiceIsMigrateOnce(t *testing.T) {
	dir := initialised(t)
	for range 2 {
		if code, out, errs := hq(t, "migrate", "--data", dir); code != 0 || !strings.Contains(out, "up to date") {
			t.Errorf("%d %q %q", code, out, errs)
		}
	}
}

func TestHelpAndVersion(t *testing.T) {
	code, out, _ := hq(t, "--help")
	for _, word := range []string{"init", "serve", "migrate", "import", "verify", "TALLYSTICK_HQ_DATA", "TALLYSTICK_HQ_CONFIG"} {
		if code != 0 || !strings.Contains(out, word) {
			t.Errorf("help: %d, no %s", code, word)
		}
	}
	if code, out, _ := hq(t, "version"); code != 0 || strings.TrimSpace(out) != version {
		t.Errorf("version: %d %q", code, out)
	}
}
