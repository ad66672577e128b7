package problem

// Code is the stable name of one thing that can go wrong.
type Code string

// Row says how a code looks from outside.
type Row struct {
	Status int
	Title  string
	// Say is for a cashier: what happened and what to do next, in plain words.
	Say string
}

// The codes. Append only.
const (
	Internal    Code = "internal"
	Unavailable Code = "unavailable"

	// The request itself.
	InvalidBody       Code = "invalid_body"
	InvalidField      Code = "invalid_field"
	UnknownField      Code = "unknown_field"
	BodyTooLarge      Code = "body_too_large"
	UnsupportedMedia  Code = "unsupported_media_type"
	NotFound          Code = "not_found"
	MethodNotAllowed  Code = "method_not_allowed"
	Conflict          Code = "conflict"
	Unauthenticated   Code = "unauthenticated"
	Forbidden         Code = "forbidden"
	ForeignOrigin     Code = "foreign_origin"
	TooManyRequests   Code = "too_many_requests"
	IdempotencyNeeded Code = "idempotency_key_required"
	IdempotencyReused Code = "idempotency_key_reused"

	// The code on the shopper's pass.
	CodeUnreadable  Code = "code_unreadable"
	CodeTruncated   Code = "code_truncated"
	CodeForged      Code = "code_forged"
	CodeVersion     Code = "code_version_unknown"
	CodeWrongKind   Code = "code_wrong_kind"
	CodeExpired     Code = "code_expired"
	CodeNotYetValid Code = "code_not_yet_valid"
	CodeKeyUnknown  Code = "code_key_unknown"
	CodeKeyRevoked  Code = "code_key_revoked"
	CodeStale       Code = "code_stale"
	CodeReplayed    Code = "code_replayed"
	CodeOutdated    Code = "code_outdated"
	CodeBlocked     Code = "code_blocked"
	MemberUnknown   Code = "member_unknown"

	// The sale.
	AmountInvalid      Code = "amount_invalid"
	AmountOverflow     Code = "amount_overflow"
	CurrencyMismatch   Code = "currency_mismatch"
	RewardUnknown      Code = "reward_unknown"
	RewardInactive     Code = "reward_inactive"
	VoucherUnknown     Code = "voucher_unknown"
	VoucherUsed        Code = "voucher_used"
	VoucherExpired     Code = "voucher_expired"
	VoucherNotYetValid Code = "voucher_not_yet_valid"
	PointsInsufficient Code = "points_insufficient"
	CapPerSale         Code = "cap_per_sale"
	CapMemberDay       Code = "cap_member_day"
	CapTerminal        Code = "cap_terminal_since_sync"
	StandInOff         Code = "stand_in_off"
	ClockUntrusted     Code = "clock_untrusted"
	QuoteUnknown       Code = "quote_unknown"
	QuoteExpired       Code = "quote_expired"
	QuoteChanged       Code = "quote_changed"
	SaleUnknown        Code = "sale_unknown"
	SaleVoided         Code = "sale_already_voided"
	DiscountTooLarge   Code = "discount_exceeds_basket"
	ReturnTooMuch      Code = "return_exceeds_sale"
	SaleHasReturns     Code = "sale_has_returns"
	PointsUnknown      Code = "points_unknown"
	CapUnknownDay      Code = "cap_unknown_member_day"
	CapRestart         Code = "cap_restart"
	StandInByChance    Code = "stand_in_by_chance"
	HQRefused          Code = "hq_refused"
	LoanRefused        Code = "loan_refused"

	// The terminal.
	DiskFull            Code = "disk_full"
	JournalDamaged      Code = "journal_damaged"
	JournalStopped      Code = "journal_stopped"
	CacheLocked         Code = "cache_locked"
	NotEnrolled         Code = "not_enrolled"
	EnrolCodeInvalid    Code = "enrol_code_invalid"
	TerminalRevoked     Code = "terminal_revoked"
	TerminalQuarantined Code = "terminal_quarantined"

	// The wire.
	WireVersion       Code = "wire_version_unsupported"
	BatchInvalid      Code = "batch_invalid"
	BatchTooLarge     Code = "batch_too_large"
	BatchSignature    Code = "batch_signature_invalid"
	BatchGap          Code = "batch_gap"
	JournalFork       Code = "journal_fork"
	DecompressionBomb Code = "decompression_limit"
	ProofInvalid      Code = "proof_invalid"
	ProofNonce        Code = "proof_nonce_required"
	CursorInvalid     Code = "cursor_invalid"
	CursorExpired     Code = "cursor_expired"
	Backpressure      Code = "backpressure"

	// HQ.
	SignInFailed  Code = "sign_in_failed"
	NameTaken     Code = "name_taken"
	StateConflict Code = "state_conflict"
	AccountSame   Code = "account_same"
	UnitUnknown   Code = "unit_unknown"
	UnitMismatch  Code = "unit_mismatch"

	// Rights to redeem.
	RightOver      Code = "right_over"
	RightsWithheld Code = "rights_withheld"

	IdentitiesExhausted Code = "identities_exhausted"
	ReceiptClaimed      Code = "receipt_claimed"

	// Who stands at the till.
	CashierNeeded       Code = "cashier_required"
	CashierUnknown      Code = "cashier_unknown"
	CashierSessionEnded Code = "cashier_session_ended"
	PINWrong            Code = "pin_wrong"
	PINLocked           Code = "pin_locked"
	ManagerNeeded       Code = "manager_required"
	ApprovalNeeded      Code = "approval_required"
	ApprovalInvalid     Code = "approval_invalid"
	ReceiptNeeded       Code = "pos_receipt_required"
	TrainingMixed       Code = "training_mixed"

	// A typed card number.
	CardNumberInvalid   Code = "card_number_invalid"
	CardNumberUnknown   Code = "card_number_unknown"
	CardNumberAmbiguous Code = "card_number_ambiguous"
	CardNumberLocked    Code = "card_number_locked"

	// The day of a terminal.
	DayClosed   Code = "day_closed"
	DayNotBegun Code = "day_not_begun"

	// The receipt printer.
	PrinterNone Code = "printer_none"
	PrinterAway Code = "printer_away"
	PrinterBusy Code = "printer_busy"

	// After a restore.
	EnrolmentRefused Code = "enrolment_refused"
	StoreUnknown     Code = "store_unknown"
	ExportIncomplete Code = "export_incomplete"

	// The console.
	TooManyRows Code = "too_many_rows"

	VoucherOfAnother Code = "voucher_of_another"

	// A voucher that was given away.
	GiftTakenBack Code = "gift_taken_back"

	// Of HQ's own people.
	SecondPersonNeeded Code = "second_person_required"

	// Files of till software.
	FileUnreadable Code = "file_unreadable"
	DayTooFull     Code = "day_too_full"
)

// Table is the one place where a code gets its status and its words.
var Table = map[Code]Row{
	Internal:    {500, "Internal error", "Something went wrong. Try again; if it stays, call support."},
	Unavailable: {503, "Not available now", "The other side does not answer right now. Try again in a moment."},

	InvalidBody:       {400, "The request body cannot be read", "The till software sent something this agent cannot read. Call support."},
	InvalidField:      {422, "A field has a value that is not allowed", "One of the values is not allowed. Check the amounts and try again."},
	UnknownField:      {400, "The request has a field that is not known", "The till software sent an unknown field. Call support."},
	BodyTooLarge:      {413, "The request body is too large", "This basket is too large to send at once. Split it in two."},
	UnsupportedMedia:  {415, "The content type or encoding is not supported", "The till software sent an unknown format. Call support."},
	NotFound:          {404, "Not found", "Nothing was found under this number."},
	MethodNotAllowed:  {405, "Method not allowed", "The till software made a wrong call. Call support."},
	Conflict:          {409, "The request conflicts with what is stored", "This was changed by someone else meanwhile. Look again and repeat."},
	Unauthenticated:   {401, "Sign-in is needed", "Please sign in first."},
	Forbidden:         {403, "Not allowed", "You are not allowed to do this. Ask a manager."},
	ForeignOrigin:     {403, "The call comes from a foreign page or host name", "This page may not talk to the till."},
	TooManyRequests:   {429, "Too many requests", "Too many tries. Wait a moment."},
	IdempotencyNeeded: {400, "An Idempotency-Key header is needed", "The till software made an incomplete call. Call support."},
	IdempotencyReused: {409, "This Idempotency-Key was used for a different request", "The till software repeated a number. Call support."},

	CodeUnreadable:  {422, "The code is not a Tallystick code", "This is not one of our codes. Ask for the code in the wallet app."},
	CodeTruncated:   {422, "The code is cut short", "Only part of the code was read. Please scan again."},
	CodeForged:      {422, "The code's signature is wrong", "The code could not be verified. Scan again; if it fails again, do not accept it."},
	CodeVersion:     {422, "The code is of a version this till does not know", "This code needs a newer till. Ask for the card another way."},
	CodeWrongKind:   {422, "The code is of another kind", "This code cannot be used here. Ask for the member code."},
	CodeExpired:     {422, "The code has expired", "This code has expired. Ask the shopper to refresh the card."},
	CodeNotYetValid: {422, "The code is not valid yet", "This code is not valid yet."},
	CodeKeyUnknown:  {422, "The code was signed with a key this till does not know", "This till does not know this code's key yet. Try again when it is online."},
	CodeKeyRevoked:  {422, "The code was signed with a revoked key", "This code is no longer accepted. Ask the shopper to refresh the card."},
	CodeStale:       {422, "The rotating code is too old or from the future", "This code is too old, perhaps a screenshot. Ask the shopper to open the card live."},
	CodeReplayed:    {409, "The rotating code was used already", "This code was just used. Wait half a minute for the next one."},
	CodeOutdated:    {422, "The pass was issued again since", "This is an old copy of the card. Ask the shopper to refresh it."},
	CodeBlocked:     {422, "The code is blocked", "This code is blocked. The shopper should contact customer service."},
	MemberUnknown:   {404, "The member is not known to this till", "This member is not known here yet. Points can be claimed later with the receipt."},

	AmountInvalid:      {422, "An amount is zero, negative or malformed", "An amount is not valid. Check the basket."},
	AmountOverflow:     {422, "The amounts are too large to add up", "The amounts are too large. Check the basket."},
	CurrencyMismatch:   {422, "The basket's currency is not the store's", "The currency does not fit this store."},
	RewardUnknown:      {404, "The reward is not known", "This reward is not known here."},
	RewardInactive:     {422, "The reward is not active", "This reward is not on offer now."},
	VoucherUnknown:     {404, "The voucher is not known", "This voucher is not known here."},
	VoucherUsed:        {409, "The voucher has no uses left", "This voucher has been used already."},
	VoucherExpired:     {422, "The voucher has expired", "This voucher has expired."},
	VoucherNotYetValid: {422, "The voucher is not valid yet", "This voucher is not valid yet."},
	PointsInsufficient: {422, "There are not enough points", "There are not enough points for this."},
	CapPerSale:         {422, "The redemption exceeds the cap per sale", "This is more than may be redeemed in one sale without head office. Redeem less."},
	CapMemberDay:       {422, "The redemption exceeds the member's cap for today", "This member has reached today's limit. Redeem less, or tomorrow."},
	CapTerminal:        {422, "This till has reached its cap until it syncs", "This till has reached its limit until it is online again. Redeem at another till."},
	StandInOff:         {422, "Redeeming without head office is switched off", "Points cannot be redeemed while the till is offline. Earning works."},
	ClockUntrusted:     {422, "This till's clock cannot be trusted", "The clock of this till is wrong. Points can be earned but not redeemed; call support."},
	QuoteUnknown:       {404, "The quote is not known", "This quote is not known any more. Scan again."},
	QuoteExpired:       {410, "The quote has expired", "This took too long. Scan again."},
	QuoteChanged:       {409, "What the quote promised has changed since", "Something changed meanwhile. Scan again to see the new amounts."},
	SaleUnknown:        {404, "The sale is not known to this till", "No sale with this number was made here."},
	SaleVoided:         {409, "The sale has been voided already", "This sale was voided before."},
	DiscountTooLarge:   {422, "The discounts exceed the basket", "The discounts are more than the basket. Redeem less."},
	ReturnTooMuch:      {422, "More is returned than was sold", "More is returned than was sold, or it was returned before. Look at the sale again."},
	CapRestart:         {422, "A till that was restarted has reached its cap until HQ or another till confirms its journal", "This till was restarted and has reached its limit until it is online again. Redeem at another till."},
	StandInByChance:    {422, "Redeeming without head office was refused by chance, near the cap", "Points cannot be redeemed here right now, because the till is offline. Redeem at another till, or later."},
	HQRefused:          {422, "Head office refused the redemption", "Head office does not allow this redemption."},
	LoanRefused:        {409, "The lane lends nothing", "This till cannot help the other one now."},
	SaleHasReturns:     {409, "Something of the sale has been returned", "Something of this sale was returned, so it cannot be voided. Return the rest instead."},
	PointsUnknown:      {422, "What the member has is not known to this till", "This member's points are not known here yet, so none can be redeemed. This sale earns points."},
	CapUnknownDay:      {422, "A member not known to this till has reached the cap for today", "This member is new to this till and has reached today's limit here. Sell without the card; points can be claimed later with the receipt."},

	DiskFull:            {507, "The till's disk is full", "The till's disk is full. No sale was made. Call support; points can be claimed later with the receipt."},
	JournalDamaged:      {500, "The journal is damaged", "The till's journal is damaged. Call support; do not delete anything."},
	JournalStopped:      {503, "The journal has stopped", "The till is restarting. Try again in a few seconds."},
	CacheLocked:         {503, "The cache is used by another process", "The agent is started twice on this till. Close the other one."},
	NotEnrolled:         {409, "This terminal is not enrolled", "This till is not enrolled yet. Ask head office for a code."},
	EnrolCodeInvalid:    {403, "The enrolment code is wrong, used or expired", "This enrolment code does not work. Ask head office for a new one."},
	TerminalRevoked:     {403, "The terminal has been revoked", "Head office has revoked this till."},
	TerminalQuarantined: {403, "The terminal is in quarantine", "Head office has put this till in quarantine. It must enrol again."},

	WireVersion:       {400, "The wire version is not supported", "This till must be updated."},
	BatchInvalid:      {400, "The batch cannot be read", ""},
	BatchTooLarge:     {413, "The batch is too large", ""},
	BatchSignature:    {422, "The batch's checkpoint does not verify", ""},
	BatchGap:          {409, "Entries before this batch are missing", ""},
	JournalFork:       {409, "The journal has two different entries with one number", "This till's journal does not match what head office has seen. It must enrol again."},
	DecompressionBomb: {413, "The body is larger than allowed once decompressed", ""},
	ProofInvalid:      {401, "The proof of possession does not verify", ""},
	ProofNonce:        {401, "The proof needs the nonce in this answer", ""},
	CursorInvalid:     {400, "The cursor cannot be read", "The list cannot go on from there. Open it again."},
	CursorExpired:     {410, "The cursor is from another HQ epoch; start from a snapshot", ""},
	Backpressure:      {429, "HQ is busy; send again later", ""},

	SignInFailed:  {401, "Name or password is wrong", "Name or password is wrong."},
	NameTaken:     {409, "The name is taken", "This name is taken already."},
	StateConflict: {409, "The record is in another state", "This cannot be done in the present state."},
	AccountSame:   {409, "Both members have the same account", "Both cards share one account already."},
	UnitUnknown:   {422, "The unit is not known", "This unit is not known."},
	UnitMismatch:  {409, "The unit is used in another way", "This unit is used in another way already."},

	EnrolmentRefused: {401, "The enrolment is not one that head office has signed", "Head office does not know this till. Call support."},
	StoreUnknown:     {409, "The store of the terminal is not known", "Head office does not know this store. Call support."},
	ExportIncomplete: {422, "The export file is cut short", "The file is not whole. Export the journal again."},

	RightOver:      {409, "The right was released or has ended", "This was given up already. Try the redemption again."},
	RightsWithheld: {503, "HQ gives no rights before it knows what it gave before its restore", "Head office cannot approve this right now. Try again later."},

	IdentitiesExhausted: {409, "No identity is left to enrol a member with until HQ sends more", "No new member can be enrolled here until the till has been online. Sell without the card."},
	ReceiptClaimed:      {409, "The receipt has been claimed", "This receipt was used before. Its points are on a card already."},

	CashierNeeded:       {401, "A cashier must be signed in", "Please choose your name and type your PIN first."},
	CashierUnknown:      {404, "The cashier is not known at this store", "This cashier is not known here. Ask head office."},
	CashierSessionEnded: {401, "The cashier's session has ended", "You have been signed out. Choose your name and type your PIN again."},
	PINWrong:            {403, "The PIN is wrong", "This PIN is wrong. Try again."},
	PINLocked:           {429, "Too many wrong PINs", "There were too many wrong PINs. Wait a little, or ask head office for a new PIN."},
	ManagerNeeded:       {403, "Only a manager can approve", "Only a manager can approve this. Call one."},
	ApprovalNeeded:      {403, "A manager must approve", "A manager must approve this. Call one to type their PIN."},
	ApprovalInvalid:     {403, "The approval is used, too old or for something else", "The approval cannot be used for this. Ask the manager once more."},
	ReceiptNeeded:       {422, "The receipt number of the sale is needed", "Scan or type the receipt number first."},
	TrainingMixed:       {409, "Training and real sales do not mix", "This is not possible in training, or belongs to training. End the training and start again."},

	CardNumberInvalid:   {422, "The card number's check digit is wrong", "A digit of the card number is wrong. Check it and type it again."},
	CardNumberUnknown:   {404, "The card number is not known to this till", "This card number is not known here. Scan the card's code; points can be claimed later with the receipt."},
	CardNumberAmbiguous: {409, "Two members have this card number", "This card number is not clear. Please scan the card's code."},
	CardNumberLocked:    {429, "Too many unknown card numbers", "Too many unknown card numbers were typed. Wait a little, or scan the card's code."},

	DayClosed:   {409, "The business date is closed already", "This day is closed already. What is sold now belongs to the next day."},
	DayNotBegun: {409, "The business date has not begun", "Today is closed already, and tomorrow cannot be closed yet."},

	PrinterNone: {409, "No receipt printer is set up", "No receipt printer is set up at this till."},
	PrinterAway: {503, "The receipt printer does not print", "The printer did not print. Check paper, lid and cable, then print again. The sale is safe."},
	PrinterBusy: {429, "Too many receipts wait for the printer", "Too many receipts are waiting. Look after the printer, then print again."},

	VoucherOfAnother: {422, "The voucher is another member's than the card", "This voucher is somebody else's, so it cannot be used together with this card. Ring the voucher as a sale of its own first, without the card."},

	GiftTakenBack: {410, "The voucher was taken back by who gave it", "Whoever gave this voucher has taken it back."},

	TooManyRows: {422, "The list has more rows than a file may have", "This list is too long for one file. Narrow it and try again."},

	SecondPersonNeeded: {409, "It takes two people: propose it, and have somebody else approve", "A second person must approve this. Propose it."},

	FileUnreadable: {422, "The file cannot be read", "This file cannot be read. Look at the reason, and send it again."},
	DayTooFull:     {422, "A day would have more rows than can be matched", "One day has too many rows. Send its sums, or fewer receipts."},
}
