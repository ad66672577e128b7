package pass_test

import (
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/server/pass"
)

// Tags of another server, another epoch and the future are none; ours come back.
func TestForeignTagsAreNone(t *testing.T) {
	const head = 1000
	if got := pass.ReadTag(3, pass.TagText(3, 17), head); got != 17 {
		t.Errorf("our tag came back as %d", got)
	}
	for name, text := range map[string]string{
		"empty": "", "a date": "2026-11-22T10:00:00+01:00", "a date of which + is a space": "2026-11-22T10:00:00 01:00", "seconds": "1763812345",
		"another epoch": pass.TagText(2, 17), "ahead of us": pass.TagText(3, head+1), "too long": strings.Repeat("9", 4000), "negative": "-1",
		"leading zero": "0" + pass.TagText(3, 17), "text": "latest", "a float": "1.5e9",
	} {
		if got := pass.ReadTag(3, text, head); got != 0 {
			t.Errorf("%s: %q is %d", name, text, got)
		}
	}
}

func FuzzTag(f *testing.F) {
	f.Add("", uint64(0))
	f.Add(pass.TagText(1, 7), uint64(9))
	f.Add("18446744073709551615", uint64(1))
	f.Fuzz(func(t *testing.T, text string, head uint64) {
		head %= 1 << 40
		got := pass.ReadTag(1, text, head)
		if got > head {
			t.Fatalf("%q is %d, ahead of %d", text, got, head)
		}
		if got != 0 && pass.TagText(1, got) != text {
			t.Fatalf("%q is %d, which is written %q", text, got, pass.TagText(1, got))
		}
	})
}

func FuzzPushToken(f *testing.F) {
	f.Add([]byte(`{"pushToken":"abc"}`))
	f.Add([]byte(`{"pushToken":null}`))
	f.Add([]byte(`[1,2`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		token, err := pass.ReadPushToken(raw)
		if err != nil && token != "" {
			t.Fatalf("%q came with %v", token, err)
		}
	})
}

func FuzzLogLines(f *testing.F) {
	f.Add([]byte(`{"logs":["[2026-11-22] Register task failed"]}`))
	f.Add([]byte(`{"logs":"x"}`))
	f.Add([]byte("{\"logs\":[\"\xff\"]}"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		lines, err := pass.ReadLogLines(raw)
		if err != nil && lines != nil {
			t.Fatalf("%q came with %v", lines, err)
		}
	})
}

func FuzzSerial(f *testing.F) {
	f.Add(pass.KeyOf(uuid.UUID{1}, uuid.UUID{2}).Serial())
	f.Add("zz")
	f.Fuzz(func(t *testing.T, text string) {
		if k, ok := pass.ParseSerial(text); ok && k.Serial() != text {
			t.Fatalf("%q is the serial %q", text, k.Serial())
		}
	})
}
