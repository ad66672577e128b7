package main

import (
	"context"
	"fmt"
	"time"

	"github.com/tallystick/tallystick/edge/api"
	"github.com/tallystick/tallystick/edge/print"
	"github.com/tallystick/tallystick/internal/clock"
)

// printerFlags say how receipts are made and where they are printed.
type printerFlags struct {
	Printer         string `help:"Receipt printer: tcp://HOST:9100, or file:///dev/usb/lp0. Empty: none." placeholder:"ADDRESS"`
	PrinterColumns  int    `help:"Characters on a line of the printer: 48, 42 or 32." default:"48"`
	PrinterCodePage string `help:"Table of characters the printer is set to: pc437, pc850, pc852, pc857, pc858, wpc1250, wpc1252, wpc1254; with =N when the printer calls it by another number. Empty: that of the language." placeholder:"NAME"`
	ReceiptLanguage string `help:"Language of receipts: en, tr or pl." default:"en"`
	PrintAfter      bool   `help:"Print a receipt after each sale, void, return and close of a day."`
	PrinterDrawer   bool   `help:"Open the cash drawer with each receipt that is no copy."`
}

// printerPatience is how long a stop waits for a receipt that is being printed.
const printerPatience = 2 * time.Second

// openPrinter reads the settings of receipts and starts printing, when there is a printer.
func (a *agent) openPrinter() (api.Receipts, error) {
	cfg := a.cfg.Paper
	out := api.Receipts{
		Columns: cfg.PrinterColumns, CodePage: cfg.PrinterCodePage, Drawer: cfg.PrinterDrawer, After: cfg.PrintAfter,
		Originals: print.NewOriginals(a.journal.Head().Seq),
	}
	var err error
	if out.Language, err = print.LanguageOf(cfg.ReceiptLanguage); err != nil {
		return out, fmt.Errorf("read --receipt-language: %w", err)
	}
	if _, err = print.PageOf(out.CodePage, out.Language); err != nil {
		return out, fmt.Errorf("read --printer-code-page: %w", err)
	}
	if n := out.Columns; n < print.MinColumns || n > print.MaxColumns {
		return out, fmt.Errorf("read --printer-columns: %d is not within %d and %d", n, print.MinColumns, print.MaxColumns)
	}
	if cfg.Printer == "" {
		return out, nil
	}
	transport, err := print.Open(cfg.Printer, clock.System{}.Now)
	if err != nil {
		return out, fmt.Errorf("read --printer: %w", err)
	}
	a.print = print.Start(transport, clock.System{}.Now, a.printerChanged)
	out.Service = a.print
	return out, nil
}

// printerChanged says what became of a receipt.
func (a *agent) printerChanged(s print.State) {
	if s.Err != nil {
		a.log.Warn("a receipt was not printed", "error", s.Err)
	}
	a.server.PrinterChanged(s)
}

// stopPrinter lets the receipt under way come out. A printer that holds on to it does not
// hold up the end of the agent.
func (a *agent) stopPrinter() {
	ctx, cancel := context.WithTimeout(context.Background(), printerPatience)
	defer cancel()
	if err := a.print.Stop(ctx); err != nil {
		a.log.Warn("the printer did not end in time", "error", err)
	}
}
