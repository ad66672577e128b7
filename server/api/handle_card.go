package api

import (
	"context"
	"strings"

	"github.com/google/uuid"
	openapi_types "github.com/oapi-codegen/runtime/types"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/server/card"
	"github.com/tallystick/tallystick/server/fleet"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/server/mail"
	"github.com/tallystick/tallystick/server/programme"
)

// JoinCard implements StrictServerInterface.
func (h handlers) JoinCard(ctx context.Context, r JoinCardRequestObject) (JoinCardResponseObject, error) {
	open, err := h.o.Cards.Join(ctx, card.Join{
		Key: r.Params.IdempotencyKey, Name: valueOf(r.Body.Name), Email: valueOf(r.Body.Email), Phone: valueOf(r.Body.Phone),
		Locale: card.Locale(r.Body.Locale), Store: valueOf(r.Body.Store), Consents: showAll(valueOf(r.Body.Consents), readConsent),
	})
	if err != nil {
		return nil, err
	}
	body, err := h.card(ctx, open.Member)
	return JoinCard201JSONResponse{Body: body, Headers: JoinCard201ResponseHeaders{SetCookie: h.cardCookie(open.Secret)}}, err
}

// GetCardProgramme implements StrictServerInterface.
func (h handlers) GetCardProgramme(context.Context, GetCardProgrammeRequestObject) (GetCardProgrammeResponseObject, error) {
	return GetCardProgramme200JSONResponse{Name: h.o.Cards.Name(), Wallets: h.showOffers()}, nil
}

// RequestCardLink implements StrictServerInterface.
func (h handlers) RequestCardLink(ctx context.Context, r RequestCardLinkRequestObject) (RequestCardLinkResponseObject, error) {
	return RequestCardLink202Response{}, h.o.Cards.Recover(ctx, r.Body.Email)
}

// OpenCardLink implements StrictServerInterface.
func (h handlers) OpenCardLink(ctx context.Context, r OpenCardLinkRequestObject) (OpenCardLinkResponseObject, error) {
	open, err := h.o.Cards.OpenLink(ctx, r.Body.Secret)
	if err != nil {
		return nil, err
	}
	body, err := h.card(ctx, open.Member)
	return OpenCardLink200JSONResponse{Body: body, Headers: OpenCardLink200ResponseHeaders{SetCookie: h.cardCookie(open.Secret)}}, err
}

// EndCardSession implements StrictServerInterface.
func (h handlers) EndCardSession(ctx context.Context, _ EndCardSessionRequestObject) (EndCardSessionResponseObject, error) {
	err := h.o.Cards.SignOut(ctx, shopperOf(ctx))
	return EndCardSession204Response{Headers: EndCardSession204ResponseHeaders{SetCookie: h.noCardCookie()}}, err
}

// GetCard implements StrictServerInterface.
func (h handlers) GetCard(ctx context.Context, _ GetCardRequestObject) (GetCardResponseObject, error) {
	body, err := h.card(ctx, shopperOf(ctx).Member)
	return GetCard200JSONResponse(body), err
}

// ChangeCard implements StrictServerInterface.
func (h handlers) ChangeCard(ctx context.Context, r ChangeCardRequestObject) (ChangeCardResponseObject, error) {
	change := card.Change{Name: r.Body.Name, Email: r.Body.Email, Phone: r.Body.Phone}
	if r.Body.Locale != nil {
		locale := card.Locale(*r.Body.Locale)
		change.Locale = &locale
	}
	if err := h.o.Cards.Change(ctx, shopperOf(ctx).Member, change); err != nil {
		return nil, err
	}
	body, err := h.card(ctx, shopperOf(ctx).Member)
	return ChangeCard200JSONResponse(body), err
}

// LeaveCard implements StrictServerInterface.
func (h handlers) LeaveCard(ctx context.Context, _ LeaveCardRequestObject) (LeaveCardResponseObject, error) {
	err := h.o.Cards.Leave(ctx, shopperOf(ctx).Member)
	return LeaveCard204Response{Headers: LeaveCard204ResponseHeaders{SetCookie: h.noCardCookie()}}, err
}

// ConfirmCardAgain implements StrictServerInterface.
func (h handlers) ConfirmCardAgain(ctx context.Context, _ ConfirmCardAgainRequestObject) (ConfirmCardAgainResponseObject, error) {
	return ConfirmCardAgain202Response{}, h.o.Cards.ConfirmAgain(ctx, shopperOf(ctx).Member)
}

// AgreeOnCard implements StrictServerInterface.
func (h handlers) AgreeOnCard(ctx context.Context, r AgreeOnCardRequestObject) (AgreeOnCardResponseObject, error) {
	if err := h.o.Cards.Agree(ctx, shopperOf(ctx).Member, readConsent(*r.Body)); err != nil {
		return nil, err
	}
	body, err := h.card(ctx, shopperOf(ctx).Member)
	return AgreeOnCard200JSONResponse(body), err
}

// ListCardHistory implements StrictServerInterface.
func (h handlers) ListCardHistory(ctx context.Context, r ListCardHistoryRequestObject) (ListCardHistoryResponseObject, error) {
	size, err := pageSize(r.Params.Limit)
	if err != nil {
		return nil, err
	}
	postings, next, err := h.o.Cards.History(ctx, shopperOf(ctx).Member, opaque(r.Params.Cursor), size)
	return ListCardHistory200JSONResponse{Items: cardLines(postings), Next: unlessEmpty(next)}, err
}

// ListCardStores implements StrictServerInterface.
func (h handlers) ListCardStores(ctx context.Context, _ ListCardStoresRequestObject) (ListCardStoresResponseObject, error) {
	stores, err := h.o.Cards.Stores(ctx)
	return ListCardStores200JSONResponse{Items: showAll(stores, func(s fleet.Store) CardStore { return CardStore{ID: s.ID, Name: s.Name} })}, err
}

// ClaimOnCard implements StrictServerInterface.
func (h handlers) ClaimOnCard(ctx context.Context, r ClaimOnCardRequestObject) (ClaimOnCardResponseObject, error) {
	member := shopperOf(ctx).Member
	row, err := h.o.Cards.Claim(ctx, member, r.Body.Code)
	if err != nil {
		return nil, err
	}
	out := ClaimOnCard201JSONResponse{ID: row.Claim, State: ClaimState(row.State.String())}
	if row.Member == member { // somebody else's is nobody's business
		out.Member = &member
	}
	return out, nil
}

// ExportCard implements StrictServerInterface.
func (h handlers) ExportCard(ctx context.Context, _ ExportCardRequestObject) (ExportCardResponseObject, error) {
	all, err := h.o.Cards.Export(ctx, shopperOf(ctx).Member)
	if err != nil {
		return nil, err
	}
	return ExportCard200JSONResponse{
		Card: h.showCard(all.View), Consents: showAll(all.Consents, showConsent), History: cardLines(all.History), HistoryWhole: all.Whole,
	}, nil
}

// ListMails implements StrictServerInterface.
func (h handlers) ListMails(ctx context.Context, r ListMailsRequestObject) (ListMailsResponseObject, error) {
	items, next, err := paged(r.Params.Limit, r.Params.Cursor, func(before uuid.UUID, limit int) ([]mail.Mail, error) {
		return h.o.Mails.List(ctx, before, limit)
	}, func(m mail.Mail) uuid.UUID { return m.ID }, h.showMail)
	return ListMails200JSONResponse{Items: items, Sends: h.o.Mails.Sends(), Next: next}, err
}

// showMail tells the text only where no mail server is there to tell it: a link in it
// opens a shopper's card.
func (h handlers) showMail(m mail.Mail) Mail {
	out := Mail{
		ID: m.ID, To: m.To, Subject: m.Subject, State: MailState(m.State.String()), Attempts: m.Attempts, CreatedAt: m.CreatedAt,
		SentAt: unlessEmpty(m.SentAt), Failure: unlessEmpty(m.Failure),
	}
	if !h.o.Mails.Sends() {
		out.Text = unlessEmpty(m.Text)
	}
	return out
}

func (h handlers) card(ctx context.Context, member uuid.UUID) (Card, error) {
	v, err := h.o.Cards.View(ctx, member)
	if err != nil {
		return Card{}, err
	}
	return h.showCard(v), nil
}

func (h handlers) showCard(v card.View) Card {
	out := Card{
		Member: v.Member.ID, Programme: h.o.Cards.Name(), Name: v.Member.Alias, Email: unlessEmpty(v.Holder.Email),
		EmailState: EmailState(v.Holder.State.String()), Phone: unlessEmpty(v.Holder.Phone), Locale: CardLocale(v.Holder.Locale),
		Blocked: v.Member.Blocked, Units: showAll(v.Units, showCardUnit), Rewards: showAll(v.Rewards, showReward),
		Vouchers: showAll(v.Vouchers, showVoucher), Consents: showAll(v.Consents, showConsent), AsOf: v.AsOf,
	}
	if len(v.Tiers.Levels) > 0 {
		standing := showStanding(v.Tiers, v.Standing)
		out.Tier = &standing
	}
	if v.Code.Text != "" {
		out.Code = &CardCode{
			Text: v.Code.Text, Issue: int32(v.Code.Issue), ExpiresOn: openapi_types.Date{Time: v.Code.ExpiresOn},
			Keys: showAll(v.Code.Keys, func(k programme.CodeKey) CardKey {
				return CardKey{Epoch: int64(k.Epoch), Key: k.Key, NotBefore: k.NotBefore, NotAfter: k.NotAfter}
			}),
		}
	}
	return out
}

func showCardUnit(u ledger.Units) CardUnit {
	return CardUnit{
		Unit: u.Unit, Spendable: u.Spendable, Pending: u.Pending, Overdraft: u.Overdraft,
		Expiring: showAll(u.Expiring, func(e ledger.Expiring) CardExpiring { return CardExpiring{Amount: e.Amount, At: e.At} }),
	}
}

func showConsent(c card.Consent) CardConsent {
	return CardConsent{Purpose: CardPurpose(c.Purpose), Given: c.Given, Wording: unlessEmpty(c.Wording), At: unlessEmpty(c.At)}
}

func readConsent(c CardConsentNew) card.Consent {
	return card.Consent{Purpose: card.Purpose(c.Purpose), Given: c.Given, Wording: c.Wording}
}

// whys says what a posting between a member's books and a contra book is to the member.
var whys = map[loyalty.Book][2]CardLineWhy{ // more, less
	loyalty.BookIssue: {CardLineWhyEarned, CardLineWhyTakenBack}, loyalty.BookStore: {CardLineWhyGivenBack, CardLineWhyRedeemed}, loyalty.BookBreakage: {CardLineWhyRestored, CardLineWhyExpired},
	loyalty.BookLapsed: {CardLineWhyRestored, CardLineWhyExpired}, loyalty.BookClearing: {CardLineWhyMoved, CardLineWhyMoved}, loyalty.BookSuspense: {CardLineWhyInQuestion, CardLineWhyInQuestion},
}

// cardLines leaves out what only moves between the member's own books, and the uses of
// vouchers.
func cardLines(postings []ledger.Posting) []CardLine {
	out := []CardLine{}
	for _, p := range postings {
		if p.From.Own() == p.To.Own() || strings.HasPrefix(p.Unit, loyalty.UseUnit("")) {
			continue
		}
		line := CardLine{ID: p.ID, Unit: p.Unit, Amount: p.Amount, Why: whys[p.From][0], Store: unlessEmpty(p.Store), At: at(p.OccurredAt)}
		if p.From.Own() {
			line.Amount, line.Why = -p.Amount, whys[p.To][1]
		}
		out = append(out, line)
	}
	return out
}
