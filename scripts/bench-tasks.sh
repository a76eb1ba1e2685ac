#!/usr/bin/env bash
# Tasks beside Celery with Redis, on this machine and in one run: benches/tasks/compare.py. usage: bench-tasks.sh [ARGUMENT…]
source "$(dirname "$0")/env.sh"

[ -x "$SERVER" ] || die "There is no release build to measure: run make build first."
python=$CACHE/python-celery
wanted=benches/tasks/requirements.txt
if ! cmp -s "$wanted" "$python/requirements.txt"; then
    say "Installing Celery into $python"
    rm -rf "$python"
    python3 -m venv "$python"
    "$python/bin/pip" install --quiet --disable-pip-version-check -r "$wanted"
    cp "$wanted" "$python/requirements.txt"
fi
run() {
    REDIS_URL=$PICKMATE_TEST_REDIS POSTGRES_URL=$PICKMATE_TEST_POSTGRES "$python/bin/python" benches/tasks/compare.py --server "$SERVER" "$@"
}
if [ -n "${PICKMATE_TEST_REDIS:-}" ] && [ -n "${PICKMATE_TEST_POSTGRES:-}" ]; then
    run "$@"
else
    POSTGRES_FSYNC=on exec scripts/with-postgres.sh scripts/with-redis.sh "$0" "$@"
fi
