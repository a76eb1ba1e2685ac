# Sourced by every script: where things are, and how to speak. Sets no state outside this shell.
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
CACHE=${PICKMATE_CACHE:-$HOME/.cache/pickmate}
TOOLS=$CACHE/tools
# Without CARGO_TARGET_DIR cargo builds into the clone, as its users expect.
TARGET=${CARGO_TARGET_DIR:-$ROOT/target}
SERVER=$TARGET/release/pickmate
SITE=$TARGET/site

# Debian keeps some servers where an ordinary user does not look.
export PATH="$ROOT/scripts/lean:$TOOLS/bin:$ROOT/end2end/node_modules/.bin:$PATH:/usr/sbin"
# A compiler other than the default one, when the machine needs it (wasm-target-debian.sh).
if [ -f "$TOOLS/wasm-sysroot/env.sh" ]; then
    # shellcheck source=/dev/null
    source "$TOOLS/wasm-sysroot/env.sh"
fi
cd "$ROOT"

say() { printf '\033[1m▸ %s\033[0m\n' "$*" >&2; }
die() {
    printf '\033[1;31m✗ %s\033[0m\n' "$*" >&2
    exit 1
}
have() { command -v "$1" >/dev/null 2>&1; }

# Where PostgreSQL's programs are; nothing where there are none. Debian keeps them out of PATH.
postgres_bin() {
    local newest
    newest=$(printf '%s\n' /usr/lib/postgresql/*/bin | sort -V | tail -n 1)
    if [ -x "$newest/initdb" ]; then
        printf '%s\n' "$newest"
    elif have initdb; then
        dirname "$(command -v initdb)"
    fi
}

# The version of a crate as Cargo.lock pins it.
locked_version() {
    awk -v name="$1" '$1 == "name" { found = ($3 == "\"" name "\"") } found && $1 == "version" { gsub(/"/, "", $3); print $3; exit }' "$ROOT/Cargo.lock"
}

# Whether apt-get can install packages here without asking.
can_apt() { [ "$(id -u)" = 0 ] && have apt-get; }

# apt_install WHY PACKAGE…
apt_install() {
    local why=$1 log=$CACHE/apt.log
    shift
    say "Installing $* with apt-get ($why), about a minute"
    mkdir -p "$CACHE"
    if ! { DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@" ||
        { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@"; }; } >"$log" 2>&1; then
        tail -n 5 "$log" >&2
        return 1
    fi
}

# The same, and starts nothing of what it installs, as Debian would: tests run their own. For scripts that have no trap of
# their own.
apt_install_idle() {
    local policy=/usr/sbin/policy-rc.d
    if [ ! -e "$policy" ]; then
        printf '#!/bin/sh\nexit 101\n' >"$policy"
        chmod +x "$policy"
        trap 'rm -f /usr/sbin/policy-rc.d' EXIT
    fi
    apt_install "$@"
}
