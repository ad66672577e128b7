package api

import (
	"context"
	"encoding/base64"
	"encoding/hex"

	"github.com/tallystick/tallystick/server/console"
	"github.com/tallystick/tallystick/server/evidence"
	"github.com/tallystick/tallystick/server/ledger"
)

// GetExceptionEvidence implements StrictServerInterface.
func (h handlers) GetExceptionEvidence(ctx context.Context, r GetExceptionEvidenceRequestObject) (GetExceptionEvidenceResponseObject, error) {
	b, err := h.o.Evidence.Of(ctx, r.ID)
	if err != nil {
		return nil, err
	}
	out := CaseEvidence{Exception: showException(b.Exception), Entries: make([]EvidenceEntry, len(b.Entries))}
	for i, e := range b.Entries {
		out.Entries[i] = EvidenceEntry{Entry: showEntry(e.Entry), Bytes: hex.EncodeToString(e.Entry.Raw)}
		if out.Entries[i].Decoded, err = h.decoded(e.Entry); err != nil {
			return nil, err
		}
		if e.Proof != nil {
			shown := showProof(*e.Proof)
			out.Entries[i].Proof = &shown
		}
	}
	if b.Fork != nil {
		if out.Fork, err = h.showFork(*b.Fork); err != nil {
			return nil, err
		}
	}
	if c := b.Close; c != nil {
		out.Close = &EvidenceClose{
			Date: showDate(c.Date), First: int64(c.First), Last: int64(c.Last), Unmatched: c.Unmatched, Cut: c.Cut,
			Figures: showAll(c.Lines, func(d evidence.Difference) EvidenceFigure {
				return EvidenceFigure{Figure: d.Figure, Said: d.Said, Found: d.Found, Entries: showAll(d.Entries, func(n uint64) int64 { return int64(n) })}
			}),
		}
	}
	if a := b.Account; a != nil {
		out.Account = &EvidenceAccount{Account: a.Account, Unit: a.Unit, Postings: showAll(a.Postings, showPosting), Cut: a.Cut}
	}
	return GetExceptionEvidence200JSONResponse(out), nil
}

func (h handlers) showFork(f evidence.Fork) (*EvidenceFork, error) {
	out := EvidenceFork{
		Terminal: f.Writer.ID, Epoch: int64(f.Writer.Epoch), At: int64(f.At), Cut: f.Cut, Rows: make([]EvidenceRow, len(f.Rows)),
		Branches: showAll(f.Branches, func(b evidence.Branch) EvidenceBranch {
			shown := EvidenceBranch{
				Branch: b.Number, FromSeq: int64(b.From.Seq), FromHash: b.From.Hash.String(), HeadSeq: int64(b.Head.Seq), HeadHash: b.Head.Hash.String(),
				LastContactAt: fromMillis(b.Last), Entries: b.Entries, Sums: showAll(b.Sums, showSum),
			}
			if b.Checkpoint != nil {
				c := showCheckpoint(*b.Checkpoint)
				shown.Checkpoint = &c
			}
			return shown
		}),
		Heads: showAll(f.Heads, func(s evidence.Seen) EvidenceHead {
			return EvidenceHead{
				Seq: int64(s.Head.Seq), Hash: s.Head.Hash.String(), By: s.By, ByEpoch: int64(s.ByEpoch), BySeq: int64(s.BySeq), RecordedAt: at(s.RecordedAt), Branch: s.Branch,
			}
		}),
	}
	for i, r := range f.Rows {
		out.Rows[i] = EvidenceRow{Seq: int64(r.Seq), Differs: r.Differs, Cells: make([]EvidenceCell, len(r.Cells))}
		for j, e := range r.Cells {
			if e == nil {
				continue
			}
			shown := showEntry(*e)
			decoded, err := h.decoded(*e)
			if err != nil {
				return nil, err
			}
			out.Rows[i].Cells[j] = EvidenceCell{Entry: &shown, Decoded: decoded}
		}
	}
	return &out, nil
}

func showCheckpoint(c console.Signed) EvidenceCheckpoint {
	return EvidenceCheckpoint{
		First: int64(c.First), Last: int64(c.Last), Head: c.Head.String(), PublicKey: hex.EncodeToString(c.PublicKey),
		Signature: hex.EncodeToString(c.Signature), RecordedAt: c.RecordedAt,
	}
}

func showProof(p console.Proof) EntryProof {
	c := showCheckpoint(p.Checkpoint)
	return EntryProof{
		Writer: p.Writer.ID, Epoch: int64(p.Writer.Epoch), Previous: p.Previous.String(), First: c.First, Last: c.Last, Head: c.Head,
		PublicKey: c.PublicKey, Signature: c.Signature, RecordedAt: c.RecordedAt, Holds: p.Holds,
		Steps: showAll(p.Steps, func(e ledger.Entry) ProofStep {
			return ProofStep{Seq: int64(e.Seq), Bytes: base64.StdEncoding.EncodeToString(e.Raw), Hash: e.Hash.String()}
		}),
	}
}
