#!/bin/sh
# Known vulnerabilities of everything the locks install. Status 0: none; 1: some; 2: it could not be told.
# AUDIT_SERVICE=osv asks osv.dev in the place of PyPI.
set -u
cd "$(dirname "$0")"
said="$(mktemp)"
trap 'rm -f "$said"' EXIT
"${PIP_AUDIT:-../.venv/bin/pip-audit}" --vulnerability-service "${AUDIT_SERVICE:-pypi}" --requirement test.lock \
    --require-hashes --disable-pip --strict --progress-spinner off --timeout 15 > "$said" 2>&1
status=$?
cat "$said"
if grep -qE '^Found [0-9]+ known vulnerabilit' "$said"; then
    exit 1
elif [ "$status" -eq 0 ] && grep -q '^No known vulnerabilities found' "$said" && ! grep -q 'could not be audited' "$said"
then
    exit 0
fi
echo "NOT AUDITED: the service did not know the packages or could not be asked" >&2
exit 2
