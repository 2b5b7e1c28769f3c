# One verb per line of work. `make ci` is what the gate runs.
.PHONY: build test race lint fmt e2e bench fuzz golden tape demo ci

build: ## the static binary ./belay
	CGO_ENABLED=0 go build -trimpath -o belay .
test: ## everything; scenarios are skipped without an engine
	go test ./...
race: ## the same under the race detector, without the scenarios
	CGO_ENABLED=1 go test -race $$(go list ./... | grep -v '^belay/e2e$$')
lint: ## the rules of the house (.golangci.yml)
	go vet ./... && golangci-lint run
fmt: ## write every file as the formatters want it
	golangci-lint fmt
e2e: ## whole upgrades on a real engine; RUN=Name picks some
	e2e/images/build && BELAY_E2E=require go test -count=1 -timeout 30m -v -run '$(RUN)' ./e2e
bench: ## first paint, and a host with many containers
	go test -run '^$$' -bench . -benchmem ./...
fuzz: ## every fuzz target for FUZZTIME (10s)
	.ci/fuzz $(or $(FUZZTIME),10s)
golden: ## write the golden screens anew; look at the diff
	UPDATE_GOLDEN=1 go test ./tui/... ./internal/cli/...
tape: ## render vhs/*.tape
	@command -v vhs >/dev/null || { echo "tape needs vhs: https://github.com/charmbracelet/vhs" >&2; exit 1; }
	for t in vhs/*.tape; do vhs "$$t"; done
demo: ## a whole upgrade on a throw-away stack
	go run . demo
ci: ## what the gate runs
	bash .ci/run
