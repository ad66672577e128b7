package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/server/liability"
)

type verifyCommand struct {
	JSON bool `name:"json" help:"Print the report as JSON."`
}

// Run checks everything and prints what was checked. A failure is exit code 1.
func (v verifyCommand) Run(ctx context.Context, s *surroundings) (err error) {
	o, err := openOffice(ctx, s.cli, tuning{})
	if err != nil {
		return err
	}
	defer func() { err = o.close(err) }()
	report, err := o.verify(ctx)
	if err != nil {
		return fmt.Errorf("verify: %w", err)
	}
	if v.JSON {
		err = json.NewEncoder(s.stdout).Encode(report)
	} else {
		err = printReport(s.stdout, report)
	}
	if err == nil && !report.OK() {
		return errReported
	}
	return err
}

// verify checks the ledger, and that what is summed of it is what it says.
func (o *office) verify(ctx context.Context) (ledger.Report, error) {
	report, err := o.ledger.Verify(ctx, o.keys)
	if err != nil {
		return ledger.Report{}, err
	}
	owed, err := o.liability.Check(ctx)
	if err != nil {
		return ledger.Report{}, fmt.Errorf("what is owed: %w", err)
	}
	report.Checked = append(
		report.Checked,
		ledger.Check{What: "postings summed again to what is owed", Count: owed.Postings},
		ledger.Check{What: "figures of what is owed", Count: owed.Rows},
	)
	for _, d := range owed.Differences {
		report.Failures = append(report.Failures, owedFailure(d))
	}
	return report, nil
}

// owedFailure names a figure of what is owed that is not what the postings add up to.
func owedFailure(d liability.Difference) ledger.Failure {
	r := d.Row
	return ledger.Failure{
		Where: fmt.Sprintf("owed %s, recorded on %s, effective on %s, issued %s, expires %s, kind %d, from %s to %s", r.Unit,
			liability.Day(r.Recorded), liability.Day(r.Effective), orNone(liability.Month(r.Issued)), orNone(liability.Month(r.Expires)), r.Kind, r.From, r.To),
		What: fmt.Sprintf("the figure is %d of %d postings, the postings are %d of %d", d.Summed, d.Of, r.Amount, r.N),
	}
}

// orNone is a month as text; movements of no lot have none.
func orNone(m liability.Month) string {
	if m == 0 {
		return "in no month"
	}
	return m.String()
}

func printReport(out io.Writer, report ledger.Report) (err error) {
	for _, c := range report.Checked {
		_, perr := fmt.Fprintf(out, "checked %8d  %s\n", c.Count, c.What)
		err = errors.Join(err, perr)
	}
	for _, f := range report.Failures {
		_, perr := fmt.Fprintf(out, "FAILED  %s: %s\n", f.Where, f.What)
		err = errors.Join(err, perr)
	}
	if report.OK() {
		_, perr := fmt.Fprintln(out, "verified: everything matches")
		err = errors.Join(err, perr)
	}
	return err
}
