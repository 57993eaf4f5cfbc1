#!/bin/sh
# Makes sure of the programs that the tests start: a Redis server and Chromium.
# Installs them as root on Debian and its kin; elsewhere says what is missing.
set -eu

have() {
    for program; do
        if command -v "$program" >/dev/null; then return 0; fi
    done
    return 1
}

missing=
have redis-server valkey-server || missing="$missing redis-server"
have chromium chromium-browser google-chrome || missing="$missing chromium"
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ] && have apt-get; then
    echo "Installing$missing"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    # shellcheck disable=SC2086 # a list
    apt-get install -qq -y --no-install-recommends $missing >/dev/null
else
    echo >&2 "The tests need$missing, which this machine has not."
    echo >&2 "Debian, Ubuntu: sudo apt install$missing    macOS: brew install redis && brew install --cask chromium"
    exit 1
fi
