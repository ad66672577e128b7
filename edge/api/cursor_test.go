package api

import "testing"

// What is read as a cursor is written the same again.
func FuzzCursor(f *testing.F) {
	for _, seed := range []string{"20260301-3", "20260301-0", "20260230-1", "-", "", "20260301-+3", "20260301-03", "99991231-9223372036854775807"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := placeOf(&text)
		if err == nil && (cursorOf(p) != text || p.Seq == 0 || !p.Date.Valid()) {
			t.Fatalf("%q was read as %+v", text, p)
		}
	})
}
