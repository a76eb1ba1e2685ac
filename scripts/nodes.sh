#!/usr/bin/env bash
# Faults against three nodes of the release build on Postgres and Redis behind a load balancer.
# usage: nodes.sh [--seed N] [--posts N] [--faults N] [--long] [--browser] …   (docs/testing.md)
source "$(dirname "$0")/env.sh"

scripts/install-postgres.sh
scripts/install-redis.sh
scripts/install-haproxy.sh
exec scripts/chaos.sh --nodes "$@"
