#!/usr/bin/env bash
# What a build needs beyond Rust, Node and a C compiler. Does nothing when everything is there.
source "$(dirname "$0")/env.sh"

CARGO_LEPTOS=0.3.10

have cargo || die "Rust is missing: install it from https://rustup.rs, then run this again."
have node && have npm || die "Node.js 20 or newer with npm is missing: install it, then run this again."
have cc || die "A C compiler is missing (SQLite is built from source): install gcc or clang, then run this again."

scripts/install-wasm-target.sh
scripts/install-cargo-tool.sh cargo-leptos "$CARGO_LEPTOS" "about 5 minutes on two cores" \
    --no-default-features --features no_downloads
scripts/install-cargo-tool.sh wasm-bindgen-cli "$(locked_version wasm-bindgen)" "about 2 minutes on two cores"
scripts/install-node-tools.sh
