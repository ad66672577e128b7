package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/edge/api"
	"github.com/tallystick/tallystick/internal/clock"
	"github.com/tallystick/tallystick/internal/keys"
	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/sync/wire"
	"github.com/tallystick/tallystick/wallet/passtoken"
)

// The sandbox's world. Its keys are made from published words, so that its codes
// never change; no real terminal knows these keys.
const (
	sandboxCurrency = "EUR"
	sandboxUnit     = "points"
	sandboxPoints   = 1_000_000
	sandboxUses     = 1_000_000
	// sandboxCap is what one sale may redeem; the large reward costs more.
	sandboxCap = 2_000
)

var (
	sandboxStore    = uuid.MustParse("5a4db0c5-0000-7000-8000-000000000001")
	sandboxTerminal = uuid.MustParse("5a4db0c5-0000-7000-8000-000000000002")
	sandboxHQ       = uuid.MustParse("5a4db0c5-0000-7000-8000-000000000003")
	sandboxGood     = uuid.MustParse("5a4db0c5-0000-7000-8000-000000000011")
	sandboxBlocked  = uuid.MustParse("5a4db0c5-0000-7000-8000-000000000012")
	sandboxOverCap  = uuid.MustParse("5a4db0c5-0000-7000-8000-000000000013")
	sandboxSmall    = uuid.MustParse("5a4db0c5-0000-7000-8000-000000000021")
	sandboxLarge    = uuid.MustParse("5a4db0c5-0000-7000-8000-000000000022")
	sandboxGift     = uuid.MustParse("5a4db0c5-0000-7000-8000-000000000023")
	sandboxVoucher  = uuid.MustParse("5a4db0c5-0000-7000-8000-000000000031")
)

// sandboxRewards: the last one is only given as a voucher.
var sandboxRewards = []loyalty.Reward{
	{ID: sandboxSmall, Name: "5 off", Unit: sandboxUnit, Cost: 500, Discount: 500, Currency: sandboxCurrency, Active: true},
	{ID: sandboxLarge, Name: "50 off", Unit: sandboxUnit, Cost: 5000, Discount: 5000, Currency: sandboxCurrency, Active: true},
	{ID: sandboxGift, Name: "Free coffee", Discount: 300, Currency: sandboxCurrency, Active: true},
}

// sandbox is a terminal without HQ. All but the source of its data is the real
// code.
type sandbox struct {
	pass  keys.Signer
	texts map[api.SandboxCodeName]string
}

// newSandbox makes data a terminal's directory, as an enrolment does.
func newSandbox(data string, now time.Time) (*sandbox, error) {
	passKey, err := sandboxKey(keys.UsePass)
	if err != nil {
		return nil, err
	}
	statementKey, err := sandboxKey(keys.UseStatement)
	if err != nil {
		return nil, err
	}
	b := &sandbox{pass: passKey}
	if b.texts, err = sandboxTexts(passKey); err != nil {
		return nil, err
	}
	signer, err := readOrMakeSigner(data + "/" + pendingKeyFile)
	if err != nil {
		return nil, err
	}
	e := enrolment{data: data, clock: clock.System{}, step: func(string) error { return nil }}
	_, err = e.settle(context.Background(), wire.Enrolment{
		V: wire.Version, HQ: sandboxHQ, Terminal: sandboxTerminal, Epoch: 1, Store: sandboxStore, Name: "Sandbox",
		Keys:   keys.Set{Version: 1, Keys: []keys.Public{passKey.Public, statementKey.Public}},
		HQTime: now.UnixMilli(),
	}, signer)
	return b, err
}

// sandboxKey derives a key from published words.
func sandboxKey(use keys.Use) (keys.Signer, error) {
	seed := sha256.Sum256([]byte("tallystick sandbox " + string(use) + " key v1"))
	return keys.NewSigner(keys.Public{
		ID: 1, Use: use, NotBefore: time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: passtoken.Day(^passtoken.Day(0)).End(),
	}, seed[:])
}

func sandboxTexts(signer keys.Signer) (map[api.SandboxCodeName]string, error) {
	texts := map[api.SandboxCodeName]string{}
	for name, p := range map[api.SandboxCodeName]passtoken.Pass{
		api.SandboxCodeNameGood:    {Subject: sandboxGood, ExpiresOn: ^passtoken.Day(0)},
		api.SandboxCodeNameExpired: {Subject: sandboxGood, ExpiresOn: 0},
		api.SandboxCodeNameBlocked: {Subject: sandboxBlocked, ExpiresOn: ^passtoken.Day(0)},
		api.SandboxCodeNameOverCap: {Subject: sandboxOverCap, ExpiresOn: ^passtoken.Day(0)},
		api.SandboxCodeNameVoucher: {Kind: passtoken.KindVoucher, Subject: sandboxVoucher, ExpiresOn: ^passtoken.Day(0)},
	} {
		p.Issue = 1
		token, err := passtoken.Issue(signer, p)
		if err != nil {
			return nil, fmt.Errorf("issue sandbox code %s: %w", name, err)
		}
		texts[name] = token.Text()
	}
	return texts, nil
}

// codes is what /v1/sandbox/codes answers.
func (b *sandbox) codes() *api.SandboxCodes {
	out := &api.SandboxCodes{Currency: sandboxCurrency, Voucher: sandboxVoucher}
	for _, c := range []struct {
		name   api.SandboxCodeName
		expect string
	}{
		{api.SandboxCodeNameGood, "A member with a million points and a voucher: all calls work."},
		{api.SandboxCodeNameExpired, "A scan answers code_expired."},
		{api.SandboxCodeNameBlocked, "A scan answers code_blocked."},
		{api.SandboxCodeNameOverCap, "A scan works; redeeming the reward \"50 off\" answers cap_per_sale."},
		{api.SandboxCodeNameVoucher, "The good member's voucher: scan it, or use it in a quote."},
	} {
		out.Codes = append(out.Codes, api.SandboxCode{Name: c.name, Code: b.texts[c.name], Expect: c.expect})
	}
	for _, r := range sandboxRewards {
		out.Rewards = append(out.Rewards, api.Reward{
			Id: r.ID, Name: r.Name, Unit: r.Unit, Cost: r.Cost, Discount: r.Discount, Currency: r.Currency, Affordable: r.Cost > 0,
		})
	}
	return out
}

// fill gives the terminal what a real one gets by the feed.
func (b *sandbox) fill(ctx context.Context, t *follower, now time.Time) error {
	page := wire.FeedPage{
		V: wire.Version, HQ: sandboxHQ, HQEpoch: 1, Store: sandboxStore, Next: "sandbox", HQTime: now.UnixMilli(),
	}
	for _, record := range b.records() {
		raw, err := wire.Marshal(record.body)
		if err != nil {
			return err
		}
		page.Items = append(page.Items, wire.Item{Kind: record.kind, ID: record.id, Version: 1, Body: raw})
	}
	if err := t.ApplyFeed(ctx, page); err != nil {
		return fmt.Errorf("fill sandbox: %w", err)
	}
	return nil
}

type record struct {
	kind wire.ItemKind
	id   uuid.UUID
	body any
}

func (b *sandbox) records() []record {
	records := []record{
		{wire.ItemStore, sandboxStore, wire.Store{ID: sandboxStore, Code: "SANDBOX", Name: "Sandbox", TimeZone: "UTC", Currency: sandboxCurrency}},
		{wire.ItemRuleSet, sandboxHQ, loyalty.RuleSet{
			Version: 1, Programme: sandboxHQ, Currency: sandboxCurrency,
			Earn: []loyalty.EarnRule{{Unit: sandboxUnit, Points: 1, Per: 100}},
		}},
		{wire.ItemPolicy, sandboxHQ, loyalty.Policy{
			Version: 1, Unit: sandboxUnit, PerSale: sandboxCap, PerMemberDay: sandboxPoints, PerTerminal: 1 << 40,
			VouchersPerSale: 5, VouchersTerminal: 1 << 40, MaxCacheAgeSeconds: 1 << 32, RestartCap: 1 << 40,
		}},
		{wire.ItemVoucher, sandboxVoucher, wire.VoucherState{Voucher: loyalty.Voucher{
			ID: sandboxVoucher, Member: sandboxGood, Account: sandboxGood, Reward: sandboxGift, Uses: sandboxUses, Left: sandboxUses,
		}}},
	}
	for _, r := range sandboxRewards {
		records = append(records, record{wire.ItemReward, r.ID, r})
	}
	for _, m := range []wire.Member{
		{ID: sandboxGood, Alias: "Gabi"}, {ID: sandboxBlocked, Blocked: true}, {ID: sandboxOverCap, Alias: "Otto"},
	} {
		m.Account, m.Issue = m.ID, 1
		m.Holdings = []wire.Holding{{Unit: sandboxUnit, Free: sandboxPoints}}
		records = append(records, record{wire.ItemMember, m.ID, m})
	}
	return records
}
