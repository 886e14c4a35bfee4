#pragma once

#include <node_api.h>

#include <vector>

#include "engine.h"
#include "exchange.h"

namespace breakwater {

/** An engine without a socket: JavaScript carries the datagrams. For tests and fuzzing. */
class MemoryEndpoint final : private Transport {
 public:
  static void define(napi_env env, napi_value exports);

 private:
  struct Datagram {
    Path path;
    std::vector<uint8_t> bytes;
  };

  MemoryEndpoint();

  static napi_value open(napi_env env, napi_callback_info info);
  static napi_value feed(napi_env env, napi_callback_info info);
  static napi_value take(napi_env env, napi_callback_info info);
  static napi_value connect(napi_env env, napi_callback_info info);
  static napi_value retime(napi_env env, napi_callback_info info);
  static napi_value send(napi_env env, napi_callback_info info);
  static napi_value close(napi_env env, napi_callback_info info);
  static napi_value advance(napi_env env, napi_callback_info info);
  static napi_value handleTimeouts(napi_env env, napi_callback_info info);
  static napi_value breakRandom(napi_env env, napi_callback_info info);
  static napi_value reload(napi_env env, napi_callback_info info);
  static napi_value ticketKeys(napi_env env, napi_callback_info info);
  static napi_value sessions(napi_env env, napi_callback_info info);
  static napi_value stats(napi_env env, napi_callback_info info);
  static MemoryEndpoint* from(napi_env env, napi_callback_info info, size_t& count, napi_value* arguments);

  uint64_t nowMs() const;
  void send(const Path& path, const uint8_t* bytes, size_t length) override;

  Counters counters_;
  Exchange exchange_;
  std::vector<Datagram> sent_;
  Engine engine_;
  uint64_t aheadMs_ = 0;
};

}  // namespace breakwater
