/* The command line of stan2onnx-run. */
#ifndef STAN2ONNX_RUNTIME_OPTIONS_H
#define STAN2ONNX_RUNTIME_OPTIONS_H

#include "base/arena.h"

#include <stdbool.h>
#include <stdio.h>

typedef struct {
  const char *model;       /* path of the .onnx file */
  const char *ort;         /* --ort, or NULL */
  const char *data_path;   /* --data, or NULL */
  const char *params_path; /* --params, or NULL */
  const char *point;       /* --point: numbers, or a file; or NULL */
  uint64_t seed;
  bool seed_given;
  int64_t chains; /* number of random points */
  int threads;    /* 0: as many as there are cores */
  bool info, json, time, help, version;
} RunOptions;

/* Reads the command line. Returns NULL, or in `a` what is wrong with it. */
const char *run_options(Arena *a, int argc, char **argv, RunOptions *out);
void print_run_help(FILE *to);
/* The version of the project. */
const char *run_version(void);

#endif
