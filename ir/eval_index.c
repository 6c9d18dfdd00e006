/* Gather and scatter. The operand is taken as batch x outer x n x inner, n being the axis that is
 * indexed; the index as batch x places. */
#include "ir/eval.h"

#include <string.h>

typedef struct {
  int64_t batch, outer, n, inner, places;
  IrType type; /* of what is gathered or scattered */
} Indexing;

static const char *check_types(Eval *e) {
  const IrType *x = &e->in[0]->tensor.type, *index = &e->in[1]->tensor.type;
  int axis = e->attr->axis, batch = e->attr->batch;
  if (index->dtype != IR_I64 || axis < 0 || axis >= x->rank || batch < 0 || batch > axis ||
      batch > index->rank || x->rank - 1 + index->rank - batch > IR_MAX_RANK)
    return eval_error(e, "operands of types that do not fit");
  for (int k = 0; k < batch; k++)
    if (x->dim[k] != index->dim[k])
      return eval_error(e, "sizes %lld and %lld do not agree", (long long)x->dim[k],
                        (long long)index->dim[k]);
  return NULL;
}

static const char *check_range(Eval *e, int64_t n) {
  const IrTensor *index = &e->in[1]->tensor;
  for (int64_t i = 0; i < index->count; i++)
    if (index->data.i64[i] < 0 || index->data.i64[i] >= n)
      return eval_error(e, "index %lld of %lld", (long long)index->data.i64[i], (long long)n);
  return NULL;
}

static const char *analyse(Eval *e, Indexing *ix) {
  const char *error = check_types(e);
  if (error) return error;
  const IrType *x = &e->in[0]->tensor.type, *index = &e->in[1]->tensor.type;
  int axis = e->attr->axis, batch = e->attr->batch;
  ix->batch = eval_extent(x, 0, batch);
  ix->outer = eval_extent(x, batch, axis);
  ix->n = x->dim[axis];
  ix->inner = eval_extent(x, axis + 1, x->rank);
  ix->places = eval_extent(index, batch, index->rank);
  IrType *t = &ix->type;
  *t = (IrType){.dtype = x->dtype};
  for (int k = 0; k < axis; k++) t->dim[t->rank++] = x->dim[k];
  for (int k = batch; k < index->rank; k++) t->dim[t->rank++] = index->dim[k];
  for (int k = axis + 1; k < x->rank; k++) t->dim[t->rank++] = x->dim[k];
  return check_range(e, ix->n);
}

/* ---- gather ---- */

#define GATHER_ELEMENTS(name, element)                                                             \
  static void name(const element *from, const int64_t *index, int64_t places, element *to) {       \
    for (int64_t i = 0; i < places; i++) to[i] = from[index[i]];                                   \
  }

GATHER_ELEMENTS(gather_f64, double)
GATHER_ELEMENTS(gather_i64, int64_t)
GATHER_ELEMENTS(gather_bool, uint8_t)

static void gather_block(const Indexing *ix, const char *from, const int64_t *index, char *to) {
  size_t row = (size_t)ix->inner * ir_dtype_size(ix->type.dtype);
  if (ix->inner != 1) {
    for (int64_t i = 0; i < ix->places; i++, to += row)
      memcpy(to, from + (size_t)index[i] * row, row);
  } else if (ix->type.dtype == IR_F64) {
    gather_f64((const double *)(const void *)from, index, ix->places, (double *)(void *)to);
  } else if (ix->type.dtype == IR_I64) {
    gather_i64((const int64_t *)(const void *)from, index, ix->places, (int64_t *)(void *)to);
  } else {
    gather_bool((const uint8_t *)from, index, ix->places, (uint8_t *)to);
  }
}

const char *eval_gather(Eval *e) {
  Indexing ix;
  const char *error = analyse(e, &ix);
  if (error) return error;
  const int64_t *index = e->in[1]->tensor.data.i64;
  if (ix.batch == 1 && ix.outer == 1 && ix.places == 1)
    return eval_view(e, &ix.type, 0, index[0] * ix.inner);
  error = eval_result(e, &ix.type, -1);
  if (error || e->out[0]->tensor.count == 0) return error;
  const char *from = e->in[0]->tensor.data.bytes;
  char *to = e->out[0]->tensor.data.bytes;
  size_t size = ir_dtype_size(ix.type.dtype);
  for (int64_t b = 0; b < ix.batch; b++, index += ix.places)
    for (int64_t o = 0; o < ix.outer; o++) {
      gather_block(&ix, from, index, to);
      from += (size_t)(ix.n * ix.inner) * size;
      to += (size_t)(ix.places * ix.inner) * size;
    }
  return NULL;
}

/* ---- scatter ---- */

static void add_f64(double *to, const double *from, int64_t n) {
  for (int64_t i = 0; i < n; i++) to[i] += from[i];
}

static void add_i64(int64_t *to, const int64_t *from, int64_t n) {
  for (int64_t i = 0; i < n; i++) to[i] = (int64_t)((uint64_t)to[i] + (uint64_t)from[i]);
}

static void scatter_block(const Indexing *ix, bool add, char *to, const int64_t *index,
                          const char *from) {
  size_t row = (size_t)ix->inner * ir_dtype_size(ix->type.dtype);
  for (int64_t i = 0; i < ix->places; i++, from += row) {
    char *at = to + (size_t)index[i] * row;
    if (!add)
      memcpy(at, from, row);
    else if (ix->type.dtype == IR_F64)
      add_f64((double *)(void *)at, (const double *)(const void *)from, ix->inner);
    else
      add_i64((int64_t *)(void *)at, (const int64_t *)(const void *)from, ix->inner);
  }
}

static const char *check_updates(Eval *e, const IrType *expected) {
  const IrType *t = &e->in[2]->tensor.type;
  if (t->dtype != expected->dtype || t->rank != expected->rank)
    return eval_error(e, "updates of another type");
  for (int k = 0; k < t->rank; k++)
    if (t->dim[k] != expected->dim[k])
      return eval_error(e, "updates have size %lld, not %lld", (long long)t->dim[k],
                        (long long)expected->dim[k]);
  return NULL;
}

static const char *scatter(Eval *e, bool add) {
  Indexing ix;
  const char *error = analyse(e, &ix);
  if (!error) error = check_updates(e, &ix.type);
  if (!error && add && ix.type.dtype == IR_BOOL) error = eval_error(e, "bools have no sum");
  if (error) return error;
  const IrTensor *x = &e->in[0]->tensor;
  int over = eval_reusable(e, 0) ? 0 : -1;
  error = eval_result(e, &x->type, over);
  if (error || x->count == 0) return error;
  size_t size = ir_dtype_size(ix.type.dtype);
  char *to = e->out[0]->tensor.data.bytes;
  const char *from = e->in[2]->tensor.data.bytes;
  const int64_t *index = e->in[1]->tensor.data.i64;
  if (over < 0) memcpy(to, x->data.bytes, (size_t)x->count * size);
  for (int64_t b = 0; b < ix.batch; b++, index += ix.places)
    for (int64_t o = 0; o < ix.outer; o++) {
      scatter_block(&ix, add, to, index, from);
      to += (size_t)(ix.n * ix.inner) * size;
      from += (size_t)(ix.places * ix.inner) * size;
    }
  return NULL;
}

const char *eval_scatter_add(Eval *e) { return scatter(e, true); }
const char *eval_scatter_set(Eval *e) { return scatter(e, false); }
