#!/usr/bin/env bash
# Exports runs with the built program and reads them with other people's loaders.
#   .ci/check_exports.sh ENVIRONMENT PROGRAM [RUN…]
# ENVIRONMENT is the folder of a virtual environment; it is made where it is not there, and made anew where
# .ci/loaders.txt changed. torch and torchvision are the distribution's, because those of the package index bring
# gigabytes of drivers. Without RUN only drawn runs are checked.
set -euo pipefail
cd "$(dirname "$0")/.."
environment=$1
program=$2
shift 2

as_root=()
if [ "$(id -u)" -ne 0 ]; then as_root=(sudo); fi
DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -y -qq --no-install-recommends \
  python3-torchvision python3-yaml python3-psutil python3-attr libgl1 libglib2.0-0 >/dev/null
if ! cmp -s .ci/loaders.txt "$environment/loaders.txt"; then
  rm -rf "$environment"
  # Debian's own interpreter, which sees Debian's torch.
  /usr/bin/python3 -m venv --system-site-packages "$environment"
  "$environment/bin/pip" install -q --no-deps -r .ci/loaders.txt
  cp .ci/loaders.txt "$environment"
fi
python=$environment/bin/python

"$python" Tests/Fixtures/regions/generate.py --check

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/runs"
TRIPTYCH_WRITE_RUNS="$work/runs" swift test -c release --skip-build --filter WriteRunTests

wide=coco,imagefolder,parquet,webdataset,yolo,labelme,croissant

check() { # RUN FORMATS OPTIONS…
  local run=$1 formats=$2 set
  shift 2
  set=$work/$(basename "$run")
  printf -- '-- %s %s (%s s)\n' "$run" "$*" "$SECONDS"
  "$program" export "$formats" "$run" --output "$set" --licence CC0-1.0 "$@"
  cp -r "$set" "$set.first"
  "$program" export "$formats" "$run" --output "$set" --licence CC0-1.0 "$@" >/dev/null 2>&1
  diff -r "$set.first" "$set"
  "$python" .ci/check_exports.py coco "$run" "$set"
  if [ -d "$set/VOCdevkit" ]; then
    "$python" .ci/check_exports.py voc "$run" "$set"
    "$program" import voc "$set" --output "$set.voc"
    "$program" verify "$set.voc"
  fi
  "$python" .ci/check_loaders.py "$run" "$set"
  "$program" import coco "$set" --output "$set.coco"
  "$program" verify "$set.coco"
  rm -rf "$set" "$set".*
}

for run in "$work"/runs/* "$@"; do
  formats=voc,mmseg,ade,$wide
  # Masks of more than 254 classes have 16 bits, which these three cannot hold.
  if [ "$(grep -vc '^#' "$run/classes.tsv")" -gt 254 ]; then formats=$wide; fi
  check "$run" "$formats"
  check "$run" "$formats" --image-format png --splits 70,20,10 --instances parts
done
