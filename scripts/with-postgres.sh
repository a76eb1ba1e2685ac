#!/usr/bin/env bash
# Runs a command with a PostgreSQL server of its own, whose address is in PICKMATE_TEST_POSTGRES; the
# server and all its data are gone afterwards. Where the variable is set already, that server is used.
# usage: with-postgres.sh COMMAND…
source "$(dirname "$0")/env.sh"

[ -z "${PICKMATE_TEST_POSTGRES:-}" ] || exec "$@"
scripts/install-postgres.sh
bin=$(postgres_bin)

data=$(mktemp -d)
server=
stop() {
    if [ -n "$server" ]; then
        # At once, whoever is connected.
        kill -INT "$server" 2>/dev/null || true
        wait "$server" 2>/dev/null || true
    fi
    rm -rf "$data"
}
trap stop EXIT
trap 'exit 130' INT TERM

say "Starting PostgreSQL for the tests"
scripts/run-postgres.sh "$data" -c listen_addresses= &
server=$!
for _ in $(seq 300); do
    "$bin/pg_isready" --quiet --host="$data" && break
    kill -0 "$server" 2>/dev/null || { tail -n 20 "$data/log" >&2; die "PostgreSQL did not start; see above."; }
    sleep 0.1
done

export PICKMATE_TEST_POSTGRES="postgres://postgres@localhost/postgres?host=$data"
"$@"
