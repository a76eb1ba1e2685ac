#!/usr/bin/env bash
# Runs a command beside a Redis (or Valkey) of its own, on a free port and without persistence, and stops
# that afterwards. The command finds it in PICKMATE_TEST_REDIS. usage: with-redis.sh COMMAND…
source "$(dirname "$0")/env.sh"

scripts/install-redis.sh
server=${PICKMATE_REDIS_SERVER:-$(command -v redis-server || command -v valkey-server)}

folder=$(mktemp -d)
redis=
stop() {
    [ -z "$redis" ] || kill "$redis" 2>/dev/null || true
    [ -z "$redis" ] || wait "$redis" 2>/dev/null || true
    rm -rf "$folder"
}
trap stop EXIT

listens() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# Somebody else may take the port that was free a moment ago: then the server ends, and another is tried.
for _ in $(seq 20); do
    port=$((20000 + RANDOM % 10000))
    listens "$port" && continue
    "$server" --bind 127.0.0.1 --port "$port" --save '' --appendonly no --dir "$folder" >"$folder/log" 2>&1 &
    redis=$!
    while kill -0 "$redis" 2>/dev/null && ! grep -qs 'Ready to accept connections' "$folder/log"; do sleep 0.05; done
    kill -0 "$redis" 2>/dev/null && break
    redis=
done
[ -n "$redis" ] || { cat "$folder/log" >&2; die "$server does not start; its words are above."; }

PICKMATE_TEST_REDIS=redis://127.0.0.1:$port "$@"
