package api

import (
	"context"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/tallystick/tallystick/edge/till"
	"github.com/tallystick/tallystick/internal/problem"
)

// headerSession is where till software says which cashier it acts for.
const headerSession = "Tallystick-Session"

// standing is who makes a call, in its context.
type standing struct {
	caller till.Caller
	// keep has the answer give the page its session, or take it away.
	keep func(session uuid.UUID)
}

type standingKey struct{}

// stand finds out who makes a call: the page, which the guard has let in without the
// token, or till software; and which cashier's session it has.
func (s *Server) stand(port string) fiber.Handler {
	cookie := "tallystick_cashier_" + port // see sessions of the page
	return func(c *fiber.Ctx) error {
		who := standing{caller: till.Caller{Page: c.Get(fiber.HeaderAuthorization) == ""}}
		text := c.Get(headerSession)
		if who.caller.Page && text == "" {
			text = c.Cookies(cookie)
		}
		if text != "" {
			id, err := uuid.Parse(text)
			if err != nil || id == uuid.Nil {
				return problem.New(problem.CashierSessionEnded, "the session cannot be read")
			}
			who.caller.Session = id
		}
		who.keep = func(session uuid.UUID) {
			if !who.caller.Page {
				return
			}
			set := &fiber.Cookie{Name: cookie, Path: "/", HTTPOnly: true, SameSite: fiber.CookieSameSiteStrictMode}
			if session == uuid.Nil {
				set.Expires, set.MaxAge = time.Unix(0, 0), -1
			} else {
				set.Value, set.SessionOnly = session.String(), true
			}
			c.Cookie(set)
		}
		c.SetUserContext(context.WithValue(c.UserContext(), standingKey{}, who))
		return c.Next()
	}
}

func standingOf(ctx context.Context) standing {
	who, _ := ctx.Value(standingKey{}).(standing)
	return who
}

// callerOf is who makes the call, with the approval it brings.
func callerOf(ctx context.Context, approval *uuid.UUID) till.Caller {
	caller := standingOf(ctx).caller
	caller.Approval = value(approval)
	return caller
}
