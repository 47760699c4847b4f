#!/usr/bin/env bash
# Gets one upstream tarball of a Debian source package with apt's own source download, checks its SHA-256 and unpacks it.
# usage: debian_source.sh PACKAGE TARBALL SHA256 DIR
# The tarball's name pins the upstream version; a newer Debian revision of it is welcome, another content is refused.
# The suite that carries the package (trixie) is added to a private apt configuration with lists of its own; the archive's
# address is the one this machine's apt already uses, so nothing of the machine's configuration is changed or repeated here.
set -euo pipefail
package=$1 tarball=$2 sha256=$3 dir=$4
suite=trixie

fail() { echo "debian_source: $1" >&2; exit 1; }

uri=$(apt-get indextargets --format '$(RELEASE) $(SITE)' 2>/dev/null | awk '$1 !~ /security|updates|backports/ {print $2; exit}')
[ -n "$uri" ] || fail "this machine's apt configuration names no Debian archive; pass a source tree instead (-DONEDNN_SOURCE=DIR, -DCATCH2_SOURCE=DIR)"

apt_dir=$(mktemp -d)
trap 'rm -rf "$apt_dir"' EXIT
mkdir -p "$apt_dir/lists/partial" "$apt_dir/cache/archives/partial" "$apt_dir/download"
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
printf 'deb-src [signed-by=%s] %s %s main\n' "$keyring" "$uri" "$suite" >"$apt_dir/sources.list"
apt_options=(-o "Dir::Etc::sourcelist=$apt_dir/sources.list" -o Dir::Etc::sourceparts=- -o "Dir::State::lists=$apt_dir/lists"
  -o "Dir::Cache=$apt_dir/cache" -o APT::Sandbox::User=root -o Acquire::Retries=3)
apt-get "${apt_options[@]}" -qq update || fail "cannot read the source list of suite $suite"
(cd "$apt_dir/download" && apt-get "${apt_options[@]}" -qq --download-only source "$package/$suite") ||
  fail "cannot get the source of $package from suite $suite"
echo "$sha256  $apt_dir/download/$tarball" | sha256sum --check --quiet ||
  fail "$tarball has another SHA-256 than the pinned one"
rm -rf "$dir.part" && mkdir -p "$dir.part"
tar -xf "$apt_dir/download/$tarball" -C "$dir.part" --strip-components=1
rm -rf "$dir" && mv "$dir.part" "$dir"
