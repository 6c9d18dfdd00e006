#include "runtime/command.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef __GLIBC__
#include <malloc.h>
#endif

const char *open_runtime(Arena *a, const char *asked, Ort **out) {
  const char *tried;
  const char *library = ort_find(a, asked, &tried);
  if (!library && asked) return arena_printf(a, "no ONNX Runtime library at %s", tried);
  const char *error = ort_open(a, library, out);
  if (error && !library)
    return arena_printf(
        a,
        "no ONNX Runtime library found (looked in: %s); install it with 'pip install onnxruntime', "
        "or say where it is with --ort or STAN2ONNX_ORT",
        tried);
  return error;
}

const char *make_folder(Arena *a, const char *path) {
  struct stat st;
  if (mkdir(path, 0777) == 0 || (stat(path, &st) == 0 && S_ISDIR(st.st_mode))) return NULL;
  return arena_printf(a, "cannot make the folder %s: %s", path, strerror(errno));
}

int print_text(const Text *out) {
  if (out->length && fwrite(out->data, 1, out->length, stdout) != out->length)
    return complain(EXIT_FAILED, "cannot write: %s", strerror(errno));
  if (fflush(stdout) != 0) return complain(EXIT_FAILED, "cannot write: %s", strerror(errno));
  return EXIT_DONE;
}

int complain(int status, const char *format, ...) {
  va_list args;
  va_start(args, format);
  fputs("stan2onnx-run: ", stderr);
  vfprintf(stderr, format, args);
  fputc('\n', stderr);
  va_end(args);
  return status;
}

/* A call of a model frees as much as the next one needs again: not worth giving back to the system,
 * page by page, in between. glibc's malloc takes thresholds of up to 32 MiB. */
void keep_memory(void) {
#ifdef __GLIBC__
  enum { LARGE = 32 << 20, STEP = 4 << 20 };
  mallopt(M_MMAP_THRESHOLD, LARGE);
  mallopt(M_TRIM_THRESHOLD, 8 * LARGE);
  mallopt(M_TOP_PAD, STEP);
#endif
}

int core_count(void) {
  long n = sysconf(_SC_NPROCESSORS_ONLN);
  return n < 1 ? 1 : n > 1024 ? 1024 : (int)n;
}
