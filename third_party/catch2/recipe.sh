# shellcheck shell=bash disable=SC2034 # read by build_cached.sh. Why these flags: third_party/README.md.
version=3.7.1
tarball=catch2_3.7.1.orig.tar.gz
sha256=c991b247a1a0d7bb9c39aa35faf0fe9e19764213f28ffba3109388e62ee0269c
flags=(-DCMAKE_BUILD_TYPE=Release "-DCMAKE_CXX_FLAGS_RELEASE=-O1" -DCMAKE_CXX_STANDARD=20 -DBUILD_TESTING=OFF -DCATCH_INSTALL_DOCS=OFF)
about="about 1 minute"
