#!/usr/bin/env bash
# nginx, for the tests of deploy/nginx.conf. Does nothing when there is one. It is not started.
source "$(dirname "$0")/env.sh"

# Debian keeps it out of the PATH of ordinary users.
if have nginx || [ -x /usr/sbin/nginx ]; then
    exit 0
fi

# Debian starts what it installs; tests run their own.
no_start=/usr/sbin/policy-rc.d
if can_apt && [ ! -e "$no_start" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$no_start"
    chmod +x "$no_start"
    trap 'rm -f "$no_start"' EXIT
fi
can_apt && apt_install "deploy/nginx.conf is tested with it" nginx-light ||
    die "For the tests of deploy/ install nginx (nginx-light in Debian), then run this again."
