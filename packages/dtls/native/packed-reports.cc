#include "packed-reports.h"

#include <net/if.h>

#include <string>

#include "napi-values.h"
#include "session-outcome.h"

namespace breakwater {
namespace {

/** Kind, peer, after, longest plaintext or MTU, resumed or local, identity, DNS-IDs, SRV-IDs, interface; two addresses of six. */
constexpr size_t kNumbers = 9 + 2 * 6;

constexpr double kCertificate = 0, kPsk = 1, kRawKey = 2;

/** The kernel opens a socket to answer this: asked once in a second, not once for every session. Empty: there is none. */
const std::string& interfaceName(uint32_t index) {
  struct Known {
    uint32_t index = 0;
    uint64_t untilMs = 0;
    std::string name;
  };
  static thread_local Known known;
  const uint64_t now = monotonicMs();
  if (known.index == index && now < known.untilMs) return known.name;
  char name[IF_NAMESIZE];
  known = {index, now + 1000, if_indextoname(index, name) == nullptr ? "" : name};
  return known.name;
}

class Packer {
 public:
  Packer(napi_env env, size_t reports) : env_(env) {
    void* data = nullptr;
    napi_value buffer, numbers;
    const size_t count = reports * kNumbers;
    napi_create_array(env, &list_);
    if (napi_create_arraybuffer(env, count * sizeof(double), &data, &buffer) != napi_ok) return;
    napi_create_typedarray(env, napi_float64_array, count, buffer, 0, &numbers);
    next_ = static_cast<double*>(data);
    add(numbers);
  }

  void pack(const SessionReport& report) {
    if (next_ == nullptr) return;
    double* numbers = next_;
    next_ += kNumbers;
    numbers[0] = static_cast<double>(report.kind);
    numbers[1] = static_cast<double>(report.peer);
    numbers[2] = report.after;
    if (report.kind == SessionReport::Kind::kClosed) text(nameOf(report.end));
    if (report.kind == SessionReport::Kind::kFailed) text(nameOf(report.failure));
    if (report.kind == SessionReport::Kind::kHint) {
      text(nameOf(report.error.kind));
      numbers[3] = report.error.mtu;
      numbers[4] = report.error.isLocal ? 1 : 0;
    }
    if (report.kind != SessionReport::Kind::kEstablished) return;
    numbers[3] = report.maximumPlaintext;
    numbers[4] = report.resumed ? 1 : 0;
    identity(report.identity, numbers + 5);
    const std::string* interface = report.path.interface == 0 ? nullptr : &interfaceName(report.path.interface);
    numbers[8] = interface != nullptr && !interface->empty() ? 1 : 0;
    if (numbers[8] == 1) text(*interface);
    address(report.path.local, numbers + 9);
    address(report.path.remote, numbers + 15);
  }

  napi_value list() const { return list_; }

 private:
  void identity(const Identity& who, double* numbers) {
    if (who.kind == Identity::Kind::kPsk || who.kind == Identity::Kind::kRawKey) {
      numbers[0] = who.kind == Identity::Kind::kPsk ? kPsk : kRawKey;
      text(who.kind == Identity::Kind::kPsk ? who.pskIdentity : who.spkiSha256);
      return;
    }
    numbers[0] = kCertificate;
    numbers[1] = static_cast<double>(who.dnsNames.size());
    numbers[2] = static_cast<double>(who.srvNames.size());
    for (const std::string& name : who.dnsNames) text(name);
    for (const std::string& name : who.srvNames) text(name);
    text(who.subject);
    text(who.spkiSha256);
  }

  static void address(const Address& address, double* numbers) {
    numbers[0] = address.family;
    for (size_t word = 0; word < 4; word++) {
      uint32_t number = 0;
      for (size_t byte = 0; byte < 4; byte++) number = number << 8 | address.bytes[word * 4 + byte];
      numbers[1 + word] = number;
    }
    numbers[5] = address.port;
  }

  void text(const std::string& text) { add(makeString(env_, text)); }
  void add(napi_value value) { napi_set_element(env_, list_, size_++, value); }

  napi_env env_;
  napi_value list_ = nullptr;
  double* next_ = nullptr;
  uint32_t size_ = 0;
};

}  // namespace

napi_value packReports(napi_env env, const std::vector<SessionReport>& reports) {
  Packer packer(env, reports.size());
  for (const SessionReport& report : reports) packer.pack(report);
  return packer.list();
}

}  // namespace breakwater
