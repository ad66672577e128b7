package entry

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/fxamacker/cbor/v2"

	"github.com/tallystick/tallystick/internal/clock"
)

// Version is the envelope version this package writes.
const Version = 1

// MaxSize bounds one encoded entry, in bytes. A sale of 500 lines fits.
const MaxSize = 64 << 10

// Kind says what happened. Numbers are final. Terminals write 1 to 63, HQ 64 up.
type Kind uint16

// Kinds a terminal writes.
const (
	KindEnrolled        Kind = 1
	KindSale            Kind = 2
	KindVoid            Kind = 3
	KindReturn          Kind = 4
	KindEnrolMember     Kind = 5
	KindAllowanceChange Kind = 6
	KindWitness         Kind = 7
	KindDayClose        Kind = 8
	KindClock           Kind = 9
	KindNote            Kind = 10
)

// Kinds HQ writes into its own journals.
const (
	KindHQStore             Kind = 64
	KindHQTerminal          Kind = 65
	KindHQMember            Kind = 66
	KindHQReward            Kind = 67
	KindHQVoucher           Kind = 68
	KindHQRuleSet           Kind = 69
	KindHQPolicy            Kind = 70
	KindHQKeys              Kind = 71
	KindHQAdjustment        Kind = 72
	KindHQGrant             Kind = 73
	KindHQExceptionDecision Kind = 74
	KindHQAccountLink       Kind = 75
	KindHQExpiry            Kind = 76
	KindHQImport            Kind = 77
	KindHQCashier           Kind = 87 // HQRecord of a wire.Cashier
	KindHQTillRules         Kind = 88 // HQRecord of a loyalty.TillRules
	KindHQPublic            Kind = 89 // HQRecord of a wire.Public
	KindHQTiers             Kind = 99 // HQRecord of a loyalty.Tiers
)

var kindNames = map[Kind]string{
	KindEnrolled: "enrolled", KindSale: "sale", KindVoid: "void", KindReturn: "return",
	KindEnrolMember: "enrol_member", KindAllowanceChange: "allowance_change",
	KindWitness: "witness", KindDayClose: "day_close", KindClock: "clock", KindNote: "note",
	KindHQStore: "hq_store", KindHQTerminal: "hq_terminal", KindHQMember: "hq_member",
	KindHQReward: "hq_reward", KindHQVoucher: "hq_voucher", KindHQRuleSet: "hq_rule_set",
	KindHQPolicy: "hq_policy", KindHQKeys: "hq_keys", KindHQAdjustment: "hq_adjustment",
	KindHQGrant: "hq_grant", KindHQExceptionDecision: "hq_exception_decision",
	KindHQAccountLink: "hq_account_link", KindHQExpiry: "hq_expiry", KindHQImport: "hq_import",
	KindHQTransferOut: "hq_transfer_out", KindHQTransferIn: "hq_transfer_in",
	KindHQCorrection: "hq_correction", KindHQCorrectionUndo: "hq_correction_undo",
	KindHQBatch: "hq_batch", KindHQVoucherMoved: "hq_voucher_moved",
	KindHQTakeBack: "hq_take_back", KindHQRecall: "hq_recall",
	KindClaim: "claim", KindHQClaimed: "hq_claimed",
	KindHQCashier: "hq_cashier", KindHQTillRules: "hq_till_rules", KindHQPublic: "hq_public",
	KindHQTiers: "hq_tiers",
	KindHQLost:  "hq_lost", KindHQCertificate: "hq_certificate",
	KindHQCase: "hq_case", KindHQCaseSetting: "hq_case_setting",
	KindHQLiabilityValue: "hq_liability_value",
	KindHQSettlementTerm: "hq_settlement_term", KindHQSettlementCut: "hq_settlement_cut",
	KindHQSettlementMonth: "hq_settlement_month", KindHQStatement: "hq_statement",
}

// String returns the name used in JSON, SQL and on screen.
func (k Kind) String() string {
	if name, ok := kindNames[k]; ok {
		return name
	}
	return fmt.Sprintf("kind_%d", uint16(k))
}

// Date is a calendar date as the number YYYYMMDD; zero is no date.
type Date uint32

// DateOf returns the calendar date of t in its own location.
func DateOf(t time.Time) Date {
	y, m, d := t.Date()
	return Date(y*10000 + int(m)*100 + d)
}

// BusinessDateOf returns the business date of a moment on the wall of a shop. A date is
// over when ends has gone by since the midnight after it, or before it when ends is less
// than zero. It reads the wall clock and not the time gone by: on the days when a zone
// changes its offset the day ends at the same hour as on any other.
func BusinessDateOf(local time.Time, ends time.Duration) Date {
	wall := time.Duration(local.Hour())*time.Hour + time.Duration(local.Minute())*time.Minute + time.Duration(local.Second())*time.Second
	date := DateOf(local)
	switch {
	case ends > 0 && wall < ends:
		return DateOf(date.Time().AddDate(0, 0, -1))
	case ends < 0 && wall >= 24*time.Hour+ends:
		return date.Next()
	}
	return date
}

// String returns YYYY-MM-DD.
func (d Date) String() string {
	return fmt.Sprintf("%04d-%02d-%02d", d/10000, d/100%100, d%100)
}

// Entry is the envelope. OccurredAt is Unix milliseconds as the terminal believed
// it; BusinessDate is the store's date of business.
type Entry struct {
	V            uint8           `cbor:"1,keyasint"`
	HLC          clock.Stamp     `cbor:"2,keyasint"`
	OccurredAt   int64           `cbor:"3,keyasint"`
	BusinessDate Date            `cbor:"4,keyasint"`
	Kind         Kind            `cbor:"5,keyasint"`
	Body         cbor.RawMessage `cbor:"6,keyasint"`
}

// Errors of Encode and Decode. A reader that meets ErrUnreadable quarantines the
// one entry; ErrVersion means a newer writer, and the entry is parked.
var (
	ErrUnreadable = errors.New("entry cannot be read")
	ErrVersion    = errors.New("entry is of a newer version")
	ErrTooLarge   = errors.New("entry is too large")
)

var encMode = func() cbor.EncMode {
	mode, err := cbor.CoreDetEncOptions().EncMode()
	if err != nil {
		panic(err) // the options are a constant of this program
	}
	return mode
}()

var decMode = func() cbor.DecMode {
	mode, err := cbor.DecOptions{
		DupMapKey:        cbor.DupMapKeyEnforcedAPF,
		IndefLength:      cbor.IndefLengthForbidden,
		TagsMd:           cbor.TagsForbidden,
		MaxNestedLevels:  8,
		MaxArrayElements: 4096,
		MaxMapPairs:      64,
		IntDec:           cbor.IntDecConvertSignedOrFail,
		UTF8:             cbor.UTF8RejectInvalid,
	}.DecMode()
	if err != nil {
		panic(err)
	}
	return mode
}()

// Encode builds the bytes of one entry from its body. What [Decode] and
// [DecodeBody] would not read again, such as text that is not UTF-8, is refused with
// ErrUnreadable: once journalled it could not be taken back.
func Encode(e Entry, body any) ([]byte, error) {
	raw, err := encMode.Marshal(body)
	if err != nil {
		return nil, fmt.Errorf("encode %s body: %w", e.Kind, err)
	}
	e.V, e.Body = Version, raw
	out, err := encMode.Marshal(e)
	if err != nil {
		return nil, fmt.Errorf("encode %s entry: %w", e.Kind, err)
	}
	if len(out) > MaxSize {
		return nil, fmt.Errorf("%s entry of %d bytes: %w", e.Kind, len(out), ErrTooLarge)
	}
	if err := checkReadable(out, body); err != nil {
		return nil, fmt.Errorf("encode %s entry: %w", e.Kind, err)
	}
	return out, nil
}

// checkReadable reads back what was encoded, as a reader will.
func checkReadable(raw []byte, body any) error {
	e, err := Decode(raw)
	if err != nil {
		return err
	}
	t := reflect.TypeOf(body)
	if t == nil {
		return fmt.Errorf("%w: there is no body", ErrUnreadable)
	}
	if err := decMode.Unmarshal(e.Body, reflect.New(t).Interface()); err != nil {
		return fmt.Errorf("%w: %w", ErrUnreadable, err)
	}
	return nil
}

// Decode reads the envelope. The body stays as bytes for [DecodeBody].
func Decode(raw []byte) (Entry, error) {
	e, err := DecodeShared(raw)
	e.Body = bytes.Clone(e.Body)
	return e, err
}

// DecodeShared is [Decode] for who keeps raw as it is: the body may be part of it.
func DecodeShared(raw []byte) (Entry, error) {
	if len(raw) > MaxSize {
		return Entry{}, fmt.Errorf("%d bytes: %w", len(raw), ErrTooLarge)
	}
	e, ok := scanEnvelope(raw)
	if !ok {
		var err error
		if e, err = readEnvelope(raw); err != nil {
			return Entry{}, err
		}
	}
	switch {
	case e.V == 0 || e.Kind == 0 || len(e.Body) == 0:
		return Entry{}, fmt.Errorf("%w: envelope is incomplete", ErrUnreadable)
	case e.V > Version:
		return e, fmt.Errorf("version %d: %w", e.V, ErrVersion)
	}
	return e, nil
}

func readEnvelope(raw []byte) (e Entry, err error) {
	if err := decMode.Unmarshal(raw, &e); err != nil {
		return Entry{}, fmt.Errorf("%w: %w", ErrUnreadable, err)
	}
	return e, nil
}

// DecodeBody reads the body of an entry into the struct of its kind.
func DecodeBody[T any](e Entry) (T, error) {
	var body T
	if err := decMode.Unmarshal(e.Body, &body); err != nil {
		return body, fmt.Errorf("%s body: %w: %w", e.Kind, ErrUnreadable, err)
	}
	return body, nil
}

// At returns OccurredAt as a time in UTC, as [Moment] does.
func (e Entry) At() time.Time { return Moment(e.OccurredAt) }

// The first and the last millisecond that RFC 3339 can write, years 0000 and 9999.
const (
	firstMoment = -62167219200000
	lastMoment  = 253402300799999
)

// Moment returns Unix milliseconds as a time in UTC. An entry may name any number
// of them; what lies outside the years that can be written becomes the nearest that
// can, so that one entry's time never keeps others from being shown.
func Moment(ms int64) time.Time {
	return time.UnixMilli(min(max(ms, firstMoment), lastMoment)).UTC()
}
