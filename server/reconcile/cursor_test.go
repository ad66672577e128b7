package reconcile

import "testing"

// What is read as a cursor is written the same again.
func FuzzCursor(f *testing.F) {
	for _, seed := range []string{"", "x", "AAAA", cursorOf(Close{Date: 20260301, Epoch: 1, Seq: 7}), cursorOf(Close{Date: 20260230}), cursorOf(Close{})} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := placeOf(text)
		if err != nil || p == nil {
			return
		}
		if again := cursorOf(Close{Date: p.Date, Terminal: p.Terminal, Epoch: p.Epoch, Seq: p.Seq, Hash: p.Hash}); again != text {
			t.Fatalf("%q was read as %+v, which is %q", text, p, again)
		}
	})
}
