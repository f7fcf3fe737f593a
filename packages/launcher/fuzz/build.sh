#!/bin/sh
# build.sh setup|command|frames|handover FILE: a fuzz target, by clang with libFuzzer
# build.sh replay FILE: the replay program, by any compiler
# All of them stop at the first finding of ASan or UBSan.
set -eu
cd "$(dirname "$0")"
sanitizers=address,undefined
compiler=${CC:-cc}
sources="replay.c print.c"
if [ "$1" != replay ]; then
    sanitizers=$sanitizers,fuzzer
    compiler=clang
    sources=$1.c
fi
# shellcheck disable=SC2086
exec "$compiler" -std=gnu11 -O1 -g -Wall -Wextra -Werror \
    -fsanitize=$sanitizers -fno-sanitize-recover=all -fno-omit-frame-pointer -I ../src -o "$2" \
    $sources check.c encode.c ../src/cursor.c ../src/plan.c ../src/extents.c ../src/groups.c ../src/command.c \
    ../src/order.c ../src/frame.c ../src/handover.c
