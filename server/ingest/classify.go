package ingest

import (
	"errors"
	"time"

	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/journal"
)

// classify decodes what an entry says, as far as it can be read. It never refuses:
// bytes that cannot be read are quarantined, kinds and versions that this release
// does not know are parked.
func classify(t Terminal, at journal.Head, raw []byte, now time.Time) ledger.Entry {
	e := ledger.Entry{
		Terminal: t.ID, Store: t.Store, Epoch: t.Epoch, Seq: at.Seq, Hash: at.Hash, Raw: raw,
		State: ledger.Accepted, Proven: t.proven(at), RecordedAt: now.UnixMilli(), OccurredAt: now.UnixMilli(),
	}
	env, err := entry.Decode(raw)
	switch {
	case errors.Is(err, entry.ErrVersion):
		e.State = ledger.Parked
	case err != nil:
		e.State = ledger.Quarantined
		return e
	}
	e.Kind, e.HLC, e.OccurredAt = env.Kind, int64(env.HLC&(1<<63-1)), env.OccurredAt
	if e.State == ledger.Parked {
		return e
	}
	known, err := readBody(env)
	switch {
	case !known:
		e.State = ledger.Parked
	case err != nil:
		e.State = ledger.Quarantined
	}
	return e
}

// readBody checks that the body of a kind this release knows can be read.
func readBody(env entry.Entry) (known bool, err error) {
	switch env.Kind {
	case entry.KindEnrolled:
		_, err = entry.DecodeBody[entry.Enrolled](env)
	case entry.KindSale:
		_, err = entry.DecodeBody[entry.Sale](env)
	case entry.KindVoid:
		_, err = entry.DecodeBody[entry.Void](env)
	case entry.KindReturn:
		_, err = entry.DecodeBody[entry.Return](env)
	case entry.KindAllowanceChange:
		var change entry.AllowanceChange
		if change, err = entry.DecodeBody[entry.AllowanceChange](env); err == nil {
			err = change.Check()
		}
	case entry.KindEnrolMember:
		var m entry.EnrolMember
		if m, err = entry.DecodeBody[entry.EnrolMember](env); err == nil {
			err = m.Check()
		}
	case entry.KindClaim:
		var c entry.Claim
		if c, err = entry.DecodeBody[entry.Claim](env); err == nil {
			err = c.Check()
		}
	case entry.KindWitness:
		_, err = entry.DecodeBody[entry.Witness](env)
	case entry.KindClock:
		_, err = entry.DecodeBody[entry.Clock](env)
	case entry.KindDayClose:
		_, err = entry.DecodeBody[entry.DayClose](env)
	case entry.KindNote:
		_, err = entry.DecodeBody[entry.Note](env)
	default:
		return false, nil
	}
	return true, err
}
