package api

import (
	"mime"
	"reflect"
)

func isJSON(contentType string) bool { return mediaType(contentType) == "application/json" }

// mediaType is the type without its parameters, in lower case; empty when it
// cannot be read.
func mediaType(contentType string) string {
	kind, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		return ""
	}
	return kind
}

// hasBody tells whether a generated request object holds a body.
func hasBody(request any) bool { return reflect.ValueOf(request).FieldByName("Body").IsValid() }
