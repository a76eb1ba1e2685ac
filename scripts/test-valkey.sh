#!/usr/bin/env bash
# What is tested on Redis, single and cluster, on Valkey too: the channel layer, and two nodes that work on one database.
source "$(dirname "$0")/env.sh"

scripts/install-valkey.sh
PICKMATE_REDIS_SERVER=$(command -v valkey-server) scripts/with-postgres.sh scripts/with-redis.sh \
    cargo test --test it -- channel_layer_contract redis_ several_nodes
