#pragma once

#include <node_api.h>
#include <uv.h>

#include "engine.h"
#include "exchange.h"
#include "udp-socket.h"

namespace breakwater {

/**
 * An engine on a UDP socket in Node's event loop. Lives until JavaScript has dropped its handle and libuv has closed both
 * of its own; whichever comes last deletes it.
 */
class NodeEndpoint {
 public:
  /** Adds the functions of endpoints to `exports`. */
  static void define(napi_env env, napi_value exports);

 private:
  explicit NodeEndpoint(napi_env env);
  ~NodeEndpoint();

  static napi_value open(napi_env env, napi_callback_info info);
  static napi_value connect(napi_env env, napi_callback_info info);
  static napi_value retime(napi_env env, napi_callback_info info);
  static napi_value reload(napi_env env, napi_callback_info info);
  static napi_value ticketKeys(napi_env env, napi_callback_info info);
  static napi_value useSessions(napi_env env, napi_callback_info info);
  static napi_value sessions(napi_env env, napi_callback_info info);
  static napi_value close(napi_env env, napi_callback_info info);
  static napi_value drain(napi_env env, napi_callback_info info);
  static napi_value turn(napi_env env, napi_callback_info info);
  static napi_value stats(napi_env env, napi_callback_info info);
  static napi_value destroy(napi_env env, napi_callback_info info);
  static NodeEndpoint* from(napi_env env, napi_callback_info info, size_t& count, napi_value* arguments);

  static void onPoll(uv_poll_t* handle, int status, int events);
  static void onTimer(uv_timer_t* handle);
  static void onHandleClosed(uv_handle_t* handle);
  static void onEnvironmentEnd(napi_async_cleanup_hook_handle handle, void* data);

  bool listen(napi_value turnCallback);
  napi_value makeHandle();
  void takeErrors();
  void readAll();
  void deliver();
  void callTurn();
  void settle();
  void flush();
  void arm();
  void shut(bool goodbye);
  void handleClosed();
  void release();

  napi_env env_;
  Counters counters_;
  UdpSocket socket_;
  Exchange exchange_;
  Engine engine_;
  uv_poll_t poll_{};
  uv_timer_t timer_{};
  uint64_t armedForMs_ = Engine::kNever;
  int polledEvents_ = 0;
  int openHandles_ = 0;
  bool open_ = false;
  bool handleDropped_ = false;
  napi_ref turnCallback_ = nullptr;
  napi_ref destroyedCallback_ = nullptr;
  napi_async_context context_ = nullptr;
  napi_async_cleanup_hook_handle cleanup_ = nullptr;
  bool environmentEnds_ = false;
};

}  // namespace breakwater
