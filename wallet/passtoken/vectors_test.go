package passtoken

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"flag"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/keys"
	"github.com/tallystick/tallystick/internal/problem"
)

var update = flag.Bool("update", false, "rewrite testdata/vectors.json")

const vectorsFile = "testdata/vectors.json"

// The vector file's shape. Byte strings are lower-case hex, moments RFC 3339.
type vectorFile struct {
	Comment string        `json:"comment"`
	Keys    []vectorKey   `json:"keys"`
	Groups  []vectorGroup `json:"groups"`
	Vectors []vector      `json:"vectors"`
}

type vectorKey struct {
	ID        uint8     `json:"id"`
	Seed      string    `json:"seed"`
	Public    string    `json:"public"`
	NotBefore time.Time `json:"not_before"`
	NotAfter  time.Time `json:"not_after"`
	RevokedAt time.Time `json:"revoked_at,omitzero"`
}

type vectorGroup struct {
	Epoch     uint32    `json:"epoch"`
	Secret    string    `json:"secret"`
	NotBefore time.Time `json:"not_before"`
	NotAfter  time.Time `json:"not_after"`
}

// vector is one scan and its answer: a code, or what the pass says.
type vector struct {
	Name       string    `json:"name"`
	Raw        string    `json:"raw"`
	At         time.Time `json:"at"`
	ClockError int       `json:"clock_error_seconds,omitempty"`
	// Kinds are numbers; as []Kind encoding/json would write them in base64.
	Kinds []int        `json:"kinds,omitempty"`
	Code  problem.Code `json:"code,omitempty"`
	Good  *good        `json:"good,omitempty"`
}

type good struct {
	Kind      Kind      `json:"kind"`
	KeyID     uint8     `json:"key_id"`
	Subject   uuid.UUID `json:"subject"`
	Issue     uint16    `json:"issue"`
	ExpiresOn Day       `json:"expires_on"`
	Freshness Freshness `json:"freshness"`
	Step      int64     `json:"step,omitempty"`
	Repair    Repair    `json:"repair,omitempty"`
}

func TestVectorsHaveNotDrifted(t *testing.T) {
	want := renderVectors(t)
	if *update {
		if err := os.WriteFile(vectorsFile, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(vectorsFile)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not what this code makes; the format is final, so think twice before -update", vectorsFile)
	}
}

// TestVectors walks the file as a second implementation would: keys, groups and
// answers come from it alone.
func TestVectors(t *testing.T) {
	file := readVectors(t)
	set, groups := file.keySet(t), file.groupKeys(t)
	names := map[string]bool{}
	for _, v := range file.Vectors {
		t.Run(v.Name, func(t *testing.T) {
			if names[v.Name] || (v.Code == "") == (v.Good == nil) {
				t.Fatal("vector needs a name of its own and one answer")
			}
			names[v.Name] = true
			var wanted Verifier
			for _, k := range v.Kinds {
				wanted.Kinds = append(wanted.Kinds, Kind(k))
			}
			got, err := wanted.Verify(v.Raw, v.At, time.Duration(v.ClockError)*time.Second, set, groups)
			if v.Good == nil {
				wantCode(t, err, v.Code)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			p := got.Pass
			is := good{p.Kind, p.KeyID, p.Subject, p.Issue, p.ExpiresOn, got.Freshness, got.Step, got.Repair}
			if is != *v.Good || p.Version != Version {
				t.Errorf("got %+v, want %+v", is, *v.Good)
			}
		})
	}
}

func readVectors(t tester) vectorFile {
	t.Helper()
	raw, err := os.ReadFile(vectorsFile)
	if err != nil {
		t.Fatal(err)
	}
	var file vectorFile
	if err := json.Unmarshal(raw, &file); err != nil {
		t.Fatal(err)
	}
	return file
}

func (f vectorFile) keySet(t tester) keys.Set {
	t.Helper()
	var set keys.Set
	for _, k := range f.Keys {
		set.Keys = append(set.Keys, keys.Public{
			ID: k.ID, Use: keys.UsePass, Key: unhex(t, k.Public),
			NotBefore: k.NotBefore, NotAfter: k.NotAfter, RevokedAt: k.RevokedAt,
		})
	}
	return set
}

func (f vectorFile) groupKeys(t tester) []keys.GroupKey {
	t.Helper()
	var groups []keys.GroupKey
	for _, g := range f.Groups {
		groups = append(groups, keys.GroupKey{
			Epoch: g.Epoch, Secret: unhex(t, g.Secret), NotBefore: g.NotBefore, NotAfter: g.NotAfter,
		})
	}
	return groups
}

func unhex(t tester, s string) []byte {
	t.Helper()
	raw, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func renderVectors(t tester) []byte {
	t.Helper()
	file := vectorFile{
		Comment: "Pass tokens of docs/pass-token.md. All keys here are for tests only. " +
			"Regenerate: go test ./wallet/passtoken -update",
		Vectors: append(goodVectors(t), badVectors(t)...),
	}
	for i, k := range testSet().Keys {
		signer := []keys.Signer{current, next, retired, revoked}[i]
		file.Keys = append(file.Keys, vectorKey{
			ID: k.ID, Seed: hex.EncodeToString(signer.Seed()), Public: hex.EncodeToString(k.Key),
			NotBefore: k.NotBefore, NotAfter: k.NotAfter, RevokedAt: k.RevokedAt,
		})
	}
	for _, g := range testGroups() {
		file.Groups = append(file.Groups, vectorGroup{g.Epoch, hex.EncodeToString(g.Secret), g.NotBefore, g.NotAfter})
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	if err := enc.Encode(file); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// answer is what a good pass must be read as; it is written down, not computed by
// the code under test.
func answer(kind Kind, keyID uint8, freshness Freshness, step int64, repair Repair) *good {
	return &good{kind, keyID, member, 3, 1095, freshness, step, repair}
}

func goodVectors(t tester) []vector {
	static := issued(t, current, memberPass(t))
	text := static.Text()
	groups := testGroups()
	ofKind := func(k Kind) string {
		p := memberPass(t)
		p.Kind = k
		return issued(t, current, p).Text()
	}
	short := memberPass(t)
	short.ExpiresOn = day(t, utc(2026, 6, 14))
	late := answer(KindMember, 3, FreshnessStatic, 0, RepairNone)
	late.ExpiresOn = 895
	step := noon.Unix() / 30
	member, rotating := answer(KindMember, 1, FreshnessStatic, 0, ""), answer(KindMember, 1, FreshnessRotating, step, "")
	out := []vector{
		{Name: "static member pass", Raw: text, At: noon, Good: member},
		{Name: "voucher", Raw: ofKind(KindVoucher), At: noon, Good: answer(KindVoucher, 1, FreshnessStatic, 0, "")},
		{
			Name: "receipt claim, and that is wanted", Raw: ofKind(KindReceiptClaim), At: noon,
			Kinds: []int{2}, Good: answer(KindReceiptClaim, 1, FreshnessStatic, 0, ""),
		},
		{Name: "last second of the last day", Raw: text, At: utc(2027, 1, 1).Add(-time.Second), Good: member},
		{Name: "retired key, before its last day", Raw: issued(t, retired, short).Text(), At: utc(2026, 6, 14), Good: late},
		{Name: "next key, once valid", Raw: issued(t, next, memberPass(t)).Text(), At: utc(2026, 7, 1), Good: answer(KindMember, 2, FreshnessStatic, 0, "")},
		{Name: "rotating", Raw: RotatingText(static, groups[0], noon), At: noon, Good: rotating},
		{Name: "rotating, shown one step ago", Raw: RotatingText(static, groups[0], noon), At: noon.Add(59 * time.Second), Good: rotating},
		{Name: "rotating, phone one step ahead", Raw: RotatingText(static, groups[0], noon), At: noon.Add(-30 * time.Second), Good: rotating},
		{
			Name: "rotating, two steps off within the clock error", Raw: RotatingText(static, groups[0], noon),
			At: noon.Add(60 * time.Second), ClockError: 30, Good: rotating,
		},
		{
			Name: "rotating, epochs overlap, new key", Raw: RotatingText(static, groups[1], utc(2026, 7, 1)),
			At: utc(2026, 7, 1), Good: answer(KindMember, 1, FreshnessRotating, utc(2026, 7, 1).Unix()/30, ""),
		},
		{Name: "AIM prefix and line end", Raw: "]Q1" + text + "\r\n", At: noon, Good: member},
		{Name: "tabs and spaces", Raw: "\t" + text[:50] + " " + text[50:] + "\t", At: noon, Good: member},
	}
	full := everyCharacter(t)
	for _, d := range damages[1:] {
		want := answer(KindMember, 1, FreshnessRotating, step, d.want)
		want.Issue = full.Pass().Issue
		out = append(out, vector{Name: "damage: " + d.name, Raw: d.does(RotatingText(full, groups[0], noon)), At: noon, Good: want})
	}
	return out
}

func badVectors(t tester) []vector {
	static := issued(t, current, memberPass(t))
	text := static.Text()
	rotating := RotatingText(static, testGroups()[0], noon)
	before := RotatingText(static, testGroups()[0], noon.Add(-30*time.Second))
	changed := func(at int, mask byte) string {
		bad := static
		bad[at] ^= mask
		return bad.Text()
	}
	resigned := func(first byte) string {
		bad := static
		bad[0] = first
		return forge(current, [signedSize]byte(bad[:signedSize])).Text()
	}
	with := func(s keys.Signer) string { return issued(t, s, memberPass(t)).Text() }
	short := memberPass(t)
	short.ExpiresOn = day(t, utc(2026, 6, 14))
	bare := static
	copy(bare[signedSize:], current.Sign("tallystick pass v2", static[:signedSize]))
	last := string(alphabet[indexOf(text[TextLen-1])|1])
	return []vector{
		{Name: "expired", Raw: text, At: utc(2027, 1, 1), Code: problem.CodeExpired},
		{Name: "clock in 1970", Raw: text, At: time.Unix(0, 0).UTC(), Code: problem.CodeNotYetValid},
		{Name: "next key, too early", Raw: with(next), At: noon, Code: problem.CodeNotYetValid},
		{Name: "retired key, past its last day", Raw: issued(t, retired, short).Text(), At: noon, Code: problem.CodeExpired},
		{Name: "revoked key", Raw: with(revoked), At: noon, Code: problem.CodeKeyRevoked},
		{Name: "unknown key", Raw: with(foreign), At: noon, Code: problem.CodeKeyUnknown},
		{Name: "bit flipped in the subject", Raw: changed(5, 1), At: noon, Code: problem.CodeForged},
		{Name: "bit flipped in the expiry", Raw: changed(21, 0x80), At: noon, Code: problem.CodeForged},
		{Name: "bit flipped in the signature", Raw: changed(85, 1), At: noon, Code: problem.CodeForged},
		{Name: "signed for another domain", Raw: bare.Text(), At: noon, Code: problem.CodeForged},
		{Name: "key id of another key", Raw: changed(1, 1^2), At: noon, Code: problem.CodeForged},
		{Name: "kind changed", Raw: changed(0, 1), At: noon, Code: problem.CodeForged},
		{Name: "kind not wanted", Raw: text, At: noon, Kinds: []int{1, 2}, Code: problem.CodeWrongKind},
		{Name: "kind 3, signed", Raw: resigned(0x13), At: noon, Code: problem.CodeVersion},
		{Name: "format version 2, signed", Raw: resigned(0x20), At: noon, Code: problem.CodeVersion},
		{Name: "text version 2", Raw: "TS2" + text[3:], At: noon, Code: problem.CodeVersion},
		{Name: "non-canonical: unused bit set", Raw: text[:TextLen-1] + last, At: noon, Code: problem.CodeUnreadable},
		{Name: "non-canonical: O for 0", Raw: strings.Replace(text, "0", "O", 1), At: noon, Code: problem.CodeUnreadable},
		{Name: "truncated", Raw: text[:100], At: noon, Code: problem.CodeTruncated},
		{Name: "truncated rotating part", Raw: rotating[:150], At: noon, Code: problem.CodeTruncated},
		{Name: "too long", Raw: rotating + "0", At: noon, Code: problem.CodeUnreadable},
		{Name: "another shop's code", Raw: "https://example.com/p/12345", At: noon, Code: problem.CodeUnreadable},
		{Name: "an EAN-13", Raw: "4006381333931", At: noon, Code: problem.CodeUnreadable},
		{Name: "empty", Raw: "\r\n", At: noon, Code: problem.CodeUnreadable},
		{Name: "513 bytes", Raw: text + strings.Repeat(" ", 513-TextLen), At: noon, Code: problem.CodeUnreadable},
		{Name: "rotating, two steps old", Raw: rotating, At: noon.Add(60 * time.Second), Code: problem.CodeStale},
		{Name: "rotating, from the future", Raw: rotating, At: noon.Add(-31 * time.Second), Code: problem.CodeStale},
		{Name: "rotating, clock error below a step", Raw: rotating, At: noon.Add(60 * time.Second), ClockError: 29, Code: problem.CodeStale},
		{Name: "TOTP of the step before", Raw: rotating[:151] + before[151:], At: noon, Code: problem.CodeForged},
		{Name: "time changed under the TOTP", Raw: before[:151] + rotating[151:], At: noon, Code: problem.CodeForged},
		{Name: "group key before its epoch", Raw: RotatingText(static, testGroups()[1], noon), At: noon, Code: problem.CodeForged},
		{
			Name: "no group key for that time", Raw: RotatingText(issued(t, current, longPass(t)), testGroups()[1], utc(2027, 2, 1)),
			At: utc(2027, 2, 1), Code: problem.CodeKeyUnknown,
		},
	}
}

// longPass is good until the last day of the current key.
func longPass(t tester) Pass {
	p := memberPass(t)
	p.ExpiresOn = day(t, utc(2027, 12, 31))
	return p
}
