#!/bin/sh
# build.sh setup|command|frames|fds|plan FILE: a fuzz target, by clang with libFuzzer
# build.sh replay FILE: the replay program, by any compiler
# All of them stop at the first finding of ASan or UBSan.
set -eu
cd "$(dirname "$0")"
sanitizers=address,undefined
compiler=${CC:-cc}
sources=replay.c
if [ "$1" != replay ]; then
    sanitizers=$sanitizers,fuzzer
    compiler=clang
    sources=$1.c
fi
# shellcheck disable=SC2086
exec "$compiler" -std=gnu11 -D_GNU_SOURCE -O1 -g -Wall -Wextra -Werror \
    -fsanitize=$sanitizers -fno-sanitize-recover=all -fno-omit-frame-pointer -I ../src -o "$2" \
    $sources check.c check_plan.c ../src/protocol.c ../src/setup.c ../src/command.c ../src/fds.c ../src/plan_file.c
