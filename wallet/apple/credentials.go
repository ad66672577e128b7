package apple

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"strings"
	"time"

	"github.com/tallystick/tallystick/wallet/apple/passtype"
)

// Source is what an operator gives: all files in any order, and what they expect of them.
type Source struct {
	Files    []File
	Password string // of PKCS#12 files
	PassType string // pass.…; empty: as the certificate says
	Team     string // ten characters; empty: as the certificate says
}

// Credentials are what passes are signed with. They fit each other; they do not change.
type Credentials struct {
	passType, team string
	leaf, issuer   *x509.Certificate
	root           *x509.Certificate // nil when it was not among the files
	key            crypto.Signer
	cms            *signer
}

// Read returns credentials that fit at that time, or a *[Refused] that says why not.
func Read(s Source, now time.Time) (*Credentials, error) {
	c, findings := Inspect(s, now)
	if c == nil {
		return nil, &Refused{Findings: findings}
	}
	return c, nil
}

// Inspect is [Read] that also tells what is worth knowing about credentials that fit.
// The credentials are nil when a finding refuses them.
func Inspect(s Source, now time.Time) (*Credentials, []Finding) {
	in := &inspection{now: now}
	var found material
	for _, f := range s.Files {
		if err := found.read(f, s.Password); err != nil {
			in.refuse("file_unreadable", "The file %s %v.", f.Name, err)
		}
	}
	c := &Credentials{key: in.key(found), leaf: in.leaf(found)}
	if c.key == nil || c.leaf == nil {
		return nil, in.sorted()
	}
	in.pair(c)
	in.identity(c, s)
	in.chain(c, found.certificates)
	if in.refused() {
		return nil, in.sorted()
	}
	signer, err := newSigner(c.key, c.leaf, c.issuer)
	if err != nil {
		in.refuse("key_unfit", "The signature cannot be made: %v.", err)
		return nil, in.sorted()
	}
	c.cms = signer
	return c, append(in.sorted(), c.Findings(now)...)
}

// PassType returns the pass type identifier (pass.…), which is also the topic of pushes.
func (c *Credentials) PassType() string { return c.passType }

// Team returns the identifier of the team that Apple gave the certificate to.
func (c *Credentials) Team() string { return c.team }

// SelfMade tells whether no iPhone will take these passes, because [SelfMade] made the
// certificate.
func (c *Credentials) SelfMade() bool { return isSelfMade(c.issuer) }

// TLS returns the certificate, with its issuer, as a client shows it to Apple's push service.
func (c *Credentials) TLS() tls.Certificate {
	return tls.Certificate{Certificate: [][]byte{c.leaf.Raw, c.issuer.Raw}, PrivateKey: c.key, Leaf: c.leaf}
}

// Roots returns the root that was among the files, or nil; with [SelfMade] credentials it
// is the authority that a double of Apple's servers is signed by.
func (c *Credentials) Roots() *x509.CertPool {
	if c.root == nil {
		return nil
	}
	pool := x509.NewCertPool()
	pool.AddCert(c.root)
	return pool
}

// Expiry is when one certificate of the credentials ends.
type Expiry struct {
	Certificate string // "pass" or "issuer"
	At          time.Time
}

// Expiries returns when the certificates end that each pass carries.
func (c *Credentials) Expiries() []Expiry {
	return []Expiry{{"pass", c.leaf.NotAfter}, {"issuer", c.issuer.NotAfter}}
}

func isSelfMade(c *x509.Certificate) bool {
	return c != nil && len(c.Subject.Organization) == 1 && c.Subject.Organization[0] == selfMadeName
}

// key returns the one private key.
func (in *inspection) key(found material) crypto.Signer {
	switch len(found.keys) {
	case 0:
		in.refuse("key_missing", "No private key is among the files. In Keychain, export certificate and key together as .p12.")
		return nil
	case 1:
		return found.keys[0]
	}
	first, is := found.keys[0].Public().(interface{ Equal(crypto.PublicKey) bool })
	for _, other := range found.keys[1:] {
		if !is || !first.Equal(other.Public()) {
			in.refuse("key_ambiguous", "%d different private keys are among the files. Give the one of the pass certificate.", len(found.keys))
			return nil
		}
	}
	return found.keys[0]
}

// leaf returns the pass certificate: the one that belongs to the key; among renewals with
// the same key the one that lasts longest.
func (in *inspection) leaf(found material) *x509.Certificate {
	var best *x509.Certificate
	better := func(c *x509.Certificate) bool {
		if best == nil {
			return true
		}
		if mine, his := in.belongs(c, found), in.belongs(best, found); mine != his {
			return mine
		}
		return c.NotAfter.After(best.NotAfter)
	}
	for _, c := range found.certificates {
		if !c.IsCA && better(c) {
			best = c
		}
	}
	if best == nil {
		in.refuse("certificate_missing", "No pass certificate is among the files, only authorities or nothing. Download it from Certificates, Identifiers & Profiles.")
	}
	return best
}

func (*inspection) belongs(c *x509.Certificate, found material) bool {
	return len(found.keys) > 0 && fits(found.keys[0], c)
}

func fits(key crypto.Signer, c *x509.Certificate) bool {
	public, is := key.Public().(interface{ Equal(crypto.PublicKey) bool })
	return is && public.Equal(c.PublicKey)
}

// pair checks that key and certificate belong together and can sign.
func (in *inspection) pair(c *Credentials) {
	if !fits(c.key, c.leaf) {
		in.refuse("key_mismatch", "The private key is not the key of the certificate %q.", c.leaf.Subject.CommonName)
	}
	switch key := c.key.Public().(type) {
	case *rsa.PublicKey:
		if key.N.BitLen() < 2048 {
			in.refuse("key_unfit", "The key has %d bits; at least 2048 are needed.", key.N.BitLen())
		}
	case *ecdsa.PublicKey:
		if key.Curve != elliptic.P256() {
			in.refuse("key_unfit", "The key is on the curve %s; only P-256 is known here.", key.Curve.Params().Name)
		}
	default:
		in.refuse("key_unfit", "The key is of type %T; RSA or P-256 is needed.", key)
	}
}

// identity checks whose certificate it is: the pass type stands in the subject and in an
// extension, the team in the subject.
func (in *inspection) identity(c *Credentials, s Source) {
	c.passType, c.team = passtype.InSubject(c.leaf), strings.Join(c.leaf.Subject.OrganizationalUnit, ",")
	extension := passtype.InExtension(c.leaf)
	switch {
	case extension == "":
		in.refuse("not_a_pass_certificate", "The certificate %q is not one for passes: it lacks Apple's extension %s. An app or push certificate does not do.", c.leaf.Subject.CommonName, passtype.Extension)
	case !strings.HasPrefix(extension, "pass."):
		in.refuse("pass_type_invalid", "The certificate's pass type is %q; it must begin with \"pass.\".", extension)
	case c.passType != extension:
		in.refuse("pass_type_mismatch", "The certificate names two pass types: %q in its subject, %q in its extension.", c.passType, extension)
	}
	if s.PassType != "" && extension != "" && s.PassType != extension {
		in.refuse("pass_type_mismatch", "The certificate is for the pass type %q, but %q is configured.", extension, s.PassType)
	}
	switch {
	case c.team == "":
		in.refuse("team_missing", "The certificate names no team (OU).")
	case s.Team != "" && s.Team != c.team:
		in.refuse("team_mismatch", "The certificate belongs to team %q, but %q is configured.", c.team, s.Team)
	}
}

// chain finds the certificate's issuer among all those known, by key identifier and
// name, never by what is current: an old certificate needs the intermediate of its time.
func (in *inspection) chain(c *Credentials, known []*x509.Certificate) {
	var named []string
	for _, candidate := range known {
		if !candidate.IsCA {
			continue
		}
		named = append(named, describe(candidate))
		if issues(candidate, c.leaf) && (c.issuer == nil || candidate.NotAfter.After(c.issuer.NotAfter)) {
			c.issuer = candidate
		}
	}
	if c.issuer == nil {
		has := "none is among the files"
		if len(named) > 0 {
			has = "among the files are only " + strings.Join(named, "; ")
		}
		in.refuse("issuer_missing", "The certificate was issued by %q (key %X); %s. Download that intermediate from https://www.apple.com/certificateauthority/.",
			c.leaf.Issuer.CommonName, c.leaf.AuthorityKeyId, has)
		return
	}
	for _, candidate := range known {
		if candidate.IsCA && bytes.Equal(candidate.RawIssuer, candidate.RawSubject) && issues(candidate, c.issuer) {
			c.root = candidate
		}
	}
	for _, one := range []*x509.Certificate{c.leaf, c.issuer} {
		if in.now.Before(one.NotBefore) {
			in.refuse("not_yet_valid", "The certificate %q is good only from %s on. Is this machine's clock right?", one.Subject.CommonName, day(one.NotBefore))
		}
		if in.now.After(one.NotAfter) {
			in.refuse("expired", "The certificate %q expired on %s.", one.Subject.CommonName, day(one.NotAfter))
		}
	}
}

// issues tells whether the authority signed the certificate.
func issues(authority, c *x509.Certificate) bool {
	if !bytes.Equal(authority.RawSubject, c.RawIssuer) {
		return false
	}
	if len(c.AuthorityKeyId) > 0 && len(authority.SubjectKeyId) > 0 && !bytes.Equal(authority.SubjectKeyId, c.AuthorityKeyId) {
		return false
	}
	return c.CheckSignatureFrom(authority) == nil
}
