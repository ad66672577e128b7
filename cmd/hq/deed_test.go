package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/server/console"
)

// What changes HQ at the command line is in the audit log, with who did it and without
// secrets.
func TestCommandsAreInTheAuditLog(t *testing.T) {
	dir := initialised(t)
	password := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(password, []byte("a horse and a cart\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"migrate", "--data", dir}, {"people", "password", "ADMIN", "--data", dir, "--password-file", password}, {"new-epoch", "--data", dir},
	} {
		if code, out, errs := hq(t, args...); code != 0 || strings.Contains(out, "horse") {
			t.Fatalf("hq %v: %d %s %s", args, code, out, errs)
		}
	}
	o, err := openOffice(t.Context(), &cli{Data: dir, DBConnections: 4}, tuning{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := o.close(nil); err != nil {
			t.Error(err)
		}
	}()
	page, err := o.lists.Page(t.Context(), console.Asked{List: "acts", Order: "+at"})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, row := range page.Rows {
		got = append(got, fmt.Sprintf("%v: %v", row[3], row[4]))
		if name, _ := row[1].(string); !strings.HasPrefix(name, "command line") || strings.Contains(fmt.Sprint(row), "horse") || row[7] != nil {
			t.Errorf("%v", row)
		}
	}
	if want := "Init: hq init, Migrate: hq migrate, SetPassword: hq people password, NewEpoch: hq new-epoch"; strings.Join(got, ", ") != want {
		t.Errorf("%v, want %s", got, want)
	}
	if _, err := o.people.SignIn(t.Context(), "admin", "a horse and a cart", ""); err != nil {
		t.Error(err)
	}
}

func TestPeopleAtTheCommandLine(t *testing.T) {
	dir := initialised(t)
	code, out, errs := hq(t, "people", "list", "--data", dir)
	var said struct{ Name, Role string }
	if err := json.Unmarshal([]byte(out), &said); code != 0 || err != nil || said.Name != "admin" || said.Role != "administrator" {
		t.Errorf("%d %s %s %v", code, out, errs, err)
	}
	if code, _, errs := hq(t, "people", "password", "nobody", "--data", dir); code != 1 || !strings.Contains(errs, "nobody is called") {
		t.Errorf("%d %s", code, errs)
	}
	short := filepath.Join(t.TempDir(), "short")
	if err := os.WriteFile(short, []byte("short\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, errs := hq(t, "people", "password", "admin", "--data", dir, "--password-file", short); code != 1 || !strings.Contains(errs, "12 to 256") {
		t.Errorf("%d %s", code, errs)
	}
}
