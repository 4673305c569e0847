#!/usr/bin/env bash
# Exports runs with the built program and reads them with other people's loaders.
#   .ci/check_exports.sh PYTHON PROGRAM [RUN…]
# PYTHON is a virtual environment's interpreter, into which pycocotools and panopticapi go; torchvision is the
# distribution's, because the one of the package index brings gigabytes of drivers. Without RUN only drawn runs are
# checked.
set -euo pipefail
cd "$(dirname "$0")/.."
python=$1
program=$2
shift 2

as_root=()
if [ "$(id -u)" -ne 0 ]; then as_root=(sudo); fi
DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -y -qq --no-install-recommends \
  python3-torchvision >/dev/null
# panopticapi is not in the index under its own name; panopticapi-lite holds its evaluation unchanged.
"$python" -m pip install -q pycocotools==2.0.11
"$python" -m pip install -q --no-deps panopticapi-lite==0.2.0

"$python" Tests/Fixtures/regions/generate.py --check

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/runs"
TRIPTYCH_WRITE_RUNS="$work/runs" swift test -c release --skip-build --filter WriteRunTests

check() { # RUN OPTIONS…
  local run=$1 set
  shift
  set=$work/$(basename "$run")
  "$program" export voc,coco "$run" --output "$set" --licence CC0-1.0 "$@"
  cp -r "$set" "$set.first"
  "$program" export voc,coco "$run" --output "$set" --licence CC0-1.0 "$@" >/dev/null
  diff -r "$set.first" "$set"
  "$python" .ci/check_exports.py coco "$run" "$set"
  /usr/bin/python3 .ci/check_exports.py voc "$run" "$set"
  rm -r "$set" "$set.first"
}

for run in "$work"/runs/* "$@"; do
  check "$run"
  check "$run" --image-format png --splits 70,20,10 --instances parts
done
