#!/usr/bin/env bash
# Coverage-guided fuzzing with the stable compiler. usage: fuzz.sh [TARGET…]   (all without arguments)
# SECONDS_EACH tells how long for each. Inputs that find something are kept in tests/fuzz/found/TARGET.
source "$(dirname "$0")/env.sh"

each=${SECONDS_EACH:-600}
host=$(rustc -vV | sed -n 's/^host: //p')
have c++ || die "The fuzzer needs a C++ compiler: install g++ or clang."

# The instrumentation that libFuzzer reads. Only for the target, so that build scripts stay as they are.
flags="--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4"
flags+=" -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table"
flags+=" -Cllvm-args=-sanitizer-coverage-trace-compares"
cd tests/fuzz
CARGO_ENCODED_RUSTFLAGS=${flags// /$'\x1f'} cargo build --release --locked --target "$host" --target-dir "$TARGET/fuzz"

targets=("$@")
[ ${#targets[@]} -gt 0 ] || targets=(frames markdown config)
for target in "${targets[@]}"; do
    say "fuzz $target for $each s"
    # What the fuzzer makes of the kept inputs goes into the first folder, beside the build.
    grown=$TARGET/fuzz/corpus/$target
    mkdir -p "$grown" "found/$target"
    "$TARGET/fuzz/$host/release/$target" "$grown" "corpus/$target" "found/$target" \
        -max_total_time="$each" -max_len=4096 -timeout=5 -artifact_prefix="found/$target/" -print_final_stats=1 ||
        die "tests/fuzz/found/$target has the input; mend it and leave the input there as a regression test."
done
