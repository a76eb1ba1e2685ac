# Sourced by scripts that run a command beside a server of their own: a folder for it, a free port, and its end with
# the script's. Wants two functions: `begin PORT` becomes the server, with its words in $folder/log, and `is_ready PORT`.

folder=$(mktemp -d)
server=
stop() {
    [ -z "$server" ] || kill "$server" 2>/dev/null || true
    [ -z "$server" ] || wait "$server" 2>/dev/null || true
    rm -rf "$folder"
}
trap stop EXIT

listens() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# serve_beside NAME — begins the server; its port is in $port.
serve_beside() {
    # Somebody else may take the port that was free a moment ago: then the server ends, and another is tried.
    for _ in $(seq 20); do
        port=$((20000 + RANDOM % 10000))
        listens "$port" && continue
        begin "$port" &
        server=$!
        while kill -0 "$server" 2>/dev/null && ! is_ready "$port"; do sleep 0.05; done
        kill -0 "$server" 2>/dev/null && return
        server=
    done
    cat "$folder/log" >&2
    die "$1 does not start; its words are above."
}
