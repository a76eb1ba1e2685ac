#!/usr/bin/env bash
# For a Debian machine whose rustup can fetch no targets: Debian's own compiler comes with the source
# of its standard library, from which cargo builds the wasm32-unknown-unknown target once. Its result
# is $TOOLS/wasm-sysroot and an env.sh in it that makes all later builds use that compiler.
source "$(dirname "$0")/env.sh"

target=wasm32-unknown-unknown
sysroot=$TOOLS/wasm-sysroot
work=$CACHE/wasm-target
log=$CACHE/wasm-target.log

apt_install "a Rust compiler with its library source" rustc-web cargo-web rust-web-clippy rustfmt-web rust-web-src lld-22 ||
    die "Debian's Rust packages could not be installed: see $CACHE/apt.log."

say "Building the standard library for $target, about 2 minutes (once; log: $log)"
rm -rf "$work"
mkdir -p "$work/src"
printf '[package]\nname = "empty"\nversion = "0.0.0"\nedition = "2024"\n[lib]\n[workspace]\n' >"$work/Cargo.toml"
: >"$work/src/lib.rs"
if ! (cd "$work" && RUSTC_BOOTSTRAP=1 RUSTC=/usr/bin/rustc CARGO_TARGET_DIR="$work/target" /usr/bin/cargo build --release \
    --target "$target" -Zbuild-std=std,panic_abort,panic_unwind,proc_macro,test >"$log" 2>&1); then
    tail -n 10 "$log" >&2
    die "The standard library for $target could not be built: see the lines above, all of them in $log."
fi

library=$sysroot/lib/rustlib/$target/lib
rm -rf "$sysroot"
mkdir -p "$library"
cp "$work/target/$target/release/deps/"*.rlib "$library/"
rm -rf "$work"
cat >"$sysroot/env.sh" <<ENV
# Debian's compiler and the WASM target built from its source.
export PATH="/usr/bin:\$PATH"
export RUSTC=/usr/bin/rustc CARGO=/usr/bin/cargo
export CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER=/usr/lib/llvm-22/bin/wasm-ld
export CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS=--sysroot=$sysroot
ENV
