#!/usr/bin/env bash
# A Valkey for the tests of the channel layer, beside the Redis. Does nothing when there is one. Debian 12 has it among its
# backports only: from there it is taken out of its packages, into a folder, so that the machine's own packages stay.
source "$(dirname "$0")/env.sh"

have valkey-server && exit 0
have apt-get && have dpkg-deb || die "For the tests on Valkey install valkey-server, then run this again."

codename=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
suite=$codename
[ "$codename" != bookworm ] || suite=bookworm-backports
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir -p "$folder/lists/partial" "$folder/cache/archives/partial"
echo "deb [signed-by=$keyring] http://deb.debian.org/debian $suite main" >"$folder/sources.list"
own_lists=(-o "Dir::Etc::SourceList=$folder/sources.list" -o Dir::Etc::SourceParts=- -o "Dir::State::Lists=$folder/lists"
    -o "Dir::Cache=$folder/cache" -o APT::Sandbox::User=)

say "Taking valkey-server out of Debian's packages ($suite)"
(cd "$folder" && { apt-get "${own_lists[@]}" update && apt-get "${own_lists[@]}" download valkey-server valkey-tools; } >log 2>&1 &&
    for package in *.deb; do dpkg-deb -x "$package" root; done) && "$folder/root/usr/bin/valkey-server" --version >/dev/null || {
    tail -n 5 "$folder/log" >&2
    die "For the tests on Valkey install valkey-server, then run this again."
}
mkdir -p "$TOOLS/bin"
cp -L "$folder/root/usr/bin/valkey-server" "$TOOLS/bin/valkey-server"
