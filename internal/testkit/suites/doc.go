// Suites runs the groups of tests that `make test`, `make soak` and `make fuzz`
// are made of, and says at the end what each cost.
//
//	suites run [-v] [-min N] NAME -- COMMAND...   run one suite, keep its figures
//	suites table [-limit D] [-forbid-skips RE] NAME...   print the figures of the named suites
//	suites fuzz [-each D] [-budget D] PACKAGE...   find every fuzz target and run each
//
// It promises that the exit status is the suite's own, that a skipped test is
// named with its reason where nobody can overlook it, and that a suite which ran
// no test, or was not run, never counts as passed.
//
// It must never be linked into the product, and imports the standard library
// alone so that it builds before anything else does.
package main
