package console

// Words of what matching books found.
var (
	posOutcomes     = []string{"matched", "missing_here", "missing_there", "different"}
	posResultStates = []string{"open", "settled"}
	posImportStates = []string{"arriving", "queued", "reading", "taking", "matching", "finished", "failed", "cancelled"}
	ofImport        = Filter{Name: "import", Kind: ID}
)

// posLists are the lists about the till software's own books. Days are business dates; from
// and to of results are the first date and the one behind the last, as midnights of UTC.
var posLists = []List{
	{
		Name: "pos_results",
		Columns: []Column{
			{"id", ID},
			{"day", Word},
			{"store", ID},
			{"store_code", Text},
			{"outcome", Word},
			{"state", Word},
			{"differs", Text},
			{"amount", Number},
			{"discount", Number},
			{"their_receipt", Text},
			{"their_lane", Text},
			{"their_at", Time},
			{"their_kind", Word},
			{"their_amount", Number},
			{"their_discount", Number},
			{"their_count", Number},
			{"currency", Word},
			{"our_receipt", Text},
			{"our_lane", Text},
			{"our_at", Time},
			{"our_kind", Word},
			{"our_amount", Number},
			{"our_discount", Number},
			{"our_count", Number},
			{"our_currency", Word},
			{"total", Flag},
			{"matched_by", Word},
			{"apart_ms", Number},
			{"reason", Text},
			{"decided_by", Text},
			{"decided_at", Time},
			{"import", ID},
			{"line", Number},
			{"terminal", ID},
			{"epoch", Number},
			{"seq", Number},
			{"entry", Hash},
		},
		Filters: []Filter{
			ofStore, {Name: "kind", Kind: Word, Words: posOutcomes}, {Name: "state", Kind: Word, Words: posResultStates}, ofImport, search, since, until,
		},
		Orders: []Order{{"day", true}, {"amount", true}},
	},
	{
		Name: "pos_imports",
		Columns: []Column{
			{"id", ID},
			{"created_at", Time},
			{"store", ID},
			{"store_code", Text},
			{"name", Text},
			{"state", Word},
			{"done", Number},
			{"goal", Number},
			{"rows", Number},
			{"bad", Number},
			{"replaced", Number},
			{"first_day", Word},
			{"last_day", Word},
			{"size", Number},
			{"reason", Text},
			{"same", ID},
			{"by", Text},
			{"code", Word},
		},
		Filters: []Filter{ofStore, {Name: "state", Kind: Word, Words: posImportStates}, since, until},
		Orders:  []Order{{"created_at", true}},
	},
	{
		Name: "pos_troubles",
		Columns: []Column{
			{"store", ID}, {"store_code", Text}, {"work", Word}, {"reason", Text}, {"tries", Number}, {"since", Time}, {"last", Time}, {"next", Time},
		},
		Filters: []Filter{ofStore},
		Orders:  []Order{{"since", false}},
	},
	{
		Name:    "pos_bad_rows",
		Columns: []Column{{"n", Number}, {"line", Number}, {"reason", Text}, {"text", Text}},
		Filters: []Filter{{Name: "store", Kind: ID, Needed: true}, {Name: "import", Kind: ID, Needed: true}},
		Orders:  []Order{{"n", false}},
	},
}
