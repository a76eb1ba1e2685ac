#!/usr/bin/env bash
# The rules of CONTRIBUTING.md that a compiler does not check.
source "$(dirname "$0")/env.sh"
# So that a rule at the end of a pipe can break the whole.
shopt -s lastpipe

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
grep -rnE '\bredis::' src --include='*.rs' | grep -vE '^src/server/(channel_layer/redis/|presence/redis\.rs)|(channel_layer|presence)::redis::' |
    forbid "Redis' crate stays in src/server/channel_layer/redis and src/server/presence/redis.rs" || true
grep -rnE 'extract::ws\b' src --include='*.rs' | grep -vE '^src/server/django/' |
    forbid "axum's socket stays in src/server/django" || true
grep -rnE '\bnet::tcp\b|\btungstenite::' src --include='*.rs' | grep -vE '^src/server/(ws/|django/|encode\.rs)' |
    forbid "sockets of peers stay in src/server/ws; the hub knows its own trait Wire" || true
grep -rnE '\bstd::(fs|io|env|net|process|thread)\b|\b(SystemTime|Instant)\b|\b(tokio|rand|leptos|web_sys|js_sys)::' src/domain src/markdown --include='*.rs' |
    forbid "src/domain and src/markdown ask neither the machine nor the clock" || true

# arrow PLACE MODULES — no file of PLACE may name one of MODULES; tests may.
arrow() {
    grep -rnE "\bcrate::($2)\b" "$1" --include='*.rs' | grep -vE '/tests\.rs:' |
        forbid "$1 must not depend on $2" || true
}
arrow src/domain 'protocol|markdown|i18n|api|client|ui|server'
arrow src/markdown 'protocol|i18n|api|client|ui|server'
arrow src/protocol 'api|client|ui|server'
arrow src/i18n 'api|client|ui|server'
arrow src/client 'ui|server'
arrow src/ui 'server'
arrow src/server/store 'server::(auth|channel_layer|django|forms|http|hub|service|state|ws)'
arrow src/server/channel_layer 'server::(auth|django|forms|http|hub|service|state|store|ws)'
arrow src/server/presence 'server::(auth|django|forms|http|hub|service|state|store|ws)'
arrow src/server/cache 'server::(auth|django|forms|http|hub|service|state|ws)'
arrow src/server/hub 'server::(auth|django|forms|http|service|state|ws)'
arrow src/server/queue 'server::(auth|channel_layer|django|forms|http|hub|service|state|tasks|ws)'
arrow src/server/tasks 'server::(django|forms|http|pages|router|ws)'
arrow src/server/service 'server::(django|forms|http|hub|pages|router|tasks|ws)'
# Server functions run on both sides: what only the server has is named inside their bodies.
grep -rnE '^use crate::(server|client|ui)\b' src/api --include='*.rs' |
    forbid "src/api names the server inside functions only" || true
grep -rnE 'todo!\(|unimplemented!\(|\bdbg!\(' $sources --include='*.rs' |
    forbid "nothing is left to be written" || true
grep -rnE '#\[ignore|#\[should_panic' $sources --include='*.rs' |
    forbid "no test is skipped" || true
grep -rnE '\b(test|describe)\.(only|skip|fixme)\b|waitForTimeout' end2end --include='*.ts' --exclude-dir=node_modules |
    forbid "no browser test is skipped or sleeps" || true

exit $broken
