package api_test

import (
	"bytes"
	"math"
	"net/http"
	"testing"

	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/wire"
)

// A terminal can sign entries that no till would write. They are facts and are
// listed like all others; none of them may hide the others.
func TestG5_EntriesFromNoTimeAreListed(t *testing.T) {
	for name, occurred := range map[string]int64{
		"before all years": math.MinInt64, "after all years": math.MaxInt64, "year 10000": 253402300800000,
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			l := r.enrolledLane("one", 12)
			raw, err := entry.Encode(entry.Entry{
				OccurredAt: occurred, BusinessDate: math.MaxUint32, Kind: entry.KindNote,
			}, entry.Note{Code: entry.NoteStarted})
			r.must(err)
			l.entries = append(l.entries, raw)
			if a := l.proven("POST", wire.PathPush, l.batch()); a.status != http.StatusOK {
				t.Fatalf("push: %d %s", a.status, a.body)
			}
			for n := 1; n > 0; {
				n, err = r.ledger.Apply(t.Context())
				r.must(err)
			}
			for _, path := range []string{"/api/v1/entries", "/api/v1/entries/" + l.id.String() + "/1/2", "/api/v1/exceptions"} {
				if a := r.do(call{method: "GET", path: path}); a.status != http.StatusOK {
					t.Errorf("%s: %d %s", path, a.status, a.body)
				}
			}
		})
	}
}

func TestG5_AnEntryOfANewerVersionIsShownParked(t *testing.T) {
	r := newRig(t)
	l := r.enrolledLane("one", 13)
	raw, err := wire.Marshal(entry.Entry{
		V: entry.Version + 1, OccurredAt: r.clock.Now().UnixMilli(), Kind: entry.KindSale, Body: []byte{0xa0},
	})
	r.must(err)
	l.entries = append(l.entries, raw)
	if a := l.proven("POST", wire.PathPush, l.batch()); a.status != http.StatusOK {
		t.Fatalf("push: %d %s", a.status, a.body)
	}
	a := r.do(call{method: "GET", path: "/api/v1/entries/" + l.id.String() + "/1/2"})
	if a.status != http.StatusOK || !bytes.Contains(a.body, []byte(`"state":"parked"`)) {
		t.Errorf("%d %s", a.status, a.body)
	}
}
