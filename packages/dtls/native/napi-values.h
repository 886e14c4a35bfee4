// Between JavaScript values and ours. Readers answer false on a value of the wrong type and leave `out` alone.
#pragma once

#include <node_api.h>

#include <initializer_list>
#include <string>
#include <vector>

#include "address.h"
#include "counters.h"
#include "engine.h"
#include "exchange.h"

namespace breakwater {

/** Absent, undefined and null all read as nullptr. */
napi_value property(napi_env env, napi_value object, const char* name);
bool readString(napi_env env, napi_value value, std::string& out);
bool readUint32(napi_env env, napi_value value, uint32_t& out);
bool readPeerId(napi_env env, napi_value value, PeerId& out);
/** A Uint8Array; the view is good until JavaScript runs again. */
bool readBytes(napi_env env, napi_value value, uint8_t*& bytes, size_t& length);
/** `[family, a, b, c, d, port]`, the words of core's IpAddress. */
bool readAddress(napi_env env, napi_value value, Address& out);
bool readSecurityOptions(napi_env env, napi_value object, SecurityOptions& out);
bool readSessions(napi_env env, napi_value list, std::vector<KeptSession>& out);
bool readTicketKeys(napi_env env, napi_value list, std::vector<std::vector<uint8_t>>& out);
bool readEngineOptions(napi_env env, napi_value object, EngineOptions& out);

napi_value makeString(napi_env env, const std::string& text);
napi_value makeNumber(napi_env env, double number);
/** A copy. */
napi_value makeBytes(napi_env env, const uint8_t* bytes, size_t length);
napi_value makeAddress(napi_env env, const Address& address);
void setProperty(napi_env env, napi_value object, const char* name, napi_value value);
struct NamedFunction {
  const char* name;
  napi_callback function;
};
void defineFunctions(napi_env env, napi_value exports, std::initializer_list<NamedFunction> functions);
/** What a client could resume, in the words of `ResumableSession`. */
napi_value makeSessions(napi_env env, const std::vector<KeptSession>& sessions);
/** Brings the numbers of `engine` into its counters first. */
napi_value makeStats(napi_env env, Counters& counters, const Engine& engine);
/** `{ problem, field?, message, errno? }`: what an opening function returns instead of a handle. */
napi_value makeProblem(napi_env env, const char* problem, const char* field, const std::string& message);

/** Monotonic milliseconds. */
uint64_t monotonicMs();

}  // namespace breakwater
