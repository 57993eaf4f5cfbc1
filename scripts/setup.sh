#!/bin/sh
# Makes .venv and installs the pinned requirements, where that has not been done yet.
#   scripts/setup.sh        what Likeness runs on
#   scripts/setup.sh dev    also what its tests need
set -eu
cd "$(dirname "$0")/.."
venv=.venv
wanted=requirements${1:+-$1}.txt

fits() { # Python 3.11 to 3.14: those that the pinned wheels exist for
    "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' 2>/dev/null
}

find_python() {
    for python in ${PYTHON:-} python3 python3.13 python3.12 python3.11 python3.14; do
        if fits "$python"; then
            echo "$python"
            return
        fi
    done
    echo >&2 "Likeness needs Python 3.11, 3.12, 3.13 or 3.14 and found none on the PATH."
    echo >&2 "Install one (Debian, Ubuntu: sudo apt install python3 python3-venv; macOS: brew install python@3.13),"
    echo >&2 "or name yours: make PYTHON=/path/to/python3.12 run"
    exit 1
}

if ! fits "$venv/bin/python"; then
    python=$(find_python)
    echo "Making $venv with $("$python" -V)"
    rm -rf "$venv"
    if ! "$python" -m venv "$venv"; then
        rm -rf "$venv"
        echo >&2 "This Python cannot make a virtual environment. Debian, Ubuntu: sudo apt install python3-venv"
        exit 1
    fi
fi

# A copy of what was installed last is kept; the dev requirements include the others.
installed=$venv/installed-$wanted
list() { cat requirements.txt; [ "$wanted" = requirements.txt ] || cat "$wanted"; }
if ! list | cmp -s - "$installed"; then
    echo "Installing $wanted (the first time this takes minutes: torch is large)"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --requirement "$wanted"
    list >"$installed"
    [ "$wanted" = requirements.txt ] || cp requirements.txt "$venv/installed-requirements.txt"
fi
