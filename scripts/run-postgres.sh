#!/usr/bin/env bash
# Becomes a PostgreSQL server of this folder, which gets a cluster when it has none. For tests: whoever comes
# is let in, and nothing is synced unless POSTGRES_FSYNC=on. usage: run-postgres.sh FOLDER [ARGUMENT…]
source "$(dirname "$0")/env.sh"

data=$1
shift
bin=$(postgres_bin)
[ -n "$bin" ] || die "PostgreSQL is not installed: run scripts/install-postgres.sh."
# PostgreSQL refuses to run as root.
as_nobody_special=()
if [ "$(id -u)" = 0 ]; then
    chown postgres "$data"
    as_nobody_special=(setpriv --reuid=postgres --regid=postgres --init-groups)
fi

cd "$data"
if [ ! -e "$data/cluster" ]; then
    "${as_nobody_special[@]}" "$bin/initdb" --pgdata="$data/cluster" --username=postgres --auth=trust \
        --encoding=UTF8 --locale=C.UTF-8 --no-sync >"$data/log" 2>&1 || {
        cat "$data/log" >&2
        die "initdb failed; see above."
    }
fi
exec "${as_nobody_special[@]}" "$bin/postgres" -D "$data/cluster" -k "$data" -c max_connections=300 \
    -c "fsync=${POSTGRES_FSYNC:-off}" -c "full_page_writes=${POSTGRES_FSYNC:-off}" "$@" >>"$data/log" 2>&1
