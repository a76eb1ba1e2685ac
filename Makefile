# Every target calls a script of scripts/; run `make` alone to read what there is.
.DEFAULT_GOAL := help
.PHONY: help run build test bench chaos chaos-nodes fuzz dev fmt screenshots latency comeback

help:
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 20

run: ## install what is missing, build, serve on 127.0.0.1:3000 with data in ./data
	@scripts/run.sh

build: ## release build: server in target/release/pickmate, site in target/site
	@scripts/build.sh

test: ## every check, as CI runs them
	@scripts/test.sh

bench: build ## pure parts, then load against the release build beside a bare axum server
	@scripts/bench.sh

chaos: build ## a long schedule of faults against the release build, with an oracle; POSTS, FAULTS and SEED change it
	@scripts/chaos.sh --browser --posts $(or $(POSTS),10000) --faults $(or $(FAULTS),200) --seed $(or $(SEED),$(shell date +%s))

chaos-nodes: build ## the same with three nodes on Postgres and Redis behind a load balancer
	@scripts/nodes.sh --browser --long --posts $(or $(POSTS),10000) --faults $(or $(FAULTS),190) --seed $(or $(SEED),$(shell date +%s))

fuzz: ## look for inputs that break frames, Markdown and configuration; SECONDS_EACH=600
	@scripts/fuzz.sh

dev: ## rebuild and reload while you edit
	@scripts/dev.sh

fmt: ## format the Rust sources
	@cargo fmt

screenshots: ## every page at three widths, light and dark, Korean and English
	@scripts/screenshots.sh

comeback: ## stop and start the server with 5,000 live sockets, after make build
	@scripts/comeback.sh

latency: ## measure send to visible between two browsers
	@scripts/end2end.sh --project latency --no-deps
