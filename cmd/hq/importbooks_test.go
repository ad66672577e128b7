package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/server/fleet"
)

// The rules of docs/pos-books.md bring a file in at the command line, once.
func TestImportBooks(t *testing.T) {
	data := initialised(t)
	o, err := openOffice(t.Context(), &cli{Data: data, DBConnections: 4}, tuning{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = o.fleet.OpenStore(t.Context(), uuid.Nil, fleet.Store{Code: "s1", Name: "One", TimeZone: "Europe/Warsaw", Currency: "EUR"})
	if err = o.close(err); err != nil {
		t.Fatal(err)
	}
	file := func(name, text string) string {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	rules := file("rules.json", `{"format": "csv", "expects": "all", "minutes": 5, "columns": {"receipt": "no", "time": "time", "amount": "amount", "kind": "what"}, "kinds": {"Refund": "return"}, "lanes": {"POS 1": "Lane 1"}}`)
	may := file("may.csv", "no,time,amount,what\n1,2026-05-01 10:00,12.50,Refund\n2,never,1,sale\n")

	for _, tc := range []struct {
		name string
		code int
		out  string
		errs string
		args []string
	}{
		{"nowhere", 1, "", `there is no store "s2"`, []string{"--store", "s2", "--mapping", rules, may}},
		{"by nothing", 1, "", "neither a mapping nor a file", []string{"--store", "s1", "--mapping", "the till", may}},
		{"a preview", 0, `"Amount":1250`, "", []string{"--store", "s1", "--mapping", rules, "--dry-run", may}},
		{"an import", 0, `"state":"finished"`, "", []string{"--store", "s1", "--mapping", rules, may}},
		{"again", 0, `"same":`, "", []string{"--store", "s1", "--mapping", rules, may}},
		{"none at all", 1, `"state":"failed"`, "", []string{"--store", "s1", "--mapping", rules, file("none.csv", "x\n")}},
	} {
		code, out, errs := hq(t, append([]string{"import-books", "--data", data}, tc.args...)...)
		if code != tc.code || !strings.Contains(out, tc.out) || !strings.Contains(errs, tc.errs) {
			t.Errorf("%s: %d %s %s", tc.name, code, out, errs)
		}
		var said struct{ Rows, Bad int }
		if tc.name == "an import" && (json.Unmarshal([]byte(out), &said) != nil || said.Rows != 1 || said.Bad != 1) {
			t.Errorf("%s", out)
		}
	}
}
