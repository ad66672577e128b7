package ledger

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/google/uuid"
)

func compareIDs(shardA int, a uuid.UUID, shardB int, b uuid.UUID) int {
	return cmp.Or(cmp.Compare(shardA, shardB), bytes.Compare(a[:], b[:]))
}

// byEffect is the order in which facts fold.
func byEffect(a, b fact) int {
	return cmp.Or(
		cmp.Compare(a.EffectiveAt, b.EffectiveAt),
		bytes.Compare(a.Terminal[:], b.Terminal[:]),
		cmp.Compare(a.Epoch, b.Epoch),
		cmp.Compare(a.Seq, b.Seq),
		bytes.Compare(a.Hash[:], b.Hash[:]),
	)
}

func sortedKeys[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}
