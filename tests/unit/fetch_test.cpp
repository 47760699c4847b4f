// Downloads from a server on 127.0.0.1 that the test runs itself.
#include "data/fetch.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <thread>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "catch2/catch_test_macros.hpp"
#include "catch2/generators/catch_generators.hpp"
#include "catch2/matchers/catch_matchers_string.hpp"
#include "support/files.h"

namespace pdarts::data {
namespace {

using Catch::Matchers::ContainsSubstring;

std::string Md5(std::string_view bytes) {
  const auto digest = base::NewMd5();
  digest->Update(bytes);
  return digest->Hex();
}

// Answers GET /data.bin with the content, anything else with 404.
class Server {
 public:
  explicit Server(std::string content) : content_(std::move(content)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(::listen(listener_, 4) == 0);
    socklen_t size = sizeof address;
    REQUIRE(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { Serve(); });
  }
  ~Server() {
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }

  std::string url() const { return fmt::format("http://127.0.0.1:{}/", port_); }
  int requests() const { return requests_; }

 private:
  void Serve() {
    for (;;) {
      const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (client < 0) return;
      ++requests_;
      std::string request;
      char buffer[1024];
      while (request.find("\r\n\r\n") == std::string::npos) {
        const ssize_t got = ::recv(client, buffer, sizeof buffer, 0);
        if (got <= 0) break;
        request.append(buffer, static_cast<size_t>(got));
      }
      const bool known = request.starts_with("GET /data.bin ");
      Send(client, fmt::format("HTTP/1.1 {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{}",
                               known ? "200 OK" : "404 Not Found", known ? content_.size() : 0, known ? content_ : ""));
      ::close(client);
    }
  }
  static void Send(int client, std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(client, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;
      bytes.remove_prefix(static_cast<size_t>(sent));
    }
  }

  std::string content_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<int> requests_ = 0;
  std::thread thread_;
};

bool OnPath(const std::string& program) {
  for (const char* folder : {"/usr/bin/", "/bin/", "/usr/local/bin/"}) {
    if (::access((folder + program).c_str(), X_OK) == 0) return true;
  }
  return false;
}

std::string Failure(const std::string& url, const std::string& file, const std::string& md5,
                    const FetchOptions& options) {
  try {
    FetchFile(url, file, md5, options);
  } catch (const base::Error& error) {
    CHECK(error.code() == base::ExitCode::kData);
    return error.what();
  }
  FAIL("no error");
  return "";
}

TEST_CASE("a file is downloaded, verified and kept", "[data]") {
  const std::string program = GENERATE("curl", "wget");
  if (!OnPath(program)) SKIP(program + " is not installed");
  const std::string content(300'000, 'p');
  const Server server(content);
  const test::TempFolder folder;
  const FetchOptions options{.folder = folder / "new/folder", .downloaders = {"no-such-program", program}};
  const auto path = FetchFile(server.url(), "data.bin", Md5(content), options);
  CHECK(base::ReadFile(path) == content);
  CHECK(FetchFile(server.url(), "data.bin", Md5(content), options) == path);
  CHECK(server.requests() == 1);
  CHECK(std::distance(std::filesystem::directory_iterator(folder / "new/folder"), {}) == 1);
}

TEST_CASE("a wrong download leaves nothing behind, and nothing is overwritten", "[data]") {
  const std::string program = GENERATE("curl", "wget");
  if (!OnPath(program)) SKIP(program + " is not installed");
  const Server server("content");
  const test::TempFolder folder;
  const FetchOptions options{.folder = folder.path(), .downloaders = {program}};
  CHECK_THAT(Failure(server.url(), "data.bin", Md5("other"), options), ContainsSubstring("expected " + Md5("other")));
  CHECK_THAT(Failure(server.url(), "absent.bin", Md5("content"), options),
             ContainsSubstring("the download failed: " + program));
  CHECK(std::filesystem::is_empty(folder.path()));
  base::WriteFileAtomically(folder / "data.bin", "mine");
  CHECK_THAT(Failure(server.url(), "data.bin", Md5("content"), options), ContainsSubstring("it is there already"));
  CHECK(base::ReadFile(folder / "data.bin") == "mine");
}

TEST_CASE("an absent downloader and an unknown dataset are told", "[data]") {
  const test::TempFolder folder;
  const FetchOptions options{.folder = folder.path(), .downloaders = {"no-such-program"}};
  CHECK_THAT(Failure("http://127.0.0.1:1/", "data.bin", Md5(""), options),
             ContainsSubstring("no no-such-program found"));
  CHECK_THROWS_AS(Fetch("imagenet", options), base::Error);
}

}  // namespace
}  // namespace pdarts::data
