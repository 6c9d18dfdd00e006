/* Shape rules: the type of an op's result from those of its operands. Each gives a plausible type
 * even where it returns what does not fit, so that building can go on. */
#include "ir/shape.h"

#include <string.h>

/* ---- types ---- */

const char *ir_type_text(Arena *a, const IrType *t) {
  static const char *const names[] = {[IR_F64] = "f64", [IR_I64] = "i64", [IR_BOOL] = "bool"};
  Text s = text_new(a);
  text_add(&s, names[t->dtype]);
  for (int k = 0; k < t->rank; k++) {
    text_add(&s, k ? "," : "[");
    if (t->dim[k] == IR_DYNAMIC)
      text_add(&s, "?");
    else
      text_printf(&s, "%lld", (long long)t->dim[k]);
  }
  if (t->rank) text_add(&s, "]");
  return s.data;
}

static bool dims_fit(int64_t a, int64_t b) { return a == b || a == IR_DYNAMIC || b == IR_DYNAMIC; }

bool ir_type_fits(const IrType *have, const IrType *want) {
  if (have->dtype != want->dtype || have->rank != want->rank) return false;
  for (int k = 0; k < have->rank; k++)
    if (!dims_fit(have->dim[k], want->dim[k])) return false;
  return true;
}

IrType ir_type_meet(const IrType *a, const IrType *b) {
  IrType t = *a;
  for (int k = 0; k < t.rank; k++)
    if (t.dim[k] == IR_DYNAMIC) t.dim[k] = b->dim[k];
  return t;
}

IrType ir_type_join(const IrType *a, const IrType *b) {
  IrType t = *a;
  for (int k = 0; k < t.rank; k++)
    if (t.dim[k] != b->dim[k]) t.dim[k] = IR_DYNAMIC;
  return t;
}

/* The value of an i64 scalar where it is known and can be a dimension, else IR_DYNAMIC. */
static int64_t known_dim(const IrValue *v) {
  const IrTensor *c = v->constant;
  return c && c->type.dtype == IR_I64 && c->count == 1 && c->data.i64[0] >= 0 ? c->data.i64[0]
                                                                              : IR_DYNAMIC;
}

static bool is_size(const IrValue *v) { return v->type.dtype == IR_I64 && v->type.rank == 0; }

static const char *check_sizes(Arena *a, IrValue *const *in, int count) {
  for (int k = 0; k < count; k++) {
    if (!is_size(in[k]))
      return arena_printf(a, "a size is %s, not an i64 scalar", ir_type_text(a, &in[k]->type));
    if (in[k]->constant && in[k]->constant->data.i64[0] < 0)
      return arena_printf(a, "a size is %lld", (long long)in[k]->constant->data.i64[0]);
  }
  return NULL;
}

static const char *mismatch(Arena *a, const IrType *x, const IrType *y) {
  return arena_printf(a, "%s does not go with %s", ir_type_text(a, x), ir_type_text(a, y));
}

static const char *unexpected(Arena *a, const IrType *x, const char *wanted) {
  return arena_printf(a, "%s where %s is expected", ir_type_text(a, x), wanted);
}

static IrType without_axes(const IrType *x, const int8_t *axes, int count) {
  IrType t = {.dtype = x->dtype};
  for (int k = 0, removed = 0; k < x->rank; k++) {
    if (removed < count && axes[removed] == k)
      removed++;
    else
      t.dim[t.rank++] = x->dim[k];
  }
  return t;
}

/* ---- elementwise ---- */

/* Broadcasts y's dimensions from axis `first` on into t, right-aligned. False where they differ. */
static bool broadcast_into(IrType *t, const IrType *y) {
  if (y->rank > t->rank) {
    int more = y->rank - t->rank;
    memmove(t->dim + more, t->dim, sizeof *t->dim * (size_t)t->rank);
    for (int k = 0; k < more; k++) t->dim[k] = 1;
    t->rank = y->rank;
  }
  bool fits = true;
  for (int k = 0; k < y->rank; k++) {
    int64_t *d = &t->dim[t->rank - 1 - k], e = y->dim[y->rank - 1 - k];
    if (*d == 1 || (*d == IR_DYNAMIC && e != 1))
      *d = e;
    else if (e != 1 && e != IR_DYNAMIC && e != *d)
      fits = false;
  }
  return fits;
}

const char *ir_infer_elementwise(Arena *a, IrDtype dtype, IrValue *const *in, int count,
                                 IrType *out) {
  IrType t = ir_scalar(dtype);
  const char *error = NULL;
  for (int k = 0; k < count; k++) {
    IrType before = t;
    if (!broadcast_into(&t, &in[k]->type) && !error)
      error = mismatch(a, k == 1 ? &in[0]->type : &before, &in[k]->type);
  }
  *out = t;
  return error;
}

static const char *elementwise(Arena *a, IrDtype dtype, IrValue *const *in, int count,
                               IrType *out) {
  const char *error = ir_infer_elementwise(a, dtype, in, count, out);
  for (int k = 1; k < count && !error; k++)
    if (in[k]->type.dtype != in[0]->type.dtype) error = mismatch(a, &in[0]->type, &in[k]->type);
  return error;
}

SHAPE_RULE(arithmetic) {
  (void)attr;
  IrDtype dtype = in[0]->type.dtype == IR_BOOL ? IR_I64 : in[0]->type.dtype;
  const char *error = elementwise(a, dtype, in, count, out);
  return error || in[0]->type.dtype != IR_BOOL ? error : unexpected(a, &in[0]->type, "a number");
}

SHAPE_RULE(real) {
  (void)attr;
  const char *error = elementwise(a, IR_F64, in, count, out);
  return error || in[0]->type.dtype == IR_F64 ? error : unexpected(a, &in[0]->type, "f64");
}

SHAPE_RULE(logical) {
  (void)attr;
  const char *error = elementwise(a, IR_BOOL, in, count, out);
  return error || in[0]->type.dtype == IR_BOOL ? error : unexpected(a, &in[0]->type, "bool");
}

SHAPE_RULE(predicate) {
  (void)attr;
  const char *error = elementwise(a, IR_BOOL, in, count, out);
  return error || in[0]->type.dtype == IR_F64 ? error : unexpected(a, &in[0]->type, "f64");
}

SHAPE_RULE(comparison) {
  (void)attr;
  return elementwise(a, IR_BOOL, in, count, out);
}

SHAPE_RULE(cast) { return ir_infer_elementwise(a, attr->dtype, in, count, out); }

SHAPE_RULE(bits) {
  (void)attr;
  const char *error = elementwise(a, IR_I64, in, count, out);
  return error || in[0]->type.dtype == IR_I64 ? error : unexpected(a, &in[0]->type, "i64");
}

SHAPE_RULE(bits_to_real) {
  const char *error = shape_bits(a, attr, in, count, out);
  out->dtype = IR_F64;
  return error;
}

SHAPE_RULE(select) {
  (void)attr;
  const char *error = ir_infer_elementwise(a, in[1]->type.dtype, in, count, out);
  if (error) return error;
  if (in[0]->type.dtype != IR_BOOL) return unexpected(a, &in[0]->type, "bool");
  return in[1]->type.dtype == in[2]->type.dtype ? NULL : mismatch(a, &in[1]->type, &in[2]->type);
}

/* ---- shapes ---- */

SHAPE_RULE(constant) {
  (void)attr, (void)in, (void)count;
  *out = ir_scalar(IR_F64);
  return arena_strdup(a, "a constant is not made from operands");
}

SHAPE_RULE(region) {
  (void)attr, (void)in, (void)count;
  *out = ir_scalar(IR_F64);
  return arena_strdup(a, "an op with bodies needs them");
}

/* The type that operands 1... give the dimensions of. */
static const char *type_from_sizes(Arena *a, IrValue *const *in, int count, IrType *out) {
  *out = ir_scalar(in[0]->type.dtype);
  if (count - 1 > IR_MAX_RANK) return arena_printf(a, "a tensor of %d axes", count - 1);
  out->rank = count - 1;
  for (int k = 0; k < out->rank; k++) out->dim[k] = known_dim(in[k + 1]);
  return check_sizes(a, in + 1, count - 1);
}

SHAPE_RULE(broadcast) {
  (void)attr;
  const char *error = type_from_sizes(a, in, count, out);
  const IrType *x = &in[0]->type;
  int more = out->rank - x->rank;
  if (error) return error;
  if (more < 0) return mismatch(a, x, out);
  for (int k = 0; k < x->rank; k++) {
    int64_t *d = &out->dim[more + k];
    if (x->dim[k] == 1 || x->dim[k] == IR_DYNAMIC) continue;
    if (!dims_fit(x->dim[k], *d)) return mismatch(a, x, out);
    *d = x->dim[k];
  }
  return NULL;
}

/* Where one dimension of the result is open and the number of elements is known, it follows. */
static const char *complete_reshape(Arena *a, const IrType *x, IrType *out) {
  int64_t have = ir_type_count(x);
  int open = -1, opens = 0;
  for (int k = 0; k < out->rank; k++)
    if (out->dim[k] == IR_DYNAMIC) {
      open = k;
      opens++;
    }
  if (have < 0 || opens > 1) return NULL;
  if (opens == 0) return ir_type_count(out) == have ? NULL : mismatch(a, x, out);
  out->dim[open] = 1;
  int64_t others = ir_type_count(out);
  out->dim[open] = IR_DYNAMIC;
  if (others > 0 && have % others == 0) out->dim[open] = have / others;
  return others > 0 && have % others ? mismatch(a, x, out) : NULL;
}

SHAPE_RULE(reshape) {
  (void)attr;
  const char *error = type_from_sizes(a, in, count, out);
  return error ? error : complete_reshape(a, &in[0]->type, out);
}

SHAPE_RULE(transpose) {
  (void)count;
  const IrType *x = &in[0]->type;
  unsigned seen = 0;
  *out = *x;
  if (attr->axis_count != x->rank) return unexpected(a, x, "an axis for each of the permutation's");
  for (int k = 0; k < x->rank; k++) {
    if (attr->axes[k] < 0 || attr->axes[k] >= x->rank || (seen >> attr->axes[k] & 1))
      return unexpected(a, x, "a permutation of its axes");
    seen |= 1u << attr->axes[k];
    out->dim[k] = x->dim[attr->axes[k]];
  }
  return NULL;
}

SHAPE_RULE(reduce) {
  (void)count;
  const IrType *x = &in[0]->type;
  *out = *x;
  for (int k = 0; k < attr->axis_count; k++)
    if (attr->axes[k] >= x->rank || attr->axes[k] < (k ? attr->axes[k - 1] + 1 : 0))
      return unexpected(a, x, "a tensor with the axes to reduce");
  *out = without_axes(x, attr->axes, attr->axis_count);
  return NULL;
}

SHAPE_RULE(matmul) {
  (void)attr, (void)count;
  const IrType *x = &in[0]->type, *y = &in[1]->type;
  *out = *x;
  if (x->dtype != y->dtype || x->dtype == IR_BOOL || x->rank < 2 || y->rank < 2)
    return mismatch(a, x, y);
  IrType rows = *x, columns = *y;
  rows.rank -= 2;
  columns.rank -= 2;
  bool fits = broadcast_into(&rows, &columns);
  rows.dim[rows.rank++] = x->dim[x->rank - 2];
  rows.dim[rows.rank++] = y->dim[y->rank - 1];
  *out = ir_type(x->dtype, rows.rank, rows.dim);
  fits = fits && dims_fit(x->dim[x->rank - 1], y->dim[y->rank - 2]);
  return fits ? NULL : mismatch(a, x, y);
}

static const char *check_axis(Arena *a, const IrType *x, int axis) {
  return axis >= 0 && axis < x->rank
             ? NULL
             : arena_printf(a, "%s has no axis %d", ir_type_text(a, x), axis);
}

SHAPE_RULE(slice) {
  (void)count;
  *out = in[0]->type;
  const char *error = check_axis(a, out, attr->axis);
  if (error) return error;
  out->dim[attr->axis] = known_dim(in[2]);
  if (!is_size(in[1])) return unexpected(a, &in[1]->type, "i64");
  return check_sizes(a, in + 2, 1);
}

SHAPE_RULE(same) {
  (void)count;
  *out = in[0]->type;
  return check_axis(a, out, attr->axis);
}

SHAPE_RULE(gather) {
  (void)count;
  const IrType *x = &in[0]->type, *index = &in[1]->type;
  int axis = attr->axis, batch = attr->batch;
  *out = *x;
  const char *error = check_axis(a, x, axis);
  if (error) return error;
  if (index->dtype != IR_I64 || batch < 0 || batch > axis || batch > index->rank)
    return mismatch(a, x, index);
  if (x->rank - 1 + index->rank - batch > IR_MAX_RANK)
    return arena_printf(a, "a tensor of %d axes", x->rank - 1 + index->rank - batch);
  IrType t = {.dtype = x->dtype};
  bool fits = true;
  for (int k = 0; k < axis; k++) t.dim[t.rank++] = x->dim[k];
  for (int k = 0; k < batch; k++) {
    fits &= dims_fit(x->dim[k], index->dim[k]);
    if (t.dim[k] == IR_DYNAMIC) t.dim[k] = index->dim[k];
  }
  for (int k = batch; k < index->rank; k++) t.dim[t.rank++] = index->dim[k];
  for (int k = axis + 1; k < x->rank; k++) t.dim[t.rank++] = x->dim[k];
  *out = t;
  return fits ? NULL : mismatch(a, x, index);
}

SHAPE_RULE(scatter) {
  IrType gathered;
  const char *error = shape_gather(a, attr, in, count, &gathered);
  *out = in[0]->type;
  if (!error && !ir_type_fits(&in[2]->type, &gathered))
    error = mismatch(a, &in[2]->type, &gathered);
  return error;
}

SHAPE_RULE(concat) {
  *out = count ? in[0]->type : ir_scalar(IR_F64);
  const char *error = check_axis(a, out, attr->axis);
  if (error) return error;
  int64_t total = 0;
  for (int k = 0; k < count; k++) {
    IrType part = in[k]->type;
    if (part.rank != out->rank) return mismatch(a, &in[0]->type, &part);
    int64_t n = part.dim[attr->axis];
    total =
        n == IR_DYNAMIC || total == IR_DYNAMIC || n > INT64_MAX - total ? IR_DYNAMIC : total + n;
    part.dim[attr->axis] = out->dim[attr->axis];
    if (!ir_type_fits(&part, out)) return mismatch(a, &in[0]->type, &in[k]->type);
    *out = ir_type_meet(out, &part);
  }
  out->dim[attr->axis] = total;
  return NULL;
}

SHAPE_RULE(argsort) {
  (void)attr, (void)count;
  *out = in[0]->type;
  out->dtype = IR_I64;
  if (in[0]->type.rank == 0 || in[0]->type.dtype == IR_BOOL)
    return unexpected(a, &in[0]->type, "numbers along an axis");
  return NULL;
}

SHAPE_RULE(iota) {
  (void)attr;
  int64_t n = known_dim(in[0]);
  *out = ir_type(IR_I64, 1, &n);
  return check_sizes(a, in, count);
}

SHAPE_RULE(nonzero) {
  (void)attr, (void)count;
  int64_t n = IR_DYNAMIC;
  *out = ir_type(IR_I64, 1, &n);
  return in[0]->type.dtype == IR_BOOL && in[0]->type.rank == 1
             ? NULL
             : unexpected(a, &in[0]->type, "bool[?]");
}

SHAPE_RULE(shape) {
  (void)count;
  *out = ir_scalar(IR_I64);
  return check_axis(a, &in[0]->type, attr->axis);
}

const char *ir_infer_type(Arena *a, IrOp op, const IrAttr *attr, IrValue *const *in, int count,
                          IrType *out) {
  const IrOpInfo *info = ir_op_info(op);
  int least = info->operands >= 0 ? info->operands : 1;
  if (count < least || (info->operands >= 0 && count > least)) {
    *out = count ? in[0]->type : ir_scalar(IR_F64);
    return arena_printf(a, "%d operands instead of %d", count, least);
  }
  return info->shape(a, attr, in, count, out);
}
