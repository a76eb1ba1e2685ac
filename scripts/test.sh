#!/usr/bin/env bash
# Every check, in order, each timed. Goes on after a failure, so that one run tells everything: at its end a table,
# how each failed stage ended, and "N passed, N failed". The status is 0 only when nothing failed.
# usage: test.sh [STAGE…]   (names as in the table that it prints; all without arguments)
source "$(dirname "$0")/env.sh"

wanted=("$@")
names=() results=() seconds=()
failed=0
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
# Lines of a failed stage that the end repeats: enough for the names of what failed.
readonly LAST_WORDS=12

# stage NAME COMMAND… — runs it, remembers result and time.
stage() {
    local name=$1 start=$SECONDS result=ok
    shift
    if [ ${#wanted[@]} -gt 0 ] && [[ " ${wanted[*]} " != *" $name "* ]]; then
        return 0
    fi
    say "$name"
    if ! "$@" 2>&1 | tee "$logs/$name"; then
        result=FAILED
        failed=$((failed + 1))
    fi
    names+=("$name") results+=("$result") seconds+=($((SECONDS - start)))
}

summary() {
    printf '\n%-14s %8s  %s\n' stage seconds result
    for i in "${!names[@]}"; do
        printf '%-14s %8d  %s\n' "${names[$i]}" "${seconds[$i]}" "${results[$i]}"
    done
    printf '%-14s %8d\n\n' total "$SECONDS"
    for i in "${!names[@]}"; do
        [ "${results[$i]}" = ok ] || { say "${names[$i]}, its end"; tail -n "$LAST_WORDS" "$logs/${names[$i]}"; }
    done
    printf '%d passed, %d failed\n' $((${#names[@]} - failed)) "$failed"
}

stage tools scripts/install-build-tools.sh
stage format cargo fmt --check
stage rules scripts/check-source-rules.sh
stage docs scripts/check-docs.sh
stage deploy scripts/check-deploy.sh
stage clippy cargo clippy --all-targets -- -D warnings
stage clippy-wasm cargo clippy --lib --no-default-features --features hydrate --target wasm32-unknown-unknown -- -D warnings
stage wasm-crates scripts/check-wasm-crates.sh
stage licences scripts/check-dependencies.sh
stage cargo-test scripts/with-postgres.sh scripts/with-redis.sh scripts/with-s3.sh cargo test
stage valkey scripts/test-valkey.sh
stage build scripts/build.sh
stage size scripts/check-site-size.sh
stage chaos scripts/chaos.sh --browser --seed 20261128 --posts 300 --faults 15
stage nodes scripts/nodes.sh
stage python scripts/test-python.sh
stage end2end scripts/end2end.sh

summary
[ "$failed" -eq 0 ]
