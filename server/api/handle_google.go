package api

import (
	"context"

	"github.com/gofiber/fiber/v2"

	"github.com/tallystick/tallystick/wallet/google"
)

// GoogleWallet is what the API needs of the programme's passes at Google.
type GoogleWallet interface {
	// Callback takes in what Google posts; it checks the signature.
	Callback(ctx context.Context, raw []byte) error
	// Answers are how many requests Google answered with which status since the start.
	Answers() map[string]int64
}

// routeGoogle takes Google's callbacks. Without an account nothing is at the address.
func (s *Server) routeGoogle() {
	if s.o.Google == nil {
		return
	}
	s.app.Post(google.CallbackPath, func(c *fiber.Ctx) error {
		return s.o.Google.Callback(c.UserContext(), c.BodyRaw())
	})
}
