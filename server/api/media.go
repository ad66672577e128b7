package api

import (
	"mime"
	"reflect"

	"github.com/gofiber/fiber/v2"

	"github.com/tallystick/tallystick/internal/problem"
)

// Limits of a body. A batch of 1000 members fits into maxBody.
const (
	maxBody = 1 << 20
	// maxDrain is how much of a body that is too large is read and thrown away: who
	// is still sending would else see a broken connection instead of the reason.
	maxDrain = 64 << 20
)

// plainJSON refuses bodies of another type or encoded: what the generated server
// reads must be what arrived.
func plainJSON(c *fiber.Ctx) error {
	switch {
	case len(c.Request().Header.Peek(fiber.HeaderContentEncoding)) > 0:
		return problem.New(problem.UnsupportedMedia, "a compressed body is not taken here")
	case c.Path() == picturesPath, isPart(c.Path()):
		return c.Next() // what it is, its bytes say
	case len(c.BodyRaw()) > 0 && !isJSON(c.Get(fiber.HeaderContentType)):
		return problem.New(problem.UnsupportedMedia, "the content type must be application/json")
	}
	return c.Next()
}

// bodiless refuses a body where the document has none.
func bodiless(next StrictHandlerFunc, operation string) StrictHandlerFunc {
	return func(c *fiber.Ctx, request any) (any, error) {
		if len(c.BodyRaw()) > 0 && !hasBody(request) {
			return nil, problem.New(problem.UnknownField, "this operation takes no body")
		}
		return next(c, request)
	}
}

func isJSON(contentType string) bool { return mediaType(contentType) == "application/json" }

// mediaType is the type without its parameters, in lower case; empty when it
// cannot be read.
func mediaType(contentType string) string {
	kind, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		return ""
	}
	return kind
}

// hasBody tells whether a generated request object holds a body.
func hasBody(request any) bool { return reflect.ValueOf(request).FieldByName("Body").IsValid() }
