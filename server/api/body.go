package api

import (
	"bytes"
	"encoding"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/tallystick/tallystick/internal/problem"
)

// decodeStrict is the app's JSON decoder. Beyond encoding/json it refuses members
// that are not known (in the one spelling of the document), required ones that are
// missing or given twice, null, values outside an enumeration, and text after the value.
func decodeStrict(raw []byte, out any) error {
	if !utf8.Valid(raw) {
		return carried(problem.New(problem.InvalidBody, "the body is not UTF-8"))
	}
	if err := oneValue(raw); err != nil {
		return carried(problem.Wrap(problem.InvalidBody, err, "the body is not one JSON value"))
	}
	c := checker{unknown: map[string]string{}, invalid: map[string]string{}}
	c.value(reflect.TypeOf(out).Elem(), raw, "")
	switch {
	case len(c.unknown) > 0:
		return carried(&problem.Error{Code: problem.UnknownField, Detail: "the body has members that are not known", Fields: c.unknown})
	case len(c.invalid) > 0:
		return carried(&problem.Error{Code: problem.InvalidField, Detail: "the body has members that are not allowed so", Fields: c.invalid})
	}
	if err := json.Unmarshal(raw, out); err != nil {
		return carried(problem.Wrap(problem.InvalidBody, err, "the body cannot be read"))
	}
	return nil
}

func oneValue(raw []byte) error {
	dec := json.NewDecoder(bytes.NewReader(raw))
	var skipped json.RawMessage
	if err := dec.Decode(&skipped); err != nil {
		return err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("text after the value")
	}
	return nil
}

// checker walks a JSON value beside the type it is decoded into, and notes what
// does not fit under its JSON pointer (RFC 6901).
type checker struct{ unknown, invalid map[string]string }

var textUnmarshaler = reflect.TypeFor[encoding.TextUnmarshaler]()

// maxNoted bounds the answer to a body that is wrong in very many places.
const maxNoted = 50

func (c checker) value(t reflect.Type, raw json.RawMessage, at string) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if string(bytes.TrimSpace(raw)) == "null" {
		note(c.invalid, at, "must not be null")
		return
	}
	switch {
	case t.Kind() == reflect.Struct && !reflect.PointerTo(t).Implements(textUnmarshaler):
		c.object(t, raw, at)
	case t.Kind() == reflect.Slice:
		c.array(t.Elem(), raw, at)
	default:
		c.leaf(t, raw, at)
	}
}

func (c checker) object(t reflect.Type, raw json.RawMessage, at string) {
	members, twice, err := membersOf(raw)
	if err != nil {
		note(c.invalid, at, "must be an object")
		return
	}
	for _, name := range twice {
		note(c.invalid, at+"/"+pointerEscape.Replace(clip(name)), "is given twice")
	}
	for i := range t.NumField() {
		name, options, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		member, ok := members[name]
		delete(members, name)
		switch {
		case ok:
			c.value(t.Field(i).Type, member, at+"/"+name)
		case !strings.Contains(options, "omitempty"):
			note(c.invalid, at+"/"+name, "is missing")
		}
	}
	for name := range members {
		note(c.unknown, at+"/"+pointerEscape.Replace(clip(name)), "is not known")
	}
}

// membersOf reads an object's members, and the names that stand in it twice.
func membersOf(raw json.RawMessage) (members map[string]json.RawMessage, twice []string, err error) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	if open, err := dec.Token(); err != nil || open != json.Delim('{') {
		return nil, nil, errors.New("no object")
	}
	members = map[string]json.RawMessage{}
	for dec.More() {
		token, err := dec.Token()
		if err != nil {
			return nil, nil, err
		}
		name, _ := token.(string)
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return nil, nil, err
		}
		if _, ok := members[name]; ok {
			twice = append(twice, name)
		}
		members[name] = value
	}
	return members, twice, nil
}

var pointerEscape = strings.NewReplacer("~", "~0", "/", "~1")

// clip keeps a caller's own long names out of our answer.
func clip(name string) string {
	const most = 64
	if len(name) <= most {
		return name
	}
	return strings.ToValidUTF8(name[:most], "") + "…"
}

func (c checker) array(t reflect.Type, raw json.RawMessage, at string) {
	var items []json.RawMessage
	if err := json.Unmarshal(raw, &items); err != nil {
		note(c.invalid, at, "must be an array")
		return
	}
	for i, item := range items {
		c.value(t, item, at+"/"+strconv.Itoa(i))
	}
}

func (c checker) leaf(t reflect.Type, raw json.RawMessage, at string) {
	into := reflect.New(t)
	if err := json.Unmarshal(raw, into.Interface()); err != nil {
		note(c.invalid, at, "has the wrong type, format or size")
		return
	}
	if enum, ok := into.Elem().Interface().(interface{ Valid() bool }); ok && !enum.Valid() {
		note(c.invalid, at, "is none of the allowed words")
	}
}

func note(notes map[string]string, at, reason string) {
	if len(notes) < maxNoted {
		notes[at] = reason
	}
}
