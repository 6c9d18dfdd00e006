/* Ops that move elements without computing. What leaves the elements in their order only gives
 * their memory another shape. */
#include "ir/eval.h"

#include <string.h>

/* ---- copies ---- */

/* Where the elements of a result come from: one step of `step` elements along each of its axes. */
typedef struct {
  int rank;
  int64_t dim[IR_MAX_RANK], step[IR_MAX_RANK];
} Layout;

static void add_axis(Layout *l, int64_t dim, int64_t step) {
  if (dim == 1) return;
  if (l->rank && l->step[l->rank - 1] == step * dim) {
    l->dim[l->rank - 1] *= dim;
    l->step[l->rank - 1] = step;
  } else {
    l->dim[l->rank] = dim;
    l->step[l->rank++] = step;
  }
}

#define COPY_ROW(name, element)                                                                    \
  static void name(element *to, int64_t to_step, const element *from, int64_t from_step,           \
                   int64_t n) {                                                                    \
    for (int64_t i = 0; i < n; i++) to[i * to_step] = from[i * from_step];                         \
  }

COPY_ROW(copy_f64, double)
COPY_ROW(copy_i64, int64_t)
COPY_ROW(copy_bool, uint8_t)

static void copy_row(IrDtype dtype, void *to, int64_t to_step, const void *from, int64_t from_step,
                     int64_t n) {
  if (to_step == 1 && from_step == 1)
    memcpy(to, from, (size_t)n * ir_dtype_size(dtype));
  else if (dtype == IR_F64)
    copy_f64(to, to_step, from, from_step, n);
  else if (dtype == IR_I64)
    copy_i64(to, to_step, from, from_step, n);
  else
    copy_bool(to, to_step, from, from_step, n);
}

enum { TILE = 16 };

/* rows x columns of a result whose neighbours in a row are far apart in the operand while those in
 * a column are close: in squares, so that what is read is used before the cache drops it. */
static void copy_tiles(IrDtype dtype, char *to, int64_t rows, int64_t to_row, const char *from,
                       int64_t from_row, int64_t columns, int64_t from_column) {
  int64_t size = (int64_t)ir_dtype_size(dtype);
  for (int64_t j = 0; j < columns; j += TILE)
    for (int64_t i = 0; i < rows; i += TILE)
      for (int64_t k = i; k < rows && k < i + TILE; k++)
        copy_row(dtype, to + (k * to_row + j) * size, 1,
                 from + (k * from_row + j * from_column) * size, from_column,
                 columns - j < TILE ? columns - j : TILE);
}

/* The axis, of those before the last, along which the operand's elements are next to each other;
 * -1 where rows are copied whole. */
static int close_axis(const Layout *l) {
  int64_t last = l->step[l->rank - 1];
  if (last == 0 || last == 1 || last == -1) return -1;
  for (int k = 0; k < l->rank - 1; k++)
    if (l->step[k] == 1) return k;
  return -1;
}

static int64_t to_step(const Layout *l, int axis) {
  int64_t n = 1;
  for (int k = axis + 1; k < l->rank; k++) n *= l->dim[k];
  return n;
}

static void copy_layout(IrDtype dtype, void *to, const void *from, const Layout *l) {
  int64_t at[IR_MAX_RANK] = {0}, source = 0, target = 0, size = (int64_t)ir_dtype_size(dtype);
  int last = l->rank - 1;
  if (l->rank == 0) {
    copy_row(dtype, to, 1, from, 1, 1);
    return;
  }
  int close = close_axis(l);
  for (;;) {
    char *t = (char *)to + target * size;
    const char *f = (const char *)from + source * size;
    if (close < 0)
      copy_row(dtype, t, 1, f, l->step[last], l->dim[last]);
    else
      copy_tiles(dtype, t, l->dim[close], to_step(l, close), f, l->step[close], l->dim[last],
                 l->step[last]);
    int axis = last - 1;
    for (; axis >= 0; axis--) {
      if (axis == close) continue;
      int64_t step = to_step(l, axis);
      source += l->step[axis];
      target += step;
      if (++at[axis] < l->dim[axis]) break;
      source -= l->step[axis] * l->dim[axis];
      target -= step * l->dim[axis];
      at[axis] = 0;
    }
    if (axis < 0) return;
  }
}

/* The result as a copy of operand 0, from its element `first` on. */
static const char *copied(Eval *e, const IrType *type, const Layout *l, int64_t first) {
  const char *error = eval_result(e, type, -1);
  const IrTensor *x = &e->in[0]->tensor, *out = &e->out[0]->tensor;
  if (error || out->count == 0) return error;
  copy_layout(type->dtype, out->data.bytes,
              (const char *)x->data.bytes + first * (int64_t)ir_dtype_size(type->dtype), l);
  return NULL;
}

/* ---- sizes as operands ---- */

static const char *size_operand(Eval *e, int k, int64_t *n) {
  const IrTensor *t = &e->in[k]->tensor;
  if (t->type.dtype != IR_I64 || t->count != 1)
    return eval_error(e, "operand %d is not an integer", k);
  *n = t->data.i64[0];
  return NULL;
}

/* The type that operands 1... give the dimensions of. */
static const char *sized_type(Eval *e, IrType *out) {
  *out = (IrType){.dtype = e->in[0]->tensor.type.dtype, .rank = e->count - 1};
  if (out->rank > IR_MAX_RANK) return eval_error(e, "%d axes are too many", out->rank);
  for (int k = 0; k < out->rank; k++) {
    const char *error = size_operand(e, k + 1, &out->dim[k]);
    if (error) return error;
  }
  int64_t count;
  return eval_count(e, out, &count);
}

static const char *check_axis(Eval *e) {
  int rank = e->in[0]->tensor.type.rank;
  if (e->attr->axis >= 0 && e->attr->axis < rank) return NULL;
  return eval_error(e, "no axis %d in a tensor of %d", e->attr->axis, rank);
}

/* ---- ops ---- */

/* Constants are in their places from the start. */
const char *eval_constant(Eval *e) { return eval_error(e, "not made from operands"); }

const char *eval_broadcast(Eval *e) {
  const IrType *x = &e->in[0]->tensor.type, *declared = e->in[0]->declared;
  IrType type;
  Layout l = {0};
  const char *error = sized_type(e, &type);
  if (error) return error;
  int more = type.rank - x->rank;
  if (more < 0) return eval_error(e, "a tensor of %d axes to %d", x->rank, type.rank);
  bool same = true;
  for (int k = 0; k < type.rank; k++) {
    int64_t n = k < more ? 1 : x->dim[k - more];
    bool unit = k < more || (declared->dim[k - more] == 1 && n == 1);
    if (!unit && n != type.dim[k])
      return eval_error(e, "size %lld to %lld", (long long)n, (long long)type.dim[k]);
    same = same && n == type.dim[k];
    add_axis(&l, type.dim[k], unit ? 0 : eval_extent(x, k - more + 1, x->rank));
  }
  return same ? eval_view(e, &type, 0, 0) : copied(e, &type, &l, 0);
}

const char *eval_reshape(Eval *e) {
  IrType type;
  const char *error = sized_type(e, &type);
  if (!error) error = eval_view(e, &type, 0, 0);
  if (error) return error;
  int64_t have = e->in[0]->tensor.count, want = e->out[0]->tensor.count;
  if (have != want)
    return eval_error(e, "%lld elements do not make %lld", (long long)have, (long long)want);
  return NULL;
}

const char *eval_transpose(Eval *e) {
  const IrType *x = &e->in[0]->tensor.type;
  IrType type = *x;
  Layout l = {0};
  int moved = -1; /* the last axis of more than one element that was taken */
  bool ordered = true;
  if (e->attr->axis_count != x->rank) return eval_error(e, "not a permutation of %d", x->rank);
  for (int k = 0; k < x->rank; k++) {
    int axis = e->attr->axes[k];
    type.dim[k] = x->dim[axis];
    add_axis(&l, x->dim[axis], eval_extent(x, axis + 1, x->rank));
    if (x->dim[axis] == 1) continue;
    ordered = ordered && axis > moved;
    moved = axis;
  }
  return ordered ? eval_view(e, &type, 0, 0) : copied(e, &type, &l, 0);
}

const char *eval_slice(Eval *e) {
  IrType type = e->in[0]->tensor.type;
  int64_t start = 0, length = 0;
  const char *error = check_axis(e);
  if (!error) error = size_operand(e, 1, &start);
  if (!error) error = size_operand(e, 2, &length);
  if (error) return error;
  int axis = e->attr->axis;
  int64_t n = type.dim[axis];
  if (start < 0 || length < 0 || length > n || start > n - length)
    return eval_error(e, "%lld elements from %lld on, of %lld", (long long)length, (long long)start,
                      (long long)n);
  int64_t row = eval_extent(&type, axis + 1, type.rank), outer = eval_extent(&type, 0, axis);
  type.dim[axis] = length;
  if (outer == 1 || length == n) return eval_view(e, &type, 0, start * row);
  Layout l = {0};
  add_axis(&l, outer, n * row);
  add_axis(&l, length * row, 1);
  return copied(e, &type, &l, start * row);
}

const char *eval_reverse(Eval *e) {
  const IrType *x = &e->in[0]->tensor.type;
  const char *error = check_axis(e);
  if (error) return error;
  int axis = e->attr->axis;
  int64_t n = x->dim[axis], row = eval_extent(x, axis + 1, x->rank);
  Layout l = {0};
  if (n <= 1) return eval_view(e, x, 0, 0);
  add_axis(&l, eval_extent(x, 0, axis), n * row);
  add_axis(&l, n, -row);
  add_axis(&l, row, 1);
  return copied(e, x, &l, (n - 1) * row);
}

/* The type of all parts together. *only becomes the part that has all the elements, or -1. */
static const char *concat_type(Eval *e, IrType *type, int *only) {
  int axis = e->attr->axis;
  int64_t total = 0;
  *type = e->in[0]->tensor.type;
  *only = e->count == 1 ? 0 : -1;
  for (int k = 0; k < e->count; k++) {
    const IrType *part = &e->in[k]->tensor.type;
    if (part->dtype != type->dtype || part->rank != type->rank)
      return eval_error(e, "parts of different types");
    for (int j = 0; j < part->rank; j++)
      if (j != axis && part->dim[j] != type->dim[j])
        return eval_error(e, "sizes %lld and %lld do not agree", (long long)type->dim[j],
                          (long long)part->dim[j]);
    if (part->dim[axis] > INT64_MAX - total) return eval_error(e, "too large");
    if (part->dim[axis] > 0) *only = total == 0 ? k : -1;
    total += part->dim[axis];
  }
  type->dim[axis] = total;
  return NULL;
}

const char *eval_concat(Eval *e) {
  IrType type;
  int only;
  const char *error = e->count ? check_axis(e) : eval_error(e, "nothing to put together");
  if (!error) error = concat_type(e, &type, &only);
  if (error) return error;
  if (only >= 0) return eval_view(e, &type, only, 0);
  error = eval_result(e, &type, -1);
  const IrTensor *out = &e->out[0]->tensor;
  if (error || out->count == 0) return error;
  int64_t outer = eval_extent(&type, 0, e->attr->axis);
  size_t stride = (size_t)(out->count / outer) * ir_dtype_size(type.dtype), place = 0;
  for (int k = 0; k < e->count; k++) {
    const IrTensor *part = &e->in[k]->tensor;
    size_t run = (size_t)(part->count / outer) * ir_dtype_size(type.dtype);
    for (int64_t i = 0; i < outer && run; i++)
      memcpy((char *)out->data.bytes + (size_t)i * stride + place,
             (const char *)part->data.bytes + (size_t)i * run, run);
    place += run;
  }
  return NULL;
}

const char *eval_iota(Eval *e) {
  IrType type = {.dtype = IR_I64, .rank = 1};
  const char *error = size_operand(e, 0, &type.dim[0]);
  if (!error) error = eval_result(e, &type, -1);
  if (error) return error;
  const IrTensor *out = &e->out[0]->tensor;
  for (int64_t i = 0; i < out->count; i++) out->data.i64[i] = i;
  return NULL;
}

const char *eval_shape(Eval *e) {
  IrType type = ir_scalar(IR_I64);
  const char *error = check_axis(e);
  if (!error) error = eval_result(e, &type, -1);
  if (!error) e->out[0]->tensor.data.i64[0] = e->in[0]->tensor.type.dim[e->attr->axis];
  return error;
}
