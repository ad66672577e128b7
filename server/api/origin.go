package api

import (
	"net/url"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// What a browser says about the page that sends a request. Neither is said by programs.

// crossSite says whether a browser says that another site's page sends it (Fetch Metadata).
func crossSite(c *fiber.Ctx) bool {
	site := c.Get("Sec-Fetch-Site")
	return site != "" && site != "same-origin" && site != "none"
}

// ownOrigin says whether the origin that a browser names is this server's. A proxy in front
// may speak TLS for us, so the scheme is not compared, and may have another name, which it
// tells in a header that no other site's page can send.
func ownOrigin(c *fiber.Ctx) bool {
	origin, err := url.Parse(c.Get(fiber.HeaderOrigin))
	return err == nil && origin.Host != "" &&
		(strings.EqualFold(origin.Host, string(c.Request().Host())) || strings.EqualFold(origin.Host, c.Get(fiber.HeaderXForwardedHost)))
}
