package people

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/google/uuid"
)

// Act is one change that a person made: what the audit log says. Name and Role are those
// of the time. Subject is the address of what was changed, Detail what of the request may
// be kept (see Kept). Ids are in the order of time.
type Act struct {
	ID        uuid.UUID
	At        time.Time
	Person    uuid.UUID
	Name      string
	Role      Role
	Operation string
	Subject   string
	Detail    string
	Address   string
}

// ActStore keeps acts, in the transaction of ctx, if there is one.
type ActStore interface {
	AddAct(ctx context.Context, a Act) error
}

// Note writes an act down, in the transaction of what was done. ID and At are filled in.
func (d *Directory) Note(ctx context.Context, a Act) error {
	a.ID, a.At = d.env.NewID(), d.env.Clock.Now().UTC()
	if err := d.env.Store.AddAct(ctx, a); err != nil {
		return fmt.Errorf("write act: %w", err)
	}
	return nil
}

// maxDetail bounds what is kept of one request, in bytes.
const maxDetail = 1000

// worded are the members of requests whose words are kept. Those of others may be
// personal, or secret.
var worded = []string{
	"unit", "reason", "role", "verdict", "state", "code", "currency", "time_zone", "kind", "resolution", "valid_from", "valid_to", "expires_at",
	"background", "foreground", "label", "website",
}

// Kept is what the audit log keeps of a request's body: its numbers, truth values, ids
// and the words of members that hold neither personal data nor secrets. Of other members
// only that they were given.
func Kept(body []byte) string {
	if len(bytes.TrimSpace(body)) == 0 {
		return ""
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(body, &members) != nil {
		return ""
	}
	names := make([]string, 0, len(members))
	for name := range members {
		names = append(names, name)
	}
	slices.Sort(names)
	parts := make([]string, len(names))
	for i, name := range names {
		parts[i] = plain(name) + "=" + keptValue(name, members[name])
	}
	out := strings.Join(parts, " ")
	if len(out) > maxDetail {
		out = strings.ToValidUTF8(out[:maxDetail], "") + "…"
	}
	return out
}

func keptValue(name string, raw json.RawMessage) string {
	text := strings.TrimSpace(string(raw))
	var word string
	switch {
	case text == "true", text == "false", text == "null", isNumber(text):
		return text
	case json.Unmarshal(raw, &word) == nil:
		if _, err := uuid.Parse(word); err == nil || slices.Contains(worded, name) {
			return plain(word)
		}
		return "…"
	}
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) == nil {
		return fmt.Sprintf("[%d]", len(list))
	}
	return "{…}"
}

func isNumber(text string) bool {
	return text != "" && strings.Trim(text, "0123456789+-.eE") == ""
}

// plain keeps what would break a line of the log out of it.
func plain(word string) string {
	const most = 80
	clean := strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.IsSpace(r) {
			return '_'
		}
		return r
	}, strings.ToValidUTF8(word, "�"))
	if len(clean) > most {
		return strings.ToValidUTF8(clean[:most], "") + "…"
	}
	return clean
}
