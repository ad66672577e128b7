package api

import (
	"strconv"

	"github.com/gofiber/fiber/v2"

	"github.com/tallystick/tallystick/internal/problem"
)

// routePictures hands out the pictures that Google fetches, to anybody: they are what
// every pass shows. What is at the address of a look that somebody set never changes.
func (s *Server) routePictures() {
	s.app.Get("/wallet/pictures/:version/:name", func(c *fiber.Ctx) error {
		version, err := strconv.ParseUint(c.Params("version"), 10, 63)
		if err != nil || strconv.FormatUint(version, 10) != c.Params("version") {
			return problem.New(problem.NotFound, "there is no such picture")
		}
		picture, err := s.o.Branding.Public(c.UserContext(), version, c.Params("name"))
		if err != nil {
			return err
		}
		tag := `"` + strconv.FormatUint(uint64(picture.CRC32), 16) + `"`
		c.Set(fiber.HeaderCacheControl, "public, max-age=31536000, immutable")
		if version == 0 { // built in, so it may change with this program
			c.Set(fiber.HeaderCacheControl, "public, max-age=3600")
		}
		c.Set(fiber.HeaderETag, tag)
		c.Set("Cross-Origin-Resource-Policy", "cross-origin")
		if c.Get(fiber.HeaderIfNoneMatch) == tag {
			return c.SendStatus(fiber.StatusNotModified)
		}
		c.Set(fiber.HeaderContentType, "image/png")
		return c.Send(picture.PNG)
	})
}
