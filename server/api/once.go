package api

import (
	"context"
	"crypto/sha256"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/people"
)

// HeaderKey is the header of the idempotency key.
const HeaderKey = "Idempotency-Key"

const maxKey = 128

// keyless are the writes that make no record, and so need no key. What shoppers write is
// the same when written twice; joining remembers its key itself.
var keyless = map[string]bool{"CreateSession": true, "EndSession": true, "CreateConsoleSession": true, "PreviewPolicy": true, "PreviewTiers": true, "PreviewBulk": true, "PreviewCaseRule": true, "CheckBranding": true, "AddBrandingPicture": true, "AddPosPart": true, "PreviewPosImport": true}

// keylessPaths are where those writes go.
var keylessPaths = []string{basePath + "/sessions", basePath + "/sessions/current", sessionPath, basePath + "/programme/policy/preview", basePath + "/exceptions/bulk/preview", basePath + "/case-rules/preview", basePath + "/branding/check", picturesPath}

// needKey refuses a write without a well-formed key before its body is parsed.
func needKey(c *fiber.Ctx) error {
	shopper := strings.HasPrefix(c.Path(), cardPath) && c.Path() != cardPath+"join"
	if !writes(c.Method()) || shopper || slices.Contains(keylessPaths, c.Path()) || isPart(c.Path()) || isPreview(c.Path()) {
		return c.Next()
	}
	key := c.Get(HeaderKey)
	if key == "" {
		return problem.New(problem.IdempotencyNeeded, "")
	}
	ok := len(key) <= maxKey
	for _, b := range []byte(key) {
		ok = ok && b >= '!' && b <= '~'
	}
	if !ok {
		return &problem.Error{
			Code: problem.InvalidField, Detail: "the idempotency key is not allowed so",
			Fields: map[string]string{HeaderKey: "must have 1 to 128 visible ASCII characters"},
		}
	}
	return c.Next()
}

func writes(method string) bool {
	return method != fiber.MethodGet && method != fiber.MethodHead && method != fiber.MethodOptions
}

// once makes a write happen once for its key: the key, the change and the rendered
// answer are one transaction. What fails keeps nothing.
func (s *Server) once(next StrictHandlerFunc, operation string) StrictHandlerFunc {
	return func(c *fiber.Ctx, request any) (any, error) {
		if !writes(c.Method()) || keyless[operation] || shoppers[operation] || strangers[operation] {
			return next(c, request)
		}
		outer := c.UserContext()
		defer c.SetUserContext(outer)
		key, person := c.Get(HeaderKey), callerOf(outer).person.ID
		answer, err := s.o.Answers.Once(outer, person, key, requestHash(c), func(ctx context.Context) (people.Answer, error) {
			c.SetUserContext(ctx)
			response, err := next(c, request)
			if err != nil {
				return people.Answer{}, err
			}
			if err := s.note(ctx, c, operation); err != nil {
				return people.Answer{}, err
			}
			return render(c, response, operation)
		})
		if err != nil {
			return nil, err
		}
		c.Status(answer.Status).Set(fiber.HeaderContentType, answer.ContentType)
		return nil, c.Send(answer.Body)
	}
}

// note writes into the audit log what a person did, in the transaction in which it is done.
func (s *Server) note(ctx context.Context, c *fiber.Ctx, operation string) error {
	who := callerOf(ctx).person
	return s.o.People.Note(ctx, people.Act{
		Person: who.ID, Name: who.Name, Role: who.Role, Operation: operation, Subject: strings.TrimPrefix(c.Path(), basePath),
		Detail: people.Kept(c.BodyRaw()), Address: addressOf(ctx),
	})
}

// render lets the generated response write itself and takes what it wrote. Its
// method is named after the operation, one name for each, so it is found by name.
func render(c *fiber.Ctx, response any, operation string) (people.Answer, error) {
	c.Response().ResetBody()
	visit := reflect.ValueOf(response).MethodByName("Visit" + operation + "Response")
	if !visit.IsValid() {
		return people.Answer{}, fmt.Errorf("render %s: %T is no answer to it", operation, response)
	}
	if err, _ := visit.Call([]reflect.Value{reflect.ValueOf(c)})[0].Interface().(error); err != nil {
		return people.Answer{}, fmt.Errorf("render %s: %w", operation, err)
	}
	return people.Answer{
		Status:      c.Response().StatusCode(),
		ContentType: string(c.Response().Header.ContentType()),
		Body:        append([]byte(nil), c.Response().Body()...),
	}, nil
}

func requestHash(c *fiber.Ctx) [32]byte {
	h := sha256.New()
	fmt.Fprintf(h, "%s %s\n", c.Method(), c.OriginalURL())
	h.Write(c.BodyRaw())
	return [32]byte(h.Sum(nil))
}
