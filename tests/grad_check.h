/* Gradients against finite differences in the evaluator. */
#ifndef STAN2ONNX_TESTS_GRAD_CHECK_H
#define STAN2ONNX_TESTS_GRAD_CHECK_H

#include "ir/ir.h"

/* A function to differentiate. Parameters are numbered by their place in `inputs`. */
typedef struct {
  IrDtype dtype;
  int rank;
  int64_t dims[4];
  double low, high;     /* elements are random between these (f64), */
  const double *values; /* or those here, in turn (any type) */
  int value_count;
  bool held; /* not differentiated */
} GradInput;

enum { GRAD_INPUTS = 5, GRAD_RESULTS = 6 };

typedef struct {
  const char *name;
  int (*build)(IrBuilder *b, IrValue *const *in, IrValue **out); /* returns how many results */
  int count;                                                     /* inputs */
  GradInput inputs[GRAD_INPUTS];
} GradCase;

/* The function, with all sizes known or all but 1 open. */
IrFunction *grad_function(IrModule *m, const GradCase *c, bool open_sizes);
/* Random numbers of a test. */
double grad_random(uint64_t *state, double low, double high);
IrTensor *grad_tensor(Arena *a, const GradInput *x, uint64_t *state);
/* Compares ir_vjp of f at args, for random cotangents, with differences of f. The parameters with
 * wrt[k] are differentiated. */
void check_vjp(IrFunction *f, const bool *wrt, const IrTensor *const *args, double tolerance);
/* All of the above for one case: sizes known and open, with passes and without; then once more for
 * the function's gradient, whose own derivative must be right. */
void check_gradients(const GradCase *c, bool second_order);
/* Runs f; aborts the test on errors. Results are copied to the arena. */
void grad_run(Arena *a, const IrFunction *f, const IrTensor *const *args, IrTensor **results);

#endif
