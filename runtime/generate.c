/* stan2onnx-run generate: generated quantities for the draws of a fit. */
#include "runtime/command.h"
#include "runtime/options.h"
#include "runtime/recorder.h"
#include "runtime/source.h"
#include "runtime/summary.h"
#include "runtime/values.h"

#include <stdlib.h>
#include <string.h>

enum { TABLE_ROWS = 50 };

typedef struct {
  Arena *arena;
  SampleOptions options;
  Source source;
  Ort *ort;
  OrtModel *model;
  json_t *data;
  CsvDraws *fits; /* the draws of each file */
  size_t fit_count;
  Quantities quantities;
  RowLayout layout; /* of what is generated */
  Draws draws;
  CsvFile *files;
} Generation;

/* ---- draws as JSON ---- */

/* The columns of a parameter's tensor [draw, ...] in its order. */
static void name_elements(Arena *a, const OrtPort *p, const OrtTensor *t, Columns *out) {
  int64_t size = draw_size(t, 1);
  for (int64_t e = 0; e < size; e++) {
    int64_t index[ORT_MAX_RANK], left = e;
    Text name = text_new(a);
    for (int k = t->rank - 1; k >= 1; k--) {
      index[k] = left % t->dims[k] + 1;
      left /= t->dims[k];
    }
    size_t n = strlen(p->name), suffix = strlen(".stan");
    bool gave_way = n > suffix && strcmp(p->name + n - suffix, ".stan") == 0;
    text_add_bytes(&name, p->name, gave_way ? n - suffix : n);
    for (int k = 1; k < t->rank; k++) text_printf(&name, ".%lld", (long long)index[k]);
    Column c = {.name = name.data, .offset = e};
    ARENA_PUSH(a, out->items, out->count, out->capacity, c);
  }
}

/* Tensors side by side: each has its columns in a row. */
static const char *join(Arena *a, const char *path, const OrtTensor *tensors, size_t count,
                        const Columns *columns, CsvDraws *out) {
  int64_t rows = -1;
  for (size_t k = 0; k < count; k++) {
    if (!tensors[k].rank) continue;
    if (rows >= 0 && tensors[k].dims[0] != rows)
      return arena_printf(a, "%s has different numbers of draws of its parameters", path);
    rows = tensors[k].dims[0];
  }
  *out = (CsvDraws){.path = path, .columns = columns->count, .rows = rows < 0 ? 0 : (size_t)rows};
  out->names = layout_with(a, (RowLayout){0}, columns).names;
  out->values = calloc(out->rows * out->columns + 1, sizeof *out->values);
  if (!out->values) return "there is not enough memory for the draws";
  for (size_t i = 0, at = 0; i < out->rows; i++)
    for (size_t k = 0; k < count; k++) {
      size_t size = tensors[k].rank ? (size_t)draw_size(&tensors[k], 1) : 0;
      if (size)
        memcpy(out->values + at, (double *)tensors[k].data + i * size, size * sizeof(double));
      at += size;
    }
  return NULL;
}

static const char *read_json_draws(Arena *a, const OrtModel *m, const char *path, CsvDraws *out) {
  size_t count;
  const OrtPort *in = ort_inputs(m, &count);
  OrtTensor *tensors = ARENA_ARRAY(a, OrtTensor, count + 1);
  Columns columns = {0};
  json_t *object = NULL;
  const char *rest, *error = read_json_object(a, path, &object);
  for (size_t k = 0; k < count && !error; k++) {
    if (in[k].rank == 0 || strcmp(in[k].dim_names[0], "draw") != 0) continue;
    json_t *value = find_value(object, in[k].name, &rest);
    error = value ? tensor_from_json(a, value, rest, &in[k], true, &tensors[k])
                  : arena_printf(a, "%s lacks the parameter %s", path, in[k].name);
    if (!error) name_elements(a, &in[k], &tensors[k], &columns);
  }
  json_decref(object);
  return error ? error : join(a, path, tensors, count, &columns, out);
}

/* ---- preparation ---- */

static bool is_json(const char *path) {
  size_t n = strlen(path);
  return n > 5 && strcmp(path + n - 5, ".json") == 0;
}

static const char *read_draws(Generation *g) {
  const char *error = NULL;
  size_t capacity = 1;
  for (const char *p = g->options.draws; *p; p++) capacity += *p == ',';
  g->fits = ARENA_ARRAY(g->arena, CsvDraws, capacity);
  for (const char *p = g->options.draws; *p && !error;) {
    size_t n = strcspn(p, ",");
    const char *path = arena_strndup(g->arena, p, n);
    CsvDraws *fit = &g->fits[g->fit_count++];
    error = is_json(path) ? read_json_draws(g->arena, g->model, path, fit)
                          : csv_read(g->arena, path, fit);
    if (!error && fit->columns != g->fits[0].columns)
      error = arena_printf(g->arena, "%s has other columns than %s", path, g->fits[0].path);
    p += n + (p[n] == ',');
  }
  return error;
}

static const char *open_model(Generation *g) {
  const SampleOptions *o = &g->options;
  const char *warnings = NULL, *error = open_runtime(g->arena, o->ort, &g->ort);
  if (!error)
    error = source_open(g->arena, o->model, o->data_path, o->include_paths, o->reproducible,
                        &g->source);
  if (!error && !g->source.is_program && o->data_path)
    error = read_json_object(g->arena, o->data_path, &g->data);
  if (!error)
    error = source_load(&g->source, g->arena, g->ort, (SourceModel){.entry = STAN2ONNX_GENERATE},
                        &g->model, &warnings);
  if (warnings && !o->quiet) complain(0, "%s", warnings);
  return error;
}

static const char *open_quantities(Generation *g) {
  const CsvDraws *first = &g->fits[0];
  const char *error =
      quantities_open(g->arena, g->model, g->data, first->names, first->columns, &g->quantities);
  if (error) return arena_printf(g->arena, "%s: %s", first->path, error);
  g->layout = layout_with(g->arena, (RowLayout){0}, &g->quantities.columns);
  size_t most = 0;
  for (size_t k = 0; k < g->fit_count; k++) most = g->fits[k].rows > most ? g->fits[k].rows : most;
  return draws_new(&g->draws, g->layout.names, g->layout.count, g->fit_count, most)
             ? NULL
             : "there is not enough memory for the quantities";
}

/* ---- generation ---- */

static void begin_file(Generation *g, size_t k, size_t chain) {
  const SampleOptions *o = &g->options;
  CsvSettings settings = {.method = CSV_GENERATE,
                          .model = g->source.name,
                          .data_path = o->data_path,
                          .fitted = g->fits[k].path,
                          .seed = o->seed,
                          .chain = (int64_t)chain + 1,
                          .threads = 1,
                          .digits = o->digits};
  const char *path =
      arena_printf(g->arena, "%s/%s-generated-%zu.csv", o->output, g->source.name, k + 1);
  csv_begin(&g->files[k], path, &settings, g->layout.names, g->layout.integers, g->layout.count);
}

static const char *end_file(Generation *g, CsvFile *f) {
  csv_close(f);
  return f->error ? arena_printf(g->arena, "cannot write %s: %s", f->path, strerror(f->error))
                  : NULL;
}

static const char *generate_file(Generation *g, size_t k) {
  const CsvDraws *fit = &g->fits[k];
  size_t chain = fit->chain > 0 ? (size_t)fit->chain - 1 : k;
  Recorder r =
      recorder_new(g->arena, g->options.seed, chain, fit->columns, fit->columns, &g->quantities);
  r.chain = k;
  r.draws = &g->draws;
  if (g->options.output) {
    begin_file(g, k, chain);
    r.file = &g->files[k];
  }
  const char *error = NULL;
  for (size_t i = 0; i < fit->rows && !error; i++) {
    double *row;
    error = recorder_next(&r, g->arena, true, &row);
    if (!error) memcpy(row, fit->values + i * fit->columns, fit->columns * sizeof *row);
  }
  if (!error) error = recorder_flush(&r, g->arena);
  const char *written = r.file ? end_file(g, r.file) : NULL;
  return error ? error : written;
}

static int print_results(Generation *g) {
  Text out = text_new(g->arena);
  Summary summary;
  if (g->options.quiet) return EXIT_DONE;
  if (draws_common(&g->draws) == 0) return complain(EXIT_DONE, "there are no draws to summarise");
  summarise(g->arena, &g->draws, 0, 0, core_count(), &summary);
  if (g->options.json)
    print_summary_json(&out, &summary);
  else
    print_estimates(&out, &summary, TABLE_ROWS);
  return print_text(&out);
}

static int run(Generation *g) {
  const char *error = open_model(g);
  if (!error) error = read_draws(g);
  if (!error) error = open_quantities(g);
  if (!error && g->options.output) error = make_folder(g->arena, g->options.output);
  g->files = ARENA_ARRAY(g->arena, CsvFile, g->fit_count + 1);
  for (size_t k = 0; k < g->fit_count && !error; k++) error = generate_file(g, k);
  return error ? complain(EXIT_FAILED, "%s", error) : print_results(g);
}

int generate_command(Arena *a, int argc, char **argv) {
  Generation g = {.arena = a};
  const char *error = generate_options(a, argc, argv, &g.options);
  if (error) return complain(EXIT_USAGE, "%s (see generate --help)", error);
  if (g.options.help) return print_generate_help(stdout), EXIT_DONE;
  int status = run(&g);
  for (size_t k = 0; k < g.fit_count; k++) csv_free(&g.fits[k]);
  draws_free(&g.draws);
  if (g.data) json_decref(g.data);
  ort_unload(g.model);
  ort_close(g.ort);
  return status;
}
