package passtoken

import (
	"encoding/hex"
	"maps"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/keys"
)

const specFile = "../../docs/pass-token.md"

// block returns the lines of the page's fenced block with this name, split at
// the first run of spaces.
func block(t *testing.T, name string) [][2]string {
	t.Helper()
	raw, err := os.ReadFile(specFile)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(raw), "```text "+name+"\n")
	body, _, closed := strings.Cut(rest, "\n```")
	if !ok || !closed {
		t.Fatalf("%s has no block %q", specFile, name)
	}
	var out [][2]string
	for line := range strings.Lines(body) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		out = append(out, [2]string{key, strings.TrimSpace(value)})
	}
	return out
}

// TestSpecExampleIsTheVector holds the page's worked example to the vector file.
func TestSpecExampleIsTheVector(t *testing.T) {
	file := readVectors(t)
	raw := map[string]string{}
	for _, v := range file.Vectors {
		raw[v.Name] = v.Raw
	}
	static, rotating := raw["static member pass"], raw["rotating"]
	token, err := Parse(static)
	if err != nil {
		t.Fatal(err)
	}
	p := token.Pass()
	group := keys.GroupKey{Secret: unhex(t, file.Groups[0].Secret)}
	want := map[string]string{
		"seed":       file.Keys[0].Seed,
		"public_key": file.Keys[0].Public,
		"subject":    p.Subject.String(),
		"issue":      strconv.Itoa(int(p.Issue)),
		"expires_on": p.ExpiresOn.String() + " = day " + strconv.Itoa(int(p.ExpiresOn)),
		"bytes_0_21": hex.EncodeToString(token[:22]),
		"signed":     hex.EncodeToString([]byte("tallystick pass v1\x00")) + hex.EncodeToString(token[:22]),
		"signature":  hex.EncodeToString(token[22:]),
		"text":       static,
		"group_key":  file.Groups[0].Secret,
		"totp_key":   hex.EncodeToString(group.TOTPKey(p.Subject)),
		"time":       "2026-06-15T12:00:00Z = " + rotating[141:151],
		"step":       strconv.FormatInt(noon.Unix()/30, 10),
		"totp":       rotating[151:],
		"rotating":   rotating,
	}
	got := map[string]string{}
	for _, line := range block(t, "example") {
		got[line[0]] = line[1]
	}
	for key, value := range want {
		if got[key] != value {
			t.Errorf("%s is %q in the page, %q in the vectors", key, got[key], value)
		}
	}
	if len(got) != len(want) {
		t.Errorf("page has %d lines, want %d", len(got), len(want))
	}
}

// TestSpecLayoutsAreTheTables holds the page's repair rows to the code's, in order.
func TestSpecLayoutsAreTheTables(t *testing.T) {
	lines := block(t, "layouts")
	if lines[0] != [2]string{"key", usKeys} {
		t.Fatalf("first line is %q", lines[0])
	}
	var order []string
	rows := map[string][]string{}
	for _, line := range lines[1:] {
		if rows[line[0]] == nil {
			order = append(order, line[0])
		}
		rows[line[0]] = append(rows[line[0]], line[1])
	}
	if len(order) != len(layouts) {
		t.Fatalf("page has layouts %v, the code %d", order, len(layouts))
	}
	for i, l := range layouts {
		name := string(l.repair)
		if l.repair == RepairNone {
			name = "none"
		}
		if order[i] != name || !maps.Equal(newLayout(l.repair, rows[name]...).keyOf, l.keyOf) {
			t.Errorf("layout %d: page has %s %q, which is not %s", i, order[i], rows[order[i]], name)
		}
	}
}

// TestSpecNamesEveryCode: each refusal in the vectors stands in the page.
func TestSpecNamesEveryCode(t *testing.T) {
	raw, err := os.ReadFile(specFile)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range readVectors(t).Vectors {
		if v.Code != "" && !strings.Contains(string(raw), "| `"+string(v.Code)+"` |") {
			t.Errorf("the page has no row for %s (vector %q)", v.Code, v.Name)
		}
	}
}
