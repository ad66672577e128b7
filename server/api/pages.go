package api

import (
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/tallystick/tallystick/internal/web"
)

// routePages serves the pages that are in this binary.
func (s *Server) routePages() {
	s.app.Get("/console", page(web.Console))
	s.app.Get("/console/*", page(web.Console))
	// What the page's worker keeps for when there is no network is under the slash.
	s.app.Get("/card", func(c *fiber.Ctx) error {
		to := "/card/"
		if query := c.Context().QueryArgs().String(); query != "" {
			to += "?" + query
		}
		return c.Redirect(to, fiber.StatusPermanentRedirect)
	})
	s.app.Get("/card/*", page(web.Card))
}

// page answers with the files of an app, or says that they were not built.
func page(app web.App) fiber.Handler {
	site, err := web.Open(app)
	return func(c *fiber.Ctx) error {
		answer := web.Missing(app)
		if err == nil {
			answer = site.Answer(web.Request{
				Path:           strings.TrimPrefix(c.Path(), "/"+string(app)),
				AcceptEncoding: c.Get(fiber.HeaderAcceptEncoding), IfNoneMatch: c.Get(fiber.HeaderIfNoneMatch),
			})
		}
		for _, h := range answer.Headers {
			c.Set(h.Name, h.Value)
		}
		return c.Status(answer.Status).Send(answer.Body)
	}
}
