/* Batching, shared by the files that do it. A batched value has `levels` leading axes, each of full
 * extent or, where the value is the same for all of that axis, statically 1. Internal to ir/.
 *
 * A batch of scalars may have one more axis, of size 1, at its end: as a batch of vectors of one
 * element it goes together with other vectors as it is, where it would else be reshaped each time.
 */
#ifndef STAN2ONNX_IR_BATCH_H
#define STAN2ONNX_IR_BATCH_H

#include "ir/ir.h"

/* Bit a: batch axis a, of those that are not statically 1. */
typedef unsigned AxisSet;

typedef struct {
  IrValue *value;
  bool batched; /* carries the batch axes */
  bool padded;  /* a batch of scalars, with the axis of size 1 */
} Batched;

/* A region around the one that is being built. */
typedef struct BatchFrame BatchFrame;
struct BatchFrame {
  IrBuilder *b;
  Batched mask; /* where the inner region begins */
  const BatchFrame *outer;
};

/* What is being batched, and where its batched form is built. */
typedef struct {
  IrModule *module;
  Arena *arena;
  IrBuilder *b; /* the function, or the region in it, that is being built */
  int levels;
  bool pads;                  /* batches of scalars are padded */
  IrValue *size[IR_MAX_RANK]; /* full extents of the batch axes */
  Batched mask;     /* bool, of own rank 0: the elements that run here; value NULL: all of them */
  Batched branches; /* the same, by the branches taken only: elements that left a loop count */
  const BatchFrame *around;
  bool differentiable; /* the result may be differentiated: what elements that do not run compute
                          must have finite derivatives */
} Batcher;

/* ---- batch.c ---- */

AxisSet batch_axes(Batched v, int levels);
/* v with `count` axes of size 1 put in before axis `at`, or taken out there. */
IrValue *batch_insert_units(IrBuilder *b, IrValue *v, int at, int count);
IrValue *batch_drop_units(IrBuilder *b, IrValue *v, int at, int count);
/* Gives the batched operands the same own rank, by axes of size 1 after the batch axes. */
void batch_align(IrBuilder *b, IrValue **in, int count, const bool *batched, int levels);

/* ---- batch_axes.c: which axes values vary along, before they are built ---- */

/* What a loop's values vary along. */
typedef struct {
  AxisSet run;      /* whether an element still iterates; none: all of them leave together */
  AxisSet *carried; /* of attr.carried */
} LoopAxes;

/* For loop n whose operands vary along `in`, run by elements whose mask varies along `mask`. */
LoopAxes batch_loop_axes(Arena *a, const IrNode *n, const AxisSet *in, AxisSet mask);
/* The operand of a loop with which the carried values begin. */
int batch_first_carried(const IrNode *loop);
/* Whether an operand of op is made harmless for elements that do not run. */
bool batch_is_guarded(IrOp op);

/* ---- batch_value.c ---- */

/* A value in the form that t keeps batches of scalars in, and without the additional axis. */
Batched batch_padded(Batcher *t, Batched v);
Batched batch_bare(Batcher *t, Batched v);
/* op on values that are batched or not. */
Batched batch_op(Batcher *t, IrOp op, IrAttr attr, const Batched *in, int count);
Batched batch_and(Batcher *t, Batched x, Batched y); /* a NULL value stands for true */
Batched batch_select(Batcher *t, Batched c, Batched x, Batched y);
/* v with exactly the axes `axes` of full extent; with none, as a value without batch axes. */
Batched batch_with_axes(Batcher *t, Batched v, AxisSet axes);
/* A type with `count` dimensions put in front. */
IrType batch_prefixed(const IrType *own, const int64_t *dims, int count);
/* A parameter for values of type `own` with the axes `axes`. */
Batched batch_param(Batcher *t, const IrType *own, AxisSet axes, const char *name);
/* The nodes of f, given its parameters; its results are stored in `results`. */
void batch_body(Batcher *t, const IrFunction *f, const Batched *params, Batched *results);

/* ---- batch_region.c ---- */

void batch_if(Batcher *t, const IrNode *n, const Batched *in, Batched *out);
void batch_loop(Batcher *t, const IrNode *n, const Batched *in, Batched *out);

/* ---- vmap.c ---- */

void batch_call(Batcher *t, const IrNode *n, const Batched *in, Batched *out);

#endif
