/* Where ONNX Runtime's library is looked for. */
#include "base/text.h"
#include "runtime/ort.h"

#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef STAN2ONNX_ORT_HINT
#define STAN2ONNX_ORT_HINT ""
#endif

/* Places of the library below a folder: in a Python environment, in node_modules, or right there.
 */
static const char *const below[] = {
    "libonnxruntime.so.1*",
    "libonnxruntime.so",
    "lib/libonnxruntime.so*",
    "capi/libonnxruntime.so.*",
    "onnxruntime/capi/libonnxruntime.so.*",
    "lib/python3*/site-packages/onnxruntime/capi/libonnxruntime.so.*",
    ".venv/lib/python3*/site-packages/onnxruntime/capi/libonnxruntime.so.*",
    "node_modules/onnxruntime-node/bin/napi-v*/linux/" STAN2ONNX_NODE_ARCH "/libonnxruntime.so.1",
};

static const char *const system_patterns[] = {
    "/usr/local/lib/python3*/*-packages/onnxruntime/capi/libonnxruntime.so.*",
    "/usr/lib/python3*/*-packages/onnxruntime/capi/libonnxruntime.so.*",
    "/usr/local/lib/libonnxruntime.so.1*",
    "/usr/lib/*/libonnxruntime.so.1*",
    "/usr/lib/libonnxruntime.so.1*",
};

enum { FOLDERS_ABOVE = 4 };

/* The last file, in order of name, that a pattern matches: of several versions the newest. */
static const char *match(Arena *a, const char *pattern) {
  glob_t found;
  const char *path = NULL;
  if (glob(pattern, 0, NULL, &found) == 0) {
    if (found.gl_pathc) path = arena_strdup(a, found.gl_pathv[found.gl_pathc - 1]);
    globfree(&found);
  }
  return path;
}

static const char *in_folder(Arena *a, const char *folder) {
  for (size_t i = 0; i < sizeof below / sizeof *below; i++) {
    const char *path = match(a, arena_printf(a, "%s/%s", folder, below[i]));
    if (path) return path;
  }
  return NULL;
}

/* A file as it is, a folder searched. */
static const char *in_place(Arena *a, const char *place) {
  struct stat s;
  if (!*place || stat(place, &s) != 0) return NULL;
  return S_ISDIR(s.st_mode) ? in_folder(a, place) : place;
}

static const char *beside_program(Arena *a) {
  char path[4096];
  ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
  if (n <= 0) return NULL;
  path[n] = '\0';
  for (int i = 0; i < FOLDERS_ABOVE; i++) {
    char *slash = strrchr(path, '/');
    if (!slash || slash == path) return NULL;
    *slash = '\0';
    const char *found = in_folder(a, path);
    if (found) return found;
  }
  return NULL;
}

static const char *in_environment(Arena *a, const char *variable, const char *folder) {
  const char *value = getenv(variable);
  return value && *value ? in_folder(a, arena_printf(a, "%s/%s", value, folder)) : NULL;
}

static const char *anywhere(Arena *a) {
  const char *path = in_place(a, STAN2ONNX_ORT_HINT);
  if (!path) path = beside_program(a);
  if (!path) path = in_folder(a, ".");
  if (!path) path = in_environment(a, "VIRTUAL_ENV", ".");
  if (!path) path = in_environment(a, "HOME", ".local");
  for (size_t i = 0; !path && i < sizeof system_patterns / sizeof *system_patterns; i++)
    path = match(a, system_patterns[i]);
  return path;
}

const char *ort_find(Arena *a, const char *asked, const char **tried) {
  const char *variable = getenv("STAN2ONNX_ORT"), *where;
  const char *path;
  if (asked) {
    path = in_place(a, asked);
    where = asked;
  } else if (variable && *variable) {
    path = in_place(a, variable);
    where = arena_printf(a, "%s (from STAN2ONNX_ORT)", variable);
  } else {
    path = anywhere(a);
    where = ".venv and node_modules beside this program and here, the user's and the system's "
            "Python, the system's libraries";
  }
  if (tried) *tried = where;
  return path;
}
