package citus

import (
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"sync/atomic"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // registers the driver "pgx"
)

// Variable names the environment variable with the coordinator's address,
// postgres://….
const Variable = "TALLYSTICK_TEST_CITUS"

var schemas atomic.Int64

// Cluster is a running cluster, known by its coordinator.
type Cluster struct {
	address *url.URL
	DB      *sql.DB // on the coordinator
}

// Need returns the named cluster, or skips the test aloud.
func Need(t testing.TB) *Cluster {
	t.Helper()
	text := os.Getenv(Variable)
	if text == "" {
		t.Skipf("SKIPPED ALOUD: no Citus cluster (%s names no coordinator)", Variable)
	}
	address, err := url.Parse(text)
	if err != nil {
		t.Fatalf("%s: %v", Variable, err)
	}
	db, err := sql.Open("pgx", text)
	if err != nil {
		t.Fatal(err)
	}
	// A session keeps its connections to the workers, and one of those may have died.
	db.SetMaxIdleConns(0)
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return &Cluster{address: address, DB: db}
}

// Schema makes an empty schema and returns the address of the database with it.
func (c *Cluster) Schema(t testing.TB) string {
	t.Helper()
	name := fmt.Sprintf("tallystick_%d_%d", os.Getpid(), schemas.Add(1))
	if _, err := c.DB.Exec("CREATE SCHEMA " + name); err != nil {
		t.Fatalf("make schema on %s: %v", c.address.Redacted(), err)
	}
	t.Cleanup(func() {
		if _, err := c.DB.Exec("DROP SCHEMA " + name + " CASCADE"); err != nil {
			t.Error(err)
		}
	})
	with := *c.address
	query := with.Query()
	query.Set("search_path", name)
	with.RawQuery = query.Encode()
	return with.String()
}
