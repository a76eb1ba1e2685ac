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

# PostgreSQL refuses to run as root.
as_nobody_special=()
if [ "$(id -u)" = 0 ]; then
    chown postgres "$data"
    as_nobody_special=(setpriv --reuid=postgres --regid=postgres --init-groups)
fi

say "Starting PostgreSQL for the tests"
# It is read by its own user only, and of use to this run only: nothing is synced, unless POSTGRES_FSYNC says so.
(cd "$data" && "${as_nobody_special[@]}" "$bin/initdb" --pgdata="$data/cluster" --username=postgres --auth=trust \
    --encoding=UTF8 --locale=C.UTF-8 --no-sync >"$data/log" 2>&1) || {
    cat "$data/log" >&2
    die "initdb failed; see above."
}
cd "$data"
"${as_nobody_special[@]}" "$bin/postgres" -D "$data/cluster" -k "$data" -c listen_addresses= -c max_connections=300 \
    -c "fsync=${POSTGRES_FSYNC:-off}" -c "full_page_writes=${POSTGRES_FSYNC:-off}" >>"$data/log" 2>&1 &
server=$!
cd "$ROOT"
for _ in $(seq 100); do
    "$bin/pg_isready" --quiet --host="$data" && break
    kill -0 "$server" 2>/dev/null || { tail -n 20 "$data/log" >&2; die "PostgreSQL did not start; see above."; }
    sleep 0.1
done

export PICKMATE_TEST_POSTGRES="postgres://postgres@localhost/postgres?host=$data"
"$@"
