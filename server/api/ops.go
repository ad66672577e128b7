package api

import (
	"github.com/gofiber/fiber/v2"

	"github.com/tallystick/tallystick/internal/keys"
	"github.com/tallystick/tallystick/internal/problem"
)

func (s *Server) routeOps() {
	s.app.Get("/healthz", func(c *fiber.Ctx) error { return c.SendString("ok\n") })
	s.app.Get("/readyz", func(c *fiber.Ctx) error {
		if err := s.o.Ping(c.UserContext()); err != nil {
			return problem.Wrap(problem.Unavailable, err, "the database does not answer")
		}
		return c.SendString("ready\n")
	})
	s.app.Get("/metrics", s.metrics.serve)
	s.app.Get("/.well-known/jwks.json", s.jwks)
}

// jwks publishes the keys HQ signs statements with.
func (s *Server) jwks(c *fiber.Ctx) error {
	raw, err := s.o.Keys.JWKS(keys.UseStatement)
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, "application/jwk-set+json")
	return c.Send(raw)
}
