#!/usr/bin/env bash
# A small server that speaks S3 and checks signatures, for tests: s3s-fs from crates.io, into the cache.
exec "$(dirname "$0")/install-cargo-tool.sh" s3s-fs 0.14.1 "some minutes" --features binary
