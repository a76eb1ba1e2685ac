#!/usr/bin/env bash
# usage: install-cargo-tool.sh CRATE VERSION HOW_LONG [CARGO_INSTALL_OPTION…]
# Puts exactly this version of a cargo tool into the cache, unless it is there.
source "$(dirname "$0")/env.sh"

crate=$1 version=$2 how_long=$3
shift 3
log=$CACHE/install-$crate.log

if grep -qsF "\"$crate $version " "$TOOLS/.crates.toml"; then
    exit 0
fi

say "Building $crate $version, $how_long (once; log: $log)"
mkdir -p "$CACHE"
install() {
    # Unoptimised and without debug information: these tools run for seconds, building them takes minutes.
    CARGO_PROFILE_DEV_DEBUG=0 CARGO_TARGET_DIR="$CACHE/tools-target" \
        cargo install --root "$TOOLS" --debug --force "$crate@$version" "$@" >>"$log" 2>&1
}
: >"$log"
# A tool whose own lock file no longer resolves is built with current dependencies.
if ! install --locked "$@" && ! install "$@"; then
    tail -n 15 "$log" >&2
    die "$crate $version could not be built: see the lines above, all of them in $log."
fi
