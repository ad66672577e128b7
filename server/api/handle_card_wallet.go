package api

import (
	"bytes"
	"context"
)

// What a browser does with a file: a pass is opened by the phone's wallet, and saved under
// this name elsewhere.
const (
	passFile = `attachment; filename="card.pkpass"`
	giftFile = `attachment; filename="voucher.pkpass"`
)

// GetCardApplePass implements StrictServerInterface.
func (h handlers) GetCardApplePass(ctx context.Context, _ GetCardApplePassRequestObject) (GetCardApplePassResponseObject, error) {
	pass, err := h.o.Cards.ApplePass(ctx, shopperOf(ctx).Member)
	return GetCardApplePass200ApplicationVndApplePkpassResponse{
		Body: bytes.NewReader(pass), ContentLength: int64(len(pass)), Headers: GetCardApplePass200ResponseHeaders{ContentDisposition: unlessEmpty(passFile)},
	}, err
}

// SaveCardToGoogle implements StrictServerInterface.
func (h handlers) SaveCardToGoogle(ctx context.Context, _ SaveCardToGoogleRequestObject) (SaveCardToGoogleResponseObject, error) {
	link, err := h.o.Cards.GoogleLink(ctx, shopperOf(ctx).Member)
	return SaveCardToGoogle200JSONResponse{URL: link}, err
}

// GiftVoucher implements StrictServerInterface.
func (h handlers) GiftVoucher(ctx context.Context, r GiftVoucherRequestObject) (GiftVoucherResponseObject, error) {
	address, err := h.o.Cards.Give(ctx, shopperOf(ctx).Member, r.ID)
	return GiftVoucher200JSONResponse{URL: address}, err
}

// TakeBackGift implements StrictServerInterface.
func (h handlers) TakeBackGift(ctx context.Context, r TakeBackGiftRequestObject) (TakeBackGiftResponseObject, error) {
	return TakeBackGift204Response{}, h.o.Cards.TakeBack(ctx, shopperOf(ctx).Member, r.ID)
}

// TakeBackVoucher implements StrictServerInterface.
func (h handlers) TakeBackVoucher(ctx context.Context, r TakeBackVoucherRequestObject) (TakeBackVoucherResponseObject, error) {
	v, err := h.o.Cards.TakeBackFor(ctx, callerOf(ctx).person.ID, r.ID)
	return TakeBackVoucher200JSONResponse(showVoucher(v)), err
}

// GetGift implements StrictServerInterface.
func (h handlers) GetGift(ctx context.Context, r GetGiftRequestObject) (GetGiftResponseObject, error) {
	gift, err := h.o.Cards.Gift(ctx, r.Gift)
	return GetGift200JSONResponse{
		Programme: h.o.Cards.Name(), Wallets: h.showOffers(), Name: gift.Name, Left: gift.Left, ValidTo: unlessEmpty(gift.ValidTo), Code: gift.Code,
	}, err
}

// GetGiftApplePass implements StrictServerInterface.
func (h handlers) GetGiftApplePass(ctx context.Context, r GetGiftApplePassRequestObject) (GetGiftApplePassResponseObject, error) {
	pass, err := h.o.Cards.GiftApplePass(ctx, r.Gift)
	return GetGiftApplePass200ApplicationVndApplePkpassResponse{
		Body: bytes.NewReader(pass), ContentLength: int64(len(pass)), Headers: GetGiftApplePass200ResponseHeaders{ContentDisposition: unlessEmpty(giftFile)},
	}, err
}

// SaveGiftToGoogle implements StrictServerInterface.
func (h handlers) SaveGiftToGoogle(ctx context.Context, r SaveGiftToGoogleRequestObject) (SaveGiftToGoogleResponseObject, error) {
	link, err := h.o.Cards.GiftGoogleLink(ctx, r.Gift)
	return SaveGiftToGoogle200JSONResponse{URL: link}, err
}

func (h handlers) showOffers() CardWallets {
	o := h.o.Cards.Offers()
	return CardWallets{Apple: o.Apple, Google: o.Google, SelfMade: o.SelfMade}
}
