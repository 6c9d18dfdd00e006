#include "cli/files.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char *fail(FILE *f, char *buffer, const char *path, const char *what) {
  fprintf(stderr, "stan2onnx: cannot read %s: %s\n", path, what);
  if (f && f != stdin) fclose(f);
  free(buffer);
  return NULL;
}

char *read_file(const char *path, size_t *length) {
  FILE *f = strcmp(path, "-") ? fopen(path, "rb") : stdin;
  size_t n = 0, capacity = 1 << 16;
  char *buffer = NULL;
  struct stat st;
  if (!f) return fail(f, NULL, path, strerror(errno));
  if (fstat(fileno(f), &st) == 0 && S_ISDIR(st.st_mode))
    return fail(f, NULL, path, "it is a directory");
  if (fstat(fileno(f), &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0)
    capacity = (size_t)st.st_size + 1;
  buffer = malloc(capacity);
  while (buffer) {
    n += fread(buffer + n, 1, capacity - n, f);
    if (ferror(f)) return fail(f, buffer, path, strerror(errno));
    if (n < capacity) break;
    if (capacity > SIZE_MAX / 2) return fail(f, buffer, path, "it is too large");
    char *larger = realloc(buffer, capacity *= 2);
    if (!larger) return fail(f, buffer, path, "out of memory");
    buffer = larger;
  }
  if (!buffer) return fail(f, NULL, path, "out of memory");
  if (f != stdin) fclose(f);
  *length = n;
  return buffer;
}

static bool write_pieces(FILE *f, const Piece *pieces, size_t count) {
  for (size_t k = 0; k < count; k++)
    if (pieces[k].size && fwrite(pieces[k].bytes, 1, pieces[k].size, f) != pieces[k].size)
      return false;
  return fflush(f) == 0;
}

static bool complain(const char *path) {
  fprintf(stderr, "stan2onnx: cannot write %s: %s\n", path, strerror(errno));
  return false;
}

bool write_file(const char *path, const Piece *pieces, size_t count) {
  if (!strcmp(path, "-")) return write_pieces(stdout, pieces, count) || complain("standard output");
  struct stat st;
  bool special =
      stat(path, &st) == 0 && !S_ISREG(st.st_mode); /* /dev/null, a pipe: written as it is */
  size_t n = strlen(path) + 16;
  char *temporary = malloc(n);
  if (!temporary) return complain(path);
  snprintf(temporary, n, special ? "%s" : "%s.%ld.tmp", path, (long)getpid());
  FILE *f = fopen(temporary, "wb");
  bool ok = f && write_pieces(f, pieces, count);
  int saved = errno;
  if (f && fclose(f) != 0) ok = false, saved = errno;
  if (ok && !special && rename(temporary, path) != 0) ok = false, saved = errno;
  if (!ok && f && !special) unlink(temporary);
  free(temporary);
  errno = saved;
  return ok || complain(path);
}
