// Known answers: FIPS 180-4 and RFC 1321 test suites.
#include "base/hash.h"

#include <catch2/catch_test_macros.hpp>

namespace pdarts::base {
namespace {

std::string Md5Hex(std::string_view text) {
  const auto digest = NewMd5();
  digest->Update(text);
  return digest->Hex();
}

TEST_CASE("SHA-256 matches FIPS 180-4", "[base]") {
  CHECK(Sha256Hex("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(Sha256Hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(Sha256Hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") ==
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

TEST_CASE("MD5 matches RFC 1321", "[base]") {
  CHECK(Md5Hex("") == "d41d8cd98f00b204e9800998ecf8427e");
  CHECK(Md5Hex("message digest") == "f96b697d7cb7938d525a2f31aaf161d0");
  CHECK(Md5Hex("12345678901234567890123456789012345678901234567890123456789012345678901234567890") ==
        "57edf4a22be3c955ac49da2e2107b67a");
}

}  // namespace
}  // namespace pdarts::base
