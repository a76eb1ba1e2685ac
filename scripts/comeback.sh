#!/usr/bin/env bash
# A deploy with everybody there, against the release build. usage: comeback.sh [--sockets N] [--rooms N] … (docs/testing.md)
source "$(dirname "$0")/env.sh"

[ -x "$SERVER" ] || die "There is no release build to test: run make build first."
if [ $# -eq 0 ]; then
    set -- --sockets 5000 --rooms 10 --accounts 1000
fi
PICKMATE_SERVER=$SERVER exec cargo test --test comeback -- "$@"
