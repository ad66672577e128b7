package google

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
)

// Fields are the top-level fields of a body, each as its JSON.
type Fields map[string]json.RawMessage

// Sent remembers what a body said without holding it: eight bytes of SHA-256 of each
// field. So neither a name nor a key of a rotating code has to be kept to know what
// changed.
type Sent map[string][]byte

// FieldsOf takes a body apart.
func FieldsOf(body any) (Fields, error) {
	raw, err := json.Marshal(body)
	if err != nil {
		return nil, fmt.Errorf("take body apart: %w", err)
	}
	var f Fields
	if err := json.Unmarshal(raw, &f); err != nil {
		return nil, fmt.Errorf("take body apart: %w", err)
	}
	return f, nil
}

// Sent is what is to be remembered of the fields once Google has them. What a body says
// of its own age is left out: a later look at the same is no change.
func (f Fields) Sent() Sent {
	out := make(Sent, len(f))
	for name, raw := range f {
		if name == textModules {
			raw = ageless(raw)
		}
		sum := sha256.Sum256(raw)
		out[name] = sum[:8]
	}
	return out
}

const textModules = "textModulesData"

// ageless is text modules without the one that says as of when they are.
func ageless(raw json.RawMessage) json.RawMessage {
	var modules []TextModule
	if json.Unmarshal(raw, &modules) != nil {
		return raw
	}
	kept := modules[:0]
	for _, m := range modules {
		if m.ID != "as_of" {
			kept = append(kept, m)
		}
	}
	out, err := json.Marshal(kept)
	if err != nil {
		return raw
	}
	return out
}

// Since is the body of a patch that makes of what was sent these fields: those that
// changed, and null for those that are gone. It is empty when nothing changed. With a
// change goes the time it is of.
func (f Fields) Since(sent Sent) Fields {
	out := Fields{}
	for name, now := range f.Sent() {
		if string(sent[name]) != string(now) {
			out[name] = f[name]
		}
	}
	for name := range sent {
		if _, there := f[name]; !there && name != "classId" { // which none can lose
			out[name] = json.RawMessage("null")
		}
	}
	if modules, there := f[textModules]; there && len(out) > 0 {
		out[textModules] = modules
	}
	return out
}

// With are the fields and one more.
func (f Fields) With(name string, value any) (Fields, error) {
	raw, err := json.Marshal(value)
	if err != nil {
		return nil, fmt.Errorf("add field %s: %w", name, err)
	}
	out := maps.Clone(f)
	out[name] = raw
	return out, nil
}

// Notifying is a patch of which Google may tell the shopper. It holds for this one
// patch only, as Google's documentation says.
func (f Fields) Notifying() (Fields, error) { return f.With("notifyPreference", notifyOnUpdate) }

// Telling says whether a patch changes what a shopper wants to be told of: a balance.
func (f Fields) Telling() bool {
	for _, name := range []string{"loyaltyPoints", "secondaryLoyaltyPoints"} {
		if raw, changed := f[name]; changed && string(raw) != "null" {
			return true
		}
	}
	return false
}
