package api

import (
	"bytes"
	"encoding/json"
	"flag"
	"maps"
	"os"
	"reflect"
	"slices"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

var update = flag.Bool("update", false, "write openapi.json from openapi.yaml")

func loadSpec(t testing.TB) *openapi3.T {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromFile("openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return doc
}

func TestSpecJSON(t *testing.T) {
	raw, err := json.MarshalIndent(loadSpec(t), "", " ")
	if err != nil {
		t.Fatal(err)
	}
	raw = append(raw, '\n')
	if *update {
		if err := os.WriteFile("openapi.json", raw, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if !bytes.Equal(raw, document) {
		t.Fatal("openapi.json is not openapi.yaml as JSON; run go generate")
	}
}

// Every operation of the document has an area, and no area is for an operation
// that is gone; else an operation would be refused to everybody.
func TestEveryOperationHasAnArea(t *testing.T) {
	iface := reflect.TypeFor[StrictServerInterface]()
	for i := range iface.NumMethod() {
		name := iface.Method(i).Name
		if areas[name] == "" && !open(name) {
			t.Errorf("%s has no area", name)
		}
	}
	for _, name := range slices.Concat(slices.Collect(maps.Keys(areas)), slices.Collect(maps.Keys(shoppers)), slices.Collect(maps.Keys(strangers))) {
		if _, ok := iface.MethodByName(name); !ok {
			t.Errorf("area of %s, which is no operation", name)
		}
	}
}
