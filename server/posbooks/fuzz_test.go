package posbooks_test

import (
	"bytes"
	"testing"
	"unicode/utf8"

	"github.com/tallystick/tallystick/server/posbooks"
)

// held reads any bytes as a format: what comes out can be stored, and is within the limits.
func held(t *testing.T, rules posbooks.Rules, file []byte) {
	t.Helper()
	rows, bads := int64(0), int64(0)
	sum, err := reading(rules).Read(t.Context(), bytes.NewReader(file), posbooks.Into{
		Row: func(r posbooks.Row) error {
			rows++
			for _, text := range []string{r.Receipt, r.Lane, r.Currency} {
				if !utf8.ValidString(text) || len(text) > 64 || bytes.ContainsRune([]byte(text), 0) {
					t.Errorf("%q cannot be stored", text)
				}
			}
			if r.Amount < 0 || r.Amount > 1<<53 || r.Discount < 0 || !r.Day.Valid() || r.Kind.String() == "" || r.Line < 1 {
				t.Errorf("%+v", r)
			}
			return nil
		},
		Bad: func(b posbooks.Bad) error {
			bads++
			if b.Reason == "" || !utf8.ValidString(b.Text) || bytes.ContainsRune([]byte(b.Text), 0) || b.Line < 1 || utf8.RuneCountInString(b.Text) > 201 || !utf8.ValidString(b.Reason) {
				t.Errorf("%+v", b)
			}
			return nil
		},
	})
	if err != nil && posbooks.AsUnreadable(err) == nil {
		t.Errorf("neither rows nor a verdict: %v", err)
	}
	if sum.Rows != rows || sum.Bad != bads {
		t.Errorf("%d rows and %d bad ones, said %+v", rows, bads, sum)
	}
}

func FuzzCSV(f *testing.F) {
	f.Add([]byte(turkishFile))
	f.Add([]byte("no,time,amount,card,store,currency\n1,2026-06-01 10:00,\"1.00,,s1,\r2,2026-06-01 10:00,1\x00\n"))
	f.Fuzz(func(t *testing.T, file []byte) {
		held(t, turkish, file)
		held(t, simple, file)
	})
}

func FuzzJSON(f *testing.F) {
	f.Add([]byte(`{"receipts":[{"receipt":"7","time":"2026-06-01T10:00:00Z","amount":1}],"totals":[{}]}`))
	f.Fuzz(func(t *testing.T, file []byte) { held(t, posbooks.Rules{Format: posbooks.JSON}, file) })
}

func FuzzPOSLog(f *testing.F) {
	f.Add([]byte(`<?xml version="1.0" encoding="windows-1254"?><POSLog><Transaction><EndDateTime>2026-06-01T10:00:00</EndDateTime><RetailTransaction><Total TotalType="TransactionGrossAmount">1.00</Total></RetailTransaction></Transaction></POSLog>`))
	f.Fuzz(func(t *testing.T, file []byte) { held(t, posbooks.Rules{Format: posbooks.POSLog}, file) })
}
