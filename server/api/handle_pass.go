package api

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/server/pass"
)

// usualHours and mostHours are what the document says of how far back is looked.
const (
	usualHours = 24
	mostHours  = 720
)

// hoursOf is how far back is looked.
func hoursOf(asked *int) (int, error) {
	hours := usualHours
	if asked != nil {
		hours = *asked
	}
	if hours < 1 || hours > mostHours {
		return 0, badParameter("hours", "must be 1 to 720")
	}
	return hours, nil
}

// ListPasses implements StrictServerInterface.
func (h handlers) ListPasses(ctx context.Context, r ListPassesRequestObject) (ListPassesResponseObject, error) {
	size, err := pageSize(r.Params.Limit)
	if err != nil {
		return nil, err
	}
	f := pass.Filter{Member: valueOf(r.Params.Member)}
	if r.Params.Channel != nil {
		var ok bool
		if f.Channel, ok = pass.ChannelOf(string(*r.Params.Channel)); !ok {
			return nil, badParameter("channel", "is not known")
		}
	}
	if r.Params.State != nil {
		var ok bool
		if f.State, ok = pass.StateOf(string(*r.Params.State)); !ok {
			return nil, badParameter("state", "is not known")
		}
	}
	all, next, err := h.o.Passes.List(ctx, f, opaque(r.Params.Cursor), size)
	return ListPasses200JSONResponse{Items: showAll(all, showTracked), Next: unlessEmpty(next)}, err
}

// GetPassFunnel implements StrictServerInterface.
func (h handlers) GetPassFunnel(ctx context.Context, r GetPassFunnelRequestObject) (GetPassFunnelResponseObject, error) {
	hours, err := hoursOf(r.Params.Hours)
	if err != nil {
		return nil, err
	}
	figures, err := h.o.Passes.Figures(ctx, time.Duration(hours)*time.Hour)
	return GetPassFunnel200JSONResponse{
		Items: showAll(figures.Stages, showStage), Waiting: figures.Waiting, Failing: figures.Failing, Hours: hours,
	}, err
}

// ListPassLog implements StrictServerInterface.
func (h handlers) ListPassLog(ctx context.Context, r ListPassLogRequestObject) (ListPassLogResponseObject, error) {
	items, next, err := paged(r.Params.Limit, r.Params.Cursor, func(before uuid.UUID, limit int) ([]pass.Line, error) {
		return h.o.Passes.Log(ctx, before, limit)
	}, func(l pass.Line) uuid.UUID { return l.ID }, func(l pass.Line) PassLogLine { return PassLogLine{ID: l.ID, At: l.At, Line: l.Text} })
	return ListPassLog200JSONResponse{Items: items, Next: next}, err
}

// IssueWalletPass implements StrictServerInterface.
func (h handlers) IssueWalletPass(ctx context.Context, r IssueWalletPassRequestObject) (IssueWalletPassResponseObject, error) {
	ch, _ := pass.ChannelOf(string(r.Body.Channel)) // the document has no other words
	var p pass.Pass
	var err error
	if r.Body.Voucher == nil {
		p, err = h.o.Passes.Issue(ctx, r.ID, ch)
	} else {
		p, err = h.o.Passes.IssueVoucher(ctx, r.ID, *r.Body.Voucher, ch)
	}
	if err != nil {
		return nil, err
	}
	out := showPass(p)
	if ch == pass.Apple {
		ticket, err := h.o.Passes.Ticket(p)
		if err != nil {
			return nil, err
		}
		out.Download = unlessEmpty(applePath + "passes/" + ticket)
	}
	if ch == pass.Google {
		link, err := h.o.Passes.SaveAddress(ctx, p)
		if err != nil {
			return nil, err
		}
		out.Link = &link
	}
	return IssueWalletPass201JSONResponse(out), nil
}

// VoidWalletPass implements StrictServerInterface.
func (h handlers) VoidWalletPass(ctx context.Context, r VoidWalletPassRequestObject) (VoidWalletPassResponseObject, error) {
	p, err := h.o.Passes.Void(ctx, r.ID, r.Pass)
	return VoidWalletPass200JSONResponse(showPass(p)), err
}

// ResendWalletPass implements StrictServerInterface.
func (h handlers) ResendWalletPass(ctx context.Context, r ResendWalletPassRequestObject) (ResendWalletPassResponseObject, error) {
	p, err := h.o.Passes.Resend(ctx, r.ID, r.Pass)
	return ResendWalletPass200JSONResponse(showPass(p)), err
}

// LoseWalletPhone implements StrictServerInterface.
func (h handlers) LoseWalletPhone(ctx context.Context, r LoseWalletPhoneRequestObject) (LoseWalletPhoneResponseObject, error) {
	fresh, err := h.o.Passes.Lost(ctx, callerOf(ctx).person.ID, r.ID)
	return LoseWalletPhone200JSONResponse{Items: showAll(fresh, showPass)}, err
}

func showPass(p pass.Pass) WalletPass { return showTracked(pass.Tracked{Pass: p}) }

func showTracked(t pass.Tracked) WalletPass {
	out := WalletPass{
		ID: t.ID, Member: t.Member, Voucher: unlessEmpty(t.Voucher), Channel: PassChannel(t.Channel.String()), State: PassState(t.State.String()),
		Serial: t.Serial(), Devices: t.Devices, IssuedAt: t.IssuedAt, InstalledAt: unlessEmpty(t.InstalledAt), ChangedAt: unlessEmpty(t.Modified),
		PushedAt: unlessEmpty(t.PushedAt), ListedAt: unlessEmpty(t.ListedAt), FetchedAt: unlessEmpty(t.FetchedAt), LagMs: unlessEmpty(t.Lag.Milliseconds()),
	}
	if !t.FetchedAt.IsZero() {
		current := t.FetchedTag >= t.Tag
		out.Current = &current
	}
	return out
}

func showStage(s pass.Stage) PassStage {
	return PassStage{
		Channel: PassChannel(s.Channel.String()), Issued: s.Issued, Installed: s.Installed, Pushed: s.Pushed, Listed: s.Listed, Fetched: s.Fetched,
		Voided: s.Voided, Good: s.Good, OnPhones: s.OnPhones, Current: s.Current,
		LagMedianMs: unlessEmpty(s.LagMedian.Milliseconds()), LagP95Ms: unlessEmpty(s.LagWorst.Milliseconds()),
	}
}
