package passtoken

import (
	"testing"

	"github.com/tallystick/tallystick/internal/keys"
	"github.com/tallystick/tallystick/internal/problem"
)

// Anybody can compute the TOTP of an empty secret, which is what a key set that lost
// a field has.
func TestG6_GroupKeyWithoutASecretProvesNothing(t *testing.T) {
	token := issued(t, current, memberPass(t))
	for _, secret := range [][]byte{nil, {}, {7}, make([]byte, minGroupSecret-1)} {
		group := testGroups()[0]
		group.Secret = secret
		text := RotatingText(token, group, noon)
		got, err := Verifier{}.Verify(text, noon, 0, testSet(), []keys.GroupKey{group})
		if problem.CodeOf(err) != problem.CodeKeyUnknown {
			t.Errorf("a secret of %d bytes: %+v, %v", len(secret), got, err)
		}
	}
}
