package api_test

import (
	"bytes"
	"testing"
)

// TestTheChainHoldsNoPersonalDataAndNoSecret looks for what only the feed and HQ's
// own tables may hold in the bytes of HQ's journal, which is kept for ever and
// shown to auditors.
func TestTheChainHoldsNoPersonalDataAndNoSecret(t *testing.T) {
	r := newRig(t)
	member := r.made("/api/v1/members", `{"alias":"Zaphod B.","reference":"CRM-4711"}`)
	r.made("/api/v1/members", `{"alias":"Trillian"}`)
	if a := r.do(call{method: "POST", path: "/api/v1/members/" + member + "/block"}); a.status != 200 {
		t.Fatalf("block: %d %s", a.status, a.body)
	}
	heads, err := r.db.AuditHQHeads(t.Context())
	r.must(err)
	entries := 0
	for _, head := range heads {
		rows, err := r.db.AuditHQEntries(t.Context(), head.Shard, head.Epoch, 0, 1000)
		r.must(err)
		for _, row := range rows {
			entries++
			for _, hidden := range [][]byte{[]byte("Zaphod"), []byte("Trillian"), []byte("CRM-4711"), r.secret} {
				if bytes.Contains(row.Raw, hidden) {
					t.Errorf("the %s entry holds %q", row.Kind, hidden)
				}
			}
		}
	}
	if entries < 4 {
		t.Fatalf("only %d entries were looked at", entries)
	}
}
