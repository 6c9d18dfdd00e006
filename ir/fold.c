/* Evaluation at compile time of what is computed from constants alone. */
#include "ir/builder.h"
#include "ir/eval.h"

#include <string.h>

enum {
  SMALL = 64,          /* elements up to which a repeated constant is written out */
  LARGE = 1 << 25,     /* elements beyond which a result is left to run time */
  GROWTH = 1 << 16,    /* elements that a result may have more than its operands together */
  MOST_STEPS = 1 << 22 /* iterations of loops, likewise */
};

/* Multiplications of a matrix product beyond which it is left to run time. */
static const double MANY_PRODUCTS = 4e9;

/* ---- values known without being constants ---- */

/* A broadcast of a constant stays a node, as its elements say no more. */
static bool is_known(const IrValue *v) {
  if (v->constant) return true;
  const IrNode *n = v->node;
  return n && n->op == IR_BROADCAST && n->in[0]->constant && ir_type_count(&v->type) >= 0 &&
         ir_type_count(&v->type) <= LARGE;
}

static const IrTensor *tensor_of(IrBuilder *b, const IrValue *v) {
  if (v->constant) return v->constant;
  const IrNode *n = v->node;
  Arena *a = b->module->arena;
  const IrTensor *in[IR_MAX_RANK + 1];
  IrTensor *out;
  in[0] = n->in[0]->constant;
  for (int k = 0; k < v->type.rank; k++) in[1 + k] = ir_tensor_i64(a, v->type.dim[k]);
  return ir_eval_op(a, IR_BROADCAST, &n->attr, in, n->in_count, &out) ? NULL : out;
}

/* ---- what is worth it ---- */

static bool too_large(IrOp op, IrValue *const *in, int count, const IrType *type) {
  int64_t result = ir_type_count(type), given = 0;
  for (int k = 0; k < count; k++)
    if (in[k]->constant) given += in[k]->constant->count;
  if (result > LARGE) return true;
  if (op == IR_IOTA || op == IR_NONZERO) return false;
  if (op == IR_MATMUL) {
    const IrType *x = &in[0]->type;
    return (double)result * (double)x->dim[x->rank - 1] > MANY_PRODUCTS;
  }
  return result > given + GROWTH;
}

static bool should_fold(IrOp op, IrValue *const *in, int count, const IrType *type) {
  if (op == IR_BROADCAST && ir_type_count(type) > SMALL) return false;
  for (int k = 0; k < count; k++)
    if (!is_known(in[k])) return false;
  return !too_large(op, in, count, type);
}

IrValue *fold_apply(IrBuilder *b, IrOp op, const IrAttr *attr, IrValue *const *in, int count,
                    const IrType *type) {
  if (!should_fold(op, in, count, type)) return NULL;
  Arena *a = b->module->arena;
  const IrTensor **tensors = ARENA_ARRAY(a, const IrTensor *, (size_t)count);
  for (int k = 0; k < count; k++) {
    tensors[k] = tensor_of(b, in[k]);
    if (!tensors[k]) return NULL;
  }
  IrTensor *out;
  return ir_eval_op(a, op, attr, tensors, count, &out) ? NULL : ir_constant(b, out);
}

/* ---- regions ---- */

/* A function without parameters that has the node alone. */
static IrFunction *alone(IrBuilder *b, const IrNode *n, const IrTensor *const *operands) {
  IrModule *m = b->module;
  IrBuilder *inner = ir_function_begin(m, NULL, "constant");
  IrValue **in = ARENA_ARRAY(m->arena, IrValue *, (size_t)n->in_count);
  IrType *types = ARENA_ARRAY(m->arena, IrType, (size_t)n->out_count);
  for (int k = 0; k < n->in_count; k++) in[k] = ir_constant(inner, operands[k]);
  for (int k = 0; k < n->out_count; k++) types[k] = n->out[k]->type;
  IrNode *copy = builder_append(inner, n->op, n->attr, in, n->in_count, types, n->out_count);
  memcpy(copy->body, n->body, sizeof n->body);
  return ir_function_end(inner, copy->out, NULL, n->out_count);
}

bool fold_region(IrBuilder *b, const IrNode *n, IrValue **results) {
  Arena *a = b->module->arena;
  if (b->module->error) return false;
  for (int k = 0; k < n->in_count; k++)
    if (n->op == IR_CALL ? !n->in[k]->constant : !is_known(n->in[k])) return false;
  const IrTensor **operands = ARENA_ARRAY(a, const IrTensor *, (size_t)n->in_count);
  for (int k = 0; k < n->in_count; k++)
    if (!(operands[k] = tensor_of(b, n->in[k]))) return false;
  IrTensor **values = ARENA_ARRAY(a, IrTensor *, (size_t)n->out_count);
  if (ir_eval_function(a, alone(b, n, operands), NULL, values, MOST_STEPS)) return false;
  for (int k = 0; k < n->out_count; k++) results[k] = ir_constant(b, values[k]);
  return true;
}
