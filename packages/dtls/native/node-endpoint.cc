#include "node-endpoint.h"

#include <cstring>

#include "napi-values.h"
#include "packed-reports.h"

namespace breakwater {
namespace {

/** Datagram batches per wake-up of the socket: other work of the loop has to have its turn, too. */
constexpr int kBatchesPerWakeUp = 8;

/** Calls to JavaScript in a row, each about what came of the one before. */
constexpr int kMostRounds = 8;

struct HandleScope {
  explicit HandleScope(napi_env env) : env_(env) { napi_open_handle_scope(env_, &scope_); }
  ~HandleScope() { napi_close_handle_scope(env_, scope_); }
  napi_env env_;
  napi_handle_scope scope_ = nullptr;
};

void releaseShared(napi_env, void*, void* hint) { delete static_cast<std::shared_ptr<SharedMemory>*>(hint); }

napi_value makeSharedBuffer(napi_env env, const std::shared_ptr<SharedMemory>& memory) {
  napi_value buffer;
  auto* share = new std::shared_ptr<SharedMemory>(memory);
  if (napi_create_external_arraybuffer(env, memory.get(), sizeof(SharedMemory), releaseShared, share, &buffer) ==
      napi_ok)
    return buffer;
  delete share;
  return nullptr;
}

/** What a callback threw goes where uncaught errors go. */
void reportPending(napi_env env) {
  bool pending = false;
  napi_is_exception_pending(env, &pending);
  if (!pending) return;
  napi_value error;
  napi_get_and_clear_last_exception(env, &error);
  napi_fatal_exception(env, error);
}

}  // namespace

NodeEndpoint::NodeEndpoint(napi_env env)
    : env_(env), socket_(counters_), exchange_(counters_), engine_(socket_, exchange_, counters_) {}

NodeEndpoint::~NodeEndpoint() = default;

/** open(options, turn): a handle object, or a problem */
napi_value NodeEndpoint::open(napi_env env, napi_callback_info info) {
  size_t count = 2;
  napi_value arguments[2];
  napi_get_cb_info(env, info, &count, arguments, nullptr, nullptr);
  EngineOptions options;
  UdpSocketOptions socket;
  if (!readEngineOptions(env, arguments[0], options) ||
      !readAddress(env, property(env, arguments[0], "local"), socket.local))
    return makeProblem(env, "arguments", nullptr, "wrong arguments");
  if (napi_value interface = property(env, arguments[0], "interface"))
    if (!readString(env, interface, socket.interface)) return makeProblem(env, "arguments", nullptr, "wrong arguments");

  // A server has no choice of paths, and its port is known to everybody who might forge what is said of them.
  socket.hearsErrors = !options.security.server;
  auto* endpoint = new NodeEndpoint(env);
  CredentialProblem problem;
  if (!endpoint->engine_.start(std::move(options), problem)) {
    delete endpoint;
    return makeProblem(env, problem.kind, problem.field, problem.message);
  }
  if (const int failure = endpoint->socket_.open(socket); failure != 0) {
    delete endpoint;
    return makeProblem(env, "bind", uv_err_name(-failure), std::strerror(failure));
  }
  if (!endpoint->listen(arguments[1])) {
    delete endpoint;
    return makeProblem(env, "bind", nullptr, "the event loop does not take the socket");
  }
  return endpoint->makeHandle();
}

bool NodeEndpoint::listen(napi_value turnCallback) {
  uv_loop_t* loop = nullptr;
  if (napi_get_uv_event_loop(env_, &loop) != napi_ok) return false;
  if (uv_poll_init(loop, &poll_, socket_.descriptor()) != 0) return false;
  uv_timer_init(loop, &timer_);
  poll_.data = this;
  timer_.data = this;
  openHandles_ = 2;
  open_ = true;
  napi_create_reference(env_, turnCallback, 1, &turnCallback_);
  napi_value resource, name;
  napi_create_object(env_, &resource);
  name = makeString(env_, "breakwater:dtls");
  napi_async_init(env_, resource, name, &context_);
  napi_add_async_cleanup_hook(env_, onEnvironmentEnd, this, &cleanup_);
  flush();
  return true;
}

napi_value NodeEndpoint::makeHandle() {
  napi_value object, external;
  napi_create_object(env_, &object);
  napi_create_external(
      env_, this,
      [](napi_env, void* data, void*) {
        auto* self = static_cast<NodeEndpoint*>(data);
        self->handleDropped_ = true;
        if (self->open_) self->shut(false);
        self->release();
      },
      nullptr, &external);
  setProperty(env_, object, "handle", external);
  setProperty(env_, object, "local", makeAddress(env_, socket_.local()));
  setProperty(env_, object, "memory", makeSharedBuffer(env_, exchange_.owner()));
  return object;
}

NodeEndpoint* NodeEndpoint::from(napi_env env, napi_callback_info info, size_t& count, napi_value* arguments) {
  napi_get_cb_info(env, info, &count, arguments, nullptr, nullptr);
  void* data = nullptr;
  if (count == 0 || napi_get_value_external(env, arguments[0], &data) != napi_ok) return nullptr;
  auto* self = static_cast<NodeEndpoint*>(data);
  return self->open_ ? self : nullptr;
}

/** connect(handle, remote, serverName, firstTimeoutMs): the peer, or 0 */
napi_value NodeEndpoint::connect(napi_env env, napi_callback_info info) {
  size_t count = 4;
  napi_value arguments[4];
  NodeEndpoint* self = from(env, info, count, arguments);
  Path path;
  std::string serverName;
  uint32_t firstTimeoutMs = 0;
  if (self == nullptr || count < 4 || !readAddress(env, arguments[1], path.remote) ||
      !readString(env, arguments[2], serverName) || !readUint32(env, arguments[3], firstTimeoutMs))
    return makeNumber(env, 0);
  path.remote.scope = path.remote.isLinkLocal() ? self->socket_.boundInterface() : 0;
  path.interface = self->socket_.boundInterface();
  if (path.remote.family == self->socket_.local().family) path.local = self->socket_.sourceFor(path.remote);
  const PeerId peer = self->engine_.connect(path, serverName, monotonicMs(), firstTimeoutMs);
  self->settle();
  return makeNumber(env, static_cast<double>(peer));
}

/** retime(handle, peer, firstTimeoutMs) */
napi_value NodeEndpoint::retime(napi_env env, napi_callback_info info) {
  size_t count = 3;
  napi_value arguments[3];
  NodeEndpoint* self = from(env, info, count, arguments);
  PeerId peer = 0;
  uint32_t firstTimeoutMs = 0;
  if (self == nullptr || count < 3 || !readPeerId(env, arguments[1], peer) || !readUint32(env, arguments[2], firstTimeoutMs))
    return nullptr;
  self->engine_.retime(peer, monotonicMs(), firstTimeoutMs);
  self->settle();
  return nullptr;
}

/** reload(handle, credentials): a problem, or nothing */
napi_value NodeEndpoint::reload(napi_env env, napi_callback_info info) {
  size_t count = 2;
  napi_value arguments[2];
  NodeEndpoint* self = from(env, info, count, arguments);
  if (self == nullptr) return nullptr;
  SecurityOptions security;
  if (count < 2 || !readSecurityOptions(env, arguments[1], security))
    return makeProblem(env, "arguments", nullptr, "wrong arguments");
  CredentialProblem problem;
  if (self->engine_.reload(std::move(security), problem)) return nullptr;
  return makeProblem(env, problem.kind, problem.field, problem.message);
}

/** ticketKeys(handle, keys): whether they are in use now */
napi_value NodeEndpoint::ticketKeys(napi_env env, napi_callback_info info) {
  size_t count = 2;
  napi_value arguments[2], result;
  std::vector<std::vector<uint8_t>> keys;
  NodeEndpoint* self = from(env, info, count, arguments);
  const bool used = self != nullptr && count == 2 && readTicketKeys(env, arguments[1], keys) && self->engine_.useTicketKeys(keys);
  napi_get_boolean(env, used, &result);
  return result;
}

/** useSessions(handle, sessions): in place of those of the same servers */
napi_value NodeEndpoint::useSessions(napi_env env, napi_callback_info info) {
  size_t count = 2;
  napi_value arguments[2];
  std::vector<KeptSession> sessions;
  NodeEndpoint* self = from(env, info, count, arguments);
  if (self != nullptr && count == 2 && readSessions(env, arguments[1], sessions)) self->engine_.useSessions(sessions);
  return nullptr;
}

/** sessions(handle): what could be resumed */
napi_value NodeEndpoint::sessions(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value argument;
  NodeEndpoint* self = from(env, info, count, &argument);
  return makeSessions(env, self == nullptr ? std::vector<KeptSession>{} : self->engine_.resumableSessions());
}

/** close(handle, peer): what was queued for it leaves first */
napi_value NodeEndpoint::close(napi_env env, napi_callback_info info) {
  size_t count = 2;
  napi_value arguments[2];
  PeerId peer = 0;
  if (NodeEndpoint* self = from(env, info, count, arguments);
      self != nullptr && count == 2 && readPeerId(env, arguments[1], peer)) {
    self->exchange_.drainOutgoing(self->engine_);
    self->engine_.close(peer);
    self->settle();
  }
  return nullptr;
}

/** drain(handle): sends what is queued */
napi_value NodeEndpoint::drain(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value argument;
  if (NodeEndpoint* self = from(env, info, count, &argument)) {
    self->exchange_.drainOutgoing(self->engine_);
    self->settle();
  }
  return nullptr;
}

/** turn(handle): sends what is queued and reports what is to report */
napi_value NodeEndpoint::turn(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value argument;
  if (NodeEndpoint* self = from(env, info, count, &argument)) {
    self->exchange_.drainOutgoing(self->engine_);
    self->deliver();
    if (self->open_) self->settle();
  }
  return nullptr;
}

napi_value NodeEndpoint::stats(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value argument;
  napi_get_cb_info(env, info, &count, &argument, nullptr, nullptr);
  void* data = nullptr;
  if (count == 0 || napi_get_value_external(env, argument, &data) != napi_ok) return nullptr;
  auto* self = static_cast<NodeEndpoint*>(data);
  return makeStats(env, self->counters_, self->engine_);
}

/** destroy(handle, goodbye, done): `done` is called when nothing is left open */
napi_value NodeEndpoint::destroy(napi_env env, napi_callback_info info) {
  size_t count = 3;
  napi_value arguments[3];
  NodeEndpoint* self = from(env, info, count, arguments);
  if (self == nullptr || count < 3) return nullptr;
  bool goodbye = true;
  napi_get_value_bool(env, arguments[1], &goodbye);
  napi_create_reference(env, arguments[2], 1, &self->destroyedCallback_);
  if (goodbye) self->exchange_.drainOutgoing(self->engine_);
  self->shut(goodbye);
  return nullptr;
}

void NodeEndpoint::onPoll(uv_poll_t* handle, int status, int events) {
  auto* self = static_cast<NodeEndpoint*>(handle->data);
  if (status < 0) {
    // libuv watches a socket with an error no longer: without another start the endpoint would be deaf.
    self->polledEvents_ = 0;
    self->takeErrors();
  }
  // With an error, libuv says nothing of what else there is: a flood of errors would keep us from reading.
  if (status < 0 || (events & UV_READABLE) != 0) self->readAll();
  if (self->open_) self->settle();
}

void NodeEndpoint::onTimer(uv_timer_t* handle) {
  auto* self = static_cast<NodeEndpoint*>(handle->data);
  self->armedForMs_ = Engine::kNever;
  self->engine_.handleTimeouts(monotonicMs());
  self->deliver();
  if (self->open_) self->settle();
}

void NodeEndpoint::takeErrors() {
  const uint64_t now = monotonicMs();
  for (const PathError& error : socket_.takeErrors()) engine_.hint(error, now);
}

void NodeEndpoint::readAll() {
  for (int round = 0; round < kBatchesPerWakeUp && open_; round++) {
    const size_t count = socket_.receive();
    const uint64_t now = count > 0 ? monotonicMs() : 0;
    for (size_t i = 0; i < count && open_; i++) {
      ReceivedDatagram datagram;
      if (!socket_.datagram(i, datagram)) continue;
      if (!exchange_.roomForDatagram()) deliver();
      if (open_) engine_.receive(datagram.path, datagram.bytes, datagram.length, now);
    }
    deliver();
    if (open_) socket_.flush();
    if (count < UdpSocket::kBatch) return;
  }
}

/** What is left after it is told soon, by the timer: see `arm`. */
void NodeEndpoint::deliver() {
  // Handlers may cause reports by what they do in answer to one, but must not keep the loop from going on.
  for (int round = 0; round < kMostRounds && open_ && !exchange_.empty() && exchange_.shared().inTurn == 0; round++) {
    callTurn();
    if (open_) exchange_.drainOutgoing(engine_);
  }
}

void NodeEndpoint::callTurn() {
  HandleScope scope(env_);
  napi_value callback, receiver, result;
  napi_get_reference_value(env_, turnCallback_, &callback);
  napi_get_undefined(env_, &receiver);
  const std::vector<SessionReport> reports = exchange_.takeReports();
  napi_value arguments[2] = {makeNumber(env_, exchange_.takeIncoming()), receiver};
  if (!reports.empty()) arguments[1] = packReports(env_, reports);
  napi_get_global(env_, &receiver);
  exchange_.shared().inTurn = 1;
  // Not napi_call_function: microtasks and next ticks of the handlers have to run now.
  const napi_status status = napi_make_callback(env_, context_, receiver, callback, 2, arguments, &result);
  exchange_.shared().inTurn = 0;
  if (status == napi_pending_exception) reportPending(env_);
}

/** After anything that may have queued datagrams or moved a deadline. */
void NodeEndpoint::settle() {
  flush();
  arm();
}

void NodeEndpoint::flush() {
  const int wanted = socket_.flush() ? UV_READABLE : UV_READABLE | UV_WRITABLE;
  if (wanted == polledEvents_) return;
  // One that fails is tried again when anything else happens.
  polledEvents_ = uv_poll_start(&poll_, wanted, onPoll) == 0 ? wanted : 0;
}

void NodeEndpoint::arm() {
  const uint64_t next = exchange_.empty() ? engine_.nextTimeoutMs() : 0;
  if (next == armedForMs_) return;
  armedForMs_ = next;
  if (next == Engine::kNever) {
    uv_timer_stop(&timer_);
    return;
  }
  const uint64_t now = monotonicMs();
  // libuv counts from the loop's own idea of now, which may lie behind.
  uv_update_time(timer_.loop);
  uv_timer_start(&timer_, onTimer, next > now ? next - now : 0, 0);
}

void NodeEndpoint::shut(bool goodbye) {
  if (!open_) return;
  open_ = false;
  if (goodbye) {
    engine_.closeAll();
    socket_.flush();
  }
  uv_poll_stop(&poll_);
  uv_close(reinterpret_cast<uv_handle_t*>(&poll_), onHandleClosed);
  uv_close(reinterpret_cast<uv_handle_t*>(&timer_), onHandleClosed);
  // The port is free from here on, whatever libuv still has to do.
  socket_.close();
}

void NodeEndpoint::onHandleClosed(uv_handle_t* handle) {
  auto* self = static_cast<NodeEndpoint*>(handle->data);
  if (--self->openHandles_ == 0) self->handleClosed();
}

void NodeEndpoint::handleClosed() {
  socket_.releaseBuffers();
  if (!environmentEnds_) {
    HandleScope scope(env_);
    if (destroyedCallback_ != nullptr) {
      napi_value callback, receiver, result;
      napi_get_reference_value(env_, destroyedCallback_, &callback);
      napi_get_global(env_, &receiver);
      if (napi_make_callback(env_, context_, receiver, callback, 0, nullptr, &result) == napi_pending_exception)
        reportPending(env_);
      napi_delete_reference(env_, destroyedCallback_);
    }
    napi_delete_reference(env_, turnCallback_);
    napi_async_destroy(env_, context_);
  }
  napi_remove_async_cleanup_hook(cleanup_);
  release();
}

/** Deletes this once nobody can reach it any more. */
void NodeEndpoint::release() {
  if (handleDropped_ && openHandles_ == 0) delete this;
}

void NodeEndpoint::onEnvironmentEnd(napi_async_cleanup_hook_handle, void* data) {
  auto* self = static_cast<NodeEndpoint*>(data);
  self->environmentEnds_ = true;
  self->shut(true);
}

void NodeEndpoint::define(napi_env env, napi_value exports) {
  defineFunctions(env, exports,
                  {{"endpointOpen", open},
                   {"endpointConnect", connect},
                   {"endpointRetime", retime},
                   {"endpointReload", reload},
                   {"endpointTicketKeys", ticketKeys},
                   {"endpointUseSessions", useSessions},
                   {"endpointSessions", sessions},
                   {"endpointClose", close},
                   {"endpointDrain", drain},
                   {"endpointTurn", turn},
                   {"endpointStats", stats},
                   {"endpointDestroy", destroy}});
  napi_value layout;
  napi_create_object(env, &layout);
  const struct {
    const char* name;
    size_t number;
  } numbers[] = {{"slots", SharedMemory::kSlots},
                 {"bytes", SharedMemory::kBytes},
                 {"incomingPeer", offsetof(SharedMemory, incomingPeer)},
                 {"incomingOffset", offsetof(SharedMemory, incomingOffset)},
                 {"incomingLength", offsetof(SharedMemory, incomingLength)},
                 {"outgoingPeer", offsetof(SharedMemory, outgoingPeer)},
                 {"outgoingOffset", offsetof(SharedMemory, outgoingOffset)},
                 {"outgoingLength", offsetof(SharedMemory, outgoingLength)},
                 {"incomingBytes", offsetof(SharedMemory, incomingBytes)},
                 {"outgoingBytes", offsetof(SharedMemory, outgoingBytes)}};
  for (const auto& [name, number] : numbers) setProperty(env, layout, name, makeNumber(env, static_cast<double>(number)));
  setProperty(env, exports, "exchangeLayout", layout);
}

}  // namespace breakwater
