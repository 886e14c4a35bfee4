// Preloaded into the server under test (LD_PRELOAD): kills the process at one system call on the store's file or on its
// write-ahead log. With BREAKWATER_POWER_LOSS it dies as a computer without power does: what was written since a file was
// synchronised last is taken back first, for `kill -9` alone leaves it in the page cache. Otherwise inert until kill-preload.ts opens `/breakwater-crash/<phase>/<place>/<occurrence>`, a file that is not.
#include <atomic>
#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <fcntl.h>
#include <mutex>
#include <string>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <vector>

namespace {

constexpr char kOrder[] = "/breakwater-crash/";

/** A disk writes so many bytes as a whole. */
constexpr size_t kSector = 512;

char phase[32];
char place[32];
std::atomic<int> left{0};

template <typename Function>
Function real(const char* name) {
  return reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
}

/** One write that no synchronisation has followed yet: what stood there before. */
struct Unsynced {
  std::string path;
  off64_t offset;
  std::vector<char> before;
  off64_t size_before;
};

/** Made at the first write and never destroyed: other threads may still write when the process exits. */
std::mutex& journal_lock = *new std::mutex;
std::vector<Unsynced>& journal = *new std::vector<Unsynced>;
const bool has_power_loss = getenv("BREAKWATER_POWER_LOSS") != nullptr;

std::string path_of(int descriptor) {
  char link[40];
  char path[512];
  snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  ssize_t length = readlink(link, path, sizeof path);
  return length <= 0 ? std::string() : std::string(path, static_cast<size_t>(length));
}

bool is_store(const std::string& path) { return path.ends_with(".db-wal") || path.ends_with(".db"); }

void note_write(int descriptor, size_t count, off64_t offset) {
  if (!has_power_loss) return;
  std::string path = path_of(descriptor);
  struct stat64 status;
  if (!is_store(path) || fstat64(descriptor, &status) != 0) return;
  std::vector<char> before(count);
  ssize_t got = pread64(descriptor, before.data(), count, offset);
  before.resize(got > 0 ? static_cast<size_t>(got) : 0);
  std::lock_guard guard(journal_lock);
  journal.push_back({std::move(path), offset, std::move(before), status.st_size});
}

void note_sync(int descriptor) {
  if (!has_power_loss) return;
  std::string path = path_of(descriptor);
  std::lock_guard guard(journal_lock);
  std::erase_if(journal, [&](const Unsynced& each) { return each.path == path; });
}

/** Nobody writes after this: the lock is kept until the end. */
void lose_power() {
  if (!has_power_loss) return;
  static auto write_at = real<ssize_t (*)(int, const void*, size_t, off64_t)>("pwrite64");
  static auto cut = real<int (*)(int, off64_t)>("ftruncate64");
  static auto open_file = real<int (*)(const char*, int, mode_t)>("open64");
  journal_lock.lock();
  for (auto each = journal.rbegin(); each != journal.rend(); ++each) {
    int descriptor = open_file(each->path.c_str(), O_RDWR, 0);
    if (descriptor < 0) continue;
    (void)!write_at(descriptor, each->before.data(), each->before.size(), each->offset);
    (void)!cut(descriptor, each->size_before);
    close(descriptor);
  }
}

void take_order(const char* path) {
  if (path == nullptr || strncmp(path, kOrder, sizeof kOrder - 1) != 0) return;
  if (strcmp(path, "/breakwater-crash/power-loss") == 0) return lose_power();
  int occurrence = 0;
  left = 0;
  if (sscanf(path + sizeof kOrder - 1, "%31[^/]/%31[^/]/%d", phase, place, &occurrence) == 3) left = occurrence;
}

[[noreturn]] void die() {
  lose_power();
  char text[96];
  int length = snprintf(text, sizeof text, "\nkilled at %s/%s\n", phase, place);
  syscall(SYS_write, 2, text, static_cast<size_t>(length));
  syscall(SYS_kill, getpid(), SIGKILL);
  for (;;) pause();
}

/** Whether the process is to die at `<file>-<what>`; counts the passings. */
bool is_wanted(const char* file, const char* what) {
  if (left.load(std::memory_order_relaxed) <= 0) return false;
  char name[40];
  snprintf(name, sizeof name, "%s-%s", file, what);
  return strcmp(name, place) == 0 && --left == 0;
}

/** `wal`, `db` or null for a file that is none of the store's. */
const char* file_of(const char* path, size_t length) {
  if (length > 7 && strncmp(path + length - 7, ".db-wal", 7) == 0) return "wal";
  if (length > 3 && strncmp(path + length - 3, ".db", 3) == 0) return "db";
  return nullptr;
}

const char* file_of(int descriptor) {
  if (left.load(std::memory_order_relaxed) <= 0) return nullptr;
  char link[40];
  char path[512];
  snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  ssize_t length = readlink(link, path, sizeof path);
  return length <= 0 ? nullptr : file_of(path, static_cast<size_t>(length));
}

template <typename Sync>
int synced(int descriptor, Sync sync) {
  const char* file = file_of(descriptor);
  if (file != nullptr && is_wanted(file, "sync")) die();
  int result = sync(descriptor);
  note_sync(descriptor);
  if (file != nullptr && is_wanted(file, "synced")) die();
  return result;
}

}  // namespace

extern "C" {

ssize_t write(int descriptor, const void* bytes, size_t count) {
  static auto next = real<ssize_t (*)(int, const void*, size_t)>("write");
  const char* file = file_of(descriptor);
  if (file != nullptr && is_wanted(file, "write")) die();
  if (file != nullptr && count >= kSector && is_wanted(file, "write-torn")) {
    (void)!next(descriptor, bytes, count / 2);
    die();
  }
  return next(descriptor, bytes, count);
}

ssize_t pwrite64(int descriptor, const void* bytes, size_t count, off64_t offset) {
  static auto next = real<ssize_t (*)(int, const void*, size_t, off64_t)>("pwrite64");
  const char* file = file_of(descriptor);
  if (file != nullptr && is_wanted(file, "write")) die();
  note_write(descriptor, count, offset);
  if (file != nullptr && count >= kSector && is_wanted(file, "write-torn")) {
    (void)!next(descriptor, bytes, count / 2, offset);
    die();
  }
  return next(descriptor, bytes, count, offset);
}

int fsync(int descriptor) {
  static auto next = real<int (*)(int)>("fsync");
  return synced(descriptor, next);
}

int fdatasync(int descriptor) {
  static auto next = real<int (*)(int)>("fdatasync");
  return synced(descriptor, next);
}

int unlink(const char* path) {
  static auto next = real<int (*)(const char*)>("unlink");
  const char* file = file_of(path, strlen(path));
  if (file != nullptr && is_wanted(file, "unlink")) die();
  int result = next(path);
  if (file != nullptr && is_wanted(file, "unlinked")) die();
  return result;
}

int ftruncate64(int descriptor, off64_t length) {
  static auto next = real<int (*)(int, off64_t)>("ftruncate64");
  const char* file = file_of(descriptor);
  if (file != nullptr && is_wanted(file, "truncate")) die();
  int result = next(descriptor, length);
  if (file != nullptr && is_wanted(file, "truncated")) die();
  return result;
}

int open(const char* path, int flags, ...) {
  static auto next = real<int (*)(const char*, int, mode_t)>("open");
  va_list rest;
  va_start(rest, flags);
  mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  take_order(path);
  return next(path, flags, mode);
}

int open64(const char* path, int flags, ...) {
  static auto next = real<int (*)(const char*, int, mode_t)>("open64");
  va_list rest;
  va_start(rest, flags);
  mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  take_order(path);
  return next(path, flags, mode);
}
}
