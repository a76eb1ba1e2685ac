#!/usr/bin/env bash
# The project's benchmarks: pure parts, then load against the release build. usage: bench.sh [--pure | SCENARIO…]
# Results as JSON in the target folder; the table is printed. docs/performance.md tells how to read it.
source "$(dirname "$0")/env.sh"

[ -x "$SERVER" ] || die "There is no release build to measure: run make build first."
have taskset || die "taskset is missing: install util-linux."
if [ $# -eq 0 ] || [ "$1" = --pure ]; then
    cargo bench --target-dir "$TARGET/bench" --bench pure
fi
[ "${1:-}" != --pure ] || exit 0

# Beside the release build, which it would replace by one with the features of the benches.
load=$(cargo bench --target-dir "$TARGET/bench" --bench load --no-run --message-format=json 2>/dev/null |
    sed -n 's/.*"name":"load".*"executable":"\([^"]*\)".*/\1/p' | tail -n 1)
[ -x "$load" ] || die "The load generator does not build: cargo bench --bench load --no-run"
say "Load from the last core against servers on the first; anything else that runs here disturbs it"
descriptors=$(ulimit -Hn)
ulimit -n "$descriptors"
# What several nodes share is on the core of the load, and as durable as anywhere.
LEPTOS_SITE_ROOT=$SITE POSTGRES_FSYNC=on taskset --cpu-list $(($(nproc) - 1)) \
    scripts/with-postgres.sh scripts/with-redis.sh "$load" --server "$SERVER" --json "$TARGET/load.json" "$@"
say "Every run is in $TARGET/load.json"
