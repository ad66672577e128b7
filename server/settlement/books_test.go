package settlement_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/settlement/clearing"
)

// tool finds a ledger program, which shares no code with us.
func tool(t *testing.T, name, debian string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	switch {
	case err != nil && os.Getenv("CI") != "":
		t.Fatalf("%s is missing: apt-get install %s", name, debian)
	case err != nil:
		t.Skipf("SKIPPED, NOT TESTED: %s is missing: apt-get install %s", name, debian)
	}
	return path
}

// A month with two currencies, fees, tax and a note, read by two programs that keep books:
// each transaction balances in each currency, and so does the whole.
func TestLedgerProgramsAcceptTheBooks(t *testing.T) {
	hledger, bean := tool(t, "hledger", "hledger"), tool(t, "bean-check", "beancount")
	ctx := context.Background()
	r := twoMonths(t)
	var text bytes.Buffer
	if err := r.WriteBooks(ctx, 202604, clearing.Hledger, &text); problem.CodeOf(err) != problem.StateConflict {
		t.Fatalf("without a chart: %v", err)
	}
	for role, code := range map[clearing.Role]string{
		clearing.RoleReceivable: "1400", clearing.RolePayable: "1600", clearing.RoleExpense: "4800", clearing.RoleIncome: "8200",
		clearing.RoleFees: "8400", clearing.RoleTax: "1776", clearing.RoleExchange: "2150",
	} {
		r.must(r.SetAccount(ctx, anna, clearing.Account{Role: role, Code: code}))
	}
	r.must(r.SetAccount(ctx, anna, clearing.Account{Party: r.parties["NORTH"].ID, Role: clearing.RoleReceivable, Code: "14001"}))
	dir := t.TempDir()
	for _, c := range []struct {
		month   clearing.Month
		dialect clearing.Dialect
		file    string
		check   [][]string
	}{
		{202603, clearing.Hledger, "march.journal", [][]string{{hledger, "check", "--strict"}, {hledger, "bal", "-N", "--strict"}}},
		{202604, clearing.Hledger, "april.journal", [][]string{{hledger, "check", "--strict"}, {hledger, "bal", "-N", "--strict"}}},
		{202603, clearing.Beancount, "march.beancount", [][]string{{bean}}},
		{202604, clearing.Beancount, "april.beancount", [][]string{{bean}}},
	} {
		text.Reset()
		r.must(r.WriteBooks(ctx, c.month, c.dialect, &text))
		file := filepath.Join(dir, c.file)
		r.must(os.WriteFile(file, text.Bytes(), 0o600))
		for _, command := range c.check {
			if command[0] == hledger {
				command = append(command, "-f")
			}
			command = append(command, file)
			out, err := exec.Command(command[0], command[1:]...).CombinedOutput()
			if err != nil {
				t.Errorf("%v: %v\n%s\n%s", command, err, out, text.Bytes())
			}
			if command[1] != "bal" {
				continue
			}
			// What NORTH owes stands on its own account, as in its statement.
			want := clearingDecimal(-net(r.statements(c.month)["NORTH"], "EUR")) + " EUR  Assets:14001"
			if !strings.Contains(string(out), want) {
				t.Errorf("hledger says, without %q:\n%s", want, out)
			}
		}
	}
	// A sum that is wrong by one cent is refused, so that the check can fail.
	bad := bytes.Replace(text.Bytes(), []byte(" EUR\n"), []byte("1 EUR\n"), 1)
	file := filepath.Join(dir, "bad.beancount")
	r.must(os.WriteFile(file, bad, 0o600))
	if exec.Command(bean, file).Run() == nil {
		t.Error("bean-check accepts books that do not balance")
	}
}
