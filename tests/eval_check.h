/* The evaluator's tests: values written down, functions that are not simplified. */
#ifndef STAN2ONNX_TESTS_EVAL_CHECK_H
#define STAN2ONNX_TESTS_EVAL_CHECK_H

#include "ir/eval.h"

#include <check.h>

/* Fresh for each test. */
extern Arena *arena;
void eval_set_up(void);
void eval_tear_down(void);

typedef struct {
  IrDtype dtype;
  int rank;
  int64_t dims[4];
  const double *values;
} Value;

#define LIST(...)                                                                                  \
  (const double[]) { __VA_ARGS__ }
#define SCALAR(dtype, x)                                                                           \
  { dtype, 0, {0}, LIST(x) }
#define VECTOR(dtype, n, ...)                                                                      \
  { dtype, 1, {n}, LIST(__VA_ARGS__) }
#define MATRIX(dtype, n, m, ...)                                                                   \
  { dtype, 2, {n, m}, LIST(__VA_ARGS__) }
#define CUBE(dtype, n, m, l, ...)                                                                  \
  { dtype, 3, {n, m, l}, LIST(__VA_ARGS__) }
#define NO_VECTOR(dtype)                                                                           \
  { dtype, 1, {0}, NULL }
#define NO_MATRIX(dtype, n, m)                                                                     \
  { dtype, 2, {n, m}, NULL }
#define F IR_F64
#define I IR_I64
#define B IR_BOOL

IrTensor *tensor_of_value(const Value *v);
/* Fails the test unless the tensors are of one type and all elements are the same. */
void check_same(const char *name, const IrTensor *got, const IrTensor *expected);
/* Starts a function in a module of its own that changes nothing of what it is told to build. */
IrBuilder *begin_plain(const char *name);
/* Runs f twice, as the second time finds memory in use, and checks that this time it asks for none.
 * Results are in the arena. */
const char *run_twice(const IrFunction *f, const IrTensor *const *args, IrTensor **results);
/* Runs a suite; the exit status. */
int run_suite(Suite *s);

#endif
