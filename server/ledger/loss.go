package ledger

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/server/shard"
)

// lossSaid is what an exception says of a loss that the right explains.
var lossSaid = map[loyalty.LossCause]string{
	loyalty.LossPolicy: "more was redeemed than the account had",
	loyalty.LossLane:   "it was redeemed on a right of a terminal that was declared lost, or that no terminal made",
	loyalty.LossClone:  "it was redeemed on a right that had been used up, had ended, or is another terminal's",
	loyalty.LossRecall: "it was redeemed on a right that head office had taken back when the grace was over",
}

// DefaultLiable is who has to answer for a loss where nothing else is settled: the
// programme for what its own rules allowed, the store for its terminals.
var DefaultLiable = map[loyalty.LossCause]string{
	loyalty.LossPolicy: liableProgramme, loyalty.LossRecall: liableProgramme, loyalty.LossExpired: liableProgramme,
	loyalty.LossLane: liableStore, loyalty.LossClone: liableStore,
}

// loss is what is known of a redemption that took more than there was, where it is folded.
// What is known beside the account is looked up when the exception is written.
type loss struct {
	loyalty.Circumstances
	lane        LaneKey
	proven      bool
	recordedAt  int64
	effectiveAt int64
	pass        PassKey
	issue       uint16 // of the pass shown; zero when none was
	policy      uint64 // the version under which it was decided
}

// LaneKey names an epoch of a terminal.
type LaneKey struct {
	Terminal uuid.UUID
	Epoch    uint32
}

// PassKey names a member in the shard of the account.
type PassKey struct {
	Shard  int
	Member uuid.UUID
}

// PassIssue says since when a member's pass has an issue number, in Unix milliseconds, and
// whether it came as an update.
type PassIssue struct {
	PassKey
	loyalty.Issued
}

// lossStore knows what explains losses.
type lossStore interface {
	// LostSince returns since when terminals are lost that two people declared so.
	LostSince(ctx context.Context, lanes []LaneKey) (map[LaneKey]int64, error)
	// PutPassIssues notes issues; one that is noted keeps its time.
	PutPassIssues(ctx context.Context, rows []PassIssue) error
	PassIssues(ctx context.Context, keys []PassKey) ([]PassIssue, error)
}

// lossOf is the loss of a sale.
func lossOf(f *fact, c loyalty.Circumstances) *loss {
	l := &loss{
		Circumstances: c, lane: LaneKey{f.Terminal, f.Epoch}, proven: f.Proven, recordedAt: f.RecordedAt, effectiveAt: f.EffectiveAt,
		pass: PassKey{f.shard, f.sale.Member}, policy: f.sale.Policy,
	}
	if code := f.sale.Code; code != nil && code.Subject == f.sale.Member {
		l.issue = code.Issue
	}
	return l
}

// attributeLosses gives each exception about a loss its cause, and names who has to
// answer for it.
func (l *Ledger) attributeLosses(ctx context.Context, exceptions []Exception) error {
	lanes, passes := map[LaneKey]bool{}, map[PassKey]bool{}
	for i := range exceptions {
		if x := exceptions[i].loss; x != nil {
			if !x.proven { // what a terminal delivers that is lost is not
				lanes[x.lane] = true
			}
			if x.issue > 0 {
				passes[x.pass] = true
			}
		}
	}
	lost, issues, err := l.lossFacts(ctx, lanes, passes)
	if err != nil {
		return err
	}
	for i := range exceptions {
		e := &exceptions[i]
		if e.loss == nil {
			continue
		}
		c := e.loss.Circumstances
		if since, ok := lost[e.loss.lane]; ok && !e.loss.proven {
			c.LaneLost = since <= e.loss.recordedAt
		}
		if c.PassReplaced, err = l.passReplaced(ctx, e.loss, issues[e.loss.pass]); err != nil {
			return err
		}
		e.Attribution = loyalty.Attribute(c)
		if e.Liable = l.o.Liable[e.Attribution]; e.Liable == "" {
			e.Liable = DefaultLiable[e.Attribution]
		}
	}
	return nil
}

// passReplaced says whether the pass shown was not good any more, by what HQ had issued.
func (l *Ledger) passReplaced(ctx context.Context, x *loss, issues []loyalty.Issued) (bool, error) {
	newest, replaced := loyalty.IssuesAt(issues, x.effectiveAt)
	if x.issue == 0 || (loyalty.Policy{}).IssueGood(x.issue, newest, nil, x.effectiveAt) {
		return false, nil
	}
	policy, _, err := l.o.Rules.Policy(ctx, x.policy)
	if err != nil {
		return false, fmt.Errorf("read policy %d: %w", x.policy, err)
	}
	return !policy.IssueGood(x.issue, newest, replaced, x.effectiveAt), nil
}

// lossFacts reads which terminals are lost and which passes were issued. Most sets have
// no loss, and need nothing.
func (l *Ledger) lossFacts(ctx context.Context, lanes map[LaneKey]bool, passes map[PassKey]bool) (lost map[LaneKey]int64, issues map[PassKey][]loyalty.Issued, err error) {
	if len(lanes) > 0 {
		keys := make([]LaneKey, 0, len(lanes))
		for key := range lanes {
			keys = append(keys, key)
		}
		if lost, err = l.o.Store.LostSince(ctx, keys); err != nil {
			return nil, nil, fmt.Errorf("read lost terminals: %w", err)
		}
	}
	if len(passes) == 0 {
		return lost, nil, nil
	}
	keys := make([]PassKey, 0, len(passes))
	for key := range passes {
		keys = append(keys, key)
	}
	issues, err = l.issuesOf(ctx, keys)
	return lost, issues, err
}

// PassIssues returns since when a member's pass has its issues, from the second on.
func (l *Ledger) PassIssues(ctx context.Context, account, member uuid.UUID) ([]loyalty.Issued, error) {
	key := PassKey{shard.Of(account), member}
	issues, err := l.issuesOf(ctx, []PassKey{key})
	return issues[key], err
}

// issuesOf reads since when members have the issues of their passes.
func (l *Ledger) issuesOf(ctx context.Context, keys []PassKey) (map[PassKey][]loyalty.Issued, error) {
	rows, err := l.o.Store.PassIssues(ctx, keys)
	if err != nil {
		return nil, fmt.Errorf("read issues of passes: %w", err)
	}
	issues := map[PassKey][]loyalty.Issued{}
	for _, row := range rows {
		issues[row.PassKey] = append(issues[row.PassKey], row.Issued)
	}
	return issues, nil
}

// noteIssues keeps since when members have the issues of their passes. The first says
// nothing: no pass is older.
func (l *Ledger) noteIssues(ctx context.Context, rows []PassIssue) error {
	var told []PassIssue
	for _, row := range rows {
		if row.Issue > 1 {
			told = append(told, row)
		}
	}
	if len(told) == 0 {
		return nil
	}
	if err := l.o.Store.PutPassIssues(ctx, told); err != nil {
		return fmt.Errorf("note issues of passes: %w", err)
	}
	return nil
}

// moveIssues takes the issues of a member's pass along to the shard of another account.
func (l *Ledger) moveIssues(ctx context.Context, from PassKey, to int) error {
	rows, err := l.o.Store.PassIssues(ctx, []PassKey{from})
	if err != nil {
		return fmt.Errorf("read issues of passes: %w", err)
	}
	for i := range rows {
		rows[i].Shard = to
	}
	return l.noteIssues(ctx, rows)
}
