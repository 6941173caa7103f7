/*
 * Counts the calls by which a process changes files below a folder, and ends it, or fails one of
 * them, at a given count. Loaded by LD_PRELOAD; Linux with glibc only.
 *
 *   KILL_UNDER  the folder, a real path
 *   KILL_AT     the call at which the process is killed, from 1; of a write, half is done before
 *   FAIL_AT     the call that fails, and FAIL_WITH the error number that it fails with
 *   KILL_TRACE  a descriptor that takes a line for each: CALL, its name, and its paths
 */
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
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static atomic_long calls;

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static long number(const char *variable) {
  const char *text = getenv(variable);
  return text ? atol(text) : -1;
}

static int is_below(const char *path) {
  const char *folder = getenv("KILL_UNDER");
  size_t length = folder ? strlen(folder) : 0;
  return length && !strncmp(path, folder, length) && (path[length] == '/' || !path[length]);
}

/* The absolute path of a name, or of the descriptor alone. */
static const char *path_of(int fd, const char *name, char *path) {
  char link[64];
  if (name && name[0] == '/') return name;
  snprintf(link, sizeof link, fd == AT_FDCWD ? "/proc/self/cwd" : "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, PATH_MAX - 1);
  path[length < 0 ? 0 : length] = 0;
  if (name && length > 0) snprintf(path + length, PATH_MAX - length, "/%s", name);
  return path;
}

/* What a call is to do: 0 what it does, 1 fail, 2 half of it and die. */
static int next(const char *call, const char *path, const char *to) {
  if (!is_below(path) && !(to && is_below(to))) return 0;
  long count = ++calls;
  long log = number("KILL_TRACE");
  if (log >= 0) {
    char line[2 * PATH_MAX + 64];
    int length = snprintf(line, sizeof line, "CALL %s %s %s\n", call, path, to ? to : "");
    syscall(SYS_write, log, line, length);
  }
  return count == number("KILL_AT") ? 2 : count == number("FAIL_AT");
}

static int die(void) { return kill(getpid(), SIGKILL), pause(); }

static int fail(void) { return errno = number("FAIL_WITH"), -1; }

#define MAYBE(call, path, to)                        \
  do {                                               \
    int what = next(call, path, to);                 \
    if (what) return what == 1 ? fail() : die();     \
  } while (0)

#define PATHS char first[PATH_MAX], second[PATH_MAX]; (void)first, (void)second

/* Opening */

static int opens(const char *call, int dir, const char *name, int flags) {
  PATHS;
  return flags & (O_WRONLY | O_RDWR | O_CREAT | O_TRUNC)
             ? next(call, path_of(dir, name, first), NULL) : 0;
}

#define OPEN(name, parameters, dir, ...)                                        \
  int name parameters {                                                         \
    mode_t mode = 0;                                                            \
    if (flags & O_CREAT) {                                                      \
      va_list rest;                                                             \
      va_start(rest, flags), mode = va_arg(rest, mode_t), va_end(rest);         \
    }                                                                           \
    int what = opens("open", dir, path, flags);                                 \
    return what == 1 ? fail() : what ? die() : REAL(name)(__VA_ARGS__, mode);   \
  }
OPEN(open, (const char *path, int flags, ...), AT_FDCWD, path, flags)
OPEN(open64, (const char *path, int flags, ...), AT_FDCWD, path, flags)
OPEN(openat, (int dir, const char *path, int flags, ...), dir, dir, path, flags)
OPEN(openat64, (int dir, const char *path, int flags, ...), dir, dir, path, flags)

/* Writing: half of it is done before a process dies. */

#define WRITE(name, parameters, half, ...)                      \
  ssize_t name parameters {                                     \
    PATHS;                                                      \
    int what = next("write", path_of(fd, NULL, first), NULL);   \
    if (what == 1) return fail();                               \
    if (what) half, die();                                      \
    return REAL(name)(__VA_ARGS__);                             \
  }
WRITE(write, (int fd, const void *from, size_t size), REAL(write)(fd, from, size / 2), fd, from, size)
WRITE(pwrite, (int fd, const void *from, size_t size, off_t at),
      REAL(pwrite)(fd, from, size / 2, at), fd, from, size, at)
WRITE(pwrite64, (int fd, const void *from, size_t size, off64_t at),
      REAL(pwrite64)(fd, from, size / 2, at), fd, from, size, at)
WRITE(writev, (int fd, const struct iovec *from, int count),
      REAL(writev)(fd, from, count / 2), fd, from, count)
WRITE(sendfile, (int fd, int in, off_t *at, size_t size),
      REAL(sendfile)(fd, in, at, size / 2), fd, in, at, size)
WRITE(sendfile64, (int fd, int in, off64_t *at, size_t size),
      REAL(sendfile64)(fd, in, at, size / 2), fd, in, at, size)
WRITE(copy_file_range, (int in, off64_t *from, int fd, off64_t *at, size_t size, unsigned flags),
      REAL(copy_file_range)(in, from, fd, at, size / 2, flags), in, from, fd, at, size, flags)

/* What is done to a descriptor. */

#define DESCRIPTOR(name, parameters, ...)                 \
  int name parameters {                                   \
    PATHS;                                                \
    MAYBE(#name, path_of(fd, NULL, first), NULL);         \
    return REAL(name)(__VA_ARGS__);                       \
  }
DESCRIPTOR(ftruncate, (int fd, off_t size), fd, size)
DESCRIPTOR(ftruncate64, (int fd, off64_t size), fd, size)
DESCRIPTOR(fallocate, (int fd, int mode, off_t at, off_t size), fd, mode, at, size)
DESCRIPTOR(fallocate64, (int fd, int mode, off64_t at, off64_t size), fd, mode, at, size)
DESCRIPTOR(fsync, (int fd), fd)
DESCRIPTOR(fdatasync, (int fd), fd)

static void *mapped(int what) { return what == 1 ? fail() : die(), MAP_FAILED; }

#define MAP(name, type)                                                                  \
  void *name(void *to, size_t size, int prot, int flags, int fd, type at) {              \
    PATHS;                                                                               \
    int is_shared = fd >= 0 && flags & MAP_SHARED && prot & PROT_WRITE;                  \
    int what = is_shared ? next("mmap", path_of(fd, NULL, first), NULL) : 0;             \
    return what ? mapped(what) : REAL(name)(to, size, prot, flags, fd, at);              \
  }
MAP(mmap, off_t)
MAP(mmap64, off64_t)

/* What is done to names. */

#define NAMED(name, parameters, path, to, ...) \
  int name parameters {                        \
    PATHS;                                     \
    MAYBE(#name, path, to);                    \
    return REAL(name)(__VA_ARGS__);            \
  }
#define HERE(name) path_of(AT_FDCWD, name, first)
#define THERE(name) path_of(AT_FDCWD, name, second)
NAMED(rename, (const char *from, const char *to), HERE(from), THERE(to), from, to)
NAMED(renameat, (int a, const char *from, int b, const char *to), path_of(a, from, first),
      path_of(b, to, second), a, from, b, to)
NAMED(unlink, (const char *path), HERE(path), NULL, path)
NAMED(unlinkat, (int a, const char *path, int flags), path_of(a, path, first), NULL, a, path, flags)
NAMED(rmdir, (const char *path), HERE(path), NULL, path)
NAMED(mkdir, (const char *path, mode_t mode), HERE(path), NULL, path, mode)
NAMED(link, (const char *from, const char *to), HERE(from), THERE(to), from, to)
NAMED(symlink, (const char *from, const char *to), THERE(to), NULL, from, to)
