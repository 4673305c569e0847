#!/usr/bin/env bash
# Builds the fuzz targets, optimised, under libFuzzer and the address sanitizer, and prints the folder they lie in.
set -euo pipefail
cd "$(dirname "$0")"
# -sanitize=fuzzer alone does not have Swift count the branches of modules built as a whole.
coverage=edge,indirect-calls,trace-cmp,inline-8bit-counters,pc-table
build=(swift build --package-path . --scratch-path ../../.build-fuzz -c release
  --sanitize=address --sanitize=fuzzer -Xswiftc "-sanitize-coverage=$coverage")
"${build[@]}" >&2
"${build[@]}" --show-bin-path
