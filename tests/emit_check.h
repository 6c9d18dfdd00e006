/* IR functions, emitted as ONNX and run in ONNX Runtime, against the IR's evaluator. */
#ifndef STAN2ONNX_TESTS_EMIT_CHECK_H
#define STAN2ONNX_TESTS_EMIT_CHECK_H

#include "emit/emit.h"
#include "ir/ir.h"

#include <check.h>

enum { MAX_INPUTS = 4, MAX_OUTPUTS = 4, SKIPPED = 77 };

typedef struct {
  IrDtype dtype;
  int rank;
  int64_t dims[IR_MAX_RANK];
  const double *values; /* taken around and around; NULL: 1, 2, 3, ... */
  int value_count;
} Input;

#define SPREAD(values) (values), (int)(sizeof(values) / sizeof *(values))
#define F64            IR_F64
#define I64            IR_I64
#define BOOL           IR_BOOL

/* Builds results of inputs. Returns how many. */
typedef int (*Build)(IrBuilder *b, IrValue *const *in, IrValue **out);

typedef struct {
  const char *name;
  Input inputs[MAX_INPUTS];
  Build build;
} Case;

/* The values of an input. */
IrTensor *tensor_of(Arena *a, const Input *x);
/* The function of a case, with the sizes of its inputs known or, where they are not 1, open. */
IrFunction *function_of(Arena *a, const Case *c, bool open_sizes);
EmittedModel emitted(Arena *a, const IrFunction *f, bool prob_dialect);
/* Fails the test unless ONNX Runtime and the evaluator agree. */
void check_function(Arena *a, const IrFunction *f, const IrTensor *const *args, bool prob_dialect);
/* The same for a case, with sizes known and open. */
void check_case(const Case *c);
/* Runs a suite with ONNX Runtime loaded; gives the exit status: SKIPPED where there is no ONNX
 * Runtime. */
int run_with_runtime(Suite *s);

#endif
