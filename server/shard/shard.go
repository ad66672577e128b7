package shard

import (
	"crypto/sha256"

	"github.com/google/uuid"
)

// Count is how many logical shards there are. It is final.
const Count = 256

// Of returns the shard of an account, a terminal or a store, 0 to 255: the first
// byte of SHA-256 over the 16 bytes of the id. A hash, because the ids are UUIDv7
// and the bytes of neighbours are alike.
func Of(id uuid.UUID) int {
	sum := sha256.Sum256(id[:])
	return int(sum[0])
}
