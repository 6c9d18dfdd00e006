/* The command lines of stan2onnx-run. */
#ifndef STAN2ONNX_RUNTIME_OPTIONS_H
#define STAN2ONNX_RUNTIME_OPTIONS_H

#include "base/arena.h"

#include <stdbool.h>
#include <stdio.h>

typedef enum {
  OPTION_FLAG,   /* bool */
  OPTION_STRING, /* const char * */
  OPTION_INT,    /* int64_t */
  OPTION_SEED,   /* uint64_t */
  OPTION_REAL    /* double */
} OptionKind;

/* A row of a command's table. */
typedef struct {
  const char *name, *letter; /* letter: "-h", or NULL */
  OptionKind kind;
  size_t offset;     /* of its field in the command's struct */
  const char *value; /* what help calls its value; NULL for flags */
  const char *help;
  double least, most; /* of OPTION_INT (both included) and OPTION_REAL (neither) */
} Option;

/* Fills the struct at `out` from a command line, of which the first argument is skipped; what is no
 * option goes to `files`, which has room for all arguments. Returns NULL, or in `a` what is wrong.
 */
const char *read_options(Arena *a, const Option *table, size_t count, int argc, char **argv,
                         void *out, const char **files, size_t *file_count);
/* One line for each option. */
void print_options(FILE *to, const Option *table, size_t count);

/* The evaluation of a model: stan2onnx-run MODEL.onnx */
typedef struct {
  const char *model;       /* path of the .onnx file */
  const char *ort;         /* --ort, or NULL */
  const char *data_path;   /* --data, or NULL */
  const char *params_path; /* --params, or NULL */
  const char *point;       /* --point: numbers, or a file; or NULL */
  uint64_t seed;
  int64_t chains;  /* number of random points */
  int64_t threads; /* 0: as many as there are cores */
  bool info, json, time, help, version;
} RunOptions;

/* Reads the command line. Returns NULL, or in `a` what is wrong with it. */
const char *run_options(Arena *a, int argc, char **argv, RunOptions *out);
void print_run_help(FILE *to);
/* The version of the project. */
const char *run_version(void);

/* What the commands sample, generate and summary have in common, and what is each one's own. */
typedef struct {
  const char *model;  /* .onnx or .stan; NULL for summary */
  const char **files; /* of summary: CSV files */
  size_t file_count;
  const char *ort, *data_path, *include_paths;
  const char *output; /* a folder, or NULL */
  const char *draws;  /* generate: files, separated by commas */
  const char *init;   /* sample: files, or a radius; or NULL */
  const char *metric; /* sample: "diag", "dense" or "unit"; NULL: the model's, or "diag" */
  const char *engine; /* sample: "nuts" or "static"; NULL: the model's, or "nuts" */
  uint64_t seed;
  int64_t chains, warmup, samples, thin, max_depth, threads, digits;
  double delta, int_time, step_size; /* int_time, max_depth 0: not given */
  bool save_warmup, reproducible, json, quiet, help;
} SampleOptions;

const char *sample_options(Arena *a, int argc, char **argv, SampleOptions *out);
const char *generate_options(Arena *a, int argc, char **argv, SampleOptions *out);
const char *summary_options(Arena *a, int argc, char **argv, SampleOptions *out);
void print_sample_help(FILE *to);
void print_generate_help(FILE *to);
void print_summary_help(FILE *to);

#endif
