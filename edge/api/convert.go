package api

import (
	"cmp"
	"context"
	"fmt"
	"time"

	openapi_types "github.com/oapi-codegen/runtime/types"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/edge/till"
	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/wallet/passtoken"
)

// onePiece is the quantity of a line that names none, in thousandths.
const onePiece = 1000

func requestOf(q QuoteRequest) (till.Request, error) {
	req := till.Request{
		Scans:  value(q.Scans),
		Basket: loyalty.Basket{Currency: q.Currency, Total: q.Total},
	}
	if code := value(q.Code); code != "" {
		req.Codes = []string{code}
	}
	for i, line := range value(q.Lines) {
		no := i + 1
		if line.No != nil {
			no = *line.No
		}
		if no < 1 || no > 65535 {
			return req, invalid(fmt.Sprintf("/lines/%d/no", i), "must be from 1 to 65535")
		}
		quantity := int64(onePiece)
		if line.Quantity != nil {
			quantity = *line.Quantity
		}
		req.Basket.Lines = append(req.Basket.Lines, loyalty.Line{
			No: uint16(no), SKU: value(line.Sku), Quantity: quantity, Amount: line.Amount, Category: value(line.Category),
		})
	}
	for i, wish := range value(q.Redeem) {
		if (wish.Reward == nil) == (wish.Voucher == nil) {
			return req, invalid(fmt.Sprintf("/redeem/%d", i), "give one of reward and voucher")
		}
		times := int64(1)
		if wish.Times != nil {
			times = *wish.Times
		}
		req.Wishes = append(req.Wishes, loyalty.Wish{Reward: value(wish.Reward), Voucher: value(wish.Voucher), Times: times})
	}
	return req, nil
}

func scanOf(s till.Scan) Scan {
	out := Scan{
		Id: s.ID, ExpiresAt: s.ExpiresAt.UTC(), Kind: ScanKindMember, Freshness: ScanFreshness(s.Freshness.String()),
		Repair: optional(string(s.Repair)), Balances: []Balance{}, Rewards: []Reward{}, Vouchers: []Voucher{},
	}
	if s.Kind == passtoken.KindVoucher {
		out.Kind = ScanKindVoucher
	}
	if s.Voucher != nil {
		out.Vouchers = append(out.Vouchers, voucherOf(*s.Voucher))
		out.Member = optional(uuid.UUID(s.Voucher.Voucher.Member))
	}
	if m := s.Member; m != nil {
		out.Member, out.Alias = optional(m.ID), optional(m.Alias)
		out.Balances = balancesOf(m.Holdings)
		for _, offer := range m.Rewards {
			out.Rewards = append(out.Rewards, rewardOf(offer))
		}
		for _, v := range m.Vouchers {
			out.Vouchers = append(out.Vouchers, voucherOf(v))
		}
	}
	return out
}

func balancesOf(all []till.Holding) []Balance {
	out := make([]Balance, len(all))
	for i, h := range all {
		out[i] = Balance{Unit: h.Unit, Free: h.Free, Allowance: optional(h.Allowance), Held: h.Held, Pending: h.Pending}
		if h.Expires.Amount > 0 {
			out[i].Expiring = &Expiring{Amount: h.Expires.Amount, At: time.UnixMilli(h.Expires.At).UTC()}
		}
	}
	return out
}

func rewardOf(offer till.RewardOffer) Reward {
	r := offer.Reward
	return Reward{
		Id: r.ID, Name: r.Name, Unit: r.Unit, Cost: r.Cost, Discount: r.Discount, Currency: r.Currency,
		Affordable: offer.Refused == nil || offer.Refused.Code != problem.PointsInsufficient && offer.Refused.Code != problem.PointsUnknown,
		Refused:    refusalOf(offer.Refused),
	}
}

func voucherOf(v till.Voucher) Voucher {
	out := Voucher{
		Id: v.Voucher.ID, Reward: v.Voucher.Reward, Left: v.Voucher.Left,
		ValidTo: moment(v.Voucher.ValidTo), Refused: refusalOf(v.Refused),
	}
	if v.Reward != nil {
		out.Name, out.Discount, out.Currency = v.Reward.Name, v.Reward.Discount, v.Reward.Currency
	}
	return out
}

func refusalOf(p *problem.Error) *Refusal {
	if p == nil {
		return nil
	}
	return &Refusal{Code: string(p.Code), Say: problem.Render(p).Say}
}

func quoteOf(q till.Quote) Quote {
	out := Quote{
		Id: q.ID, ExpiresAt: q.ExpiresAt.UTC(), Currency: q.Basket.Currency, Total: q.Basket.Total,
		Discount: q.Decision.Discount, ToPay: q.Decision.ToPay, Earned: []Earned{}, Redeemed: []Redeemed{},
	}
	out.Training = optional(q.Training)
	if q.Member != nil {
		out.Member = optional(q.Member.ID)
		balances := balancesOf(q.Member.Holdings)
		out.Balances = &balances
	}
	for _, e := range q.Decision.Earned {
		out.Earned = append(out.Earned, earnedOf(e.Unit, e.Amount, e.Line, e.VestsAt, e.ExpiresAt))
	}
	for _, r := range q.Decision.Redeemed {
		out.Redeemed = append(out.Redeemed, Redeemed{
			Reward: optional(uuid.UUID(r.Reward)), Voucher: optional(uuid.UUID(r.Voucher)), Unit: optional(r.Unit),
			Amount: r.Amount, Discount: r.Discount, Basis: optional(RedeemedBasis(entry.Basis(r.Basis).String())),
			Right: optional(uuid.UUID(r.Right)),
		})
	}
	return out
}

func earnedOf(unit string, amount int64, line uint16, vests, expires int64) Earned {
	return Earned{
		Unit: unit, Amount: amount, Line: optional(int(line)), VestsAt: moment(vests), ExpiresAt: moment(expires),
	}
}

func saleOf(f till.Found) Sale {
	body := f.Sale.Body
	out := Sale{
		Id: body.ID, Seq: int64(f.Sale.At.Seq), Hash: f.Sale.At.Hash.Short(), At: f.Sale.OccurredAt.UTC(),
		BusinessDate: dateOf(f.Sale.BusinessDate), Member: optional(body.Member),
		Currency: body.Total.Currency, Total: body.Total.Minor, Discount: f.Sale.Discount(), ToPay: f.Sale.ToPay(),
		Earned: []Earned{}, Redeemed: []Redeemed{}, PosReceipt: optional(body.Receipt), Cashier: optional(body.Cashier),
		State: stateOf(f), Lines: linesOf(body.Lines),
	}
	for _, e := range body.Earned {
		out.Earned = append(out.Earned, earnedOf(e.Unit, e.Amount, e.Line, e.VestsAt, e.ExpiresAt))
	}
	for _, r := range body.Redeemed {
		out.Redeemed = append(out.Redeemed, Redeemed{
			Reward: optional(r.Reward), Voucher: optional(r.Voucher), Unit: optional(r.Unit), Amount: r.Amount,
			Discount: r.Discount, Basis: optional(RedeemedBasis(r.Basis.String())), Right: optional(r.Right),
		})
	}
	if f.Void != nil {
		out.Void = optional(f.Void.Body.ID)
	}
	out.Returned, out.Left, out.Claim = broughtBackOf(f.Returned), leftOf(f.Left), receiptClaimOf(f.Sale.Claim)
	return out
}

func voidOf(v till.Voided) Void {
	return Void{
		Id: v.Body.ID, Sale: v.Body.Sale, Seq: int64(v.At.Seq), Hash: v.At.Hash.Short(), At: v.OccurredAt.UTC(),
	}
}

// status puts together what the till, the syncer and the machine say.
func (s *Server) status(ctx context.Context) (Status, error) {
	st, err := s.cfg.Till.Status(ctx)
	if err != nil {
		return Status{}, err
	}
	free, err := s.cfg.FreeDisk()
	if err != nil {
		return Status{}, fmt.Errorf("read free disk space: %w", err)
	}
	names, link := s.cfg.Names(), s.cfg.Link()
	out := Status{
		Terminal: st.Writer.ID, TerminalName: names.Terminal, Store: st.Store, StoreName: names.Store,
		Epoch: int64(st.Writer.Epoch), Software: s.cfg.Software, Sandbox: s.cfg.Sandbox != nil,
		Time: st.Now.UTC(), ClockTrusted: st.ClockTrusted, Online: st.Online, Sync: link.Sync, SyncCode: optional(link.Code),
		Queue: int64(st.Queue), HeadSeq: int64(st.Head.Seq), AckedSeq: int64(st.Acked),
		Currency: optional(st.Currency), RuleSet: int64(st.RuleSet), Policy: int64(st.Policy), DiskFreeBytes: free,
		StandIn:         StandIn{PointsLeft: max(0, st.CapPoints-st.SpentPoints), VouchersLeft: max(0, st.CapUses-st.SpentUses)},
		ReceiptRequired: st.ReceiptNeeded,
	}
	if page := cmp.Or(st.CardPage, s.cfg.CardPage); page != "" {
		out.CardUrl = optional(page + "?store=" + st.Store.String())
	}
	showBounds(&out, st)
	if !st.Oldest.IsZero() {
		out.OldestUnsyncedAt = optional(st.Oldest.UTC())
		age := max(0, int64(st.Now.Sub(st.Oldest)/time.Second))
		out.OldestUnsyncedSeconds = &age
	}
	if !st.Contact.IsZero() {
		out.LastContact = optional(st.Contact.UTC())
	}
	if st.CacheAge >= 0 {
		age := int64(st.CacheAge / time.Second)
		out.CacheAgeSeconds = &age
	}
	return out, nil
}

func dateOf(d entry.Date) openapi_types.Date {
	return openapi_types.Date{Time: time.Date(int(d/10000), time.Month(d/100%100), int(d%100), 0, 0, 0, 0, time.UTC)}
}

// moment turns Unix milliseconds into a time; zero is none.
func moment(ms int64) *time.Time {
	if ms == 0 {
		return nil
	}
	return optional(time.UnixMilli(ms).UTC())
}

// optional returns nil for a zero value.
func optional[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}

// value returns what p points to, or the zero value.
func value[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}
