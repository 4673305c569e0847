#!/usr/bin/env bash
# run.sh TARGET [SECONDS]: fuzzes safetensors, zip or pickle, 30 minutes where no time is said. The corpus grows in
# .build-fuzz/corpus; what is found lies in .build-fuzz/found.
set -euo pipefail
cd "$(dirname "$0")"
target=$1
case $target in
  safetensors) program=FuzzSafetensors ;;
  zip) program=FuzzZip ;;
  pickle) program=FuzzPickle ;;
  *) echo "run.sh: no target $target; there are safetensors, zip and pickle" >&2 && exit 64 ;;
esac
folder=$(./build.sh)
work=$(cd ../../.build-fuzz && pwd)
mkdir -p "$work/corpus/$target" "$work/found"
# Leaks are the leak sanitizer's business, which needs ptrace and is not everywhere allowed. -timeout is of the clock on
# the wall, and a nice process may wait for seconds.
export ASAN_OPTIONS=detect_leaks=0
exec nice -n 19 "$folder/$program" "$work/corpus/$target" "Seeds/$target" "-dict=Dictionaries/$target.dict" \
  -max_len=8192 "-max_total_time=${2:-1800}" -rss_limit_mb=2048 -timeout=60 -detect_leaks=0 \
  "-artifact_prefix=$work/found/$target-" -print_final_stats=1
