#!/usr/bin/env bash
# Faults against the release build, and an oracle that compares everything in the end.
# usage: chaos.sh [--seed N] [--posts N] [--faults N] …   (docs/testing.md)
source "$(dirname "$0")/env.sh"

[ -x "$SERVER" ] || die "There is no release build to test: run make build first."
PICKMATE_SERVER=$SERVER exec cargo test --test chaos -- "$@"
