package store_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/testkit/books"
	"github.com/tallystick/tallystick/server/casework"
	"github.com/tallystick/tallystick/server/console"
	"github.com/tallystick/tallystick/server/fleet"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/server/pass"
	"github.com/tallystick/tallystick/server/people"
	"github.com/tallystick/tallystick/server/posbooks"
)

// needed are values of the filters that lists need.
func needed(l console.List, account uuid.UUID) map[string]string {
	out := map[string]string{}
	for _, f := range l.Filters {
		if f.Needed {
			out[f.Name] = account.String()
		}
	}
	return out
}

// filled is an HQ with something in each list.
func filled(t *testing.T, dsn string, shardsPerTx int) (*books.HQ, uuid.UUID) {
	ctx := context.Background()
	hq := books.On(t, dsn, shardsPerTx)
	ann := hq.Member(t, "ann", 500)
	one, two := hq.Till(t, "1"), hq.Till(t, "2")
	for range 30 {
		one.Sell(t, ann, 1000, 10)
	}
	two.Void(t, two.Sell(t, ann, 2500, 0), ann)
	two.Sell(t, ann, 1000, 5000)
	one.Sync(t, 1)
	two.Sync(t, 1)
	hq.Apply(t)
	for i, till := range []*books.Till{one, two} {
		terminal := till.Terminal()
		s := fleet.Store{ID: terminal.Store, Code: fmt.Sprint("s", i), Name: "Şişli, \"=1\"", TimeZone: "Europe/Istanbul", Currency: "TRY", Version: 1, CreatedAt: hq.Clock.Now()}
		if _, err := hq.DB.Store(ctx, s.ID); err != nil {
			must(t, hq.DB.AddStore(ctx, s))
		}
		must(t, hq.DB.AddTerminal(ctx, fleet.Terminal{ID: terminal.ID, Store: terminal.Store, Name: fmt.Sprint("=lane ", i), State: fleet.StateEnrolled, Epoch: 1, Version: 1, CreatedAt: hq.Clock.Now()}))
		must(t, hq.DB.Heard(ctx, fleet.EpochContact{Terminal: terminal.ID, Epoch: 1, Contact: fleet.Contact{LastContactAt: hq.Clock.Now(), HeadSeq: uint64(i) * 7}}))
	}
	withPasses(t, hq)
	withBooks(t, hq, ann)
	for i := range 7 {
		must(t, hq.DB.AddAct(ctx, people.Act{ID: uuid.Must(uuid.NewV7()), At: hq.Clock.Now().Add(time.Duration(i)), Name: "@ayşe", Operation: "PutPolicy", Subject: "/programme/policy"}))
		must(t, hq.DB.AddPerson(ctx, people.Person{ID: uuid.Must(uuid.NewV7()), Name: fmt.Sprint("Ayşe ", i), Role: people.Support, CreatedAt: hq.Clock.Now()}, "hash"))
	}
	return hq, ann
}

// withPasses adds passes on phones, pushes that failed, and what phones said.
func withPasses(t *testing.T, hq *books.HQ) {
	ctx, now := t.Context(), hq.Clock.Now()
	var marks []pass.Mark
	var pushes []pass.Push
	var lines []pass.Line
	for i := range 7 {
		member := uuid.Must(uuid.NewV7())
		k := pass.KeyOf(member, uuid.Must(uuid.NewRandom()))
		must(t, hq.DB.AddPass(ctx, pass.Pass{Key: k, Member: member, Channel: pass.Apple, State: pass.Installed, Tag: uint64(i), IssuedAt: now}))
		marks = append(marks, pass.Mark{Key: k, Marks: pass.Marks{InstalledAt: now, FetchedAt: now, FetchedTag: 3, Lag: time.Duration(i) * time.Second}})
		pushes = append(pushes, pass.Push{Shard: k.Shard, Target: k.ID[:], Channel: pass.Apple, Token: "t", Wanted: 1, DueAt: now, Failure: "=1"})
		lines = append(lines, pass.Line{ID: uuid.Must(uuid.NewV7()), At: now, Text: fmt.Sprint("line ", i)})
	}
	must(t, hq.DB.MarkPasses(ctx, marks))
	must(t, hq.DB.WantPushes(ctx, pushes))
	must(t, hq.DB.AddPassLog(ctx, lines, 100))
	lags, err := hq.DB.PassLags(ctx, now.Add(-time.Hour), 100)
	if must(t, err); len(lags) != 6 { // one took no time
		t.Errorf("%v", lags)
	}
}

// withBooks adds books of a till software: two imports, bad rows of one, and what was found.
func withBooks(t *testing.T, hq *books.HQ, id uuid.UUID) {
	ctx, now := t.Context(), hq.Clock.Now()
	day := posbooks.Day{Store: id, Date: 20260301, MatchedAt: now}
	var found []posbooks.Found
	var bad []posbooks.Bad
	for i := range int64(7) {
		found = append(found, posbooks.Found{ID: uuid.Must(uuid.NewV7()), Store: id, Day: day.Date, Outcome: posbooks.MissingHere, Amount: i % 3, Theirs: posbooks.Side{Receipt: "=1"}})
		bad = append(bad, posbooks.Bad{Line: i, Reason: "has no date", Text: "@x"})
	}
	must(t, hq.DB.PutPosResults(ctx, day, found))
	must(t, hq.DB.AddPosBad(ctx, id, id, 0, bad))
	for range 4 {
		must(t, hq.DB.PutPosTrouble(ctx, posbooks.Trouble{Store: uuid.Must(uuid.NewV7()), Work: posbooks.WorkMatch, Reason: "too many", Tries: 1, Since: now, Last: now, Next: now}))
		must(t, hq.DB.AddPosImport(ctx, posbooks.Import{ID: uuid.Must(uuid.NewV7()), Store: id, Name: "a.csv", State: posbooks.Finished, CreatedAt: now, Version: 1}))
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Every list, in every order and both directions, gives each row once over its pages, in
// that order, and the same rows as a file.
func TestListsAreTheSameByPageAndAsFile(t *testing.T) {
	engines(t, func(t *testing.T, dsn string, shardsPerTx int) {
		ctx := context.Background()
		hq, account := filled(t, dsn, shardsPerTx)
		reader := console.NewReader(hq.DB, hq.Clock, time.Minute, uuid.Max)
		empty := map[string]bool{"members": true, "rewards": true, "vouchers": true, "ties": true} // kept by rooms that this HQ has not
		for _, l := range console.Lists {
			for _, o := range l.Orders {
				for _, sign := range []string{"", "-", "+"} {
					ask := console.Asked{List: l.Name, Order: sign + o.Column, Filters: needed(l, account), Limit: 3}
					var rows []string
					for {
						p, err := reader.Page(ctx, ask)
						must(t, err)
						for _, r := range p.Rows {
							rows = append(rows, fmt.Sprint(r))
						}
						if ask.Cursor = p.Next; p.Next == "" {
							break
						}
					}
					once := slices.Clone(rows)
					slices.Sort(once)
					if len(slices.Compact(once)) != len(rows) || len(rows) == 0 && !empty[l.Name] {
						t.Errorf("%s by %s%s: %d rows, %d different", l.Name, sign, o.Column, len(rows), len(once))
					}
					file, err := reader.File(ctx, ask, console.CSV, false)
					must(t, err)
					var out bytes.Buffer
					must(t, file.Write(ctx, &out))
					lines, err := csv.NewReader(&out).ReadAll()
					must(t, err)
					if len(lines)-1 != len(rows) {
						t.Errorf("%s by %s%s: %d rows by page, %d in the file", l.Name, sign, o.Column, len(rows), len(lines)-1)
					}
				}
			}
		}
	})
}

// Every filter of every list is understood by the engine.
func TestEveryFilterOfAListIsUnderstood(t *testing.T) {
	engines(t, func(t *testing.T, dsn string, shardsPerTx int) {
		hq, account := filled(t, dsn, shardsPerTx)
		reader := console.NewReader(hq.DB, hq.Clock, time.Minute, uuid.Max)
		for _, l := range console.Lists {
			for _, f := range l.Filters {
				values := map[console.Kind][]string{
					console.ID: {account.String()}, console.Flag: {"true", "false"}, console.Time: {"2026-01-01T00:00:00Z"},
					console.Text: {"s", "%_!'", account.String()}, console.Word: append([]string{"x"}, f.Words...),
				}[f.Kind]
				for _, v := range values {
					if len(f.Words) > 0 && v == "x" {
						continue
					}
					ask := console.Asked{List: l.Name, Filters: needed(l, account)}
					ask.Filters[f.Name] = v
					if _, err := reader.Page(t.Context(), ask); err != nil {
						t.Errorf("%s with %s=%s: %v", l.Name, f.Name, v, err)
					}
				}
			}
		}
	})
}

// The figures say what the journals say, however often and in what pieces they are counted.
func TestFiguresCountEveryEntryOnce(t *testing.T) {
	engines(t, func(t *testing.T, dsn string, shardsPerTx int) {
		ctx := context.Background()
		hq, account := filled(t, dsn, shardsPerTx)
		count := func() {
			for more := true; more; {
				var err error
				more, err = console.Count(ctx, hq.DB)
				must(t, err)
			}
		}
		desk := console.NewDesk(hq.DB, hq.Clock, time.Hour)
		sums := func() map[string][2]int64 {
			days, err := desk.Days(ctx, 30)
			must(t, err)
			out := map[string][2]int64{}
			for _, d := range days {
				for _, s := range d.Sums {
					at := out[s.Figure+" "+s.Unit]
					out[s.Figure+" "+s.Unit] = [2]int64{at[0] + s.N, at[1] + s.Amount}
				}
			}
			return out
		}
		count()
		count()
		got := sums()
		for key, want := range map[string][2]int64{"sale EUR": {32, 33500}, "redeemed points": {31, 5300}, "void ": {1, 0}} {
			if got[key] != want {
				t.Errorf("%s: %v, want %v of %v", key, got[key], want, got)
			}
		}
		late := hq.Till(t, "3")
		for range 700 {
			late.Sell(t, account, 100, 0)
		}
		late.Sync(t, 1)
		count()
		if got := sums()["sale EUR"]; got != [2]int64{732, 103500} {
			t.Errorf("after more sales: %v", got)
		}
		home, err := desk.Home(ctx)
		must(t, err)
		if home.Waiting.Terminals != 7 || len(home.Exceptions) == 0 || home.Exceptions[0].Cause != string(ledger.Overdraw) || home.StoresOnline == 0 {
			t.Errorf("%+v", home)
		}
	})
}

// An exception that people settled is out of what is open, and its trail says who did what.
func TestCasesOfExceptions(t *testing.T) {
	engines(t, func(t *testing.T, dsn string, shardsPerTx int) {
		ctx := context.Background()
		hq, _ := filled(t, dsn, shardsPerTx)
		work := casework.New(casework.Env{Store: hq.DB, Journal: hq.Journal, Ledger: hq.Ledger, People: hq.DB, Clock: hq.Clock, NewID: func() uuid.UUID { return uuid.Must(uuid.NewV7()) }})
		ayse, berk := casework.Person{ID: uuid.New(), Name: "Ayşe"}, casework.Person{ID: uuid.New(), Name: "Berk"}
		open := hq.Exceptions(t, ledger.Overdraw)
		e := open[0]
		_, err := work.Own(ctx, ayse, e.ID, true)
		must(t, err)
		_, err = work.Remark(ctx, ayse, e.ID, "called the store")
		must(t, err)
		w, err := work.Resolve(ctx, berk, e.ID, casework.Charged, "store pays")
		must(t, err)
		var trail []string
		for _, n := range w.Notes {
			trail = append(trail, n.Name+" "+n.What)
		}
		if want := []string{"Ayşe took", "Ayşe remarked", "Berk resolved"}; !slices.Equal(trail, want) || w.Case.OwnerName != "Berk" {
			t.Errorf("%v, %+v", trail, w.Case)
		}
		if _, err := work.Resolve(ctx, ayse, e.ID, casework.Explained, "again"); err == nil {
			t.Error("settled twice")
		}
		causes, err := hq.DB.Causes(ctx)
		must(t, err)
		for _, c := range causes {
			if c.Cause == string(ledger.Overdraw) && int(c.N) != len(open)-1 {
				t.Errorf("of %d: %+v", len(open), c)
			}
		}
		if _, err := work.Reopen(ctx, ayse, e.ID, "they did not pay"); err != nil {
			t.Error(err)
		}
		hq.Verify(t) // what people say changes nothing in the books
	})
}
