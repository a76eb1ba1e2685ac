#!/usr/bin/env bash
# Rebuilds and reloads the browser whenever a source file is saved.
source "$(dirname "$0")/env.sh"

scripts/install-build-tools.sh
LEPTOS_SITE_ROOT=$SITE exec cargo leptos watch -- serve
