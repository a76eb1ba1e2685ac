#!/usr/bin/env bash
# Runs a command beside an S3-compatible server of its own with an empty bucket, on a free port, and removes both
# afterwards. The command finds it in PICKMATE_TEST_S3. usage: with-s3.sh COMMAND…
source "$(dirname "$0")/env.sh"

scripts/install-s3.sh

source scripts/beside.sh
# A bucket is a folder to it.
mkdir -p "$folder/data/pickmate"
begin() {
    exec s3s-fs --host 127.0.0.1 --port "$1" --access-key pickmate --secret-key pickmate-secret "$folder/data" \
        >"$folder/log" 2>&1
}
is_ready() { listens "$1"; }
serve_beside s3s-fs

PICKMATE_TEST_S3=s3+http://pickmate:pickmate-secret@127.0.0.1:$port/pickmate "$@"
