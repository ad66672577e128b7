package quarter

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/testkit/process"
)

// broken are builds in which one line of head office is another, and words of the report
// that must show it.
var broken = []struct {
	name, file, line, wrong, shows string
}{
	{
		"a repeated sale counts again", "server/ledger/sale.go",
		"if s.sold[key] != nil {", "if s.sold[key] != nil && false {",
		"missed: sale repeated",
	},
	{
		"certificates take their money from the last close", "server/storeday/figures.go",
		"		out = append(out, figuresOf(date, t.counts[date], filled(t.byDate[date])))\n",
		"		sum := filled(t.byDate[date])\n		for _, c := range t.closes {\n			if c.said.Date == date {\n				sum.Money = c.said.Money\n			}\n		}\n		out = append(out, figuresOf(date, t.counts[date], sum))\n",
		"figures of ",
	},
	{
		"what closes say is believed", "server/storeday/sum.go",
		"differences := t.differences()\n", "differences := t.differences()[:0]\n",
		"missed: close with wrong sums",
	},
	{
		"no lane is waited for", "server/storeday/stand.go",
		"return last, WaitClose\n", "return last, \"\"\n",
		"it did not wait for",
	},
	{
		"a second branch of a journal is no matter", "server/ingest/place.go",
		"	if p.fork != nil {\n		x :=", "	if p.fork != nil && false {\n		x :=",
		"missed: cloned terminal",
	},
	{
		"the last expiry is spent first", "internal/loyalty/holding_fold.go",
		"cmp.Compare(never(a.ExpiresAt), never(b.ExpiresAt)),", "cmp.Compare(never(b.ExpiresAt), never(a.ExpiresAt)),",
		"points left of a lot",
	},
	{
		"what arrives late is folded last", "server/ledger/fold.go",
		"return a != nil && (len(a.place) == 0 || slices.Compare(f.place(), a.place) < 0)", "return a != nil && len(a.place) == 0",
		"account ",
	},
	{
		"any earning is believed", "server/ledger/recheck.go",
		"part.Amount = min(x.Amount, line.Amount)\n", "part.Amount = line.Amount\n		x.Amount = line.Amount\n",
		"missed: ghost earnings",
	},
	{
		"settlement counts corrections twice", "server/settlement/clearing/flow.go",
		"	if from == honouring ||", "	if p.Corrects {\n		points *= 2\n	}\n	if from == honouring ||",
		"settlement of 2026-0",
	},
	{
		"a locked month takes what comes later", "server/settlement/follow.go",
		"moves[i].Month = clearing.Period(moves[i].Day, openAt(cuts, moves[i].Pos))", "_ = cuts\n			moves[i].Month = clearing.MonthOf(moves[i].Day)",
		"settlement of 2026-0",
	},
	{
		"what is owed forgets what voids took back", "server/liability/roll.go",
		"l.Reversed = -change\n", "l.Issued = change\n",
		"owed in 2026",
	},
	{
		"a signature is not looked at", "sync/journal/checkpoint.go",
		"!ed25519.Verify(pub, msg, c.Signature) {", "!ed25519.Verify(pub, msg, c.Signature) && len(msg) == 0 {",
		"batch of somebody else's key",
	},
	{
		"a code that was rotated enrols still", "server/store/records_fleet.go",
		"DELETE FROM enrolment_codes WHERE terminal = ? AND used_at = 0", "DELETE FROM enrolment_codes WHERE terminal = ? AND used_at = 0 AND expires_at < 0",
		"enrolment code that was rotated",
	},
}

// A quarter that finds nothing wrong with a wrong head office shows nothing.
func TestTheQuarterCatchesBrokenBuilds(t *testing.T) {
	if os.Getenv("TALLYSTICK_QUARTER") == "" {
		t.Skip("set TALLYSTICK_QUARTER=1 (make quarter-mutants does)")
	}
	root, err := process.ModuleRoot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range broken {
		t.Run(b.name, func(t *testing.T) {
			source, err := os.ReadFile(filepath.Join(root, b.file))
			if err != nil {
				t.Fatal(err)
			}
			if strings.Count(string(source), b.line) != 1 {
				t.Fatalf("%s no longer has the one line %q to break", b.file, b.line)
			}
			program, err := process.BuildBrokenTest(t.Context(), t.TempDir(),
				map[string]string{b.file: strings.Replace(string(source), b.line, b.wrong, 1)}, "./internal/quarter")
			if err != nil {
				t.Fatal(err)
			}
			out, err := exec.CommandContext(t.Context(), program, "-test.run", "^TestASmallQuarterIsAsItWas$", "-test.v").CombinedOutput()
			if err == nil {
				t.Fatalf("the quarter finds nothing wrong\n%s", out)
			}
			if !strings.Contains(string(out), b.shows) {
				t.Fatalf("it does not show %q\n%s", b.shows, out)
			}
			for line := range strings.Lines(string(out)) {
				if strings.Contains(line, "WRONG") {
					t.Logf("caught: %s", strings.TrimSpace(line))
					return
				}
			}
		})
	}
}
