#!/usr/bin/env bash
# The rules of CONTRIBUTING.md that a compiler does not check.
source "$(dirname "$0")/env.sh"

broken=0
sources=src
[ -d tests ] && sources='src tests'
# forbid WHAT FILES… — fails for each line that grep found (read from stdin).
forbid() {
    local found
    found=$(cat)
    [ -n "$found" ] || return 0
    printf '%s\n%s\n' "$1:" "$found" >&2
    broken=1
}

while read -r lines file; do
    if [ "$lines" -gt 600 ]; then
        printf '%s has %d lines; split it (at most 600)\n' "$file" "$lines" >&2
        broken=1
    elif [ "$lines" -gt 400 ]; then
        printf 'note: %s has %d lines; 400 should be enough\n' "$file" "$lines" >&2
    fi
done < <(find $sources -name '*.rs' -exec wc -l {} + | grep -v ' total$')

grep -rnE 'cfg!?\(.*feature' src --include='*.rs' | grep -v '^src/lib\.rs:' |
    forbid "features are told apart in src/lib.rs only" || true
grep -rn 'inner_html' src --include='*.rs' |
    forbid "no raw HTML: views are made from the Markdown tree" || true
grep -rnE '\bsqlx::|\bsqlx\b.*\{' src --include='*.rs' | grep -vE '^src/server/(store/|error\.rs)' |
    forbid "SQL and its crate stay in src/server/store" || true
grep -rnE 'todo!\(|unimplemented!\(|\bdbg!\(' $sources --include='*.rs' |
    forbid "nothing is left to be written" || true
grep -rnE '#\[ignore|#\[should_panic' $sources --include='*.rs' |
    forbid "no test is skipped" || true
grep -rnE '\b(test|describe)\.(only|skip|fixme)\b|waitForTimeout' end2end --include='*.ts' --exclude-dir=node_modules |
    forbid "no browser test is skipped or sleeps" || true

exit $broken
