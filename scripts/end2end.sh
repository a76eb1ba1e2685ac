#!/usr/bin/env bash
# Browser tests against the release build. usage: end2end.sh [PLAYWRIGHT_ARGUMENT…]
source "$(dirname "$0")/env.sh"

scripts/install-node-tools.sh
scripts/install-browser.sh
[ -x "$SERVER" ] && [ -d "$SITE/pkg" ] || die "There is no release build to test: run make build first."

cd end2end
tsc --noEmit
PICKMATE_SERVER=$SERVER exec playwright test "$@"
