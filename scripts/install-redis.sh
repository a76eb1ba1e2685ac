#!/usr/bin/env bash
# A Redis or Valkey for the tests of the channel layer. Does nothing when there is one. It is not started, and
# nothing of it is left running.
source "$(dirname "$0")/env.sh"

if have redis-server || have valkey-server; then
    exit 0
fi

# Debian starts what it installs; tests run their own.
no_start=/usr/sbin/policy-rc.d
if can_apt && [ ! -e "$no_start" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$no_start"
    chmod +x "$no_start"
    trap 'rm -f "$no_start"' EXIT
fi
can_apt && { apt_install "the tests of several nodes need it" redis-server ||
    apt_install "the tests of several nodes need it" valkey-server; } ||
    die "For the tests of several nodes install redis-server or valkey-server, then run this again."
