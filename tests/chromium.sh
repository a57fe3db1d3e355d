#!/bin/sh
# Prints the path of a Chromium for the browser tests: the setting CHROMIUM, or one on PATH; under root on Debian
# and Ubuntu it is installed when there is none.
set -eu
find_one() {
    for name in "${CHROMIUM:-}" chromium chromium-browser google-chrome-stable google-chrome \
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome" "/Applications/Chromium.app/Contents/MacOS/Chromium"; do
        if [ -n "$name" ] && command -v "$name"; then exit 0; fi
    done
}
find_one
if [ "$(id -u)" = 0 ] && command -v apt-get > /dev/null; then
    echo "Installing Chromium for the browser tests" >&2
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y chromium; } >&2 || true
    find_one
fi
echo "The browser tests need Chromium: sudo apt install chromium, or set CHROMIUM to the path of one." >&2
exit 1
