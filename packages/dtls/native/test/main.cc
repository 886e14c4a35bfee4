// native-test SECONDS RECORDS SEED CERTIFICATE KEY: the engine against a hostile wire for so long, and so many records of
// each suite through our record layer and OpenSSL's. Prints one JSON object each; another status than 0 on any fault.
#include <cstdio>
#include <cstdlib>
#include <string>

#include "differential.h"
#include "read-file.h"
#include "stress.h"

int main(int count, char** arguments) {
  using namespace breakwater;
  if (count != 6) return std::fprintf(stderr, "native-test SECONDS RECORDS SEED CERTIFICATE KEY\n"), 2;
  CertificateSource certificate;
  certificate.present = true;
  certificate.certificate = readFile(arguments[4]);
  certificate.privateKey = readFile(arguments[5]);
  // Self-signed: both sides show it, and both trust it.
  certificate.trustAnchors = certificate.certificate;
  const uint64_t seed = std::strtoull(arguments[3], nullptr, 10);
  const int differs = stress::compareRecordLayers(std::strtoull(arguments[2], nullptr, 10), seed, certificate);
  return differs != 0 ? differs : stress::stressEngines(std::atof(arguments[1]), seed, certificate);
}
