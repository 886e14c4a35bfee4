#include "bound-connect.h"

#include <unistd.h>
#include <uv.h>

#include <cerrno>
#include <utility>

#include "bound-socket.h"
#include "napi-values.h"

namespace breakwater {
namespace {

/** One TCP connection on its way. Deletes itself when libuv has closed its handles. */
class PendingConnection {
 public:
  PendingConnection(napi_env env, int descriptor, napi_value done) : env_(env), descriptor_(descriptor) {
    napi_create_reference(env, done, 1, &done_);
    napi_value resource;
    napi_create_object(env, &resource);
    napi_async_init(env, resource, makeString(env, "breakwater:connect"), &context_);
    napi_add_async_cleanup_hook(env, onEnvironmentEnd, this, &cleanup_);
  }

  void start(uint32_t timeoutMs) {
    uv_loop_t* loop = nullptr;
    napi_get_uv_event_loop(env_, &loop);
    uv_timer_init(loop, &timer_);
    poll_.data = timer_.data = this;
    // The kernel may have no room for one more watch (fs.epoll.max_user_watches).
    if (const int refused = uv_poll_init(loop, &poll_, descriptor_); refused != 0) return finish(-refused);
    watched_ = true;
    openHandles_++;
    const int refused = uv_poll_start(&poll_, UV_WRITABLE, [](uv_poll_t* handle, int status, int) {
      static_cast<PendingConnection*>(handle->data)->decide(status);
    });
    if (refused != 0) return finish(-refused);
    if (timeoutMs > 0)
      uv_timer_start(
          &timer_, [](uv_timer_t* handle) { static_cast<PendingConnection*>(handle->data)->finish(ETIMEDOUT); },
          timeoutMs, 0);
  }

 private:
  /** `status`: negative when libuv saw an error on the socket; the socket itself knows it better. */
  void decide(int status) {
    int failure = 0;
    socklen_t length = sizeof failure;
    if (getsockopt(descriptor_, SOL_SOCKET, SO_ERROR, &failure, &length) != 0) failure = errno;
    finish(failure == 0 && status < 0 ? -status : failure);
  }

  /** The outcome is told when the handles are closed: only then may another owner watch the descriptor. */
  void finish(int failure) {
    if (finished_) return;
    finished_ = true;
    failure_ = failure;
    if (failure != 0) ::close(std::exchange(descriptor_, -1));
    if (watched_) uv_close(reinterpret_cast<uv_handle_t*>(&poll_), onHandleClosed);
    uv_close(reinterpret_cast<uv_handle_t*>(&timer_), onHandleClosed);
  }

  static void onHandleClosed(uv_handle_t* handle) {
    auto* self = static_cast<PendingConnection*>(handle->data);
    if (--self->openHandles_ == 0) self->tell();
  }

  void tell() {
    if (environmentEnds_) {
      if (descriptor_ >= 0) ::close(descriptor_);
    } else {
      callDone();
    }
    napi_remove_async_cleanup_hook(cleanup_);
    delete this;
  }

  void callDone() {
    napi_handle_scope scope;
    napi_open_handle_scope(env_, &scope);
    napi_value callback, receiver, result;
    napi_value arguments[] = {makeNumber(env_, failure_ == 0 ? descriptor_ : -failure_),
                              makeString(env_, failure_ == 0 ? "" : uv_err_name(-failure_))};
    napi_get_reference_value(env_, done_, &callback);
    napi_get_global(env_, &receiver);
    napi_make_callback(env_, context_, receiver, callback, 2, arguments, &result);
    napi_delete_reference(env_, done_);
    napi_async_destroy(env_, context_);
    napi_close_handle_scope(env_, scope);
  }

  static void onEnvironmentEnd(napi_async_cleanup_hook_handle, void* data) {
    auto* self = static_cast<PendingConnection*>(data);
    self->environmentEnds_ = true;
    self->finish(ECANCELED);
  }

  napi_env env_;
  int descriptor_;
  int failure_ = 0;
  int openHandles_ = 1;
  bool watched_ = false;
  bool finished_ = false;
  bool environmentEnds_ = false;
  uv_poll_t poll_{};
  uv_timer_t timer_{};
  napi_ref done_ = nullptr;
  napi_async_context context_ = nullptr;
  napi_async_cleanup_hook_handle cleanup_ = nullptr;
};

bool readBinding(napi_env env, napi_value* arguments, Address& local, std::string& interface) {
  return readAddress(env, arguments[0], local) && readString(env, arguments[1], interface);
}

/** A descriptor, or `{ problem }`. */
napi_value descriptorOrProblem(napi_env env, int descriptor) {
  if (descriptor >= 0) return makeNumber(env, descriptor);
  return makeProblem(env, "bind", uv_err_name(descriptor), uv_strerror(descriptor));
}

napi_value boundUdp(napi_env env, napi_callback_info info) {
  size_t count = 2;
  napi_value arguments[2];
  Address local;
  std::string interface;
  napi_get_cb_info(env, info, &count, arguments, nullptr, nullptr);
  if (count < 2 || !readBinding(env, arguments, local, interface))
    return makeProblem(env, "arguments", nullptr, "wrong arguments");
  return descriptorOrProblem(env, openBoundSocket(SOCK_DGRAM, local, interface));
}

napi_value boundTcp(napi_env env, napi_callback_info info) {
  size_t count = 5;
  napi_value arguments[5];
  Address local, remote;
  std::string interface;
  uint32_t timeoutMs = 0;
  napi_get_cb_info(env, info, &count, arguments, nullptr, nullptr);
  if (count < 5 || !readBinding(env, arguments, local, interface) || !readAddress(env, arguments[2], remote) ||
      !readUint32(env, arguments[3], timeoutMs))
    return makeProblem(env, "arguments", nullptr, "wrong arguments");
  const int descriptor = openConnectingSocket(local, interface, remote);
  if (descriptor < 0) return descriptorOrProblem(env, descriptor);
  (new PendingConnection(env, descriptor, arguments[4]))->start(timeoutMs);
  return nullptr;
}

}  // namespace

void defineBoundSockets(napi_env env, napi_value exports) {
  defineFunctions(env, exports, {{"boundUdp", boundUdp}, {"boundTcp", boundTcp}});
}

}  // namespace breakwater
