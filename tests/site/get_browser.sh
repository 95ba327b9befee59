#!/usr/bin/env bash
# Make sure there is a Chromium to open the site in. $1: the bin folder of the virtual environment.
set -u
bin=$1

found() {
  [ -n "${BOOK_BROWSER:-}" ] && [ -x "$BOOK_BROWSER" ] && return 0
  for name in chromium chromium-browser google-chrome google-chrome-stable; do
    command -v "$name" >/dev/null && return 0
  done
  "$bin/python" -c 'import pathlib, sys
from playwright.sync_api import sync_playwright
with sync_playwright() as p: sys.exit(not pathlib.Path(p.chromium.executable_path).exists())' 2>/dev/null
}

found && exit 0
as_root=""
[ "$(id -u)" -eq 0 ] || as_root="sudo -n"
if command -v apt-get >/dev/null && apt-cache show chromium >/dev/null 2>&1 || [ "$(id -u)" -eq 0 ]; then
  echo "== no Chromium found: installing Debian's"
  $as_root apt-get update -qq && $as_root apt-get install -y -qq chromium >/dev/null && found && exit 0
fi
echo "== no Chromium found: asking playwright for one"
"$bin/playwright" install chromium && found && exit 0
echo "No Chromium. Install one (apt-get install chromium, brew install chromium) or name one in BOOK_BROWSER; \
the site's tests and make dist need it, the rest does not." >&2
exit 1
