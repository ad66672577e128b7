package api

import (
	"context"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/server/allowance"
	"github.com/tallystick/tallystick/server/fleet"
	"github.com/tallystick/tallystick/sync/wire"
)

// Rights gives terminals rights to redeem, and says what they can cost.
type Rights interface {
	Authorise(ctx context.Context, who allowance.Lane, r wire.AuthoriseRequest) (wire.AuthoriseAnswer, error)
	Present(ctx context.Context, who allowance.Lane, r wire.PresentRequest) (wire.PresentAnswer, error)
	Exposure(ctx context.Context) (allowance.Exposure, error)
	Preview(ctx context.Context, p loyalty.Policy) (allowance.Preview, error)
	History(ctx context.Context, store uuid.UUID, from, to int64) ([]allowance.Sample, error)
}

func (s *Server) routeRights() {
	s.app.Post(wire.PathAuthorise, s.authoriseTill)
	s.app.Post(wire.PathPresent, s.present)
}

func laneOf(who fleet.Caller) allowance.Lane {
	return allowance.Lane{ID: who.Terminal.ID, Epoch: who.Epoch, Store: who.Terminal.Store}
}

// authoriseTill answers a till that waits for a right. A refusal of the question is an
// answer; problems are of the request itself.
func (s *Server) authoriseTill(c *fiber.Ctx) error {
	return answerTill(s, c, s.o.Rights.Authorise)
}

// present takes in the grants that a terminal shows after HQ was restored.
func (s *Server) present(c *fiber.Ctx) error {
	return answerTill(s, c, s.o.Rights.Present)
}

// answerTill answers one question of a terminal that may be told things.
func answerTill[Q, A any](s *Server, c *fiber.Ctx, answer func(context.Context, allowance.Lane, Q) (A, error)) error {
	who, err := s.identify(c)
	if err != nil {
		return err
	}
	if err := who.MayPull(); err != nil {
		return err
	}
	question, err := message[Q](c)
	if err != nil {
		return err
	}
	told, err := answer(c.UserContext(), laneOf(who), question)
	if err != nil {
		return err
	}
	raw, err := wire.Marshal(told)
	if err != nil {
		return err
	}
	return reply(c, raw)
}

// applied is through which entry of a terminal's journal HQ has applied it.
func (s *Server) applied(ctx context.Context, who fleet.Caller) (wire.Mark, error) {
	seq, err := s.o.Applied(ctx, who.Terminal.ID, who.Epoch)
	return wire.Mark{Terminal: who.Terminal.ID, Epoch: who.Epoch, Seq: seq}, err
}
