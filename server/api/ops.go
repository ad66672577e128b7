package api

import (
	"encoding/base64"
	"encoding/json"
	"strconv"

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

// jwk is one key as RFC 7517 and RFC 8037 write it.
type jwk struct {
	KeyType   string `json:"kty"`
	Curve     string `json:"crv"`
	X         string `json:"x"`
	ID        string `json:"kid"`
	Use       string `json:"use"`
	Algorithm string `json:"alg"`
}

// jwks publishes the keys HQ signs statements with; a revoked one is left out, so
// that it verifies nothing.
func (s *Server) jwks(c *fiber.Ctx) error {
	set := struct {
		Keys []jwk `json:"keys"`
	}{Keys: []jwk{}}
	for _, k := range s.o.Keys.Keys {
		if k.Use != keys.UseStatement || !k.RevokedAt.IsZero() {
			continue
		}
		set.Keys = append(set.Keys, jwk{
			KeyType: "OKP", Curve: "Ed25519", X: base64.RawURLEncoding.EncodeToString(k.Key),
			ID: string(k.Use) + "-" + strconv.Itoa(int(k.ID)), Use: "sig", Algorithm: "EdDSA",
		})
	}
	raw, err := json.Marshal(set)
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, "application/jwk-set+json")
	return c.Send(raw)
}
