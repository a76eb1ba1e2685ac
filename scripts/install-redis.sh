#!/usr/bin/env bash
# A Redis or Valkey for the tests of the channel layer. Does nothing when there is one. It is not started, and
# nothing of it is left running.
source "$(dirname "$0")/env.sh"

if have redis-server || have valkey-server; then
    exit 0
fi
can_apt && { apt_install_idle "the tests of several nodes need it" redis-server ||
    apt_install_idle "the tests of several nodes need it" valkey-server; } ||
    die "For the tests of several nodes install redis-server or valkey-server, then run this again."
