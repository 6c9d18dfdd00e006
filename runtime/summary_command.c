/* stan2onnx-run summary: the summary of a run from its files. */
#include "runtime/command.h"
#include "runtime/options.h"
#include "runtime/stan_csv.h"
#include "runtime/summary.h"

#include <string.h>

static const char *same_columns(Arena *a, const CsvDraws *x, const CsvDraws *y) {
  bool same = x->columns == y->columns;
  for (size_t c = 0; same && c < x->columns; c++) same = strcmp(x->names[c], y->names[c]) == 0;
  return same ? NULL : arena_printf(a, "%s and %s are files of different models", x->path, y->path);
}

static const char *read_files(Arena *a, const SampleOptions *o, CsvDraws *files) {
  const char *error = NULL;
  for (size_t k = 0; k < o->file_count && !error; k++) {
    error = csv_read(a, o->files[k], &files[k]);
    if (!error) error = same_columns(a, &files[0], &files[k]);
  }
  return error;
}

/* All files as one table, each a chain. */
static const char *collect(const CsvDraws *files, size_t count, Draws *out) {
  size_t most = 0;
  for (size_t k = 0; k < count; k++) most = files[k].rows > most ? files[k].rows : most;
  if (!draws_new(out, files[0].names, files[0].columns, count, most))
    return "there is not enough memory for the draws";
  for (size_t k = 0; k < count; k++)
    draws_add(out, k, files[k].values, files[k].columns, files[k].rows);
  return NULL;
}

int summary_command(Arena *a, int argc, char **argv) {
  SampleOptions o;
  const char *error = summary_options(a, argc, argv, &o);
  if (error) return complain(EXIT_USAGE, "%s (see summary --help)", error);
  if (o.help) return print_summary_help(stdout), EXIT_DONE;
  CsvDraws *files = ARENA_ARRAY(a, CsvDraws, o.file_count);
  Draws draws = {0};
  Summary summary;
  Text out = text_new(a);
  error = read_files(a, &o, files);
  if (!error) error = collect(files, o.file_count, &draws);
  if (!error && draws_common(&draws) == 0) error = "a file has no draws";
  if (!error) {
    summarise(a, &draws, files[0].max_depth, files[0].delta, core_count(), &summary);
    if (o.json)
      print_summary_json(&out, &summary);
    else
      print_summary(&out, &summary, SIZE_MAX);
  }
  for (size_t k = 0; k < o.file_count; k++) csv_free(&files[k]);
  draws_free(&draws);
  return error ? complain(EXIT_FAILED, "%s", error) : print_text(&out);
}
