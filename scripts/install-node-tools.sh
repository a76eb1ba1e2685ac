#!/usr/bin/env bash
# wasm-opt, Playwright and axe, as end2end/package-lock.json pins them. Downloads no browser.
source "$(dirname "$0")/env.sh"

cd end2end
stamp=node_modules/.installed
if [ -f "$stamp" ] && cmp -s package-lock.json "$stamp"; then
    exit 0
fi

say "Installing wasm-opt and Playwright from the npm registry, half a minute"
log=$CACHE/install-node-tools.log
mkdir -p "$CACHE"
if ! PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 npm ci --prefer-offline --no-audit --no-fund --cache "$CACHE/npm" >"$log" 2>&1; then
    tail -n 5 "$log" >&2
    die "npm could not install what end2end/package-lock.json names: is the npm registry reachable?"
fi
cp package-lock.json "$stamp"
