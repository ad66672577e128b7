package googledouble

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"time"
)

// module is where Google publishes the discovery document: in the source of its Go
// client (BSD-3-Clause), which is not built and not linked.
const (
	module   = "google.golang.org/api@v0.311.0"
	document = "walletobjects/v1/walletobjects-api.json"
	// loadTime bounds the fetching of 51 MB.
	loadTime = 2 * time.Minute
)

// ErrNoDiscovery means that the document cannot be had here, as without a network.
var ErrNoDiscovery = errors.New("the discovery document of Google Wallet cannot be had here (" + module + ")")

// Discovery is Google's description of its Wallet API.
type Discovery struct {
	Revision string            `json:"revision"`
	Schemas  map[string]schema `json:"schemas"`
}

// schema is one type, as the discovery format describes JSON.
type schema struct {
	Ref        string            `json:"$ref"`
	Type       string            `json:"type"`
	Format     string            `json:"format"`
	Enum       []string          `json:"enum"`
	Deprecated []bool            `json:"enumDeprecated"`
	Items      *schema           `json:"items"`
	Properties map[string]schema `json:"properties"`
}

// LoadDiscovery takes the document out of the Go module cache, where the go command puts
// it once. The error is ErrNoDiscovery when it cannot.
func LoadDiscovery(ctx context.Context) (*Discovery, error) {
	ctx, cancel := context.WithTimeout(ctx, loadTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, "go", "mod", "download", "-json", module)
	cmd.Dir = os.TempDir() // outside any module, so that no go.sum is touched
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoDiscovery, err)
	}
	var where struct{ Dir string }
	if err := json.Unmarshal(out, &where); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoDiscovery, err)
	}
	raw, err := os.ReadFile(filepath.Join(where.Dir, filepath.FromSlash(document)))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoDiscovery, err)
	}
	var d Discovery
	if err := json.Unmarshal(raw, &d); err != nil {
		return nil, fmt.Errorf("read discovery document: %w", err)
	}
	return &d, nil
}

// Check says what in a body is not as the document has the named type: fields that it
// does not know, values of another type or format, words that no enumeration has or
// that it calls deprecated, a field given twice.
func (d *Discovery) Check(name string, raw []byte) []string {
	of, known := d.Schemas[name]
	if !known {
		return []string{"the document has no type " + name}
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	c := checker{d: d}
	c.value(dec, of, name)
	if _, err := dec.Token(); err == nil {
		c.say(name, "something follows the body")
	}
	return c.found
}

// checker walks a body token by token, so that a field given twice is seen.
type checker struct {
	d     *Discovery
	found []string
}

func (c *checker) say(at, format string, args ...any) {
	c.found = append(c.found, at+": "+fmt.Sprintf(format, args...))
}

func (c *checker) value(dec *json.Decoder, of schema, at string) {
	if of.Ref != "" {
		of = c.d.Schemas[of.Ref]
	}
	token, err := dec.Token()
	if err != nil {
		c.say(at, "not JSON: %v", err)
		return
	}
	switch token {
	case json.Delim('{'):
		c.object(dec, of, at)
	case json.Delim('['):
		c.array(dec, of, at)
	default:
		c.scalar(token, of, at)
	}
}

func (c *checker) object(dec *json.Decoder, of schema, at string) {
	if of.Type != "object" {
		c.say(at, "is an object and should be %s", of.Type)
	}
	var seen []string
	for dec.More() {
		token, err := dec.Token()
		name, isName := token.(string)
		if err != nil || !isName {
			c.say(at, "not JSON: %v", err)
			return
		}
		inner, known := of.Properties[name]
		if !known {
			c.say(at, "has no field %s", name)
		}
		if slices.Contains(seen, name) {
			c.say(at, "field %s is given twice", name)
		}
		seen = append(seen, name)
		c.value(dec, inner, at+"."+name)
	}
	c.end(dec, at)
}

func (c *checker) array(dec *json.Decoder, of schema, at string) {
	inner := schema{}
	if of.Type != "array" || of.Items == nil {
		c.say(at, "is an array and should be %s", of.Type)
	} else {
		inner = *of.Items
	}
	for i := 0; dec.More(); i++ {
		if len(c.found) > 100 {
			return
		}
		c.value(dec, inner, at+"["+strconv.Itoa(i)+"]")
	}
	c.end(dec, at)
}

func (c *checker) end(dec *json.Decoder, at string) {
	if _, err := dec.Token(); err != nil {
		c.say(at, "not JSON: %v", err)
	}
}

func (c *checker) scalar(token json.Token, of schema, at string) {
	switch v := token.(type) {
	case nil:
		// A null takes a field away, of whatever type.
	case bool:
		if of.Type != "boolean" {
			c.say(at, "is a boolean and should be %s", of.Type)
		}
	case json.Number:
		c.number(v, of, at)
	case string:
		c.text(v, of, at)
	}
}

func (c *checker) number(v json.Number, of schema, at string) {
	switch {
	case of.Type == "integer" && of.Format == "int32":
		if _, err := strconv.ParseInt(v.String(), 10, 32); err != nil {
			c.say(at, "%s is not an int32", v)
		}
	case of.Type != "number" && of.Type != "integer":
		c.say(at, "is a number and should be %s (%s)", of.Type, of.Format)
	}
}

func (c *checker) text(v string, of schema, at string) {
	switch {
	case of.Type != "string":
		c.say(at, "is a string and should be %s", of.Type)
	case of.Format == "int64":
		if _, err := strconv.ParseInt(v, 10, 64); err != nil {
			c.say(at, "%q is not an int64", v)
		}
	case len(of.Enum) > 0:
		i := slices.Index(of.Enum, v)
		if i < 0 {
			c.say(at, "%q is none of %v", v, of.Enum)
		} else if i < len(of.Deprecated) && of.Deprecated[i] {
			c.say(at, "%q is deprecated", v)
		}
	}
}
