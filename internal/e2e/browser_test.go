package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// workspace is where the pages' stories and what they stand on are installed.
const workspace = "../web"

// stories are a script of internal/web/stories played in a browser.
type stories struct {
	script string
	// stage is what the script gets: addresses, codes, names.
	stage map[string]any
	// actions are what the script may have done, and questions what it may have looked up
	// about something, by name.
	actions   map[string]func() error
	questions map[string]func(about string) (any, error)
}

// needBrowser skips the test aloud where the pages or the browser are missing. page is
// the address of the page that is played.
func needBrowser(t *testing.T, page string) {
	t.Helper()
	if _, err := os.Stat(filepath.Join(workspace, "node_modules", "playwright-core")); err != nil {
		t.Skip("SKIPPED ALOUD: stories of the pages: the workspace is not installed (see make web)")
	}
	if _, err := exec.LookPath("chromium"); err != nil {
		t.Skip("SKIPPED ALOUD: stories of the pages: no chromium (see make deps)")
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, page, http.NoBody)
	must(t, err)
	resp, err := http.DefaultClient.Do(req)
	must(t, err)
	_ = resp.Body.Close() // only its status counts
	if resp.StatusCode == http.StatusServiceUnavailable {
		t.Skip("SKIPPED ALOUD: stories of the pages: the binaries were built without them (see make web)")
	}
}

// play runs the script. Each of its stories becomes a subtest.
func (s stories) play(t *testing.T) {
	t.Helper()
	pictures, err := filepath.Abs("../../build/screenshots")
	must(t, err)
	s.stage["screenshots"] = pictures
	stage, err := json.Marshal(s.stage)
	must(t, err)
	cmd := exec.CommandContext(t.Context(), "node", filepath.Join("stories", s.script))
	cmd.Dir = workspace
	cmd.Env = append(os.Environ(), "TALLYSTICK_STAGE="+string(stage))
	cmd.Stderr = os.Stderr
	answers, err := cmd.StdinPipe()
	must(t, err)
	said, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	told := 0
	for lines := bufio.NewScanner(said); lines.Scan(); {
		told += s.hear(t, lines.Text(), answers)
	}
	if err := cmd.Wait(); err != nil && !t.Failed() {
		t.Errorf("%s: %v", s.script, err)
	}
	if told == 0 {
		t.Errorf("%s told no story", s.script)
	}
}

// hear deals with one line of the script, and counts the stories in it.
func (s stories) hear(t *testing.T, line string, answers io.Writer) int {
	t.Helper()
	word, rest, _ := strings.Cut(line, " ")
	switch word {
	case "@ask":
		var answer struct {
			Result any    `json:"result,omitempty"`
			Error  string `json:"error,omitempty"`
		}
		result, err := s.do(rest)
		if answer.Result = result; err != nil {
			answer.Error = err.Error()
		}
		must(t, json.NewEncoder(answers).Encode(answer))
	case "@ok", "@failed":
		name, what, _ := strings.Cut(rest, " ")
		t.Run(name, func(t *testing.T) {
			if word == "@ok" {
				t.Logf("%s ms", what)
				return
			}
			var why string
			must(t, json.Unmarshal([]byte(what), &why))
			t.Error(why)
		})
		return 1
	default:
		t.Log(line)
	}
	return 0
}

// do makes what the script asks for happen.
func (s stories) do(asked string) (any, error) {
	var ask struct{ Name, About string }
	if err := json.Unmarshal([]byte(asked), &ask); err != nil {
		return nil, err
	}
	if action, known := s.actions[ask.Name]; known {
		return nil, action()
	}
	if question, known := s.questions[ask.Name]; known {
		return question(ask.About)
	}
	return nil, fmt.Errorf("the stage cannot %q", ask.Name)
}
