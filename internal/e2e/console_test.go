package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"github.com/tallystick/tallystick/internal/testkit/edgeclient"
	"github.com/tallystick/tallystick/internal/testkit/process"
	"github.com/tallystick/tallystick/internal/testkit/stage"
)

// formula is an alias that a spreadsheet would run.
const formula = "=1+2"

// The stories of internal/web/stories/console.mjs, played in a browser.
func TestConsoleInABrowser(t *testing.T) {
	s := newScene(t)
	one, two := s.lane(t, "lane1"), s.lane(t, "lane2")
	mete := s.shopper(t, "Mete Çağrı", 200)
	s.crowd(t, []string{formula, "Bob"}, 0)
	tellConsole(t, map[string]any{
		"hq": s.HQ.URL(), "name": stage.Admin, "password": s.HQ.Password, "alias": mete.Alias, "formula": formula,
		"screenshots": os.Getenv("TALLYSTICK_SCREENSHOTS"),
	}, func(ctx context.Context, ask consoleAsk) (any, error) {
		switch ask.Do {
		case "sell offline":
			s.WAN.Cut()
			for _, lane := range []*stage.Lane{one, two} {
				if err := lane.AwaitOffline(ctx); err != nil {
					return nil, err
				}
				basket := edgeclient.QuoteRequest{Code: mete.Code, Currency: stage.Currency, Total: 20_00, Redeem: []edgeclient.Wish{{Reward: s.programme.Coffee.ID}}}
				if _, err := lane.Sell(ctx, "offline", basket); err != nil {
					return nil, err
				}
			}
			return nil, nil
		case "reconnect":
			return nil, s.WAN.Restore(ctx)
		case "stop head office":
			return nil, s.HQ.Stop(ctx)
		case "start head office":
			return nil, s.HQ.Start(ctx)
		case "read sheet":
			return sheet(ask.Path)
		}
		return nil, fmt.Errorf("nobody knows how to %q", ask.Do)
	})
}

// sheet reads the rows under the head of a list that was saved as XLSX.
func sheet(path string) ([][]string, error) {
	book, err := excelize.OpenFile(path)
	if err != nil {
		return nil, err
	}
	defer book.Close()
	rows, err := book.GetRows(book.GetSheetName(0))
	if err != nil || len(rows) == 0 {
		return nil, fmt.Errorf("%d rows: %w", len(rows), err)
	}
	return rows[1:], nil
}

// consoleAsk is something the story wants to happen to the stage.
type consoleAsk struct {
	Do   string `json:"do"`
	Path string `json:"path"`
}

// tellConsole plays the stories and fails for each that fails.
func tellConsole(t *testing.T, with map[string]any, do func(context.Context, consoleAsk) (any, error)) {
	t.Helper()
	root, err := process.ModuleRoot(t.Context())
	must(t, err)
	web := filepath.Join(root, "internal", "web")
	for _, needed := range []string{"node_modules/playwright-core", "dist/console/index.html"} {
		if _, err := os.Stat(filepath.Join(web, needed)); err != nil {
			t.Skipf("internal/web/%s is not there: run make web", needed)
		}
	}
	if _, err := exec.LookPath("chromium"); err != nil {
		t.Skip("chromium is not installed: run make deps")
	}
	told, err := json.Marshal(with)
	must(t, err)
	story := exec.CommandContext(t.Context(), "node", "stories/console.mjs")
	story.Dir, story.Stderr = web, os.Stderr
	story.Env = append(os.Environ(), "TALLYSTICK_STAGE="+string(told))
	in, err := story.StdinPipe()
	must(t, err)
	out, err := story.StdoutPipe()
	must(t, err)
	must(t, story.Start())
	answers := json.NewEncoder(in)
	for lines := bufio.NewScanner(out); lines.Scan(); {
		line := lines.Text()
		if question, asked := strings.CutPrefix(line, "@ask "); asked {
			var ask consoleAsk
			must(t, json.Unmarshal([]byte(question), &ask))
			result, err := do(t.Context(), ask)
			reply := map[string]any{"result": result}
			if err != nil {
				reply["error"] = err.Error()
			}
			must(t, answers.Encode(reply))
			continue
		}
		if failed, ok := strings.CutPrefix(line, "@failed "); ok {
			t.Error(strings.ReplaceAll(failed, `\n`, "\n"))
			continue
		}
		t.Log(line)
	}
	if err := story.Wait(); err != nil && !t.Failed() {
		t.Error(err)
	}
}
