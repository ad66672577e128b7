package apple

import (
	"crypto/x509"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Severity says how much a finding matters; a larger one matters more.
type Severity int

// The severities. With a finding that Refuses no passes are made.
const (
	Info Severity = iota
	Warning
	Critical
	Refuses
)

// String returns the severity in a word.
func (s Severity) String() string {
	return [...]string{"info", "warning", "critical", "refused"}[s]
}

// Finding is one thing that an operator should know of the credentials.
type Finding struct {
	Severity Severity
	Code     string // stable, as key_mismatch
	Text     string // whole sentences: what is so, and what to do
	Days     int    // whole ones left until a certificate ends; 0 also when it is not about that
}

// Refused says why credentials make no passes.
type Refused struct{ Findings []Finding }

// Error names all reasons, one sentence after the other.
func (r *Refused) Error() string {
	var texts []string
	for _, f := range r.Findings {
		if f.Severity == Refuses {
			texts = append(texts, f.Text)
		}
	}
	return "apple credentials: " + strings.Join(texts, " ")
}

// expiryRungs are the days before the end at which an operator is told, and how loudly.
var expiryRungs = []struct {
	days     int
	severity Severity
}{{7, Critical}, {30, Warning}, {60, Info}}

// Findings tells what is worth knowing at that time of credentials that fitted when they
// were read: certificates about to end or ended, and that they are not Apple's.
func (c *Credentials) Findings(now time.Time) []Finding {
	in := &inspection{now: now}
	in.ends("pass_expires", c.leaf, "Create a new one in Certificates, Identifiers & Profiles; passes in phones stay as they are, but cannot be updated.")
	in.ends("issuer_expires", c.issuer, "Apple's page of certificate authorities has its successor; a pass certificate issued by that is needed too.")
	switch {
	case c.SelfMade():
		in.add(Info, "self_made", "The certificates are self-made, not Apple's: no iPhone installs these passes.")
	case !slices.Contains(c.issuer.Subject.Organization, "Apple Inc."):
		in.add(Warning, "not_apple", "The certificate was issued by %q, not by Apple: no iPhone installs these passes.", c.issuer.Subject.CommonName)
	}
	return in.sorted()
}

// inspection collects findings.
type inspection struct {
	now   time.Time
	found []Finding
}

func (in *inspection) add(s Severity, code, format string, args ...any) {
	in.found = append(in.found, Finding{Severity: s, Code: code, Text: fmt.Sprintf(format, args...)})
}

func (in *inspection) refuse(code, format string, args ...any) {
	in.add(Refuses, code, format, args...)
}

func (in *inspection) refused() bool {
	return slices.ContainsFunc(in.found, func(f Finding) bool { return f.Severity == Refuses })
}

// sorted returns the findings, what matters most first.
func (in *inspection) sorted() []Finding {
	slices.SortStableFunc(in.found, func(a, b Finding) int { return int(b.Severity - a.Severity) })
	return in.found
}

// ends adds a finding when the certificate has ended or ends soon.
func (in *inspection) ends(code string, c *x509.Certificate, remedy string) {
	left := c.NotAfter.Sub(in.now)
	if left < 0 {
		in.refuse(code, "The certificate %q expired on %s. %s", c.Subject.CommonName, day(c.NotAfter), remedy)
		return
	}
	days := int(left / (24 * time.Hour))
	for _, rung := range expiryRungs {
		if days <= rung.days {
			in.add(rung.severity, code, "The certificate %q expires on %s, in %d days. %s", c.Subject.CommonName, day(c.NotAfter), days, remedy)
			in.found[len(in.found)-1].Days = days
			return
		}
	}
}

func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }

// describe names an authority so that an operator finds it on Apple's page.
func describe(c *x509.Certificate) string {
	unit := strings.Join(c.Subject.OrganizationalUnit, " ")
	return fmt.Sprintf("%s %s (key %X, until %s)", c.Subject.CommonName, unit, c.SubjectKeyId, day(c.NotAfter))
}
