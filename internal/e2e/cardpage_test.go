package e2e

import (
	"testing"

	"github.com/tallystick/tallystick/internal/testkit/edgeclient"
)

// TestCardPage plays the stories of the shopper's card against a real HQ and a real lane,
// which says what the codes on the phone are worth.
func TestCardPage(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	lane := s.lane(t, "lane 1")
	needBrowser(t, s.HQ.URL()+"/card")
	token, err := edgeclient.ReadToken(lane.Data)
	must(t, err)
	stories{
		script: "card.mjs",
		stage: map[string]any{
			"hq": s.HQ.URL(), "token": s.Office.Token, "store": s.store.ID, "reward": s.programme.Coffee.Name,
			"lane": "http://" + lane.Addr, "laneToken": token,
		},
		actions: map[string]func() error{},
	}.play(t)
}
