package api_test

import (
	"os"
	"testing"

	"github.com/tallystick/tallystick/internal/testkit/pg"
)

func TestMain(m *testing.M) { os.Exit(pg.Main(m)) }
