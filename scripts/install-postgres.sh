#!/usr/bin/env bash
# PostgreSQL's programs, for the tests of the store on it. Starts no server.
source "$(dirname "$0")/env.sh"

[ -z "$(postgres_bin)" ] || exit 0
# Debian's package would make and start a cluster of its own.
if can_apt && [ ! -e /etc/postgresql-common/createcluster.conf ]; then
    mkdir -p /etc/postgresql-common
    echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf
    trap 'rm -f /etc/postgresql-common/createcluster.conf' EXIT
fi
can_apt && apt_install "the store is tested on it" postgresql && [ -n "$(postgres_bin)" ] ||
    die "For the tests of the store install PostgreSQL 13 or newer (postgresql in Debian), then run this again."
