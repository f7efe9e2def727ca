/* Kills the process that loads it (LD_PRELOAD) as it is about to have its n-th side effect, n being DIE_AT: whatever changes
 * a file, syncs one or leaves for the network, on any thread. A tracer counts per thread and would miss some of these. With
 * FAIL_WITH (an errno) it is not killed: that one call fails, as on a disk that is full (28) or broken (5).
 *
 * cc -shared -fPIC -O2 -o die_at.so die_at.c */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static long die_at;
static int fail_with;
static atomic_long seen;

__attribute__((constructor)) static void read_number(void) {
  const char *number = getenv("DIE_AT");
  die_at = number ? atol(number) : 0;
  const char *error = getenv("FAIL_WITH");
  fail_with = error ? atoi(error) : 0;
}

/* Whether this call fails; does not return where the process dies of it. */
static int side_effect(void) {
  if (atomic_fetch_add(&seen, 1) + 1 != die_at) return 0;
  if (!fail_with) kill(getpid(), SIGKILL);
  errno = fail_with;
  return 1;
}

#define COUNTED(type, name, parameters, arguments)      \
  type name parameters {                                \
    type(*real) parameters = dlsym(RTLD_NEXT, #name);   \
    return side_effect() ? -1 : real arguments;         \
  }

COUNTED(ssize_t, pwrite, (int file, const void *data, size_t size, off_t at), (file, data, size, at))
COUNTED(ssize_t, pwrite64, (int file, const void *data, size_t size, off64_t at), (file, data, size, at))
COUNTED(ssize_t, writev, (int file, const struct iovec *parts, int count), (file, parts, count))
COUNTED(ssize_t, send, (int socket, const void *data, size_t size, int flags), (socket, data, size, flags))
COUNTED(int, connect, (int socket, const struct sockaddr *peer, socklen_t size), (socket, peer, size))
COUNTED(int, fsync, (int file), (file))
COUNTED(int, fdatasync, (int file), (file))
COUNTED(int, ftruncate, (int file, off_t size), (file, size))
COUNTED(int, ftruncate64, (int file, off64_t size), (file, size))
COUNTED(int, unlink, (const char *path), (path))
COUNTED(int, rename, (const char *from, const char *to), (from, to))
COUNTED(int, link, (const char *from, const char *to), (from, to))
COUNTED(int, linkat, (int from_folder, const char *from, int to_folder, const char *to, int flags), (from_folder, from, to_folder, to, flags))

/* Eight bytes wake another thread and change nothing outside. */
ssize_t write(int file, const void *data, size_t size) {
  ssize_t (*real)(int, const void *, size_t) = dlsym(RTLD_NEXT, "write");
  return size != 8 && side_effect() ? -1 : real(file, data, size);
}
