#!/usr/bin/env bash
# A small server that speaks S3 and checks signatures, for tests: s3rver from the npm registry, into the cache.
source "$(dirname "$0")/env.sh"

version=3.7.1
folder=$CACHE/s3rver-$version
[ -x "$folder/node_modules/.bin/s3rver" ] && exit 0

have npm || die "npm is needed for s3rver, with which files in an S3-compatible store are tested"
say "Installing s3rver $version from the npm registry, some seconds"
mkdir -p "$folder"
log=$CACHE/install-s3.log
if ! npm install --prefix "$folder" --no-audit --no-fund --cache "$CACHE/npm" "s3rver@$version" >"$log" 2>&1; then
    tail -n 5 "$log" >&2
    die "npm could not install s3rver $version: is the npm registry reachable?"
fi
