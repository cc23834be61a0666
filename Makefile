# “make” lists what there is.

SHELL       := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS   += --no-print-directory

# How long each fuzz target is dug into, and what “make bench” and “make golden” look at.
T     ?= 30s
BENCH ?= .
FUZZ  ?= .
PKG   ?= ./...

# What “make soak” plays.
FOR   ?= 1h
SEEDS ?= 1:
STEPS ?= 300

LINT := go tool -modfile=tools/lint/go.mod golangci-lint

.PHONY: help
help: ## this list
	@echo 'Roadbook. In a fresh clone: make run'
	@echo
	@sed -nE 's/^([a-z-]+):.*## (.*)/  \1|\2/p' $(MAKEFILE_LIST) | while IFS='|' read -r name what; do printf '%-16s %s\n' "$$name" "$$what"; done

.PHONY: run
run: build ## the server, with a database of its own and a demo org; Ctrl-C stops it
	@exec ./bin/roadbook serve

.PHONY: demo
demo: build ## a sales team's day against the running server
	@./bin/roadbook demo

.PHONY: build
build: ## the program, as bin/roadbook
	@go build -o bin/roadbook ./cmd/roadbook

.PHONY: test
test: ## vet and all tests; the last line says how many passed and failed; make test STRICT=-strict holds them to 5 s each
	@go build -o bin/testsum ./tools/testsum
	@go vet ./...
	@go test -vet=off -ldflags='-s -w' -shuffle=on -json ./... | ./bin/testsum $(STRICT)

.PHONY: test-race
test-race: ## the same under the race detector; takes minutes
	@go build -o bin/testsum ./tools/testsum
	@go test -vet=off -race -shuffle=on -json ./... | ./bin/testsum

.PHONY: cover
cover: ## what the tests reach, in cover.out
	@go build -o bin/testsum ./tools/testsum
	@go test -vet=off -coverprofile=cover.out -coverpkg=./... -json ./... | ./bin/testsum
	@go tool cover -func=cover.out | tail -n 1

.PHONY: check
check: ## all that CI does, in the same order
	@.ci/run

.PHONY: lint
lint: ## the linters; building them the first time takes some minutes
	@$(LINT) run

.PHONY: fmt
fmt: ## format everything
	@$(LINT) fmt

.PHONY: fuzz
fuzz: ## dig into every fuzz target for T each: make fuzz T=2m; one of them: make fuzz FUZZ=Cursor
	@targets=$$(grep -roE --include='*_test.go' '^func Fuzz\w+' . | sed 's/:func /:/' | sort | grep -E '$(FUZZ)') || { echo 'no fuzz targets'; exit 1; }; \
	found=''; \
	for target in $$targets; do \
		dir=$$(dirname "$${target%%:*}"); name=$${target##*:}; \
		echo "$$dir $$name"; \
		go test -run='^$$' -fuzz="^$$name$$" -fuzztime=$(T) -fuzzminimizetime=10s "$$dir" </dev/null || found="$$found $$dir:$$name"; \
	done; \
	test -z "$$found" || { echo "something was found, and kept in testdata/fuzz:$$found"; exit 1; }

.PHONY: soak
soak: ## histories of many phones on bad networks, until FOR is over: make soak FOR=2h SEEDS=1000: STEPS=500
	@go run ./cmd/roadsim -seeds $(SEEDS) -steps $(STEPS) -for $(FOR) -parallel 2

.PHONY: bench
bench: ## the benchmarks; make bench PKG=./sync/wire BENCH=Push for some
	@go test -run='^$$' -bench='$(BENCH)' -benchmem $(PKG)

.PHONY: golden
golden: ## rewrite what tests compare with, then show what has changed
	@for dir in $$(grep -rlE --include='*_test.go' 'flag\.Bool\("update"' . | xargs -r -n1 dirname | sort -u); do \
		go test "$$dir" -update; \
	done
	@git --no-pager diff --stat -- '*testdata*' '*golden*'

.PHONY: psql
psql: ## a psql on the tests' database server; make psql DB=kept_… for that of a failed test
	@psql "$$(go run ./tools/testpg start)" $(if $(DB),-d $(DB))

.PHONY: pg-stop
pg-stop: ## stop the tests' database server, which otherwise waits a quarter of an hour
	@go run ./tools/testpg stop

.PHONY: release-snapshot
release-snapshot: ## keep a release, so that later ones are upgraded from it in a test: make release-snapshot V=v0.1.0
	@test -n '$(V)' || { echo 'name the release: make release-snapshot V=v0.1.0'; exit 2; }
	@go run ./tools/snapshot -v $(V) $(if $(UPDATE),-update)

.PHONY: new-migration
new-migration: ## the next step of the schema: make new-migration NAME=add_photos
	@test -n '$(NAME)' || { echo 'say what it does: make new-migration NAME=add_photos'; exit 2; }
	@last=$$(ls migrations/[0-9]*.sql | tail -n 1 | sed -E 's,migrations/0*([0-9]+)_.*,\1,'); \
	file=$$(printf 'migrations/%05d_%s.sql' $$((last + 1)) '$(NAME)'); \
	printf -- '-- Why this step.\n\n-- +goose Up\n' > "$$file"; \
	echo "$$file"
