#!/usr/bin/env bash
# The sockets, driven by a third-party client (Python's websockets) against a node of its own.
# PICKMATE_BIN names the server to test; without it the release build.
source "$(dirname "$0")/env.sh"

server=${PICKMATE_BIN:-$SERVER}
[ -x "$server" ] || die "There is no server to test at $server: run make build first."

python=$CACHE/python
wanted=tests/python/requirements.txt
if ! cmp -s "$wanted" "$python/requirements.txt"; then
    have python3 && python3 -c 'import ensurepip, venv' 2>/dev/null || {
        can_apt && apt_install "the socket tests are in Python" python3 python3-venv ||
            die "For the socket tests install python3 and python3-venv (Debian's names), then run this again."
    }
    say "Installing the Python client into $python"
    rm -rf "$python"
    python3 -m venv "$python"
    "$python/bin/pip" install --quiet --disable-pip-version-check -r "$wanted" ||
        die "pip could not install $(cat "$wanted"); look at the lines above."
    cp "$wanted" "$python/requirements.txt"
fi

data=$(mktemp -d)
node=
stop() {
    if [ -n "$node" ]; then
        kill "$node" 2>/dev/null || true
        wait "$node" 2>/dev/null || true
    fi
    rm -rf "$data"
}
trap stop EXIT

admin() { "$server" admin "$@" --data "$data/store"; }
echo 'correct horse battery' | admin user create mina --password-stdin --owner >/dev/null
admin room create general >/dev/null
admin room add general mina >/dev/null
token=$(admin token create mina)

port=$("$python/bin/python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
# Sockets need no pages: an empty site will do, so that the server can be tested before it is built.
mkdir -p "$data/site/pkg"
touch "$data/site/pkg/pickmate.js"
LEPTOS_SITE_ROOT=$data/site "$server" serve --listen "127.0.0.1:$port" --data "$data/store" >"$data/log" 2>&1 &
node=$!
ready() { "$python/bin/python" -c "import urllib.request as r; r.urlopen('http://127.0.0.1:$port/healthz')" 2>/dev/null; }
for _ in $(seq 100); do
    ready && break
    kill -0 "$node" 2>/dev/null || { cat "$data/log" >&2; die "The server at $server did not start; see above."; }
    sleep 0.1
done
ready || die "The server at $server does not answer on port $port."

if ! PICKMATE_WS=ws://127.0.0.1:$port PICKMATE_TOKEN=$token "$python/bin/python" -m unittest discover -s tests/python -p '*_test.py'; then
    tail -n 20 "$data/log" >&2
    exit 1
fi
