package console

import "slices"

// words of states that filters take.
var (
	terminalStates  = []string{"new", "enrolled", "retiring", "quarantined", "revoked"}
	entryStates     = []string{"accepted", "applied", "parked", "quarantined"}
	exceptionStates = []string{"unsettled", "open", "awaiting", "settled", "withdrawn", "released", "rejected", "covered"}
	passChannels    = []string{"apple", "google", "web", "printed", "samsung"}
	passStates      = []string{"issued", "installed", "voided"}
	passStages      = []string{"installed", "pushed", "listed", "fetched"} // how far it has come at least once
	since           = Filter{Name: "from", Kind: Time}
	until           = Filter{Name: "to", Kind: Time}
	search          = Filter{Name: "q", Kind: Text}
	ofStore         = Filter{Name: "store", Kind: ID}
)

// AgeingList is the list of unsettled exceptions by age, as of a time.
const AgeingList = "exception_ageing"

// Lists are all lists there are.
var Lists = slices.Concat(lists, posLists)

var lists = []List{
	{
		Name: "stores",
		Columns: []Column{
			{"id", ID},
			{"code", Text},
			{"name", Text},
			{"time_zone", Text},
			{"currency", Text},
			{"terminals", Number},
			{"online", Number},
			{"waiting", Number},
			{"created_at", Time},
		},
		Filters: []Filter{search},
		Orders:  []Order{{"code", false}, {"name", false}, {"terminals", true}, {"online", true}, {"waiting", true}, {"created_at", true}},
	},
	{
		Name: "terminals",
		Columns: []Column{
			{"id", ID},
			{"name", Text},
			{"store", ID},
			{"store_code", Text},
			{"store_name", Text},
			{"state", Word},
			{"online", Flag},
			{"last_contact_at", Time},
			{"queue", Number},
			{"clock_error_ms", Number},
			{"clock_at", Time},
			{"software", Text},
			{"epoch", Number},
			{"enrolled_at", Time},
			{"created_at", Time},
			{"lost_by", ID}, // who declared it lost; nobody has confirmed it
			{"lost_until", Time},
		},
		Filters: []Filter{search, ofStore, {Name: "state", Kind: Word, Words: terminalStates}, {Name: "online", Kind: Flag}, {Name: "lost", Kind: Flag}},
		Orders: []Order{
			{"store_code", false},
			{"name", false},
			{"state", false},
			{"last_contact_at", true},
			{"queue", true},
			{"clock_error_ms", true},
			{"software", false},
			{"created_at", true},
		},
	},
	{
		Name: "members",
		Columns: []Column{
			{"id", ID}, {"alias", Text}, {"reference", Text}, {"account", ID}, {"issue", Number}, {"blocked", Flag}, {"created_at", Time},
		},
		Filters: []Filter{search, {Name: "blocked", Kind: Flag}, since, until},
		Orders:  []Order{{"created_at", true}, {"alias", false}, {"reference", false}},
	},
	{
		Name: "postings",
		Columns: []Column{
			{"id", ID},
			{"recorded_at", Time},
			{"effective_at", Time},
			{"occurred_at", Time},
			{"unit", Text},
			{"amount", Number},
			{"from_book", Word},
			{"to_book", Word},
			{"store", ID},
			{"store_code", Text},
			{"rule_set", Number},
			{"source", Hash},
			{"source_writer", ID},
			{"source_epoch", Number},
			{"source_seq", Number},
			{"corrects", Hash},
		},
		Filters: []Filter{{Name: "account", Kind: ID, Needed: true}, {Name: "unit", Kind: Text}, since, until},
		Orders:  []Order{{"recorded_at", true}},
	},
	{
		Name: "ties",
		Columns: []Column{
			{"store", ID}, {"store_code", Text}, {"store_name", Text}, {"visited_at", Time},
		},
		Filters: []Filter{{Name: "member", Kind: ID, Needed: true}},
		Orders:  []Order{{"visited_at", true}, {"store_code", false}},
	},
	{
		Name: "entries",
		Columns: []Column{
			{"recorded_at", Time},
			{"writer", ID},
			{"writer_name", Text},
			{"store_code", Text},
			{"epoch", Number},
			{"branch", Number},
			{"seq", Number},
			{"kind", Word},
			{"state", Word},
			{"proven", Flag},
			{"occurred_at", Time},
			{"effective_at", Time},
			{"bytes", Number},
			{"hash", Hash},
		},
		Filters: []Filter{
			{Name: "writer", Kind: ID}, ofStore, {Name: "kind", Kind: Word}, {Name: "state", Kind: Word, Words: entryStates}, since, until,
		},
		Orders: []Order{{"recorded_at", true}},
	},
	{
		Name: "hq_entries",
		Columns: []Column{
			{"recorded_at", Time}, {"writer", ID}, {"shard", Number}, {"epoch", Number}, {"seq", Number}, {"kind", Word}, {"bytes", Number}, {"hash", Hash},
		},
		Filters: []Filter{{Name: "kind", Kind: Word}, since, until},
		Orders:  []Order{{"recorded_at", true}},
	},
	{
		Name: "exceptions",
		Columns: []Column{
			{"id", ID},
			{"recorded_at", Time},
			{"cause", Word},
			{"state", Word},
			{"resolution", Word},
			{"owner", ID},
			{"owner_name", Text},
			{"store", ID},
			{"store_code", Text},
			{"terminal", ID},
			{"terminal_name", Text},
			{"epoch", Number},
			{"seq", Number},
			{"member", ID},
			{"account", ID},
			{"unit", Text},
			{"amount", Number},
			{"currency", Text},
			{"money", Number},
			{"liable", Word},
			{"due_at", Time},
			{"proposed", Flag}, // something about it waits for a second person
			{"attribution", Word},
			{"detail", Text},
			{"occurred_at", Time},
			{"entry", Hash},
		},
		Filters: []Filter{
			{Name: "cause", Kind: Word},
			{Name: "state", Kind: Word, Words: exceptionStates},
			ofStore,
			{Name: "terminal", Kind: ID},
			{Name: "member", Kind: ID},
			{Name: "account", Kind: ID},
			{Name: "owner", Kind: ID},
			{Name: "owned", Kind: Flag},
			{Name: "due_before", Kind: Time}, // and not settled
			{Name: "proposed", Kind: Flag},
			{Name: "liable", Kind: Word, Words: []string{"programme", "store", "terminal", "franchisee"}},
			since, until,
		},
		Orders: []Order{{"recorded_at", true}, {"amount", true}, {"money", true}, {"cause", false}, {"occurred_at", true}, {"due_at", false}},
	},
	{
		Name: AgeingList,
		Columns: []Column{
			{"cause", Word},
			{"liable", Word},
			{"store", ID},
			{"store_code", Text},
			{"unit", Text},
			{"currency", Text},
			{"count", Number},
			{"amount", Number},
			{"money", Number},
			{"count_0_7", Number},
			{"amount_0_7", Number},
			{"money_0_7", Number},
			{"count_8_30", Number},
			{"amount_8_30", Number},
			{"money_8_30", Number},
			{"count_31_60", Number},
			{"amount_31_60", Number},
			{"money_31_60", Number},
			{"count_61_90", Number},
			{"amount_61_90", Number},
			{"money_61_90", Number},
			{"count_over_90", Number},
			{"amount_over_90", Number},
			{"money_over_90", Number},
		},
		Filters: []Filter{{Name: "at", Kind: Time}},
		Orders:  []Order{{"cause", false}},
	},
	{
		Name: "rewards",
		Columns: []Column{
			{"id", ID},
			{"name", Text},
			{"unit", Text},
			{"cost", Number},
			{"discount", Number},
			{"currency", Text},
			{"active", Flag},
			{"valid_from", Time},
			{"valid_to", Time},
			{"version", Number},
		},
		Filters: []Filter{search, {Name: "active", Kind: Flag}},
		Orders:  []Order{{"name", false}, {"cost", false}, {"discount", false}, {"valid_to", false}},
	},
	{
		Name: "vouchers",
		Columns: []Column{
			{"id", ID}, {"member", ID}, {"member_alias", Text}, {"reward", ID}, {"uses", Number}, {"valid_from", Time}, {"valid_to", Time}, {"created_at", Time},
		},
		Filters: []Filter{{Name: "member", Kind: ID}, {Name: "reward", Kind: ID}, since, until},
		Orders:  []Order{{"created_at", true}, {"valid_to", false}},
	},
	{
		Name: "passes",
		Columns: []Column{
			{"id", ID},
			{"member", ID},
			{"voucher", ID},
			{"channel", Word},
			{"state", Word},
			{"phones", Number},
			{"issued_at", Time},
			{"installed_at", Time},
			{"changed_at", Time},
			{"pushed_at", Time},
			{"listed_at", Time},
			{"fetched_at", Time},
			{"current", Flag},
			{"lag_ms", Number},
		},
		Filters: []Filter{
			{Name: "member", Kind: ID},
			{Name: "channel", Kind: Word, Words: passChannels},
			{Name: "state", Kind: Word, Words: passStates},
			{Name: "stage", Kind: Word, Words: passStages},
			{Name: "current", Kind: Flag},
			since, until,
		},
		Orders: []Order{{"issued_at", true}, {"fetched_at", true}, {"lag_ms", true}},
	},
	{
		Name: "pushes",
		Columns: []Column{
			{"due_at", Time}, {"channel", Word}, {"attempts", Number}, {"failure", Text}, {"pushed_at", Time}, {"target", Hash},
		},
		Filters: []Filter{{Name: "channel", Kind: Word, Words: passChannels}, {Name: "failing", Kind: Flag}},
		Orders:  []Order{{"due_at", false}, {"attempts", true}},
	},
	{
		Name:    "pass_log",
		Columns: []Column{{"at", Time}, {"line", Text}, {"id", ID}},
		Filters: []Filter{search, since, until},
		Orders:  []Order{{"at", true}},
	},
	{
		Name: "people",
		Columns: []Column{
			{"id", ID}, {"name", Text}, {"role", Word}, {"shut_out", Flag}, {"signed_in_at", Time}, {"created_at", Time},
		},
		Filters: []Filter{search, {Name: "role", Kind: Word}, {Name: "shut_out", Kind: Flag}},
		Orders:  []Order{{"name", false}, {"role", false}, {"signed_in_at", true}, {"created_at", true}},
	},
	{
		Name: "acts",
		Columns: []Column{
			{"at", Time}, {"name", Text}, {"role", Word}, {"operation", Word}, {"subject", Text}, {"detail", Text}, {"address", Text}, {"person", ID}, {"id", ID},
		},
		Filters: []Filter{{Name: "person", Kind: ID}, {Name: "operation", Kind: Word}, search, since, until},
		Orders:  []Order{{"at", true}},
	},
}
