#!/usr/bin/env bash
# Builds and serves on 127.0.0.1:3000 (or PICKMATE_LISTEN) with data in ./data (or PICKMATE_DATA).
source "$(dirname "$0")/env.sh"

scripts/build.sh
say "Starting PickMate (Ctrl-C stops it)"
exec "$SERVER" serve
