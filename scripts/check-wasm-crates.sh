#!/usr/bin/env bash
# No server crate may reach the browser build.
source "$(dirname "$0")/env.sh"

tree=$(cargo tree -e normal --target wasm32-unknown-unknown --no-default-features --features hydrate --prefix none --format '{p}')
broken=0
for crate in tokio sqlx sqlx-core libsqlite3-sys mio axum hyper redis apalis; do
    if grep -qE "^$crate v" <<<"$tree"; then
        printf '%s is in the browser build:\n' "$crate" >&2
        cargo tree -e normal --target wasm32-unknown-unknown --no-default-features --features hydrate -i "$crate" --depth 3 >&2
        broken=1
    fi
done
exit $broken
