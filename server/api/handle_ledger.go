package api

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"math"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/allowance"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/journal"
)

// ListEntries implements StrictServerInterface.
func (h handlers) ListEntries(ctx context.Context, r ListEntriesRequestObject) (ListEntriesResponseObject, error) {
	size, err := pageSize(r.Params.Limit)
	if err != nil {
		return nil, err
	}
	filter := ledger.EntryFilter{Terminal: valueOf(r.Params.Writer), Store: valueOf(r.Params.Store)}
	if r.Params.State != nil {
		if filter.State, err = readState(*r.Params.State); err != nil {
			return nil, err
		}
	}
	if r.Params.Kind != nil {
		if filter.Kind, err = readKind(*r.Params.Kind); err != nil {
			return nil, err
		}
	}
	entries, next, err := h.o.Ledger.Entries(ctx, filter, opaque(r.Params.Cursor), size)
	return ListEntries200JSONResponse{Items: showAll(entries, showEntry), Next: unlessEmpty(next)}, err
}

// GetEntry implements StrictServerInterface.
func (h handlers) GetEntry(ctx context.Context, r GetEntryRequestObject) (GetEntryResponseObject, error) {
	if r.Epoch < 1 || r.Epoch > math.MaxUint32 || r.Seq < 1 {
		return nil, notFound("entry")
	}
	entries, err := h.o.Proofs.Entries(ctx, r.Writer, uint32(r.Epoch), uint64(r.Seq))
	if err != nil {
		return nil, err
	}
	if len(entries) == 0 {
		return nil, notFound("entry")
	}
	out := GetEntry200JSONResponse{Items: make([]EntryDetail, len(entries))}
	for i, e := range entries {
		out.Items[i] = EntryDetail{Entry: showEntry(e), Bytes: hex.EncodeToString(e.Raw)}
		if out.Items[i].Decoded, err = h.decoded(e); err != nil {
			return nil, err
		}
		if e.Store == uuid.Nil {
			continue // HQ's own: nobody stood at a till
		}
		if err := h.nameHands(ctx, e, &out.Items[i]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// decoded is the entry as JSON, or nothing when HQ cannot read it.
func (h handlers) decoded(e ledger.Entry) (*map[string]any, error) {
	if e.State == ledger.Quarantined {
		return nil, nil
	}
	raw, err := h.o.Ledger.Describe(e)
	switch {
	case errors.Is(err, entry.ErrVersion):
		return nil, nil // parked until a release that can read it
	case err != nil:
		return nil, err
	}
	var out map[string]any
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber() // numbers above 2^53 must come out as they went in
	if err := dec.Decode(&out); err != nil {
		return nil, err
	}
	return &out, nil
}

// ListExceptions implements StrictServerInterface.
func (h handlers) ListExceptions(ctx context.Context, r ListExceptionsRequestObject) (ListExceptionsResponseObject, error) {
	size, err := pageSize(r.Params.Limit)
	if err != nil {
		return nil, err
	}
	filter := ledger.ExceptionFilter{Kind: ledger.ExceptionKind(valueOf(r.Params.Cause)), Account: valueOf(r.Params.Account)}
	if strings.ContainsFunc(string(filter.Kind), func(c rune) bool { return c != '_' && (c < 'a' || c > 'z') }) {
		return nil, badParameter("cause", "is not known")
	}
	if r.Params.Attribution != nil {
		if !r.Params.Attribution.Valid() {
			return nil, badParameter("attribution", "is not known")
		}
		filter.Attribution = loyalty.LossCause(*r.Params.Attribution)
	}
	if r.Params.State != nil {
		if !r.Params.State.Valid() {
			return nil, badParameter("state", "is not known")
		}
		filter.State = string(*r.Params.State)
	}
	exceptions, next, err := h.o.Ledger.Exceptions(ctx, filter, opaque(r.Params.Cursor), size)
	return ListExceptions200JSONResponse{Items: showAll(exceptions, showException), Next: unlessEmpty(next)}, err
}

// GetException implements StrictServerInterface.
func (h handlers) GetException(ctx context.Context, r GetExceptionRequestObject) (GetExceptionResponseObject, error) {
	e, err := h.o.Found.Exception(ctx, r.ID)
	return GetException200JSONResponse(showException(e)), err
}

// maxDecided bounds the exceptions of one decision, which is one transaction.
const maxDecided = 200

// DecideExceptions implements StrictServerInterface.
func (h handlers) DecideExceptions(ctx context.Context, r DecideExceptionsRequestObject) (DecideExceptionsResponseObject, error) {
	verdict, known := map[Verdict]entry.Verdict{VerdictRelease: entry.VerdictRelease, VerdictReject: entry.VerdictReject}[r.Body.Verdict]
	switch {
	case !known:
		return nil, badField("/verdict", "must be release or reject")
	case len(r.Body.Exceptions) < 1 || len(r.Body.Exceptions) > maxDecided:
		return nil, badField("/exceptions", "must be 1 to 200")
	}
	items, err := h.decideAll(ctx, r.Body.Exceptions, verdict)
	return DecideExceptions200JSONResponse{Items: items}, err
}

func badField(pointer, reason string) error {
	return &problem.Error{Code: problem.InvalidField, Detail: "the request cannot be carried out", Fields: map[string]string{pointer: reason}}
}

// GetTrialBalance implements StrictServerInterface.
func (h handlers) GetTrialBalance(ctx context.Context, _ GetTrialBalanceRequestObject) (GetTrialBalanceResponseObject, error) {
	lines, err := h.o.Ledger.TrialBalance(ctx)
	if err != nil {
		return nil, err
	}
	out := GetTrialBalance200JSONResponse{Lines: showAll(lines, func(b ledger.Balance) TrialBalanceLine {
		return TrialBalanceLine{Unit: b.Unit, Account: b.Book.String(), Store: unlessEmpty(b.Owner), Balance: b.Amount}
	}), Balanced: true}
	sums := map[string]int64{}
	for _, b := range lines {
		sums[b.Unit] += b.Amount
	}
	for _, sum := range sums {
		out.Balanced = out.Balanced && sum == 0
	}
	return out, nil
}

// GetStatus implements StrictServerInterface.
func (h handlers) GetStatus(ctx context.Context, _ GetStatusRequestObject) (GetStatusResponseObject, error) {
	status, err := h.o.Ledger.Status(ctx)
	if err != nil {
		return nil, err
	}
	counts, err := h.o.Fleet.Counts(ctx)
	if err != nil {
		return nil, err
	}
	members, err := h.o.Programme.CountMembers(ctx)
	if err != nil {
		return nil, err
	}
	caps, err := h.o.Programme.CurrentPolicy(ctx)
	if err != nil && problem.CodeOf(err) != problem.NotFound {
		return nil, err
	}
	shown, err := h.o.Rights.Exposure(ctx)
	if err != nil {
		return nil, err
	}
	exposure := Exposure{Unit: caps.Unit}
	for _, l := range shown.Total() {
		switch l.Unit {
		case caps.Unit:
			exposure.Points = l.Worst()
		case allowance.Uses:
			exposure.Vouchers = l.Worst()
		}
	}
	now := h.o.Clock.Now().UTC()
	return GetStatus200JSONResponse{
		Hq: h.o.HQ, HqEpoch: int64(h.o.HQEpoch), Version: h.o.Version, Time: now,
		Stores: counts.Stores, Members: members,
		Terminals: TerminalCounts{
			Total: counts.Total, Enrolled: counts.Enrolled, Online: counts.Online,
			Quarantined: counts.Quarantined, Revoked: counts.Revoked,
		},
		Entries: status.Entries, Unapplied: status.Accepted, Parked: status.Parked, Quarantined: status.Quarantined,
		LagSeconds:     int64(lag(status.OldestWait, now) / time.Second),
		OpenExceptions: status.OpenExceptions, TerminalsAdopted: status.Adopted, HqFactsLost: status.FactsLost, SetAside: status.SetAside,
		Exposure: exposure,
	}, nil
}

func readState(state EntryState) (ledger.State, error) {
	for _, s := range []ledger.State{ledger.Accepted, ledger.Applied, ledger.Parked, ledger.Quarantined} {
		if s.String() == string(state) {
			return s, nil
		}
	}
	return 0, badParameter("state", "must be accepted, applied, parked or quarantined")
}

// lastKind is above all kinds that have a name.
const lastKind = 128

func readKind(name string) (entry.Kind, error) {
	for k := entry.Kind(1); k < lastKind; k++ {
		if k.String() == name {
			return k, nil
		}
	}
	return 0, badParameter("kind", "is not known")
}

func showEntry(e ledger.Entry) Entry {
	return Entry{
		Hash: e.Hash.String(), Writer: e.Terminal, Store: e.Store, Epoch: int64(e.Epoch), Branch: int32(e.Branch),
		Seq: int64(e.Seq), Kind: e.Kind.String(), State: EntryState(e.State.String()), Proven: e.Proven,
		OccurredAt: at(e.OccurredAt), EffectiveAt: at(e.EffectiveAt), RecordedAt: at(e.RecordedAt),
	}
}

func showException(e ledger.Exception) Exception {
	return Exception{
		ID: e.ID, Cause: string(e.Kind), State: e.State, Liable: e.Liable, Detail: e.Cause, Attribution: unlessEmpty(string(e.Attribution)), Entry: e.Source.String(),
		Terminal: unlessEmpty(e.Terminal), Epoch: unlessEmpty(int64(e.Epoch)), Seq: unlessEmpty(int64(e.Seq)),
		Store: unlessEmpty(e.Store), Account: unlessEmpty(e.Account), Member: unlessEmpty(e.Member),
		Unit: unlessEmpty(e.Unit), Amount: e.Amount, Currency: unlessEmpty(e.Currency), Money: e.Money,
		OccurredAt: fromMillis(e.OccurredAt), RecordedAt: at(e.RecordedAt), ExplainedBy: explainedBy(e),
	}
}

// explainedBy is the hash of the entry that ended an exception.
func explainedBy(e ledger.Exception) *string {
	if e.ExplainedBy == (journal.Hash{}) {
		return nil
	}
	hash := e.ExplainedBy.String()
	return &hash
}

// at is a moment in Unix milliseconds as a time in UTC that JSON can hold.
func at(ms int64) time.Time { return entry.Moment(ms) }
