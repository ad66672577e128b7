package ledger

import (
	"strings"
	"testing"

	"github.com/tallystick/tallystick/sync/entry"
)

// A kind that has a name has a body that people can read.
func TestEveryKindWithANameIsDescribed(t *testing.T) {
	named := 0
	for kind := range entry.Kind(1024) {
		if strings.HasPrefix(kind.String(), "kind_") {
			continue
		}
		if named++; bodies[kind] == nil {
			t.Errorf("%s keeps its integer keys", kind)
		}
	}
	if named < len(bodies) {
		t.Errorf("%d kinds have names, %d are described", named, len(bodies))
	}
}
