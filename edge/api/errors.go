package api

import (
	"errors"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/tallystick/tallystick/internal/problem"
)

// fail is the one place where an error becomes an answer.
func (s *Server) fail(c *fiber.Ctx, err error) error {
	err = coded(err)
	body := problem.Render(err)
	if body.Status >= fiber.StatusInternalServerError {
		s.cfg.Log.Error("call failed", "method", c.Method(), "route", c.Route().Path, "code", body.Code, "error", err)
	}
	var p *problem.Error
	if errors.As(err, &p) && p.RetryAfter > 0 {
		c.Set(fiber.HeaderRetryAfter, strconv.Itoa(p.RetryAfter))
	}
	return c.Status(body.Status).JSON(body, "application/problem+json")
}

// coded gives errors of Fiber and of the generated code their code.
func coded(err error) error {
	var p *problem.Error
	var f *fiber.Error
	if errors.As(err, &p) || !errors.As(err, &f) {
		return err
	}
	switch f.Code {
	case fiber.StatusNotFound:
		return problem.New(problem.NotFound, "there is no such address")
	case fiber.StatusMethodNotAllowed:
		return problem.New(problem.MethodNotAllowed, "the address does not take this method")
	case fiber.StatusRequestEntityTooLarge:
		return problem.Newf(problem.BodyTooLarge, "more than %d bytes", maxBody)
	case fiber.StatusBadRequest:
		return fromText(f.Message)
	}
	return problem.Wrap(problem.InvalidBody, err, "the request cannot be read")
}

// fromText reads the code back that a problem.Error put in front of its text.
func fromText(text string) error {
	code, detail, _ := strings.Cut(text, ": ")
	if _, known := problem.Table[problem.Code(code)]; known {
		return problem.New(problem.Code(code), detail)
	}
	switch {
	case strings.Contains(text, "Idempotency-Key"):
		return problem.New(problem.IdempotencyNeeded, "the Idempotency-Key header is missing or given twice")
	case strings.Contains(text, "parameter"), strings.Contains(text, "argument"):
		return problem.New(problem.InvalidField, text)
	}
	return problem.New(problem.InvalidBody, text)
}
