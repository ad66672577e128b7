package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/tallystick/tallystick/internal/problem"
)

// maxDrain is how much of a body that is too large is still read and thrown away,
// so that the caller sees the answer and not a broken connection.
const maxDrain = 32 << 20

// readBody reads the raw body under the limit and puts it in place of the stream.
// Encoded bodies are refused: nothing would bound what they inflate to.
func readBody(c *fiber.Ctx) error {
	body, err := wholeBody(c)
	if err != nil {
		return err
	}
	if c.Method() == fiber.MethodPost {
		if c.Get(fiber.HeaderContentEncoding) != "" {
			return problem.New(problem.UnsupportedMedia, "a Content-Encoding is not supported")
		}
		kind, _, err := mime.ParseMediaType(c.Get(fiber.HeaderContentType))
		if err != nil || kind != fiber.MIMEApplicationJSON {
			return problem.New(problem.UnsupportedMedia, "the Content-Type must be application/json")
		}
	}
	c.Request().SetBodyRaw(body)
	return c.Next()
}

func wholeBody(c *fiber.Ctx) ([]byte, error) {
	stream := c.Context().RequestBodyStream()
	if stream == nil {
		return bytes.Clone(c.Request().Body()), nil
	}
	body, err := io.ReadAll(io.LimitReader(stream, maxBody+1))
	if err != nil {
		return nil, problem.Wrap(problem.InvalidBody, err, "the body ended early")
	}
	if len(body) > maxBody {
		// What cannot be drained ends with the connection, which is closed anyway.
		_, _ = io.CopyN(io.Discard, stream, maxDrain)
		c.Context().SetConnectionClose()
		return nil, problem.Newf(problem.BodyTooLarge, "more than %d bytes", maxBody)
	}
	return body, nil
}

// decodeStrictly is encoding/json without its leniency: unknown fields, fields
// given twice and anything after the value are refused. Its errors are of package
// problem; the generated code keeps only their text, which [fromText] reads back.
func decodeStrictly(data []byte, v any) error {
	scan := json.NewDecoder(bytes.NewReader(data))
	scan.UseNumber() // what a number may be depends on its field
	if err := noDuplicates(scan, ""); err != nil {
		return err
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return explain(err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return problem.New(problem.InvalidBody, "there is more after the JSON value")
	}
	return nil
}

// explain gives an error of encoding/json its code.
func explain(err error) error {
	var kind *json.UnmarshalTypeError
	if errors.As(err, &kind) {
		number, isNumber := strings.CutPrefix(kind.Value, "number ")
		switch {
		case isNumber && kind.Type.String() == "int64" && !strings.ContainsAny(number, ".eE"):
			return problem.Newf(problem.AmountOverflow, "%s is too large", kind.Field)
		case isNumber && kind.Type.String() == "int64":
			return problem.Newf(problem.AmountInvalid, "%s must be a whole number", kind.Field)
		}
		return problem.Newf(problem.InvalidField, "%s must not be a %s", kind.Field, firstWord(kind.Value))
	}
	if field, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		return problem.Newf(problem.UnknownField, "the field %s is not known", field)
	}
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return problem.New(problem.InvalidBody, "the body is not JSON")
	}
	return problem.New(problem.InvalidField, "a field cannot be read: "+err.Error())
}

func firstWord(s string) string {
	word, _, _ := strings.Cut(s, " ")
	return word
}

// maxDepth bounds nesting; the deepest body of this API has five levels.
const maxDepth = 16

// noDuplicates walks one JSON value. encoding/json takes the last of two fields
// with one name, in whatever case; others take the first, and a basket must not
// have two readings.
func noDuplicates(dec *json.Decoder, path string) error {
	if strings.Count(path, "/") > maxDepth {
		return problem.New(problem.InvalidBody, "the body is nested too deeply")
	}
	token, err := dec.Token()
	if err != nil {
		return explain(err)
	}
	open, ok := token.(json.Delim)
	if !ok {
		return nil
	}
	seen := map[string]bool{}
	for i := 0; dec.More(); i++ {
		step := fmt.Sprint(i)
		if open == '{' {
			name, err := dec.Token()
			if err != nil {
				return explain(err)
			}
			step = strings.ToLower(fmt.Sprint(name))
			if seen[step] {
				return problem.Newf(problem.InvalidBody, "the field %q is given twice", path+"/"+step)
			}
			seen[step] = true
		}
		if err := noDuplicates(dec, path+"/"+step); err != nil {
			return err
		}
	}
	if _, err := dec.Token(); err != nil {
		return explain(err)
	}
	return nil
}
