#include "napi-values.h"

#include <time.h>

#include <cstring>

namespace breakwater {
namespace {

constexpr uint32_t kMostPeerKeys = 1'000'000;
constexpr uint32_t kMostSessions = 10'000;

bool isOfType(napi_env env, napi_value value, napi_valuetype type) {
  napi_valuetype actual;
  return value != nullptr && napi_typeof(env, value, &actual) == napi_ok && actual == type;
}

bool readCertificate(napi_env env, napi_value object, CertificateSource& out) {
  out.present = true;
  if (napi_value crl = property(env, object, "crl"))
    if (!readString(env, crl, out.crl)) return false;
  return readString(env, property(env, object, "certificate"), out.certificate) &&
         readString(env, property(env, object, "privateKey"), out.privateKey) &&
         readString(env, property(env, object, "trustAnchors"), out.trustAnchors);
}

bool readKey(napi_env env, napi_value value, std::vector<uint8_t>& key) {
  uint8_t* bytes = nullptr;
  size_t length = 0;
  if (!readBytes(env, value, bytes, length)) return false;
  key.assign(bytes, bytes + length);
  return true;
}

/** `[[identity, key], …]` */
bool readKeys(napi_env env, napi_value list, SecurityOptions& out) {
  uint32_t count = 0;
  if (napi_get_array_length(env, list, &count) != napi_ok) return false;
  for (uint32_t i = 0; i < count; i++) {
    napi_value pair, identityValue, keyValue;
    std::string identity;
    std::vector<uint8_t> key;
    if (napi_get_element(env, list, i, &pair) != napi_ok || napi_get_element(env, pair, 0, &identityValue) != napi_ok ||
        napi_get_element(env, pair, 1, &keyValue) != napi_ok)
      return false;
    if (!readString(env, identityValue, identity) || !readKey(env, keyValue, key)) return false;
    out.preSharedKeys.emplace(std::move(identity), std::move(key));
  }
  return true;
}

/** Calls `read` with each element of an array; false when it is none, longer than `most`, or `read` says so. */
template <typename Read>
bool readList(napi_env env, napi_value list, uint32_t most, Read read) {
  bool isArray = false;
  uint32_t count = 0;
  if (list == nullptr || napi_is_array(env, list, &isArray) != napi_ok || !isArray) return false;
  if (napi_get_array_length(env, list, &count) != napi_ok || count > most) return false;
  for (uint32_t i = 0; i < count; i++) {
    napi_value element;
    if (napi_get_element(env, list, i, &element) != napi_ok || !read(element)) return false;
  }
  return true;
}

bool readRawKey(napi_env env, napi_value object, RawKeySource& out) {
  out.present = true;
  return readString(env, property(env, object, "privateKey"), out.privateKey) &&
         readList(env, property(env, object, "peerKeys"), kMostPeerKeys, [env, &out](napi_value element) {
           out.peerKeys.emplace_back();
           return readString(env, element, out.peerKeys.back());
         });
}

bool readKeptSession(napi_env env, napi_value object, KeptSession& out) {
  return readAddress(env, property(env, object, "remote"), out.server) &&
         readString(env, property(env, object, "serverName"), out.name) &&
         readKey(env, property(env, object, "state"), out.state);
}

/** What an endpoint may be given at its opening of an earlier one. */
bool readResumption(napi_env env, napi_value object, EngineOptions& out) {
  if (napi_value keys = property(env, object, "ticketKeys"))
    if (!readTicketKeys(env, keys, out.ticketKeys)) return false;
  napi_value sessions = property(env, object, "sessions");
  return sessions == nullptr || readSessions(env, sessions, out.sessions);
}

}  // namespace

napi_value property(napi_env env, napi_value object, const char* name) {
  napi_value value;
  if (napi_get_named_property(env, object, name, &value) != napi_ok) return nullptr;
  return isOfType(env, value, napi_undefined) || isOfType(env, value, napi_null) ? nullptr : value;
}

bool readString(napi_env env, napi_value value, std::string& out) {
  size_t length = 0;
  if (!isOfType(env, value, napi_string)) return false;
  if (napi_get_value_string_utf8(env, value, nullptr, 0, &length) != napi_ok) return false;
  std::string text(length, '\0');
  if (napi_get_value_string_utf8(env, value, text.data(), length + 1, &length) != napi_ok) return false;
  out = std::move(text);
  return true;
}

bool readUint32(napi_env env, napi_value value, uint32_t& out) {
  double number = 0;
  if (!isOfType(env, value, napi_number) || napi_get_value_double(env, value, &number) != napi_ok) return false;
  if (!(number >= 0 && number <= 4294967295.0)) return false;
  out = static_cast<uint32_t>(number);
  return true;
}

bool readPeerId(napi_env env, napi_value value, PeerId& out) {
  double number = 0;
  if (!isOfType(env, value, napi_number) || napi_get_value_double(env, value, &number) != napi_ok) return false;
  if (!(number >= 1 && number <= 9007199254740991.0)) return false;
  out = static_cast<PeerId>(number);
  return true;
}

bool readBytes(napi_env env, napi_value value, uint8_t*& bytes, size_t& length) {
  bool isTypedArray = false;
  if (value == nullptr || napi_is_typedarray(env, value, &isTypedArray) != napi_ok || !isTypedArray) return false;
  napi_typedarray_type type;
  void* data = nullptr;
  size_t count = 0;
  if (napi_get_typedarray_info(env, value, &type, &count, &data, nullptr, nullptr) != napi_ok) return false;
  if (type != napi_uint8_array) return false;
  bytes = static_cast<uint8_t*>(data);
  length = count;
  return true;
}

bool readAddress(napi_env env, napi_value value, Address& out) {
  bool isArray = false;
  if (value == nullptr || napi_is_array(env, value, &isArray) != napi_ok || !isArray) return false;
  uint32_t numbers[6];
  for (uint32_t i = 0; i < 6; i++) {
    napi_value element;
    if (napi_get_element(env, value, i, &element) != napi_ok || !readUint32(env, element, numbers[i])) return false;
  }
  if ((numbers[0] != 4 && numbers[0] != 6) || numbers[5] > 65535) return false;
  out = {};
  out.family = static_cast<uint8_t>(numbers[0]);
  out.port = static_cast<uint16_t>(numbers[5]);
  for (uint32_t word = 0; word < (out.family == 4 ? 1u : 4u); word++)
    for (uint32_t byte = 0; byte < 4; byte++)
      out.bytes[word * 4 + byte] = static_cast<uint8_t>(numbers[1 + word] >> (24 - 8 * byte));
  return true;
}

bool readSecurityOptions(napi_env env, napi_value object, SecurityOptions& out) {
  napi_value server = property(env, object, "server");
  if (server == nullptr || napi_get_value_bool(env, server, &out.server) != napi_ok) return false;
  if (napi_value certificate = property(env, object, "certificate"))
    if (!readCertificate(env, certificate, out.certificate)) return false;
  if (napi_value rawKey = property(env, object, "rawPublicKey"))
    if (!readRawKey(env, rawKey, out.rawKey)) return false;
  if (napi_value constrained = property(env, object, "constrainedPeers"))
    if (napi_get_value_bool(env, constrained, &out.constrainedPeers) != napi_ok) return false;
  if (napi_value service = property(env, object, "serviceName"))
    if (!readString(env, service, out.serviceName)) return false;
  if (napi_value keys = property(env, object, "preSharedKeys"))
    if (!readKeys(env, keys, out)) return false;
  if (napi_value identity = property(env, object, "pskIdentity"))
    if (!readString(env, identity, out.pskIdentity) ||
        !readKey(env, property(env, object, "pskKey"), out.pskKey))
      return false;
  return true;
}

bool readSessions(napi_env env, napi_value list, std::vector<KeptSession>& out) {
  return readList(env, list, kMostSessions, [env, &out](napi_value element) {
    out.emplace_back();
    return readKeptSession(env, element, out.back());
  });
}

bool readTicketKeys(napi_env env, napi_value list, std::vector<std::vector<uint8_t>>& out) {
  return readList(env, list, TicketKeys::kMost, [env, &out](napi_value element) {
    out.emplace_back();
    return readKey(env, element, out.back());
  });
}

bool readEngineOptions(napi_env env, napi_value object, EngineOptions& out) {
  if (napi_value offload = property(env, object, "recordOffload"))
    if (napi_get_value_bool(env, offload, &out.recordOffload) != napi_ok) return false;
  return readSecurityOptions(env, object, out.security) && readResumption(env, object, out) &&
         readUint32(env, property(env, object, "mtuBytes"), out.mtuBytes) &&
         readUint32(env, property(env, object, "peersLimit"), out.peersLimit) &&
         readUint32(env, property(env, object, "handshakingLimit"), out.handshakingLimit) &&
         readUint32(env, property(env, object, "hellosPerSource"), out.hellos.perSource) &&
         readUint32(env, property(env, object, "unverifiedHellos"), out.hellos.unverified) &&
         readUint32(env, property(env, object, "firstTimeoutMs"), out.timing.firstTimeoutMs) &&
         readUint32(env, property(env, object, "giveUpMs"), out.timing.giveUpMs);
}

napi_value makeString(napi_env env, const std::string& text) {
  napi_value value;
  napi_create_string_utf8(env, text.data(), text.size(), &value);
  return value;
}

napi_value makeNumber(napi_env env, double number) {
  napi_value value;
  napi_create_double(env, number, &value);
  return value;
}

napi_value makeBytes(napi_env env, const uint8_t* bytes, size_t length) {
  void* data = nullptr;
  napi_value buffer, array;
  napi_create_arraybuffer(env, length, &data, &buffer);
  if (length > 0) std::memcpy(data, bytes, length);
  napi_create_typedarray(env, napi_uint8_array, length, buffer, 0, &array);
  return array;
}

napi_value makeAddress(napi_env env, const Address& address) {
  napi_value list;
  napi_create_array_with_length(env, 6, &list);
  napi_set_element(env, list, 0, makeNumber(env, address.family));
  for (uint32_t word = 0; word < 4; word++) {
    uint32_t number = 0;
    for (uint32_t byte = 0; byte < 4; byte++) number = number << 8 | address.bytes[word * 4 + byte];
    napi_set_element(env, list, 1 + word, makeNumber(env, number));
  }
  napi_set_element(env, list, 5, makeNumber(env, address.port));
  return list;
}

void setProperty(napi_env env, napi_value object, const char* name, napi_value value) {
  napi_set_named_property(env, object, name, value);
}

void defineFunctions(napi_env env, napi_value exports, std::initializer_list<NamedFunction> functions) {
  for (const auto& [name, function] : functions) {
    napi_value value;
    napi_create_function(env, name, NAPI_AUTO_LENGTH, function, nullptr, &value);
    setProperty(env, exports, name, value);
  }
}

napi_value makeSessions(napi_env env, const std::vector<KeptSession>& sessions) {
  napi_value list;
  napi_create_array_with_length(env, sessions.size(), &list);
  for (size_t i = 0; i < sessions.size(); i++) {
    napi_value object;
    napi_create_object(env, &object);
    setProperty(env, object, "remote", makeAddress(env, sessions[i].server));
    setProperty(env, object, "serverName", makeString(env, sessions[i].name));
    setProperty(env, object, "state", makeBytes(env, sessions[i].state.data(), sessions[i].state.size()));
    setProperty(env, object, "expiresAtMs", makeNumber(env, static_cast<double>(sessions[i].goodUntil) * 1000));
    napi_set_element(env, list, static_cast<uint32_t>(i), object);
  }
  return list;
}

napi_value makeStats(napi_env env, Counters& counters, const Engine& engine) {
  counters.peers = engine.peerCount();
  counters.handshaking = engine.handshakingCount();
  counters.deadlines = engine.deadlineCount();
  napi_value object;
  napi_create_object(env, &object);
#define BREAKWATER_COUNTER_PROPERTY(name) \
  setProperty(env, object, #name, makeNumber(env, static_cast<double>(counters.name)));
  BREAKWATER_COUNTERS(BREAKWATER_COUNTER_PROPERTY)
#undef BREAKWATER_COUNTER_PROPERTY
  return object;
}

napi_value makeProblem(napi_env env, const char* problem, const char* field, const std::string& message) {
  napi_value object;
  napi_create_object(env, &object);
  setProperty(env, object, "problem", makeString(env, problem));
  if (field != nullptr) setProperty(env, object, "field", makeString(env, field));
  setProperty(env, object, "message", makeString(env, message));
  return object;
}

uint64_t monotonicMs() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1000 + static_cast<uint64_t>(now.tv_nsec) / 1'000'000;
}

}  // namespace breakwater
