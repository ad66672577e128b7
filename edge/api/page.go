package api

import (
	"net/http"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/tallystick/tallystick/internal/web"
)

// pagePath is where the till's page lives; it ends with a slash, so that the page's
// service worker may answer for all of it.
const pagePath = "/" + string(web.Till) + "/"

// isPage tells whether a path is the page's, with or without the slash.
func isPage(path string) bool { return strings.HasPrefix(path+"/", pagePath) }

// page sends the till's page and its files, and opens a session for it with the page
// itself.
func (s *Server) page(sessions sessions) fiber.Handler {
	return func(c *fiber.Ctx) error {
		if !isPage(c.Path()) || c.Method() != fiber.MethodGet && c.Method() != fiber.MethodHead {
			return c.Next()
		}
		rest, inside := strings.CutPrefix(c.Path(), pagePath)
		if !inside {
			return c.Redirect(pagePath, http.StatusFound)
		}
		answer := web.Missing(web.Till)
		if s.cfg.Page != nil {
			answer = s.cfg.Page.Answer(web.Request{
				Path: rest, AcceptEncoding: c.Get(fiber.HeaderAcceptEncoding), IfNoneMatch: c.Get(fiber.HeaderIfNoneMatch),
			})
			if rest == "" {
				c.Cookie(sessions.open(s.cfg.Clock.Now()))
			}
		}
		for _, h := range answer.Headers {
			c.Set(h.Name, h.Value)
		}
		return c.Status(answer.Status).Send(answer.Body)
	}
}
