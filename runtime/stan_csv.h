/* Draws in files as CmdStan writes them: settings as comments, a line of names, what was adapted as
 * comments, a line for each draw, times as comments. */
#ifndef STAN2ONNX_RUNTIME_STAN_CSV_H
#define STAN2ONNX_RUNTIME_STAN_CSV_H

#include "base/arena.h"
#include "runtime/draws.h"

#include <stdio.h>

typedef enum { CSV_SAMPLE, CSV_FIXED_PARAM, CSV_GENERATE } CsvMethod;

/* What a file's first comments tell. */
typedef struct {
  CsvMethod method;
  const char *model;     /* the program's name */
  const char *data_path; /* or NULL */
  const char *init;      /* as given, or NULL */
  const char *fitted;    /* of CSV_GENERATE, the file of draws */
  const char *metric;    /* "diag", "dense" or "unit" */
  const char *engine;    /* of CSV_SAMPLE: "nuts" or "static" */
  uint64_t seed;
  int64_t chain; /* from 1 */
  int64_t warmup, samples, thin, max_depth, threads, digits;
  double delta, step_size, int_time;
  bool save_warmup;
} CsvSettings;

typedef struct {
  FILE *file; /* NULL: the file was given up */
  const char *path;
  int error; /* errno of what went wrong first, or 0 */
  int digits;
  size_t columns;
  const bool *integers; /* of the columns: written as integers */
  long sound;           /* length of the file when it was last known to be whole */
  long samples_at;      /* place of the number of samples in the comments */
} CsvFile;

/* Begins a file with the settings and the names of columns. Errors of this and all that follows
 * stay in f->error; from the first one on nothing is written, and what had been is cut to whole
 * lines. The arrays are borrowed. */
void csv_begin(CsvFile *f, const char *path, const CsvSettings *settings, const char *const *names,
               const bool *integers, size_t columns);
/* What was adapted: of a diagonal metric n numbers, of a dense one n * n. */
void csv_adapted(CsvFile *f, double step_size, const char *metric, const double *inverse, size_t n);
/* Draws: row i is the numbers from rows + i * stride. */
void csv_rows(CsvFile *f, const double *rows, size_t stride, size_t count);
/* Hands all lines to the system, so that they outlive a killed process. */
void csv_flush(CsvFile *f);
/* Flushes and closes. */
void csv_close(CsvFile *f);
/* Writes the times, and the number of samples where a run ended before its end, and closes. */
void csv_end(CsvFile *f, double warmup_seconds, double sampling_seconds, int64_t samples);

/* A file that was read: the draws after the warmup. */
typedef struct {
  const char *path;
  const char *const *names;
  size_t columns, rows;
  double *values;    /* [row][column]; freed with csv_free */
  int64_t chain;     /* as the comments tell, or 0 */
  int64_t max_depth; /* or 0 */
  double delta;      /* or 0 */
} CsvDraws;

/* Reads a file, CmdStan's own or ours. Returns NULL or, in `a`, what is wrong and in which line. A
 * last line that is cut short, as a killed run leaves it, is passed over. */
const char *csv_read(Arena *a, const char *path, CsvDraws *out);
void csv_free(CsvDraws *d);

#endif
