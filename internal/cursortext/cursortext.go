package cursortext

import (
	"encoding/base64"
	"errors"
)

var form = base64.RawURLEncoding.Strict()

// errForeign is given for a text that no list of ours has written.
var errForeign = errors.New("not the text of a cursor")

// Of writes a cursor.
func Of(b []byte) string { return form.EncodeToString(b) }

// Bytes reads a cursor. The standard decoder passes over line breaks; this one does not.
func Bytes(text string) ([]byte, error) {
	b, err := form.DecodeString(text)
	if err != nil || Of(b) != text {
		return nil, errForeign
	}
	return b, nil
}
