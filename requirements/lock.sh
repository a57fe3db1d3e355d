#!/bin/sh
# Makes the locks from ../requirements.txt: every package with the hashes of all its wheels.
set -eu
cd "$(dirname "$0")/.."
# uv marks each line with the environments of pyproject.toml; on any other machine pip would then install
# nothing and say nothing. Without that mark it says which wheel is missing. PyPy is not meant either.
everywhere="((platform_machine == 'arm64' and sys_platform == 'darwin') or (platform_machine == 'aarch64' and sys_platform == 'linux') or (platform_machine == 'x86_64' and sys_platform == 'linux'))"
for name in serve test; do
    "${UV:-.venv/bin/uv}" pip compile --quiet --universal --python-version 3.11 --generate-hashes --only-binary :all: \
        --no-header --no-annotate --output-file "requirements/$name.draft" "requirements/$name.in"
    {
        echo "# Made by \`make lock\` from requirements.txt; install with --no-deps --require-hashes."
        sed -e "s/ ; python_full_version < '3\.15' and $everywhere / /" \
            -e 's/ ; .*[Pp]y[Pp]y.* \\$/ \\/' "requirements/$name.draft"
    } > "requirements/$name.lock"
    rm "requirements/$name.draft"
done
