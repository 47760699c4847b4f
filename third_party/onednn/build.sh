#!/usr/bin/env bash
# Builds static oneDNN once per flag set into the cache and prints the folder to give to CMake as CMAKE_PREFIX_PATH.
# usage: build.sh [SOURCE_DIR]      (without it: the pinned Debian source)
# Why these flags: third_party/README.md.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
version=3.7.2
tarball=onednn_3.7.2+ds.orig.tar.xz
sha256=0cc51ca26c1af6a2bb1e71e378e7046f3ceb3e71791ee9d4e246d50f904a6ea6
flags=(
  -DCMAKE_BUILD_TYPE=Release "-DCMAKE_CXX_FLAGS_RELEASE=-O1 -DNDEBUG" "-DCMAKE_C_FLAGS_RELEASE=-O1 -DNDEBUG"
  -DONEDNN_LIBRARY_TYPE=STATIC -DONEDNN_CPU_RUNTIME=OMP -DONEDNN_GPU_RUNTIME=NONE
  -DONEDNN_BUILD_GRAPH=OFF -DONEDNN_BUILD_TESTS=OFF -DONEDNN_BUILD_EXAMPLES=OFF -DONEDNN_BUILD_DOC=OFF
  -DONEDNN_ENABLE_WORKLOAD=TRAINING "-DONEDNN_ENABLE_PRIMITIVE=CONVOLUTION;INNER_PRODUCT;MATMUL;REORDER"
  -DONEDNN_ENABLE_PRIMITIVE_CPU_ISA=AVX512 -DONEDNN_ENABLE_GEMM_KERNELS_ISA=NONE
  -DONEDNN_ENABLE_ITT_TASKS=OFF -DONEDNN_ENABLE_JIT_PROFILING=OFF
)
source_dir=${1:-}
compiler=$("${CXX:-c++}" -dumpfullversion -dumpmachine | tr '\n' '-')
key=$(printf '%s\n' "$version" "$compiler" "$source_dir" "${flags[@]}" | sha256sum | cut -c1-12)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/pdarts
prefix=$cache/onednn-$version-$key
mkdir -p "$cache"

exec 9>"$cache/onednn.lock"
flock 9
if [ ! -f "$prefix/.complete" ]; then
  work=$cache/work-onednn-$key
  mkdir -p "$work"
  if [ -z "$source_dir" ]; then
    source_dir=$work/source
    [ -f "$source_dir/CMakeLists.txt" ] || "$here/../debian_source.sh" onednn "$tarball" "$sha256" "$source_dir" >&2
  fi
  echo "building oneDNN $version into $prefix (about 11 minutes on 2 cores, once)" >&2
  generator=()
  command -v ninja >/dev/null && generator=(-G Ninja)
  cmake -S "$source_dir" -B "$work/build" "${generator[@]}" "${flags[@]}" "-DCMAKE_INSTALL_PREFIX=$prefix" -DCMAKE_INSTALL_LIBDIR=lib >"$work/log" 2>&1 ||
    { tail -20 "$work/log" >&2; echo "oneDNN: configure failed, see $work/log" >&2; exit 1; }
  cmake --build "$work/build" --parallel "$(nproc)" >>"$work/log" 2>&1 ||
    { tail -30 "$work/log" >&2; echo "oneDNN: build failed, see $work/log" >&2; exit 1; }
  cmake --install "$work/build" >>"$work/log" 2>&1
  touch "$prefix/.complete"
  rm -rf "$work"
fi
echo "$prefix"
