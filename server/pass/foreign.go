package pass

import (
	"encoding/json"
	"unicode/utf8"

	"github.com/tallystick/tallystick/internal/problem"
)

// ReadPushToken reads the body of a registration. Members that are not known are left
// alone: what phones send grows without asking us.
func ReadPushToken(raw []byte) (string, error) {
	var body struct {
		PushToken *string `json:"pushToken"`
	}
	if err := readForeign(raw, &body); err != nil {
		return "", err
	}
	if body.PushToken == nil {
		return "", problem.New(problem.InvalidBody, "the body has no pushToken")
	}
	return *body.PushToken, nil
}

// ReadLogLines reads what a phone says went wrong.
func ReadLogLines(raw []byte) ([]string, error) {
	var body struct {
		Logs []string `json:"logs"`
	}
	if err := readForeign(raw, &body); err != nil {
		return nil, err
	}
	return body.Logs, nil
}

func readForeign(raw []byte, out any) error {
	if !utf8.Valid(raw) {
		return problem.New(problem.InvalidBody, "the body is not UTF-8")
	}
	if err := json.Unmarshal(raw, out); err != nil {
		return problem.Wrap(problem.InvalidBody, err, "the body cannot be read")
	}
	return nil
}
