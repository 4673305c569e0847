#!/usr/bin/env bash
# Makes galleries with the built program and looks at them in headless Chromium.
#   .ci/check_gallery.sh PYTHON PROGRAM [RUN…]
# PYTHON is a virtual environment's interpreter with Pillow, into which selenium goes; Chromium and its driver are the
# distribution's, of one version. SCREENSHOTS names a folder to keep what was seen.
set -euo pipefail
cd "$(dirname "$0")/.."
python=$1
program=$2
shift 2

as_root=()
if [ "$(id -u)" -ne 0 ]; then as_root=(sudo); fi
DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -y -qq --no-install-recommends \
  chromium chromium-driver fonts-dejavu-core >/dev/null
"$python" -m pip install -q selenium==4.51.0

# 20,000 small files: in memory where there is such a place.
place=${TMPDIR:-/tmp}
if [ -w /dev/shm ]; then place=/dev/shm; fi
work=$(mktemp -d -p "$place")
trap 'rm -rf "$work"' EXIT
"$python" .ci/check_gallery.py "$program" "$work" "$@"
if [ -n "${SCREENSHOTS:-}" ]; then cp -r "$work/screenshots/." "$SCREENSHOTS"; fi
