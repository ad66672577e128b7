package api

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"regexp"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/tallystick/tallystick/internal/problem"
)

// carriedMark opens the text of a decoding error that carries a problem: the
// generated server keeps nothing of such an error but its text.
const carriedMark = "\x00problem:"

type carriedProblem struct{ about *problem.Error }

func (c *carriedProblem) Error() string {
	raw, err := json.Marshal(struct {
		Code   problem.Code
		Detail string
		Fields map[string]string
	}{c.about.Code, c.about.Detail, c.about.Fields})
	if err != nil {
		return c.about.Detail
	}
	return carriedMark + string(raw)
}

func carried(p *problem.Error) error { return &carriedProblem{p} }

// unpack finds the problem behind an error of Fiber or of the generated server.
func unpack(err error) error {
	var known *problem.Error
	var f *fiber.Error
	switch {
	case errors.As(err, &known):
		return err
	case errors.Is(err, context.DeadlineExceeded):
		return problem.Wrap(problem.Unavailable, err, "HQ took too long; send the same request again")
	case !errors.As(err, &f):
		return err
	}
	if packed, ok := strings.CutPrefix(f.Message, carriedMark); ok {
		var p problem.Error
		if json.Unmarshal([]byte(packed), &p) == nil {
			return &p
		}
	}
	return ofStatus(f)
}

// parameterMessage is how the generated server names a parameter it cannot read.
var parameterMessage = regexp.MustCompile(`parameter '?([A-Za-z-]+)'?`)

func ofStatus(f *fiber.Error) error {
	switch f.Code {
	case fiber.StatusNotFound:
		return problem.New(problem.NotFound, "there is nothing at this address")
	case fiber.StatusMethodNotAllowed:
		return problem.New(problem.MethodNotAllowed, "")
	case fiber.StatusRequestEntityTooLarge:
		return problem.New(problem.BodyTooLarge, "")
	case fiber.StatusUnsupportedMediaType:
		return problem.New(problem.UnsupportedMedia, "")
	case fiber.StatusRequestHeaderFieldsTooLarge:
		return problem.New(problem.InvalidBody, "the headers are too large")
	case fiber.StatusRequestTimeout:
		return problem.New(problem.Unavailable, "the request took too long to arrive")
	case fiber.StatusBadRequest, fiber.StatusUnprocessableEntity:
		if name := parameterMessage.FindStringSubmatch(f.Message); name != nil {
			return &problem.Error{
				Code: problem.InvalidField, Detail: "a parameter cannot be read",
				Fields: map[string]string{name[1]: "has the wrong type or format"},
			}
		}
		return problem.New(problem.InvalidBody, "the request cannot be read")
	}
	return f
}

// askAgain is how many seconds a client waits after what is not available now, when
// nothing better is known.
const askAgain = 2

// failer renders every error of the app, and logs those that are HQ's own fault.
// lost says which of them mean that the database is away.
func failer(log *slog.Logger, lost func(error) bool) fiber.ErrorHandler {
	return func(c *fiber.Ctx, err error) error {
		err = unpack(err)
		if problem.CodeOf(err) == problem.Internal && lost(err) {
			err = problem.Wrap(problem.Unavailable, err, "the database does not answer; send the same request again")
		}
		body := problem.Render(err)
		if body.Status >= fiber.StatusInternalServerError && !errors.Is(err, context.Canceled) {
			log.Error("request failed", "method", c.Method(), "path", c.Path(), "code", body.Code, "error", err)
		}
		var coded *problem.Error
		switch {
		case errors.As(err, &coded) && coded.RetryAfter > 0:
			c.Set(fiber.HeaderRetryAfter, strconv.Itoa(coded.RetryAfter))
		case body.Status == fiber.StatusServiceUnavailable:
			c.Set(fiber.HeaderRetryAfter, strconv.Itoa(askAgain))
		}
		raw, err := json.Marshal(body)
		if err != nil {
			return err
		}
		c.Status(body.Status).Set(fiber.HeaderContentType, problem.ContentType)
		return c.Send(raw)
	}
}
