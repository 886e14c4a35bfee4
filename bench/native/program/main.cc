// echo-program CERTIFICATE KEY ANCHORS IDENTITY SECRET: the echo server as a program of its own, on the system's OpenSSL,
// which keeps the sessions. CERTIFICATE, KEY and ANCHORS are files of PEM; SECRET is the pre-shared key. Prints `port N`.
#include <cstdio>
#include <string>
#include <utility>

#include "../../../packages/dtls/native/test/read-file.h"
#include "../echo-server.h"

int main(int count, char** arguments) {
  using namespace breakwater;
  if (count != 6) return std::fprintf(stderr, "echo-program CERTIFICATE KEY ANCHORS IDENTITY SECRET\n"), 2;
  EngineOptions options;
  options.recordOffload = false;
  options.security.server = true;
  options.security.certificate = {readFile(arguments[1]), readFile(arguments[2]), readFile(arguments[3]), "", true};
  const std::string secret = arguments[5];
  options.security.preSharedKeys[arguments[4]] = {secret.begin(), secret.end()};
  // The load comes from one machine, and from fewer sources than it would.
  options.hellos = {100'000, 1'000'000};
  UdpSocketOptions socket;
  socket.local.family = 4;
  socket.local.bytes = {127, 0, 0, 1};
  CredentialProblem problem;
  auto* server = new EchoServer;
  if (!server->open(std::move(options), socket, problem))
    return std::fprintf(stderr, "cannot open: %s\n", problem.message.c_str()), 1;
  std::printf("port %u\n", server->port());
  std::fflush(stdout);
  server->serve();
}
