#!/usr/bin/env bash
# Runs a command beside a Redis (or Valkey) of its own, on a free port and without persistence, and stops
# that afterwards. The command finds it in PICKMATE_TEST_REDIS. usage: with-redis.sh COMMAND…
source "$(dirname "$0")/env.sh"

scripts/install-redis.sh
program=${PICKMATE_REDIS_SERVER:-$(command -v redis-server || command -v valkey-server)}

source scripts/beside.sh
begin() { exec "$program" --bind 127.0.0.1 --port "$1" --save '' --appendonly no --dir "$folder" >"$folder/log" 2>&1; }
is_ready() { grep -qs 'Ready to accept connections' "$folder/log"; }
serve_beside "$program"

PICKMATE_TEST_REDIS=redis://127.0.0.1:$port "$@"
