#!/usr/bin/env bash
# Pictures of every page and state into end2end/screenshots/out (not under version control).
source "$(dirname "$0")/env.sh"

scripts/end2end.sh --config screenshots.config.ts "$@"
say "Pictures are in end2end/screenshots/out"
