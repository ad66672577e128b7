package store

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/card"
	"github.com/tallystick/tallystick/server/mail"
)

var (
	_ card.Store = (*DB)(nil)
	_ mail.Store = (*DB)(nil)
)

type holderRow struct {
	Member     []byte `bun:"member"`
	Email      string `bun:"email"`
	EmailState uint8  `bun:"email_state"`
	Phone      string `bun:"phone"`
	Locale     string `bun:"locale"`
	JoinedAt   int64  `bun:"joined_at"`
	Version    int64  `bun:"version"`
}

func (r holderRow) holder() card.Holder {
	return card.Holder{
		Member: toID(r.Member), Email: r.Email, State: card.EmailState(r.EmailState), Phone: r.Phone, Locale: card.Locale(r.Locale),
		JoinedAt: fromMillis(r.JoinedAt), Version: uint64(r.Version),
	}
}

const holderColumns = "member, email, email_state, phone, locale, joined_at, version"

// AddHolder implements card.Store.
func (db *DB) AddHolder(ctx context.Context, h card.Holder) error {
	_, err := db.exec(ctx, "INSERT INTO card_holders ("+holderColumns+") VALUES (?, ?, ?, ?, ?, ?, ?)",
		h.Member[:], h.Email, uint8(h.State), h.Phone, string(h.Locale), toMillis(h.JoinedAt), int64(h.Version))
	return err
}

// SetHolder implements card.Store.
func (db *DB) SetHolder(ctx context.Context, h card.Holder) error {
	return db.changed(ctx, "UPDATE card_holders SET email = ?, email_state = ?, phone = ?, locale = ?, version = ? WHERE member = ? AND version = ?",
		h.Email, uint8(h.State), h.Phone, string(h.Locale), int64(h.Version), h.Member[:], int64(h.Version-1))
}

// Holder implements card.Store.
func (db *DB) Holder(ctx context.Context, member uuid.UUID) (card.Holder, error) {
	return one(ctx, db, holderRow.holder, "card", "SELECT "+holderColumns+" FROM card_holders WHERE member = ?", member[:])
}

// HolderByEmail implements card.Store.
func (db *DB) HolderByEmail(ctx context.Context, email string) (card.Holder, error) {
	return one(ctx, db, holderRow.holder, "card",
		"SELECT "+holderColumns+" FROM card_holders WHERE email = ? ORDER BY email_state DESC, joined_at DESC, member DESC LIMIT 1", email)
}

// HoldersByEmail implements card.Store.
func (db *DB) HoldersByEmail(ctx context.Context, email string, limit int) ([]card.Holder, error) {
	return page(ctx, db, holderRow.holder,
		"SELECT "+holderColumns+" FROM card_holders WHERE email = ? ORDER BY email_state DESC, joined_at DESC, member DESC LIMIT ?", email, limit)
}

// ConfirmAddress implements card.Store.
func (db *DB) ConfirmAddress(ctx context.Context, email string, member uuid.UUID) (uuid.UUID, error) {
	if _, err := db.exec(ctx, "INSERT INTO card_addresses (email, member) VALUES (?, ?) ON CONFLICT DO NOTHING", email, member[:]); err != nil {
		return uuid.Nil, err
	}
	type ownerRow struct {
		Member []byte `bun:"member"`
	}
	return one(ctx, db, func(r ownerRow) uuid.UUID { return toID(r.Member) }, "address", "SELECT member FROM card_addresses WHERE email = ?", email)
}

// ReleaseAddress implements card.Store.
func (db *DB) ReleaseAddress(ctx context.Context, email string, member uuid.UUID) error {
	_, err := db.exec(ctx, "DELETE FROM card_addresses WHERE email = ? AND member = ?", email, member[:])
	return err
}

type consentRow struct {
	ID      []byte `bun:"id"`
	Member  []byte `bun:"member"`
	Purpose string `bun:"purpose"`
	Given   int    `bun:"given"`
	Wording string `bun:"wording"`
	At      int64  `bun:"at"`
}

func (r consentRow) consent() card.Consent {
	return card.Consent{
		ID: toID(r.ID), Member: toID(r.Member), Purpose: card.Purpose(r.Purpose), Given: r.Given == 1, Wording: r.Wording, At: fromMillis(r.At),
	}
}

// AddConsent implements card.Store.
func (db *DB) AddConsent(ctx context.Context, c card.Consent) error {
	_, err := db.exec(ctx, "INSERT INTO card_consents (id, member, purpose, given, wording, at) VALUES (?, ?, ?, ?, ?, ?)",
		c.ID[:], c.Member[:], string(c.Purpose), bit(c.Given), c.Wording, toMillis(c.At))
	return err
}

// Consents implements card.Store.
func (db *DB) Consents(ctx context.Context, member uuid.UUID) ([]card.Consent, error) {
	return page(ctx, db, consentRow.consent, "SELECT id, member, purpose, given, wording, at FROM card_consents WHERE member = ? ORDER BY id", member[:])
}

type cardLinkRow struct {
	Hash      []byte `bun:"hash"`
	Member    []byte `bun:"member"`
	Email     string `bun:"email"`
	ExpiresAt int64  `bun:"expires_at"`
	UsedAt    int64  `bun:"used_at"`
}

func (r cardLinkRow) link() card.Link {
	return card.Link{
		Hash: [32]byte(toHash(r.Hash)), Member: toID(r.Member), Email: r.Email, ExpiresAt: fromMillis(r.ExpiresAt), UsedAt: fromMillis(r.UsedAt),
	}
}

// AddCardLink implements card.Store.
func (db *DB) AddCardLink(ctx context.Context, l card.Link) error {
	_, err := db.exec(ctx, "INSERT INTO card_links (hash, member, email, expires_at, used_at) VALUES (?, ?, ?, ?, ?)",
		l.Hash[:], l.Member[:], l.Email, toMillis(l.ExpiresAt), toMillis(l.UsedAt))
	return err
}

// CardLink implements card.Store.
func (db *DB) CardLink(ctx context.Context, hash [32]byte) (card.Link, error) {
	return one(ctx, db, cardLinkRow.link, "link", "SELECT hash, member, email, expires_at, used_at FROM card_links WHERE hash = ?", hash[:])
}

// UseCardLink implements card.Store.
func (db *DB) UseCardLink(ctx context.Context, hash [32]byte, at time.Time) error {
	return db.changed(ctx, "UPDATE card_links SET used_at = ? WHERE hash = ? AND used_at = 0", toMillis(at), hash[:])
}

// CountCardLinks implements card.Store.
func (db *DB) CountCardLinks(ctx context.Context, member uuid.UUID, after time.Time) (int, error) {
	var n int
	err := db.read(ctx).NewRaw("SELECT COUNT(*) FROM card_links WHERE member = ? AND expires_at > ?", member[:], toMillis(after)).Scan(ctx, &n)
	return n, err
}

// ForgetCardLinks implements card.Store.
func (db *DB) ForgetCardLinks(ctx context.Context, before time.Time) error {
	_, err := db.exec(ctx, "DELETE FROM card_links WHERE expires_at < ?", toMillis(before))
	return err
}

type cardSessionRow struct {
	Hash      []byte `bun:"hash"`
	Member    []byte `bun:"member"`
	CreatedAt int64  `bun:"created_at"`
	SeenAt    int64  `bun:"seen_at"`
}

func (r cardSessionRow) session() card.Session {
	return card.Session{Hash: [32]byte(toHash(r.Hash)), Member: toID(r.Member), CreatedAt: fromMillis(r.CreatedAt), SeenAt: fromMillis(r.SeenAt)}
}

// AddCardSession implements card.Store.
func (db *DB) AddCardSession(ctx context.Context, s card.Session) error {
	_, err := db.exec(ctx, "INSERT INTO card_sessions (hash, member, created_at, seen_at) VALUES (?, ?, ?, ?)",
		s.Hash[:], s.Member[:], toMillis(s.CreatedAt), toMillis(s.SeenAt))
	return taken(err, problem.Conflict, "there is such a session")
}

// CardSession implements card.Store.
func (db *DB) CardSession(ctx context.Context, hash [32]byte) (card.Session, error) {
	return one(ctx, db, cardSessionRow.session, "session", "SELECT hash, member, created_at, seen_at FROM card_sessions WHERE hash = ?", hash[:])
}

// SeeCardSession implements card.Store.
func (db *DB) SeeCardSession(ctx context.Context, hash [32]byte, at time.Time) error {
	_, err := db.exec(ctx, "UPDATE card_sessions SET seen_at = ? WHERE hash = ?", toMillis(at), hash[:])
	return err
}

// EndCardSession implements card.Store.
func (db *DB) EndCardSession(ctx context.Context, hash [32]byte) error {
	_, err := db.exec(ctx, "DELETE FROM card_sessions WHERE hash = ?", hash[:])
	return err
}

// EndCardSessions implements card.Store.
func (db *DB) EndCardSessions(ctx context.Context, member uuid.UUID) error {
	_, err := db.exec(ctx, "DELETE FROM card_sessions WHERE member = ?", member[:])
	return err
}

// Erase implements card.Store.
func (db *DB) Erase(ctx context.Context, member uuid.UUID) error {
	return db.InTx(ctx, func(ctx context.Context) error {
		// A mail that waits would still tell the address.
		_, err := db.exec(ctx, "UPDATE mails SET state = ?, body = '', to_address = '' WHERE to_address IN (SELECT email FROM card_holders WHERE member = ? AND email <> '')",
			uint8(mail.Failed), member[:])
		if err != nil {
			return err
		}
		for _, table := range []string{"card_addresses", "card_consents", "card_links", "card_sessions", "card_holders"} {
			if _, err := db.exec(ctx, "DELETE FROM "+table+" WHERE member = ?", member[:]); err != nil {
				return err
			}
		}
		return nil
	})
}

type mailRow struct {
	ID        []byte `bun:"id"`
	To        string `bun:"to_address"`
	Subject   string `bun:"subject"`
	Body      string `bun:"body"`
	State     uint8  `bun:"state"`
	Attempts  int    `bun:"attempts"`
	DueAt     int64  `bun:"due_at"`
	CreatedAt int64  `bun:"created_at"`
	SentAt    int64  `bun:"sent_at"`
	Failure   string `bun:"failure"`
}

func (r mailRow) mail() mail.Mail {
	return mail.Mail{
		ID: toID(r.ID), To: r.To, Subject: r.Subject, Text: r.Body, State: mail.State(r.State), Attempts: r.Attempts,
		DueAt: fromMillis(r.DueAt), CreatedAt: fromMillis(r.CreatedAt), SentAt: fromMillis(r.SentAt), Failure: r.Failure,
	}
}

const mailColumns = "id, to_address, subject, body, state, attempts, due_at, created_at, sent_at, failure"

// AddMail implements mail.Store.
func (db *DB) AddMail(ctx context.Context, m mail.Mail) error {
	_, err := db.exec(ctx, "INSERT INTO mails ("+mailColumns+") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		m.ID[:], m.To, m.Subject, m.Text, uint8(m.State), m.Attempts, toMillis(m.DueAt), toMillis(m.CreatedAt), toMillis(m.SentAt), m.Failure)
	return taken(err, problem.Conflict, "there is such a mail")
}

// SetMail implements mail.Store.
func (db *DB) SetMail(ctx context.Context, m mail.Mail) error {
	_, err := db.exec(ctx, "UPDATE mails SET body = ?, state = ?, attempts = ?, due_at = ?, sent_at = ?, failure = ? WHERE id = ? AND state = ?",
		m.Text, uint8(m.State), m.Attempts, toMillis(m.DueAt), toMillis(m.SentAt), m.Failure, m.ID[:], uint8(mail.Waiting))
	return err
}

// MailsDue implements mail.Store.
func (db *DB) MailsDue(ctx context.Context, now time.Time, limit int) ([]mail.Mail, error) {
	return page(ctx, db, mailRow.mail, "SELECT "+mailColumns+" FROM mails WHERE state = 1 AND due_at <= ? ORDER BY due_at, id LIMIT ?", toMillis(now), limit)
}

// Mails implements mail.Store.
func (db *DB) Mails(ctx context.Context, before uuid.UUID, limit int) ([]mail.Mail, error) {
	if before == uuid.Nil {
		before = uuid.Max
	}
	return page(ctx, db, mailRow.mail, "SELECT "+mailColumns+" FROM mails WHERE id < ? ORDER BY id DESC LIMIT ?", before[:], limit)
}
