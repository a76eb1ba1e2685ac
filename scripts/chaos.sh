#!/usr/bin/env bash
# Faults against the release build, and an oracle that compares everything in the end.
# usage: chaos.sh [--seed N] [--posts N] [--faults N] [--browser] …   (docs/testing.md)
source "$(dirname "$0")/env.sh"

[ -x "$SERVER" ] || die "There is no release build to test: run make build first."
if [[ " $* " == *" --browser "* ]]; then
    scripts/install-node-tools.sh
    scripts/install-browser.sh
    (cd end2end && tsc --noEmit)
    [ -d "$SITE/pkg" ] || die "There is no built site for the browser: run make build first."
fi
PICKMATE_SERVER=$SERVER exec cargo test --test chaos -- "$@"
