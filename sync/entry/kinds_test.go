package entry_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/sync/entry"
)

func TestTheDocumentNamesEveryKind(t *testing.T) {
	page, err := os.ReadFile("../../docs/journal-format.md")
	if err != nil {
		t.Fatal(err)
	}
	const most = 1000 // above all kinds
	known := 0
	for k := range entry.Kind(most) {
		if strings.HasPrefix(k.String(), "kind_") {
			continue
		}
		known++
		if want := fmt.Sprintf("%d `%s`", k, k); !strings.Contains(string(page), want) {
			t.Errorf("docs/journal-format.md has not %s", want)
		}
	}
	if known == 0 {
		t.Error("no kind has a name")
	}
}
