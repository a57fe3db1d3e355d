#!/bin/sh
# Sees to it that there is an nginx for the tests of deploy/nginx; under root on Debian and Ubuntu it is installed when
# there is none, and not started.
set -eu
PATH=$PATH:/usr/sbin:/usr/local/sbin
if command -v nginx > /dev/null; then exit 0; fi
if [ "$(id -u)" = 0 ] && command -v apt-get > /dev/null; then
    echo "Installing nginx for the tests of deploy/nginx" >&2
    if [ ! -e /usr/sbin/policy-rc.d ]; then
        trap 'rm -f /usr/sbin/policy-rc.d' EXIT
        printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d && chmod +x /usr/sbin/policy-rc.d
    fi
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends nginx-light; } >&2 || true
    if command -v nginx > /dev/null; then exit 0; fi
fi
echo "The tests of deploy/nginx need nginx: sudo apt install nginx-light (or brew install nginx)." >&2
exit 1
