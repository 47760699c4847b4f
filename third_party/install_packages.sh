#!/usr/bin/env bash
# Installs what is missing of debian-packages.txt (as root or through sudo); says nothing where all is there.
# usage: install_packages.sh [PACKAGE...]      (those as well: what only one target of the Makefile needs)
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
packages=$(grep -v '^#' "$here/debian-packages.txt")$(printf '\n%s' "$@")
missing=
for package in $packages; do
  [ "$(dpkg-query -W -f='${Status}' "$package" 2>/dev/null)" = "install ok installed" ] || missing+=" $package"
done
[ -n "$missing" ] || exit 0
sudo=
if [ "$(id -u)" != 0 ]; then
  command -v sudo >/dev/null || { echo "missing packages:$missing (run as root, or install sudo)" >&2; exit 1; }
  sudo=sudo
fi
echo "installing:$missing" >&2
$sudo apt-get -qq update >&2
# shellcheck disable=SC2086 # a list of names
DEBIAN_FRONTEND=noninteractive $sudo apt-get -qq install --no-install-recommends -y $missing >&2
