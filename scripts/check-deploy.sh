#!/usr/bin/env bash
# What can be said of deploy/ without the machines that it is for: the proxy's configuration, with its
# certificates, and the unit are understood, and what the image and the composition name is there. The
# test `deploy` of tests/it runs that configuration in front of two nodes.
source "$(dirname "$0")/env.sh"

scripts/install-nginx.sh
have openssl || { can_apt && apt_install "certificates to try deploy/nginx.conf with" openssl; } ||
    die "Install openssl, then run this again."
PATH=$PATH:/usr/sbin
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
broken=0
complain() {
    printf '%s\n' "$*" >&2
    broken=1
}

# Names of hosts that are nobody's here, and places that only the image has.
openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=chat.example.org -keyout "$folder/privkey.pem" \
    -out "$folder/fullchain.pem" 2>/dev/null
sed -e "s#/etc/nginx/certificates#$folder#; s#/run/nginx.pid#$folder/pid#; s#node-[12]:3000#127.0.0.1:3000#" \
    deploy/nginx.conf >"$folder/nginx.conf"
said=$(nginx -t -q -p "$folder" -e stderr -c "$folder/nginx.conf" 2>&1) || complain "deploy/nginx.conf: $said"

if have systemd-analyze; then
    sed 's#^ExecStart=[^ ]*#ExecStart=/bin/true#' deploy/pickmate.service >"$folder/pickmate.service"
    said=$(systemd-analyze verify "$folder/pickmate.service" 2>&1) && [ -z "$said" ] ||
        complain "deploy/pickmate.service: $said"
else
    say "systemd is not here: deploy/pickmate.service was not checked"
fi

# Whatever has to be filled in stands in the example, and nothing is filled in there that is secret.
while read -r name; do
    grep -q "^$name=" deploy/env.example || complain "deploy/compose.yml asks for $name, deploy/env.example does not have it"
done < <(grep -oE '\$\{[A-Z_]+' deploy/compose.yml | tr -d '${' | sort -u)
! grep -E '^[A-Z_]*PASSWORD=.' deploy/env.example || complain "deploy/env.example holds a password"

# Folders and files of this repository that the image is built from.
while read -r path; do
    [ -e "$path" ] || complain "deploy/Dockerfile copies $path, which does not exist"
done < <(grep -E '^COPY [^-]' deploy/Dockerfile | sed -E 's/^COPY //; s/ [^ ]+$//' | tr ' ' '\n' | sort -u)

# Where Docker's compose is, it reads the composition too; it needs no daemon for that.
if have docker && docker compose version >/dev/null 2>&1; then
    sed -E 's/PASSWORD=$/PASSWORD=0/' deploy/env.example >"$folder/env"
    said=$(docker compose --env-file "$folder/env" --file deploy/compose.yml config --quiet 2>&1) ||
        complain "deploy/compose.yml: $said"
else
    say "docker compose is not here: deploy/compose.yml was not read by it"
fi

exit $broken
