#!/usr/bin/env bash
# Builds one dependency from source, once for each set of flags, into ${XDG_CACHE_HOME:-~/.cache}/pdarts and prints its folder, to be
# given to CMake in CMAKE_PREFIX_PATH.
# usage: build_cached.sh NAME [SOURCE_DIR]      (without it: the pinned Debian source; the recipe is third_party/NAME/recipe.sh)
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
name=$1 source_dir=${2:-}
# shellcheck source=/dev/null
source "$here/$name/recipe.sh"   # sets version, tarball, sha256, flags, about

compiler=$("${CXX:-c++}" -dumpfullversion -dumpmachine | tr '\n' '-')
key=$(printf '%s\n' "$version" "$compiler" "$source_dir" "${flags[@]}" | sha256sum | cut -c1-12)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/pdarts
prefix=$cache/$name-$version-$key
mkdir -p "$cache"

exec 9>"$cache/$name.lock"
flock 9
if [ ! -f "$prefix/.complete" ]; then
  work=$cache/work-$name-$key
  mkdir -p "$work"
  if [ -z "$source_dir" ]; then
    source_dir=$work/source
    [ -f "$source_dir/CMakeLists.txt" ] || "$here/debian_source.sh" "$name" "$tarball" "$sha256" "$source_dir" >&2
  fi
  echo "building $name $version into $prefix ($about on 2 cores, once)" >&2
  {
    cmake -S "$source_dir" -B "$work/build" -G Ninja "${flags[@]}" "-DCMAKE_INSTALL_PREFIX=$prefix" -DCMAKE_INSTALL_LIBDIR=lib &&
      cmake --build "$work/build" --parallel "$(nproc)" && cmake --install "$work/build"
  } >"$work/log" 2>&1 || { tail -30 "$work/log" >&2; echo "$name: the build failed, see $work/log" >&2; exit 1; }
  touch "$prefix/.complete"
  rm -rf "$work"
fi
echo "$prefix"
