package posbooks

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"golang.org/x/text/transform"

	"github.com/tallystick/tallystick/internal/currency"
	"github.com/tallystick/tallystick/sync/entry"
)

// Bounds of XML.
const (
	maxDepth = 64
	maxText  = 4 << 10 // of one element that is looked at, in bytes
	maxTag   = 128     // of the name of an element, in bytes
	// maxPlace is how deep in a transaction stands what is looked at.
	maxPlace = 3
)

// readPOSLog reads the retail transactions of an OMG/ARTS POSLog (v2.2 to v6), element by
// element. Declarations of types and entities are refused: what they stand for may be
// larger than any memory. Namespaces are passed over: versions and vendors differ in them.
func (r Reading) readPOSLog(ctx context.Context, in io.Reader, into Into) (Summary, error) {
	sum := Summary{}
	text, name, err := xmlText(in)
	if err != nil {
		return sum, err
	}
	sum.Encoding = name
	from := &bounded{in: text, most: maxToken}
	d := xml.NewDecoder(from)
	d.CharsetReader = charsetReader
	p := &poslog{Reading: r, sum: &sum, into: into}
	for {
		if err := ctx.Err(); err != nil {
			return sum, err
		}
		token, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			if p.root == "" || len(p.path) > 0 {
				return sum, &Unreadable{Reason: "the file ends before its last element does"}
			}
			return sum, nil
		}
		from.token()
		line, _ := d.InputPos()
		if err != nil {
			return sum, from.verdict(err, int64(line), "XML")
		}
		done, err := p.token(token, int64(line))
		if err != nil {
			return sum, err
		}
		if done {
			from.next()
		}
	}
}

// xmlText is a file as UTF-8 when it begins as UTF-16 does; else the declaration says it.
func xmlText(in io.Reader) (io.Reader, string, error) {
	head := make([]byte, 64)
	n, err := io.ReadFull(in, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, "", fmt.Errorf("read the beginning of a file: %w", err)
	}
	name := utf8Name
	if wide(head[:n]) != "" {
		name = utf16Name
	}
	return decoded(io.MultiReader(strings.NewReader(string(head[:n])), in), name)
}

func charsetReader(name string, in io.Reader) (io.Reader, error) {
	if strings.HasPrefix(strings.ToLower(name), "utf-16") {
		return in, nil // it was decoded before
	}
	e := encodingOf(name)
	if e == nil {
		return nil, &Unreadable{Reason: fmt.Sprintf("the encoding %q is not known", clip(name))}
	}
	return transform.NewReader(in, e.NewDecoder()), nil
}

// poslog walks through a POSLog.
type poslog struct {
	Reading
	sum  *Summary
	into Into

	root string
	path []string // names of the elements that are open
	text strings.Builder
	over bool // text is cut

	at    int // depth of the transaction that is open; zero is none
	found *transaction
}

// transaction is what a POSLog says of one transaction.
type transaction struct {
	line                              int64
	store, lane, sequence, receipt    string
	begin, end, day, currency, status string
	gross, net, grand                 string
	totalType                         string
	retail, cancelled, training, link bool
	sales, returns, cards             int
	malformed                         string
}

// token takes one token; done says that a transaction has ended.
func (p *poslog) token(token xml.Token, line int64) (done bool, err error) {
	switch t := token.(type) {
	case xml.Directive:
		return false, &Unreadable{line, "has a declaration of types or entities, which is refused"}
	case xml.StartElement:
		if len(p.path) == maxDepth {
			return false, &Unreadable{line, fmt.Sprintf("has elements more than %d deep", maxDepth)}
		}
		if len(t.Name.Local) > maxTag {
			return false, &Unreadable{line, fmt.Sprintf("has an element with a name of more than %d bytes", maxTag)}
		}
		if len(p.path) == 0 && p.root != "" {
			return false, &Unreadable{line, "has more than one outermost element"}
		}
		if len(p.path) == 0 {
			p.root = t.Name.Local
		}
		p.path = append(p.path, strings.Clone(t.Name.Local))
		p.text.Reset()
		p.over = false
		p.open(t, line)
	case xml.CharData:
		if p.found != nil {
			p.over = p.over || p.text.Len()+len(t) > maxText
			if !p.over {
				p.text.Write(t)
			}
		}
	case xml.EndElement:
		if len(p.path) == 0 || p.path[len(p.path)-1] != t.Name.Local {
			return false, &Unreadable{line, fmt.Sprintf("the element %q ends where it is not open", clip(t.Name.Local))}
		}
		done, err = p.close()
		p.path = p.path[:len(p.path)-1]
		p.text.Reset()
	}
	return done, err
}

// open notes what attributes say.
func (p *poslog) open(e xml.StartElement, line int64) {
	attribute := func(name string) string {
		for _, a := range e.Attr {
			if a.Name.Local == name {
				return a.Value
			}
		}
		return ""
	}
	if p.at == 0 {
		if e.Name.Local == "Transaction" {
			p.at, p.found = len(p.path), &transaction{line: line}
			p.found.cancelled, p.found.training = isTrue(attribute("CancelFlag")), isTrue(attribute("TrainingModeFlag"))
		}
		return
	}
	f := p.found
	switch p.inside() {
	case "RetailTransaction":
		f.retail, f.status = true, attribute("TransactionStatus")
	case "RetailTransaction/Total":
		f.totalType = attribute("TotalType")
	case "RetailTransaction/LineItem/Sale":
		f.sales++
	case "RetailTransaction/LineItem/Return":
		f.returns++
	case "RetailTransaction/TransactionLink", "TransactionLink":
		f.link = f.link || strings.Contains(strings.ToLower(attribute("ReasonCode")), "void")
	}
}

// inside is where the walk is within the transaction; empty where nothing is looked at.
func (p *poslog) inside() string {
	if len(p.path)-p.at > maxPlace {
		return ""
	}
	return strings.Join(p.path[p.at:], "/")
}

func isTrue(text string) bool { return text == "true" || text == "1" }

// close takes the text of an element that ends.
func (p *poslog) close() (done bool, err error) {
	if p.found == nil {
		return false, nil
	}
	if len(p.path) == p.at {
		f := p.found
		p.at, p.found = 0, nil
		return true, p.give(*f)
	}
	into := p.found.place(p.inside())
	if into == nil {
		if name := p.path[len(p.path)-1]; len(p.path) > p.at+1 && (name == "LoyaltyID" || name == "CustomerLoyaltyID") {
			p.found.cards++
		}
		return false, nil
	}
	if p.over {
		p.found.malformed = fmt.Sprintf("its %s is longer than %d bytes", p.path[len(p.path)-1], maxText)
		return false, nil
	}
	if *into == "" {
		*into = strings.TrimSpace(p.text.String())
	}
	return false, nil
}

// place is where the text of an element that is looked at goes; nil of any other.
func (f *transaction) place(inside string) *string {
	switch inside {
	case "RetailStoreID", "BusinessUnit/UnitID":
		return &f.store
	case "WorkstationID":
		return &f.lane
	case "SequenceNumber":
		return &f.sequence
	case "ReceiptNumber", "RetailTransaction/ReceiptNumber":
		return &f.receipt
	case "BusinessDayDate":
		return &f.day
	case "BeginDateTime":
		return &f.begin
	case "EndDateTime":
		return &f.end
	case "CurrencyCode":
		return &f.currency
	case "RetailTransaction/Total":
		return f.total()
	}
	return nil
}

// total is where the text of a total goes, by its type.
func (f *transaction) total() *string {
	switch f.totalType {
	case "TransactionGrossAmount":
		return &f.gross
	case "TransactionNetAmount":
		return &f.net
	case "TransactionGrandAmount":
		return &f.grand
	}
	return nil
}

// give judges a transaction and gives it on.
func (p *poslog) give(f transaction) error {
	if !f.retail || f.training || f.cancelled || f.forgotten() {
		p.sum.Ignored++
		return nil
	}
	in, err := p.raw(f)
	if err != nil {
		return p.sum.bad(p.into, Bad{f.line, err.Error(), f.lane + " " + f.sequence})
	}
	row, _, err := p.judge(in)
	if err != nil {
		return p.sum.bad(p.into, Bad{f.line, err.Error(), f.lane + " " + f.sequence})
	}
	return p.sum.row(p.into, row)
}

// forgotten says that a transaction never came to an end.
func (f transaction) forgotten() bool {
	switch f.status {
	case "Suspended", "Cancelled", "Canceled", "Aborted", "Failed", "Voided":
		return true
	}
	return false
}

func (p *poslog) raw(f transaction) (raw, error) {
	in := raw{line: f.line, store: f.store, receipt: f.receipt, lane: f.lane, currency: f.currency, card: f.cards > 0}
	if f.malformed != "" {
		return in, errors.New(f.malformed)
	}
	if in.receipt == "" {
		in.receipt = f.sequence
	}
	if in.currency == "" {
		in.currency = p.Place.Currency
	}
	if !currency.IsCode(in.currency) {
		return in, fmt.Errorf("%q is no currency", clip(in.currency))
	}
	amount, what := f.gross, "TransactionGrossAmount"
	if p.Rules.Paid {
		if amount, what = f.grand, "TransactionGrandAmount or TransactionNetAmount"; amount == "" {
			amount = f.net
		}
	}
	if amount == "" {
		return in, fmt.Errorf("has no %s", what)
	}
	var err error
	if in.amount, err = readAmount(amount, in.currency, ".", ""); err != nil {
		return in, err
	}
	switch {
	case f.status == "PostVoided" || f.link:
		in.kind = "void"
	case in.amount < 0 || f.returns > 0 && f.sales == 0:
		in.kind = "return"
	default:
		in.kind = "sale"
	}
	return in, p.when(f, &in)
}

// when reads the times of a transaction.
func (p *poslog) when(f transaction, in *raw) error {
	iso := layout{isoTime, isoLayouts}
	if f.day != "" {
		day, _, err := iso.read(f.day, time.UTC)
		if err != nil {
			return err
		}
		in.day = entry.DateOf(day)
	}
	at := f.end
	if at == "" {
		at = f.begin
	}
	if at == "" {
		return nil
	}
	moment, dateOnly, err := iso.read(at, p.zone)
	if err != nil {
		return err
	}
	in.at, in.timed = moment, !dateOnly
	if dateOnly && in.day == 0 {
		in.day = entry.DateOf(moment)
	}
	return nil
}
