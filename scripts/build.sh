#!/usr/bin/env bash
# Release build: the server with everything in it, and the site that it serves.
source "$(dirname "$0")/env.sh"

scripts/install-build-tools.sh
if [ ! -x "$SERVER" ]; then
    say "Building PickMate for the first time, about 10 minutes on two cores"
fi
LEPTOS_SITE_ROOT=$SITE cargo leptos build --release --precompress
say "Built $SERVER and $SITE"
