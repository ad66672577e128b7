package e2e

import (
	"fmt"
	"os"
	"strconv"
	"testing"
)

// roleVariable makes the test binary play a helper process.
const roleVariable = "TALLYSTICK_E2E_ROLE"

// helpers are the roles the test binary can play instead of testing.
var helpers = map[string]func() error{"journal": journalHelper}

func TestMain(m *testing.M) {
	if role := os.Getenv(roleVariable); role != "" {
		if err := helpers[role](); err != nil {
			fmt.Fprintln(os.Stderr, role+":", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	code := m.Run()
	removeBuilds()
	os.Exit(code)
}

// count returns how often a fault is repeated: the value of the environment
// variable, or normal, or five times that in a soak.
func count(t *testing.T, variable string, normal int) int {
	t.Helper()
	if os.Getenv("TALLYSTICK_SOAK") != "" {
		normal *= 5
	}
	return fromEnvironment(t, variable, normal)
}

// fromEnvironment is a number that whoever starts a long campaign may choose.
func fromEnvironment(t *testing.T, name string, usual int) int {
	t.Helper()
	told := os.Getenv(name)
	if told == "" {
		return usual
	}
	n, err := strconv.Atoi(told)
	if err != nil || n < 1 {
		t.Fatalf("%s is %q, want a number of at least 1", name, told)
	}
	return n
}
