// Preloaded into the program by the tests: makes the n-th call that changes something below a folder fail.
//
//   FAULT_ROOT    calls on paths below this folder count, and on the folder itself
//   FAULT_AT      the number of the call that fails, from 1; 0 for none
//   FAULT_ERRNO   the error number it fails with; 0 kills the process instead
//   FAULT_REPORT  a file elsewhere: at the end it holds the count of calls
//
// Counted are write, fsync, fdatasync, ftruncate, rename, link, mkdir and open with O_CREAT, in all their forms.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static atomic_long calls;

static long number(const char *name) {
  const char *text = getenv(name);
  return text ? strtol(text, NULL, 10) : 0;
}

static int is_below(const char *path) {
  const char *root = getenv("FAULT_ROOT");
  if (!root) return 0;
  size_t length = strlen(root);
  return strncmp(path, root, length) == 0 && (path[length] == '/' || path[length] == 0);
}

// The path an open file was opened by; 0 where the system does not say.
static int path_of(int file, char *path) {
  char name[64];
  snprintf(name, sizeof name, "/proc/self/fd/%d", file);
  ssize_t count = readlink(name, path, PATH_MAX - 1);
  path[count > 0 ? count : 0] = 0;
  return count > 0;
}

// Whether this call is the one that fails; errno is set then.
static int fails(int is_counted) {
  if (!is_counted) return 0;
  if (atomic_fetch_add(&calls, 1) + 1 != number("FAULT_AT")) return 0;
  long error = number("FAULT_ERRNO");
  if (error == 0) kill(getpid(), SIGKILL);
  errno = (int)error;
  return 1;
}

static int fails_file(int file) {
  int before = errno;
  char path[PATH_MAX];
  int is_counted = path_of(file, path) && is_below(path);
  errno = before;
  return fails(is_counted);
}

static int fails_path(int folder, const char *name) {
  int before = errno;
  char path[2 * PATH_MAX];
  path[0] = 0;
  if (name[0] != '/') {
    if (folder == AT_FDCWD ? getcwd(path, PATH_MAX) != NULL : path_of(folder, path))
      strcat(path, "/");
  }
  strncat(path, name, PATH_MAX - 1);
  errno = before;
  return fails(is_below(path));
}

__attribute__((destructor)) static void report(void) {
  const char *path = getenv("FAULT_REPORT");
  if (!path) return;
  char text[32];
  int length = snprintf(text, sizeof text, "%ld", (long)calls);
  int file = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
  if (file < 0) return;
  syscall(SYS_write, file, text, (size_t)length);
  syscall(SYS_close, file);
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t write(int file, const void *bytes, size_t count) {
  return fails_file(file) ? -1 : REAL(write)(file, bytes, count);
}

int fsync(int file) { return fails_file(file) ? -1 : REAL(fsync)(file); }

int fdatasync(int file) { return fails_file(file) ? -1 : REAL(fdatasync)(file); }

int ftruncate(int file, off_t length) {
  return fails_file(file) ? -1 : REAL(ftruncate)(file, length);
}

int rename(const char *path, const char *to) {
  return fails_path(AT_FDCWD, to) ? -1 : REAL(rename)(path, to);
}

int renameat(int folder, const char *path, int to_folder, const char *to) {
  return fails_path(to_folder, to) ? -1 : REAL(renameat)(folder, path, to_folder, to);
}

int link(const char *path, const char *to) {
  return fails_path(AT_FDCWD, to) ? -1 : REAL(link)(path, to);
}

int linkat(int folder, const char *path, int to_folder, const char *to, int flags) {
  return fails_path(to_folder, to) ? -1 : REAL(linkat)(folder, path, to_folder, to, flags);
}

int mkdir(const char *path, mode_t mode) {
  return fails_path(AT_FDCWD, path) ? -1 : REAL(mkdir)(path, mode);
}

int mkdirat(int folder, const char *path, mode_t mode) {
  return fails_path(folder, path) ? -1 : REAL(mkdirat)(folder, path, mode);
}

#define MODE(flags)                                  \
  mode_t mode = 0;                                   \
  if (((flags) & O_CREAT) != 0) {                    \
    va_list rest;                                    \
    va_start(rest, flags);                           \
    mode = va_arg(rest, mode_t);                     \
    va_end(rest);                                    \
  }

#define OPEN(name)                                                                     \
  int name(const char *path, int flags, ...) {                                         \
    MODE(flags)                                                                        \
    if ((flags & O_CREAT) != 0 && fails_path(AT_FDCWD, path)) return -1;               \
    return ((int (*)(const char *, int, ...))dlsym(RTLD_NEXT, #name))(path, flags, mode); \
  }

#define OPENAT(name)                                                               \
  int name(int folder, const char *path, int flags, ...) {                         \
    MODE(flags)                                                                    \
    if ((flags & O_CREAT) != 0 && fails_path(folder, path)) return -1;             \
    return ((int (*)(int, const char *, int, ...))dlsym(RTLD_NEXT, #name))(        \
        folder, path, flags, mode);                                                \
  }

OPEN(open)
OPEN(open64)
OPENAT(openat)
OPENAT(openat64)
