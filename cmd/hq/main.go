package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

// version is set by the release build.
var version = "dev"

// cli is every command and flag. Each flag may also stand in the environment, as
// TALLYSTICK_HQ_ and its name, and in the configuration file; flags win over the
// environment, and the environment over the file.
type cli struct {
	Config        kong.ConfigFlag   `help:"JSON file with flags by name." type:"path"`
	Data          string            `help:"Data directory." default:"hq-data" type:"path"`
	DB            string            `name:"db" help:"Database: sqlite:PATH or postgres://… (an address with a password belongs into the environment). Default: hq.db in the data directory."`
	Liable        map[string]string `help:"Who answers for a loss, by cause: policy, lost_lane, cloned_terminal, late_recall or expired_pass = programme, store or terminal."`
	DBConnections int               `name:"db-connections" help:"Connections this process opens to the database at most." default:"16"`

	Init     initCommand              `cmd:"" help:"Make a new HQ: keys, database, first administrator."`
	Serve    serveCommand             `cmd:"" help:"Serve the API and the terminals, and keep the ledger."`
	Migrate  migrateCommand           `cmd:"" help:"Bring the database up to this release. serve does it too."`
	Import   importCommand            `cmd:"" help:"Take in a journal that a terminal exported to a file. Works while serve runs."`
	Books    importBooksCommand       `cmd:"" name:"import-books" help:"Take in the till software's own books of a store, and match them with the journals. Works while serve runs."`
	Verify   verifyCommand            `cmd:"" help:"Check every chain, signature and balance from the stored bytes."`
	Certify  verifyCertificateCommand `cmd:"" name:"verify-certificate" help:"Check certificates of store days with nothing but HQ's published keys."`
	Paper    certificateCommand       `cmd:"" name:"certificate" help:"Hand out the certificate of a store's day: its signed text, or A4 pages with a code that opens the page which verifies it."`
	Pack     auditPackCommand         `cmd:"" name:"audit-pack" help:"Write certified days, and all they rest on, into a folder that an auditor verifies without HQ."`
	Rebuild  rebuildCommand           `cmd:"" help:"Replay all journals into an empty ledger and compare it row for row."`
	Backup   backupCommand            `cmd:"" help:"Copy a SQLite database into a file, while serve runs."`
	Restore  restoreCommand           `cmd:"" help:"Make an HQ of a backup in an empty data directory, in a new HQ epoch: terminals send again what it lost."`
	NewEpoch newEpochCommand          `cmd:"" help:"Start a new HQ epoch, after PostgreSQL was restored to an earlier state by its own tools. No replica may run meanwhile."`
	Wallet   walletCommand            `cmd:"" help:"Wallet passes."`
	People   peopleCommand            `cmd:"" help:"See who may sign in, and give new passwords."`
	Version  versionCommand           `cmd:"" help:"Print the version."`
}

// surroundings are what commands take from the process.
type surroundings struct {
	stdin  *os.File
	stdout io.Writer
	stderr io.Writer
	cli    *cli
}

func main() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }

// run executes one command line: 0 done, 1 failed, 2 not understood.
func run(args []string, stdin *os.File, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var c cli
	exited := -1
	parser, err := kong.New(&c,
		kong.Name("hq"),
		kong.Description("Tallystick head office. Secrets are read from files or the environment, never from flags."),
		kong.DefaultEnvars("TALLYSTICK_HQ"),
		kong.Configuration(belowEnvironment),
		kong.Writers(stdout, stderr),
		kong.Exit(func(code int) { exited = code }),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(&surroundings{stdin: stdin, stdout: stdout, stderr: stderr, cli: &c}),
	)
	if err != nil {
		fmt.Fprintln(stderr, "hq:", err)
		return 2
	}
	command, err := parser.Parse(args)
	if exited >= 0 {
		return exited // --help has been printed
	}
	if err != nil {
		fmt.Fprintln(stderr, "hq:", err, "(hq --help says all)")
		return 2
	}
	if err := command.Run(); err != nil {
		if !errors.Is(err, errReported) {
			fmt.Fprintln(stderr, "hq:", err)
		}
		return 1
	}
	return 0
}

// belowEnvironment reads the configuration file and lets the environment win over
// it, which kong by itself does not.
func belowEnvironment(r io.Reader) (kong.Resolver, error) {
	file, err := kong.JSON(r)
	if err != nil {
		return nil, err
	}
	var resolve kong.ResolverFunc = func(ctx *kong.Context, parent *kong.Path, flag *kong.Flag) (any, error) {
		for _, name := range flag.Envs {
			if _, set := os.LookupEnv(name); set {
				return nil, nil
			}
		}
		return file.Resolve(ctx, parent, flag)
	}
	return resolve, nil
}

// errReported ends a command with exit code 1 whose output has said everything.
var errReported = errors.New("reported")

type versionCommand struct{}

// Run prints the version.
func (versionCommand) Run(s *surroundings) error {
	_, err := fmt.Fprintln(s.stdout, version)
	return err
}
