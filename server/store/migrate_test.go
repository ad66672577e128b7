package store

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
)

func TestMigrateRefusesANewerSchema(t *testing.T) {
	ctx := context.Background()
	db, err := Open(ctx, "sqlite:"+filepath.Join(t.TempDir(), "hq.db"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}()
	files := []migration{{1, "one", []string{"CREATE TABLE a (x BIGINT)", "CREATE TABLE b (x BIGINT)"}}}
	// Interrupted after the first statement, then gone on with.
	half := []migration{{1, "one", files[0].steps[:1]}}
	for _, step := range []struct {
		files []migration
		want  error
	}{
		{half, nil},
		{files, nil},
		{files, nil},
		{half, ErrNewerSchema},
		{append(files, migration{2, "two", []string{"CREATE TABLE c (x BIGINT)"}}), nil},
		{files, ErrNewerSchema},
	} {
		if err := db.migrate(ctx, step.files); !errors.Is(err, step.want) {
			t.Errorf("got %v, want %v", err, step.want)
		}
	}
}

func TestStatementsAreSplitAtLineEnds(t *testing.T) {
	got := statements("-- a comment\nCREATE TABLE a (\n  x TEXT DEFAULT ';'\n);\n\nCREATE TABLE b (y TEXT);\n")
	if len(got) != 2 || got[1] != "CREATE TABLE b (y TEXT)" {
		t.Errorf("got %q", got)
	}
}
