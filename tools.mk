# The Go tools, pinned. Each is built once into build/tools, under its version and
# the Go version it was built with, and never installed anywhere else.

STATICCHECK_VERSION := v0.7.0
GOFUMPT_VERSION     := v0.12.0

TOOLS       := build/tools/$(shell go env GOVERSION)
STATICCHECK := $(TOOLS)/staticcheck-$(STATICCHECK_VERSION)/staticcheck
GOFUMPT     := $(TOOLS)/gofumpt-$(GOFUMPT_VERSION)/gofumpt
SUITES      := $(TOOLS)/suites

$(STATICCHECK):
	GOBIN=$(abspath $(@D)) go install honnef.co/go/tools/cmd/staticcheck@$(STATICCHECK_VERSION)

$(GOFUMPT):
	GOBIN=$(abspath $(@D)) go install mvdan.cc/gofumpt@$(GOFUMPT_VERSION)

$(SUITES): $(filter-out %_test.go,$(wildcard internal/testkit/suites/*.go)) go.mod
	CGO_ENABLED=0 go build -o $@ ./internal/testkit/suites
