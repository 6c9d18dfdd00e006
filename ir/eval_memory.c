/* Memory of the evaluator: blocks, and what kernels ask for. */
#include "ir/eval.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- blocks ---- */

struct EvalBlock {
  EvalBlock *next; /* while nothing holds it */
  int64_t holders;
  int size_class;
  max_align_t data[];
};

enum { SMALLEST_LOG = 6, SMALLEST = 1 << SMALLEST_LOG };

/* Classes of sizes, four to each doubling. 0 means one too large. */
static size_t class_size(size_t n, int *size_class) {
  *size_class = 0;
  if (n <= SMALLEST) return SMALLEST;
  int log = SMALLEST_LOG;
  while ((n - 1) >> (log + 1)) log++;
  size_t quarter = (n - 1) >> (log - 2) & 3;
  *size_class = (log - SMALLEST_LOG) * 4 + (int)quarter + 1;
  return *size_class < EVAL_BLOCK_CLASSES ? (quarter + 5) << (log - 2) : 0;
}

EvalBlock *eval_block_take(EvalPool *pool, size_t n) {
  int size_class;
  size_t size = class_size(n, &size_class);
  if (!size) return NULL;
  EvalBlock *b = pool->free[size_class];
  if (b) {
    pool->free[size_class] = b->next;
  } else {
    if (pool->most_bytes && size > pool->most_bytes - pool->bytes) return NULL;
    b = malloc(sizeof *b + size);
    if (!b) return NULL;
    pool->bytes += size;
    b->size_class = size_class;
    pool->allocations++;
  }
  b->holders = 1;
  return b;
}

void eval_block_hold(EvalBlock *b) {
  if (b) b->holders++;
}

void eval_block_drop(EvalPool *pool, EvalBlock *b) {
  if (!b || --b->holders > 0) return;
  b->next = pool->free[b->size_class];
  pool->free[b->size_class] = b;
}

bool eval_block_shared(const EvalBlock *b) { return b->holders > 1; }

void *eval_block_data(EvalBlock *b) { return b->data; }

void eval_pool_free(EvalPool *pool) {
  for (int k = 0; k < EVAL_BLOCK_CLASSES; k++)
    for (EvalBlock *b = pool->free[k], *next; b; b = next) {
      next = b->next;
      free(b);
    }
}

/* ---- places ---- */

void eval_value_share(EvalValue *to, const EvalValue *from) {
  to->tensor = from->tensor;
  to->block = from->block;
  eval_block_hold(to->block);
}

void eval_value_pass(EvalValue *to, EvalValue *from, bool last) {
  to->tensor = from->tensor;
  to->block = from->block;
  if (last)
    from->block = NULL;
  else
    eval_block_hold(to->block);
}

void eval_value_drop(EvalPool *pool, EvalValue *v) {
  eval_block_drop(pool, v->block);
  v->block = NULL;
}

/* ---- what kernels ask for ---- */

const char *eval_error(Eval *e, const char *format, ...) {
  va_list args;
  int n = snprintf(e->text, EVAL_TEXT_BYTES, "%s: ", ir_op_name(e->op));
  va_start(args, format);
  vsnprintf(e->text + n, (size_t)(EVAL_TEXT_BYTES - n), format, args);
  va_end(args);
  return e->text;
}

int64_t eval_extent(const IrType *t, int first, int last) {
  int64_t n = 1;
  for (int k = first; k < last; k++) n *= t->dim[k];
  return n;
}

/* The number of elements. Even where it is 0 the other sizes must not multiply to more than a
 * tensor may have, so that no product of sizes overflows. */
const char *eval_count(Eval *e, const IrType *type, int64_t *count) {
  int64_t product = 1;
  *count = 0;
  for (int k = 0; k < type->rank; k++) {
    int64_t n = type->dim[k];
    if (n < 0) return eval_error(e, "a size is %lld", (long long)n);
    if (n > 0 && n > EVAL_MAX_ELEMENTS / product)
      return eval_error(e, "a tensor of more than %lld elements", (long long)EVAL_MAX_ELEMENTS);
    if (n > 0) product *= n;
  }
  for (int k = 0; k < type->rank; k++)
    if (type->dim[k] == 0) return NULL;
  *count = product;
  return NULL;
}

bool eval_reusable(const Eval *e, int k) {
  return e->dies && e->dies[k] && e->in[k]->block && !eval_block_shared(e->in[k]->block);
}

const char *eval_result(Eval *e, const IrType *type, int over) {
  EvalValue *out = e->out[0];
  IrTensor *t = &out->tensor;
  int64_t count;
  const char *error = eval_count(e, type, &count);
  if (error) return error;
  if (over < 0) error = eval_charge_elements(e, (double)count);
  if (error) return error;
  size_t size = (size_t)count * ir_dtype_size(type->dtype);
  t->type = *type;
  t->count = count;
  if (e->arena) {
    t->data.bytes = arena_alloc(e->arena, size);
  } else if (over >= 0) {
    out->block = e->in[over]->block;
    eval_block_hold(out->block);
    t->data = e->in[over]->tensor.data;
  } else {
    out->block = eval_block_take(e->pool, size);
    if (!out->block) return eval_error(e, "out of memory");
    t->data.bytes = eval_block_data(out->block);
  }
  return NULL;
}

const char *eval_view(Eval *e, const IrType *type, int k, int64_t first) {
  EvalValue *out = e->out[0];
  const IrTensor *from = &e->in[k]->tensor;
  int64_t count;
  const char *error = eval_count(e, type, &count);
  if (error) return error;
  out->tensor.type = *type;
  out->tensor.count = count;
  out->tensor.data.bytes = (char *)from->data.bytes + (size_t)first * ir_dtype_size(type->dtype);
  out->block = e->in[k]->block;
  eval_block_hold(out->block);
  return NULL;
}

void *eval_scratch(Eval *e, size_t count, size_t size) {
  if (count > SIZE_MAX / size) return NULL;
  e->scratch = eval_block_take(e->pool, count * size);
  return e->scratch ? eval_block_data(e->scratch) : NULL;
}

/* One axis of a broadcast: size 1 where all operands say so, else what the others agree on. */
static const char *broadcast_dim(Eval *e, int from_right, int64_t *size) {
  bool known = false;
  *size = 1;
  for (int k = 0; k < e->count; k++) {
    const IrType *t = &e->in[k]->tensor.type, *declared = e->in[k]->declared;
    int axis = t->rank - 1 - from_right;
    if (axis < 0) continue;
    int64_t n = t->dim[axis];
    if (declared->dim[axis] == 1 && n == 1) continue;
    if (known && n != *size)
      return eval_error(e, "sizes %lld and %lld do not agree", (long long)*size, (long long)n);
    *size = n;
    known = true;
  }
  return NULL;
}

const char *eval_broadcast_type(Eval *e, IrDtype dtype, IrType *out) {
  int rank = 0;
  for (int k = 0; k < e->count; k++)
    if (e->in[k]->tensor.type.rank > rank) rank = e->in[k]->tensor.type.rank;
  *out = (IrType){.dtype = dtype, .rank = rank};
  for (int j = 0; j < rank; j++) {
    const char *error = broadcast_dim(e, j, &out->dim[rank - 1 - j]);
    if (error) return error;
  }
  return NULL;
}
