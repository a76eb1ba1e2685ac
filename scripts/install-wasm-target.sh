#!/usr/bin/env bash
# Makes sure the compiler can build for wasm32-unknown-unknown.
source "$(dirname "$0")/env.sh"

target=wasm32-unknown-unknown
log=$CACHE/install-wasm-target.log

has_target() {
    local library
    library=$(rustc --print target-libdir --target "$target" 2>/dev/null) && ls "$library"/libcore-*.rlib >/dev/null 2>&1
}

if has_target || [ -f "$TOOLS/wasm-sysroot/env.sh" ]; then
    exit 0
fi

say "Adding the Rust target $target, a few seconds"
mkdir -p "$CACHE"
if have rustup && rustup target add "$target" >"$log" 2>&1 && has_target; then
    exit 0
fi
if can_apt && [ -n "$(apt-cache search --names-only '^rustc-web$' 2>/dev/null)" ]; then
    say "rustup cannot add it here; taking Debian's compiler and building the target from its source instead"
    exec scripts/wasm-target-debian.sh
fi
die "The Rust target $target is missing and could not be added: run 'rustup target add $target' where it can be downloaded."
