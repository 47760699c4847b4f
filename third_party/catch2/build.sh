#!/usr/bin/env bash
# Builds static Catch2 v3 once into the cache and prints the folder to give to CMake as CMAKE_PREFIX_PATH.
# usage: build.sh [SOURCE_DIR]      (without it: the pinned Debian source)
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
version=3.7.1
tarball=catch2_3.7.1.orig.tar.gz
sha256=c991b247a1a0d7bb9c39aa35faf0fe9e19764213f28ffba3109388e62ee0269c
flags=(-DCMAKE_BUILD_TYPE=Release "-DCMAKE_CXX_FLAGS_RELEASE=-O1" -DCMAKE_CXX_STANDARD=20 -DBUILD_TESTING=OFF -DCATCH_INSTALL_DOCS=OFF)
source_dir=${1:-}
compiler=$("${CXX:-c++}" -dumpfullversion -dumpmachine | tr '\n' '-')
key=$(printf '%s\n' "$version" "$compiler" "$source_dir" "${flags[@]}" | sha256sum | cut -c1-12)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/pdarts
prefix=$cache/catch2-$version-$key
mkdir -p "$cache"

exec 9>"$cache/catch2.lock"
flock 9
if [ ! -f "$prefix/.complete" ]; then
  work=$cache/work-catch2-$key
  mkdir -p "$work"
  if [ -z "$source_dir" ]; then
    source_dir=$work/source
    [ -f "$source_dir/CMakeLists.txt" ] || "$here/../debian_source.sh" catch2 "$tarball" "$sha256" "$source_dir" >&2
  fi
  echo "building Catch2 $version into $prefix (about 1 minute on 2 cores, once)" >&2
  generator=()
  command -v ninja >/dev/null && generator=(-G Ninja)
  cmake -S "$source_dir" -B "$work/build" "${generator[@]}" "${flags[@]}" "-DCMAKE_INSTALL_PREFIX=$prefix" -DCMAKE_INSTALL_LIBDIR=lib >"$work/log" 2>&1 &&
    cmake --build "$work/build" --parallel "$(nproc)" >>"$work/log" 2>&1 && cmake --install "$work/build" >>"$work/log" 2>&1 ||
    { tail -30 "$work/log" >&2; echo "Catch2: build failed, see $work/log" >&2; exit 1; }
  touch "$prefix/.complete"
  rm -rf "$work"
fi
echo "$prefix"
