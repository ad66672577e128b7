package main

import (
	"database/sql"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/wire"
)

// A figure of what is owed that somebody changed is named with what the postings say.
func TestVerifyFindsAChangedFigureOfWhatIsOwed(t *testing.T) {
	dir := initialised(t)
	o, err := openOffice(t.Context(), &cli{Data: dir, DBConnections: 4}, tuning{})
	if err != nil {
		t.Fatal(err)
	}
	account := uuid.New()
	err = o.ledger.PutMember(t.Context(), wire.Member{ID: uuid.New(), Account: account, Issue: 1}, uuid.Nil, nil)
	if err == nil {
		err = o.ledger.Adjust(t.Context(), entry.HQAdjustment{Account: account, Unit: "points", Amount: 500, Reason: 1})
	}
	if err == nil {
		err = o.applyAll(t.Context())
	}
	if err = o.close(err); err != nil {
		t.Fatal(err)
	}
	code, out, errs := hq(t, "verify", "--data", dir)
	if code != 0 || !strings.Contains(out, "1  postings summed again to what is owed\n") || !strings.Contains(out, "1  figures of what is owed\n") {
		t.Fatalf("%d %q %q", code, out, errs)
	}

	db, err := sql.Open("sqlite", filepath.Join(dir, "hq.db"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec("UPDATE liability_days SET amount = 501"); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	code, out, _ = hq(t, "verify", "--data", dir)
	if code != 1 || !strings.Contains(out, "FAILED  owed points, recorded on ") || !strings.Contains(out, "the figure is 501 of 1 postings, the postings are 500 of 1\n") || strings.Contains(out, "everything matches") {
		t.Errorf("%d %q", code, out)
	}
	code, out, _ = hq(t, "verify", "--data", dir, "--json")
	var report ledger.Report
	if err := json.Unmarshal([]byte(out), &report); code != 1 || err != nil || len(report.Failures) != 1 || report.Failures[0].What != "the figure is 501 of 1 postings, the postings are 500 of 1" {
		t.Errorf("%d %v %+v", code, err, report.Failures)
	}
}
