#!/usr/bin/env bash
# A load balancer for the faults of several nodes. Does nothing when there is one. It is not started, and nothing of it
# is left running.
source "$(dirname "$0")/env.sh"

have haproxy && exit 0
can_apt && apt_install_idle "several nodes are tested behind it" haproxy ||
    die "For the faults of several nodes install haproxy, then run this again."
