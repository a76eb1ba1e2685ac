#!/usr/bin/env bash
# The system's Chromium and fonts that can show Hangul, for the browser tests.
source "$(dirname "$0")/env.sh"

has_browser() { have chromium || have chromium-browser || have google-chrome; }
has_hangul() { have fc-list && [ -n "$(fc-list :lang=ko)" ]; }

missing=()
has_browser || missing+=(chromium)
has_hangul || missing+=(fontconfig fonts-noto-cjk)
[ ${#missing[@]} -gt 0 ] || exit 0

can_apt && apt_install "the browser tests need them" "${missing[@]}" ||
    die "For the browser tests install ${missing[*]} (Debian's names), then run this again."
