#include "runtime/source.h"

#include "runtime/values.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char *stem(Arena *a, const char *path) {
  const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
  const char *dot = strrchr(name, '.');
  return arena_strndup(a, name, dot && dot > name ? (size_t)(dot - name) : strlen(name));
}

static bool ends_in(const char *s, const char *suffix) {
  size_t n = strlen(s), k = strlen(suffix);
  return n >= k && strcmp(s + n - k, suffix) == 0;
}

static void split_paths(Arena *a, const char *list, Source *out) {
  size_t capacity = 0;
  for (const char *p = list; p && *p;) {
    size_t n = strcspn(p, ",");
    ARENA_PUSH(a, out->include_paths, out->include_path_count, capacity, arena_strndup(a, p, n));
    p += n + (p[n] == ',');
  }
}

const char *source_open(Arena *a, const char *path, const char *data_path,
                        const char *include_paths, bool reproducible, Source *out) {
  *out = (Source){
      .path = path, .name = stem(a, path), .data_path = data_path, .reproducible = reproducible};
  out->is_program = ends_in(path, ".stan");
  if (!out->is_program) return NULL;
  split_paths(a, include_paths, out);
  const char *error = read_text(a, path, &out->program);
  if (!error && data_path) error = read_text(a, data_path, &out->data);
  return error;
}

static Stan2onnxResult *compile(const Source *s, Stan2onnxOutput output, SourceModel wanted) {
  Stan2onnxOptions options = {.struct_size = sizeof options,
                              .name = s->path,
                              .source = s->program.data,
                              .source_length = s->program.length,
                              .data = s->data.data,
                              .data_length = s->data.length,
                              .data_name = s->data_path,
                              .include_paths = s->include_paths,
                              .include_path_count = s->include_path_count,
                              .reproducible = s->reproducible,
                              .output = output,
                              .entry = wanted.entry,
                              .metric = wanted.metric,
                              .engine = wanted.engine};
  return stan2onnx_compile(&options);
}

static const char *without_last_newline(Arena *a, const char *s) {
  size_t n = strlen(s);
  return arena_strndup(a, s, n && s[n - 1] == '\n' ? n - 1 : n);
}

const char *source_has_parameters(const Source *s, Arena *a, bool *out) {
  Stan2onnxResult *r = compile(s, STAN2ONNX_INFO, (SourceModel){.entry = STAN2ONNX_LOG_DENSITY});
  if (!r) return "out of memory";
  size_t size;
  const char *info = stan2onnx_output(r, &size), *error = NULL;
  if (info) {
    json_t *value = json_loadb(info, size, 0, NULL);
    *out = json_object_size(json_object_get(value, "parameters")) > 0;
    json_decref(value);
  } else {
    error = without_last_newline(a, stan2onnx_diagnostics(r));
  }
  stan2onnx_free(r);
  return error;
}

static const char *load_program(const Source *s, Arena *a, Ort *ort, SourceModel wanted,
                                OrtModel **out, const char **warnings) {
  Stan2onnxResult *r = compile(s, STAN2ONNX_MODEL, wanted);
  if (!r) return "out of memory";
  size_t size, piece;
  const char *error = NULL, *messages = without_last_newline(a, stan2onnx_diagnostics(r));
  const void *model = stan2onnx_output(r, &size);
  if (stan2onnx_status(r) != STAN2ONNX_OK)
    error = *messages ? messages : arena_printf(a, "%s cannot be converted", s->path);
  else if (stan2onnx_external_piece(r, 0, &piece))
    error = arena_printf(a, "%s with its data is too large for a model of one piece", s->path);
  else
    error = ort_load_compiled(ort, a, NULL, model, size, out);
  if (!error && warnings && *messages) *warnings = messages;
  stan2onnx_free(r);
  return error;
}

static const char *property(const OrtModel *m, const char *key) {
  size_t count;
  const OrtProperty *p = ort_properties(m, &count);
  for (size_t k = 0; k < count; k++)
    if (strcmp(p[k].key, key) == 0) return p[k].value;
  return NULL;
}

/* What a model was made for, against what is wanted of it. */
static const char *check_made(const Source *s, Arena *a, const OrtModel *m, Stan2onnxEntry entry) {
  const char *made = property(m, "stan.entry"), *same = property(m, "stan.reproducible");
  const char *wanted = entry == STAN2ONNX_SAMPLE ? "sample" : "generate";
  if (!made) return arena_printf(a, "%s is no model made by stan2onnx", s->path);
  if (strcmp(made, wanted) != 0)
    return arena_printf(a, "%s was made with --emit %s; this needs one made with --emit %s",
                        s->path, made, wanted);
  if (s->reproducible && !(same && strcmp(same, "true") == 0))
    return arena_printf(a, "%s is not reproducible: convert the program with --reproducible",
                        s->path);
  return NULL;
}

static const char *load_file(const Source *s, Arena *a, Ort *ort, Stan2onnxEntry entry,
                             OrtModel **out) {
  FILE *file = fopen(s->path, "rb");
  if (!file) return arena_printf(a, "cannot read %s: %s", s->path, strerror(errno));
  fclose(file);
  const char *error = ort_load_compiled(ort, a, s->path, NULL, 0, out);
  if (error) return arena_printf(a, "%s: %s", s->path, error);
  error = check_made(s, a, *out, entry);
  if (!error) return NULL;
  ort_unload(*out);
  *out = NULL;
  return error;
}

const char *source_load(const Source *s, Arena *a, Ort *ort, SourceModel wanted, OrtModel **out,
                        const char **warnings) {
  return s->is_program ? load_program(s, a, ort, wanted, out, warnings)
                       : load_file(s, a, ort, wanted.entry, out);
}
