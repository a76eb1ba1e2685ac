#!/usr/bin/env bash
# What a first visit downloads to run: WASM and JavaScript as served, compressed with Brotli.
source "$(dirname "$0")/env.sh"

# 260 kB for rooms and messages; 40 more for tasks: cards, the owners' page, commands, reminders; 3 for previews; 15 for
# files: transfers with their progress, kept over a reload, and how messages show them. Raised for a whole capability
# only: what a feature adds to one is taken off somewhere else.
LIMIT_BYTES=$((318 * 1000))

total=0
shopt -s nullglob
files=("$SITE"/pkg/*.wasm.br "$SITE"/pkg/*.js.br)
[ ${#files[@]} -ge 2 ] || die "No compressed WASM and JavaScript in $SITE/pkg: run make build first."
for file in "${files[@]}"; do
    bytes=$(wc -c <"$file")
    plain=$(wc -c <"${file%.br}")
    printf '%9d bytes  (%9d plain)  %s\n' "$bytes" "$plain" "$(basename "${file%.br}")"
    total=$((total + bytes))
done
printf '%9d bytes of WASM and JavaScript in Brotli; the limit is %d\n' "$total" "$LIMIT_BYTES"
[ "$total" -le "$LIMIT_BYTES" ]
