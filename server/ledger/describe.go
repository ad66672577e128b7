package ledger

import (
	"encoding/json"
	"fmt"

	"github.com/fxamacker/cbor/v2"
	"github.com/google/uuid"

	"github.com/tallystick/tallystick/sync/entry"
)

// Describe decodes an entry for people: its envelope with the body of its kind as
// JSON. The body of a kind that is not known keeps its integer keys.
func (l *Ledger) Describe(e Entry) (json.RawMessage, error) {
	env, err := entry.Decode(e.Raw)
	if err != nil {
		return nil, fmt.Errorf("describe entry %d: %w", e.Seq, err)
	}
	body, err := describeBody(env)
	if err != nil {
		return nil, fmt.Errorf("describe entry %d: %w", e.Seq, err)
	}
	return json.Marshal(map[string]any{
		"v": env.V, "hlc": env.HLC, "occurred_at": env.At(), "business_date": env.BusinessDate.String(),
		"kind": env.Kind.String(), "body": body,
	})
}

// bodies decode the bodies of kinds.
var bodies = map[entry.Kind]func(entry.Entry) (any, error){
	entry.KindEnrolled:        body[entry.Enrolled],
	entry.KindSale:            body[entry.Sale],
	entry.KindVoid:            body[entry.Void],
	entry.KindReturn:          body[entry.Return],
	entry.KindAllowanceChange: body[entry.AllowanceChange],
	entry.KindWitness:         body[entry.Witness],
	entry.KindClock:           body[entry.Clock],
	entry.KindNote:            body[entry.Note],
	entry.KindDayClose:        body[entry.DayClose],
	entry.KindEnrolMember:     body[entry.EnrolMember],
	entry.KindClaim:           body[entry.Claim],

	entry.KindHQStore:             record,
	entry.KindHQTerminal:          record,
	entry.KindHQMember:            record,
	entry.KindHQReward:            record,
	entry.KindHQVoucher:           record,
	entry.KindHQVoucherMoved:      record,
	entry.KindHQRuleSet:           record,
	entry.KindHQPolicy:            record,
	entry.KindHQKeys:              record,
	entry.KindHQCashier:           record,
	entry.KindHQTillRules:         record,
	entry.KindHQPublic:            record,
	entry.KindHQTiers:             record,
	entry.KindHQAdjustment:        body[entry.HQAdjustment],
	entry.KindHQGrant:             body[entry.HQGrant],
	entry.KindHQTakeBack:          body[entry.HQTakeBack],
	entry.KindHQRecall:            body[entry.HQRecall],
	entry.KindHQExceptionDecision: body[entry.HQDecision],
	entry.KindHQAccountLink:       body[entry.HQAccountLink],
	entry.KindHQExpiry:            body[entry.HQExpiry],
	entry.KindHQImport:            body[entry.HQImport],
	entry.KindHQTransferOut:       body[entry.HQTransfer],
	entry.KindHQTransferIn:        body[entry.HQTransfer],
	entry.KindHQCorrection:        body[entry.HQCorrection],
	entry.KindHQCorrectionUndo:    body[entry.HQCorrectionUndo],
	entry.KindHQBatch:             body[entry.HQBatch],
	entry.KindHQClaimed:           body[entry.HQClaimed],
	entry.KindHQLost:              body[entry.HQLost],
	entry.KindHQCertificate:       body[entry.HQCertificate],
	entry.KindHQCase:              body[entry.HQCase],
	entry.KindHQCaseSetting:       body[entry.HQCaseSetting],
	entry.KindHQLiabilityValue:    body[entry.HQLiabilityValue],
	entry.KindHQSettlementTerm:    body[entry.HQSettlementTerm],
	entry.KindHQSettlementCut:     body[entry.HQSettlementCut],
	entry.KindHQSettlementMonth:   body[entry.HQSettlementMonth],
	entry.KindHQStatement:         body[entry.HQStatement],
}

func describeBody(env entry.Entry) (any, error) {
	if decode, known := bodies[env.Kind]; known {
		return decode(env)
	}
	return cbor.Diagnose(env.Body)
}

func body[T any](env entry.Entry) (any, error) { return entry.DecodeBody[T](env) }

// record describes a record that HQ set; what is in it keeps its integer keys.
func record(env entry.Entry) (any, error) {
	r, err := entry.DecodeBody[entry.HQRecord](env)
	if err != nil {
		return nil, err
	}
	inner, err := cbor.Diagnose(r.Record)
	if err != nil {
		return nil, err
	}
	out := map[string]any{"ID": r.ID, "Version": r.Version, "Record": inner}
	if r.By != uuid.Nil {
		out["By"] = r.By
	}
	return out, nil
}
