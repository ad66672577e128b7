package casework

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/server/people"
)

// ProposalState says what became of a proposal.
type ProposalState string

// States of proposals about exceptions.
const (
	ProposalOpen      ProposalState = "open"
	ProposalApproved  ProposalState = "approved"
	ProposalRefused   ProposalState = "refused"
	ProposalWithdrawn ProposalState = "withdrawn" // by who made it
	ProposalOvertaken ProposalState = "overtaken" // the ledger was done with it, or its maker was shut out
)

// Proposal is a deed that one person would do about an exception and another decides about.
type Proposal struct {
	Shard     int
	Exception uuid.UUID
	ID        uuid.UUID
	Deed
	State         ProposalState
	MadeBy        uuid.UUID
	MadeByName    string
	MadeAt        time.Time
	DecidedBy     uuid.UUID
	DecidedByName string
	DecidedAt     time.Time
	DecidedText   string
}

// Propose has a deed wait for a second person. It may be asked for where one would do. An
// exception has one open proposal at most.
func (s *Service) Propose(ctx context.Context, by Person, id uuid.UUID, d Deed) (Work, error) {
	if err := d.check(); err != nil {
		return Work{}, err
	}
	if err := mayDo(by, d.Action); err != nil {
		return Work{}, err
	}
	return s.change(ctx, by, id, func(ctx context.Context, e ledger.Exception, c *Case) (Note, error) {
		if err := workable(e, c); err != nil {
			return Note{}, err
		}
		if c.Proposal != uuid.Nil {
			return Note{}, problem.New(problem.StateConflict, "another proposal about it waits")
		}
		p := Proposal{
			Shard: e.Shard, Exception: e.ID, ID: s.env.NewID(), Deed: d, State: ProposalOpen,
			MadeBy: by.ID, MadeByName: by.Name, MadeAt: s.now(),
		}
		c.Proposal = p.ID
		if err := s.env.Store.AddProposal(ctx, p); err != nil {
			return Note{}, fmt.Errorf("write proposal: %w", err)
		}
		return Note{What: Proposed, Text: d.said()}, nil
	})
}

// said is a deed in words, for the trail.
func (d Deed) said() string {
	switch d.Action {
	case ActResolve:
		return string(d.Resolution) + ": " + d.Text
	case ActLiable:
		return "→ " + d.Liable + ": " + d.Text
	}
	return string(d.Action) + ": " + d.Text
}

// mayDo refuses who may not do a deed, alone or as one of two.
func mayDo(by Person, a Action) error {
	need := people.AreaCases
	if _, points := verdicts[a]; points {
		need = people.AreaRisk
	}
	return may(by, need)
}

func may(by Person, area people.Area) error {
	if !by.Role.May(area) {
		return problem.Newf(problem.Forbidden, "the role %s may not do this", by.Role)
	}
	return nil
}

// Approve carries a proposal out, by somebody else than who made it, who must still be one
// of HQ's people. It is problem.StateConflict when it is not open any more, and when the
// ledger has done with the exception.
func (s *Service) Approve(ctx context.Context, by Person, id, proposal uuid.UUID, text string) (Work, error) {
	return s.answer(ctx, by, id, proposal, text, func(ctx context.Context, e ledger.Exception, c *Case, p *Proposal) (Note, error) {
		if err := s.mayApprove(ctx, by, p.MadeBy, p.MadeByName); err != nil {
			return Note{}, err
		}
		if err := mayDo(by, p.Action); err != nil {
			return Note{}, err
		}
		if err := workable(e, c); err != nil {
			return Note{}, err
		}
		maker := Person{ID: p.MadeBy, Name: p.MadeByName}
		note, err := s.do(ctx, actors{by: maker, second: by.ID}, e, c, p.Deed)
		if err != nil {
			return Note{}, err
		}
		p.State = ProposalApproved
		if err := s.putNote(ctx, maker, e, note); err != nil {
			return Note{}, err
		}
		return Note{What: Approved, Text: p.DecidedText}, nil
	})
}

// Refuse ends a proposal by somebody else than who made it, with the reason in words.
func (s *Service) Refuse(ctx context.Context, by Person, id, proposal uuid.UUID, text string) (Work, error) {
	if _, err := readText(text); err != nil {
		return Work{}, err
	}
	return s.answer(ctx, by, id, proposal, text, func(_ context.Context, _ ledger.Exception, _ *Case, p *Proposal) (Note, error) {
		if err := mayRefuse(by, p.MadeBy); err != nil {
			return Note{}, err
		}
		p.State = ProposalRefused
		return Note{What: Refused, Text: p.DecidedText}, nil
	})
}

// Withdraw takes a proposal back, by who made it.
func (s *Service) Withdraw(ctx context.Context, by Person, id, proposal uuid.UUID, text string) (Work, error) {
	return s.answer(ctx, by, id, proposal, text, func(_ context.Context, _ ledger.Exception, _ *Case, p *Proposal) (Note, error) {
		if by.ID != p.MadeBy {
			return Note{}, problem.New(problem.Forbidden, "only who proposed it can take it back")
		}
		p.State = ProposalWithdrawn
		return Note{What: TakenBack, Text: p.DecidedText}, nil
	})
}

// mayRefuse refuses who may not end what somebody proposed.
func mayRefuse(by Person, maker uuid.UUID) error {
	if by.ID == maker {
		return problem.New(problem.Forbidden, "who proposed it takes it back instead")
	}
	return may(by, people.AreaCheck)
}

// mayApprove refuses who may not put in force or carry out what somebody proposed.
func (s *Service) mayApprove(ctx context.Context, by Person, maker uuid.UUID, name string) error {
	if by.ID == maker {
		return problem.New(problem.Forbidden, "who proposed it cannot approve it; somebody else must")
	}
	if err := may(by, people.AreaCheck); err != nil {
		return err
	}
	p, err := s.env.People.Person(ctx, maker)
	switch {
	case err != nil && problem.CodeOf(err) != problem.NotFound:
		return fmt.Errorf("find person: %w", err)
	case err != nil || p.ShutOut:
		return problem.Newf(problem.StateConflict, "%s, who proposed it, works here no more; refuse it and propose it again", name)
	}
	return nil
}

// answering ends a proposal in some way.
type answering func(ctx context.Context, e ledger.Exception, c *Case, p *Proposal) (Note, error)

// answer has somebody end an open proposal. Of several who do so at once one succeeds: the
// case has one version after another.
func (s *Service) answer(ctx context.Context, by Person, id, proposal uuid.UUID, text string, how answering) (Work, error) {
	text, err := readAnyText(text)
	if err != nil {
		return Work{}, err
	}
	return s.change(ctx, by, id, func(ctx context.Context, e ledger.Exception, c *Case) (Note, error) {
		p, err := s.openProposal(ctx, e, c, proposal)
		if err != nil {
			return Note{}, err
		}
		p.DecidedBy, p.DecidedByName, p.DecidedAt, p.DecidedText = by.ID, by.Name, s.now(), text
		note, err := how(ctx, e, c, &p)
		if err != nil {
			return Note{}, err
		}
		c.Proposal = uuid.Nil
		if err := s.env.Store.SetProposal(ctx, p); err != nil {
			return Note{}, fmt.Errorf("write proposal: %w", err)
		}
		return note, nil
	})
}

func (s *Service) openProposal(ctx context.Context, e ledger.Exception, c *Case, id uuid.UUID) (Proposal, error) {
	all, err := s.env.Store.Proposals(ctx, e.Shard, e.ID)
	if err != nil {
		return Proposal{}, fmt.Errorf("read proposals: %w", err)
	}
	i := slices.IndexFunc(all, func(p Proposal) bool { return p.ID == id })
	switch {
	case i < 0:
		return Proposal{}, problem.New(problem.NotFound, "there is no such proposal")
	case all[i].State != ProposalOpen || c.Proposal != id:
		return Proposal{}, problem.Newf(problem.StateConflict, "the proposal is %s", all[i].State)
	}
	return all[i], nil
}

// mootAtOnce is how many proposals a round ends.
const mootAtOnce = 100

// endMoot ends proposals about which nothing is left to decide.
func (s *Service) endMoot(ctx context.Context) error {
	moot, err := s.env.Store.Moot(ctx, mootAtOnce)
	if err != nil {
		return fmt.Errorf("find moot proposals: %w", err)
	}
	for _, p := range moot {
		err := s.env.Store.InTx(ctx, func(ctx context.Context) error {
			e, err := s.env.Store.Exception(ctx, p.Exception)
			if err != nil {
				return err
			}
			why := "the ledger was done with it: " + e.State
			if e.Unsettled() {
				why = p.MadeByName + ", who proposed it, works here no more"
			}
			return s.changeOne(ctx, Person{Name: overtaker}, e, func(ctx context.Context, e ledger.Exception, c *Case) (Note, error) {
				if c.Proposal != p.ID {
					return Note{}, problem.New(problem.Conflict, "the proposal was decided meanwhile")
				}
				c.Proposal = uuid.Nil
				p.State, p.DecidedAt, p.DecidedText = ProposalOvertaken, s.now(), why
				return Note{What: Overtaken, Text: why}, s.env.Store.SetProposal(ctx, p)
			})
		})
		if err != nil && problem.CodeOf(err) != problem.Conflict {
			return fmt.Errorf("end a moot proposal: %w", err)
		}
	}
	return nil
}

// overtaker is the name under which HQ itself notes something.
const overtaker = "head office"
