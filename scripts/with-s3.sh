#!/usr/bin/env bash
# Runs a command beside an S3-compatible server of its own with an empty bucket, on a free port, and removes both
# afterwards. The command finds it in PICKMATE_TEST_S3. usage: with-s3.sh COMMAND…
source "$(dirname "$0")/env.sh"

scripts/install-s3.sh
folder=$(mktemp -d)
# A bucket is a folder to it.
mkdir "$folder/pickmate"
server=
stop() {
    [ -z "$server" ] || kill "$server" 2>/dev/null || true
    [ -z "$server" ] || wait "$server" 2>/dev/null || true
    rm -rf "$folder"
}
trap stop EXIT

listens() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# Somebody else may take the port that was free a moment ago: then the server ends, and another is tried.
for _ in $(seq 20); do
    port=$((20000 + RANDOM % 10000))
    listens "$port" && continue
    s3s-fs --host 127.0.0.1 --port "$port" --access-key pickmate --secret-key pickmate-secret "$folder" >"$folder.log" 2>&1 &
    server=$!
    while kill -0 "$server" 2>/dev/null && ! listens "$port"; do sleep 0.05; done
    kill -0 "$server" 2>/dev/null && break
    server=
done
[ -n "$server" ] || { cat "$folder.log" >&2; die "s3s-fs does not start; its words are above."; }
rm -f "$folder.log"

PICKMATE_TEST_S3=s3+http://pickmate:pickmate-secret@127.0.0.1:$port/pickmate "$@"
