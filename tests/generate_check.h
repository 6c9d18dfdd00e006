/* Programs that draw random numbers, compiled and run in ONNX Runtime and in the evaluator. */
#ifndef STAN2ONNX_TESTS_GENERATE_CHECK_H
#define STAN2ONNX_TESTS_GENERATE_CHECK_H

#include "runtime/ort.h"

#include <check.h>

typedef struct {
  const char *source, *data; /* data: JSON, or NULL */
  bool baked, prob;
  bool log_density;   /* that entry point instead of the generated quantities */
  const char *inputs; /* JSON: parameters, each with its leading axis; or NULL */
  int64_t draws, seed;
} Generation;

typedef struct {
  size_t count;
  const char *names[32];
  OrtTensor tensors[32];
} Generated;

/* Runs a program; everything lives in `a`. The test fails where something goes wrong. */
Generated generate_in_runtime(Arena *a, const Generation *g);
Generated generate_in_evaluator(Arena *a, const Generation *g);
/* The output of that name. */
const OrtTensor *generated(const Generated *g, const char *name);
/* Element i of a tensor of numbers. */
double generated_number(const OrtTensor *t, int64_t i);
/* Runs a suite in one process with ONNX Runtime loaded; the exit status, 77 where there is none. */
int run_generating(Suite *s);

#endif
