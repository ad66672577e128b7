package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"
	"golang.org/x/text/encoding/charmap"

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
	kasa := file("kasa.json", `{"format": "csv", "expects": "all", "skip": 1, "decimal": ",", "thousands": ".", "time_format": "dd.MM.yyyy HH:mm", "total": "Toplam",
		"columns": {"receipt": "Fiş No", "time": "Tarih", "amount": "Tutar", "kind": "Tür"}, "kinds": {"Satış": "sale", "İade": "return"}}`)
	turkish, err := charmap.Windows1254.NewEncoder().String("Günlük Rapor\r\nFiş No;Tarih;Tutar;Tür\r\n1;01.05.2026 10:00;1.234,50;Satış\r\n2;01.05.2026 11:00;34,50;İade\r\nToplam;;1.269,00;\r\n")
	if err != nil {
		t.Fatal(err)
	}
	plain := func(format string) string {
		return file(format+".json", `{"format": "`+format+`", "expects": "all"}`)
	}
	receipts := file("receipts.json", `{"receipts":[{"receipt":"7","time":"2026-05-02T10:00:00Z","amount":1250}]}`)
	log := file("log.xml", `<POSLog><Transaction><SequenceNumber>8</SequenceNumber><EndDateTime>2026-05-02T12:00:00</EndDateTime><RetailTransaction><Total TotalType="TransactionGrossAmount">1.00</Total></RetailTransaction></Transaction></POSLog>`)
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
		{"Windows-1254", 0, `"bad":0,`, "", []string{"--store", "s1", "--mapping", kasa, file("kasa.csv", turkish)}},
		{"JSON", 0, `"rows":1,"state":"finished"`, "", []string{"--store", "s1", "--mapping", plain("json"), receipts}},
		{"POSLog", 0, `"rows":1,"state":"finished"`, "", []string{"--store", "s1", "--mapping", plain("poslog"), log}},
		{"one for the other", 1, `"code":"file_unreadable"`, "", []string{"--store", "s1", "--mapping", plain("poslog"), receipts}},
		{"no rules", 1, "", "--mapping: read", []string{"--store", "s1", "--mapping", may, may}},
		{"rules that cannot be", 1, "", "/format", []string{"--store", "s1", "--mapping", plain("pdf"), may}},
		{"a folder", 1, "", "--mapping", []string{"--store", "s1", "--mapping", data, may}},
		{"help", 0, "Ends with 0 when", "", []string{"--help"}},
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
