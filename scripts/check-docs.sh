#!/usr/bin/env bash
# What README and docs/ name must exist, and they must not know the machine they were written on.
source "$(dirname "$0")/env.sh"

broken=0
pages=()
for page in README.md CONTRIBUTING.md docs/*.md; do
    [ -f "$page" ] && pages+=("$page")
done
[ -f README.md ] || { printf 'README.md is missing\n' >&2; broken=1; }

# Paths in backticks and targets of links that look like files of this repository.
for page in "${pages[@]}"; do
    while read -r path; do
        [ -e "$path" ] || [ -e "$(dirname "$page")/$path" ] || {
            printf '%s names %s, which does not exist\n' "$page" "$path" >&2
            broken=1
        }
    done < <(grep -oE '`(src|scripts|docs|end2end|tests|style|public|deploy)/[A-Za-z0-9_./-]*`|\]\([^)#:]+\)' "$page" |
        sed -E 's/^`|`$//g; s/^\]\(|\)$//g' | sort -u)
done

if grep -nE '(^|[^A-Za-z0-9.])/(home|root|work|Users|tmp/bash)/' "${pages[@]}"; then
    printf 'the lines above name a path of one machine\n' >&2
    broken=1
fi

# The table is what the calculation says.
scripts/scaling.py --check docs/scaling.md || broken=1

exit $broken
