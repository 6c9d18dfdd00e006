/* The summary of a sample: estimates of every quantity, and what is wrong with the run in words. */
#ifndef STAN2ONNX_RUNTIME_SUMMARY_H
#define STAN2ONNX_RUNTIME_SUMMARY_H

#include "base/text.h"
#include "runtime/convergence.h"
#include "runtime/draws.h"

typedef struct {
  size_t columns; /* of the draws; estimates[k] is of column k */
  Estimates *estimates;
  size_t chains, draws; /* draws of each chain */
  const Draws *of;
  int64_t divergences, deep; /* transitions that diverged, that ended at the maximum depth */
  int64_t max_depth;         /* 0: not known */
  double delta;              /* 0: not known */
  double *energy_fractions;  /* of each chain; NULL: not known */
  bool tells_divergences;    /* false: the algorithm has none */
} Summary;

/* Summarises what all chains have. With `threads` threads at most. */
void summarise(Arena *a, const Draws *draws, int64_t max_depth, double delta, int threads,
               Summary *out);
/* A table for people, of at most `rows` quantities. */
void print_estimates(Text *out, const Summary *s, size_t rows);
/* The table, then the warnings. */
void print_summary(Text *out, const Summary *s, size_t rows);
/* Warnings, each with what to do, one a line; or that there are none. */
void print_warnings(Text *out, const Summary *s);
/* All of it as a JSON object. */
void print_summary_json(Text *out, const Summary *s);

#endif
