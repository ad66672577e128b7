package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

func run(args []string, out, errs io.Writer) int {
	flags := flag.NewFlagSet("verify", flag.ContinueOnError)
	flags.SetOutput(errs)
	keys := flags.String("keys", "", "head office's published keys, as fetched from /.well-known/jwks.json; without it those in the folder")
	flags.Usage = func() {
		fmt.Fprintln(errs, "usage: verify [--keys KEYS.json] FOLDER\n\nChecks a folder that hq audit-pack has written.")
		flags.PrintDefaults()
	}
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return 0
		}
		return 2
	}
	if flags.NArg() != 1 {
		flags.Usage()
		return 2
	}
	err := verify(flags.Arg(0), *keys, out)
	if errors.Is(err, errNewer) {
		fmt.Fprintln(errs, "CANNOT SAY:", err)
		return 3
	}
	if err != nil {
		fmt.Fprintln(errs, "NOT GOOD:", err)
		return 1
	}
	return 0
}

// verify checks a whole folder.
func verify(folder, keysFile string, out io.Writer) error {
	p, err := open(folder, keysFile)
	if err != nil {
		return err
	}
	if keysFile == "" {
		fmt.Fprintln(out, "note: the keys are those of the folder itself; compare them with the published ones (--keys)")
	}
	for _, s := range p.list.Stores {
		if err := p.store(s, out); err != nil {
			return fmt.Errorf("store %s: %w", s.Code, err)
		}
	}
	fmt.Fprintf(out, "all good: %d files, %d stores, %d entries, %d certificates\n", len(p.list.Files), len(p.list.Stores), p.entries, p.certificates)
	return nil
}

// store checks the journals and the certificates of one store.
func (p *pack) store(s storeOf, out io.Writer) error {
	journals := map[lane]*journal{}
	wanted := map[string]*sale{} // sales that some void undoes
	for _, name := range append([]string{s.Certificates}, s.Journals...) {
		if p.list.Files[name] == "" {
			return fmt.Errorf("%s: it is not among the listed files", name)
		}
	}
	for _, name := range s.Journals {
		if err := p.voided(name, wanted); err != nil {
			return err
		}
	}
	for _, name := range s.Journals {
		j, err := p.journal(name, wanted)
		if err != nil {
			return err
		}
		if journals[j.lane] != nil {
			return fmt.Errorf("%s: there are two files of this journal", name)
		}
		journals[j.lane] = j
		p.entries += j.count
	}
	n, err := p.certify(s, journals, wanted)
	if err != nil {
		return err
	}
	p.certificates += n
	_, err = fmt.Fprintf(out, "good  %s  %s to %s: %d certificates over %d journals\n", s.Code, s.From, s.To, n, len(journals))
	return err
}
