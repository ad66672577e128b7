package phones

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// Card reads a member's card of this HQ for [Options.Shows]: it shows its first balance
// (as a decimal number), and says all but the field of when that was known.
func Card(passJSON []byte) (shows, says string, err error) {
	var said map[string]any
	reader := json.NewDecoder(bytes.NewReader(passJSON))
	reader.UseNumber() // 1000000 is not to become 1e+06
	if err := reader.Decode(&said); err != nil {
		return "", "", fmt.Errorf("read card: %w", err)
	}
	card, ok := said["storeCard"].(map[string]any)
	if !ok {
		return "", "", fmt.Errorf("read card: it is no store card")
	}
	for _, style := range []string{"storeCard", "posterGeneric"} {
		part, _ := said[style].(map[string]any)
		for name, list := range part {
			fields, _ := list.([]any)
			part[name] = without(fields, "asOf")
		}
	}
	for _, list := range card {
		fields, _ := list.([]any)
		for _, f := range fields {
			if field, _ := f.(map[string]any); field["key"] == "balance0" {
				shows = fmt.Sprint(field["value"])
			}
		}
	}
	raw, err := json.Marshal(said)
	return shows, string(raw), err
}

// without drops the fields of a key, with whatever stands before it ("poster.asOf").
func without(fields []any, key string) []any {
	kept := []any{}
	for _, f := range fields {
		field, _ := f.(map[string]any)
		name, _ := field["key"].(string)
		if name != key && !strings.HasSuffix(name, "."+key) {
			kept = append(kept, f)
		}
	}
	return kept
}
