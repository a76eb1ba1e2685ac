#!/usr/bin/env bash
# Licences, sources and duplicates of all dependencies (deny.toml), and known advisories where their
# database can be reached.
source "$(dirname "$0")/env.sh"

CARGO_DENY=0.20.2
ADVISORY_DB=https://github.com/RustSec/advisory-db

scripts/install-cargo-tool.sh cargo-deny "$CARGO_DENY" "about 4 minutes on two cores"
cargo deny --log-level warn check licenses bans sources

if GIT_TERMINAL_PROMPT=0 timeout 15 git ls-remote --exit-code "$ADVISORY_DB" HEAD >/dev/null 2>&1; then
    cargo deny --log-level warn check advisories
else
    say "NOT CHECKED: security advisories ($ADVISORY_DB cannot be reached from here)"
fi
