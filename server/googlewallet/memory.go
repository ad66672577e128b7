package googlewallet

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/tallystick/tallystick/wallet/face"
	"github.com/tallystick/tallystick/wallet/google"
)

// memory is what is remembered of an object: what Google has of it, and what its shopper
// was told. Told are ids, Notified the times of the last notifications.
type memory struct {
	Epoch    uint32      `json:"epoch"` // of the HQ that remembers
	Sent     google.Sent `json:"sent,omitempty"`
	Told     []string    `json:"told,omitempty"`
	Notified []time.Time `json:"notified,omitempty"`
}

// maxTold bounds what is remembered of what was told; a face has thirty things at most.
const maxTold = 100

func readMemory(raw []byte) (m memory, err error) {
	if len(raw) == 0 {
		return memory{}, nil
	}
	if err := json.Unmarshal(raw, &m); err != nil {
		return memory{}, fmt.Errorf("read what Google has: %w", err)
	}
	return m, nil
}

func (m memory) bytes() ([]byte, error) {
	raw, err := json.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("write what Google has: %w", err)
	}
	return raw, nil
}

// doubt forgets what the fields said that Google may have, these and others, but not
// that it may have them: the next patch says or takes away each of them.
func (m *memory) doubt(others google.Sent) {
	out := make(google.Sent, len(m.Sent)+len(others))
	for _, sent := range []google.Sent{m.Sent, others} {
		for name := range sent {
			out[name] = []byte{0}
		}
	}
	m.Sent = out
}

// news are what the shopper was not told of yet.
func (m memory) news(f face.Face, now time.Time) []google.Telling {
	return slices.DeleteFunc(google.News(f, now), func(t google.Telling) bool { return slices.Contains(m.Told, t.ID) })
}

func (m *memory) told(id string) {
	m.Told = append(m.Told, id)
	m.Told = m.Told[max(0, len(m.Told)-maxTold):]
}

// mayNotify says whether a phone may be told of one more thing: at most three in 24
// hours.
func (m memory) mayNotify(now time.Time) bool {
	n := 0
	for _, at := range m.Notified {
		if now.Sub(at) < 24*time.Hour {
			n++
		}
	}
	return n < google.PerDay
}

func (m *memory) notified(now time.Time) {
	m.Notified = append(m.Notified, now)
	m.Notified = m.Notified[max(0, len(m.Notified)-google.PerDay):]
}
