package posbooks_test

import (
	"errors"
	"testing"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/internal/testkit/books"
	"github.com/tallystick/tallystick/server/posbooks"
)

// Mappings are checked, and saved in versions.
func TestMappings(t *testing.T) {
	s := newStand(t, books.New(t))
	m, err := s.books.PutMapping(t.Context(), ida, posbooks.Mapping{Name: " the till ", Rules: rules})
	if err != nil || m.Version != 1 || m.Name != "the till" {
		t.Fatalf("%+v, %v", m, err)
	}
	m.Rules.Minutes = 7
	if m, err = s.books.PutMapping(t.Context(), ida, m); err != nil || m.Version != 2 {
		t.Fatalf("%+v, %v", m, err)
	}
	m.Version = 1
	if _, err = s.books.PutMapping(t.Context(), ida, m); problem.CodeOf(err) != problem.Conflict {
		t.Errorf("an old version: %v", err)
	}
	all, err := s.books.Mappings(t.Context(), s.Of.ID)
	if err != nil || len(all) != 1 || all[0].Minutes != 7 {
		t.Errorf("%+v, %v", all, err)
	}
	s.must(s.books.DeleteMapping(t.Context(), m.ID))
	for name, change := range map[string]func(*posbooks.Rules){
		"/format": func(r *posbooks.Rules) { r.Format = "xls" }, "/expects": func(r *posbooks.Rules) { r.Expects = "" }, "/zone": func(r *posbooks.Rules) { r.Zone = "Nowhere" },
		"/minutes": func(r *posbooks.Rules) { r.Minutes = 999 }, "/encoding": func(r *posbooks.Rules) { r.Encoding = "ebcdic" }, "/delimiter": func(r *posbooks.Rules) { r.Delimiter = `"` },
		"/decimal": func(r *posbooks.Rules) { r.Decimal = ";" }, "/thousands": func(r *posbooks.Rules) { r.Thousands = "." }, "/skip": func(r *posbooks.Rules) { r.Skip = -1 },
		"/time_format": func(r *posbooks.Rules) { r.TimeFormat = "Monday" }, "/columns/amount": func(r *posbooks.Rules) { r.Columns = map[posbooks.Field]string{posbooks.FieldTime: "t"} },
		"/kinds": func(r *posbooks.Rules) { r.Kinds = map[string]string{"x": "y"} },
	} {
		bad := rules
		change(&bad)
		var refused *problem.Error
		if err := bad.Check(); !errors.As(err, &refused) || refused.Fields[name] == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
}
