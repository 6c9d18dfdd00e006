/* Elementwise ops. Each has a loop for each type of its operands, over contiguous or repeated or
 * spaced elements; broadcasting walks the axes that one loop does not cover. */
#include "ir/eval.h"

#include <math.h>
#include <string.h>

/* An operand may be written over by its own result, element by element; the compiler need not ask
 * whether the two overlap. */
#if defined(__GNUC__) && !defined(__clang__)
#define EACH(i, n) _Pragma("GCC ivdep") for (int64_t i = 0; i < (n); i++)
#else
#define EACH(i, n) for (int64_t i = 0; i < (n); i++)
#endif

#define LOOP_PARAMETERS int64_t n, void *out, const void *const *in, const int64_t *step

/* ---- loops of one operand: always contiguous ---- */

#define UNARY(name, operand, result, expression)                                                   \
  static const char *name(LOOP_PARAMETERS) {                                                       \
    const operand *a = in[0];                                                                      \
    result *o = out;                                                                               \
    (void)step;                                                                                    \
    EACH(i, n) {                                                                                   \
      operand x = a[i];                                                                            \
      o[i] = (result)(expression);                                                                 \
    }                                                                                              \
    return NULL;                                                                                   \
  }

static int64_t negated(int64_t x) { return (int64_t)(0 - (uint64_t)x); }

UNARY(neg_f64, double, double, -x)
UNARY(neg_i64, int64_t, int64_t, negated(x))
UNARY(abs_f64, double, double, fabs(x))
UNARY(abs_i64, int64_t, int64_t, x < 0 ? negated(x) : x)
UNARY(sign_f64, double, double, x != x ? x : (double)((x > 0) - (x < 0)))
UNARY(sign_i64, int64_t, int64_t, (x > 0) - (x < 0))
UNARY(exp_f64, double, double, exp(x))
UNARY(log_f64, double, double, log(x))
UNARY(sqrt_f64, double, double, sqrt(x))
UNARY(sin_f64, double, double, sin(x))
UNARY(cos_f64, double, double, cos(x))
UNARY(tanh_f64, double, double, tanh(x))
UNARY(floor_f64, double, double, floor(x))
UNARY(ceil_f64, double, double, ceil(x))
UNARY(not_bool, uint8_t, uint8_t, !x)
UNARY(isnan_f64, double, uint8_t, x != x)
UNARY(isinf_f64, double, uint8_t, fabs(x) == INFINITY)

/* Reals that no integer is near give the most negative one, as x86-64 does. */
static int64_t truncated(double x) { return x >= -0x1p63 && x < 0x1p63 ? (int64_t)x : INT64_MIN; }

UNARY(f64_to_i64, double, int64_t, truncated(x))
UNARY(f64_to_bool, double, uint8_t, x != 0)
UNARY(i64_to_f64, int64_t, double, x)
UNARY(i64_to_bool, int64_t, uint8_t, x != 0)
UNARY(bool_to_f64, uint8_t, double, x)
UNARY(bool_to_i64, uint8_t, int64_t, x)
UNARY(f64_to_f64, double, double, x)
UNARY(i64_to_i64, int64_t, int64_t, x)
UNARY(bool_to_bool, uint8_t, uint8_t, x)

/* ---- loops of two operands ---- */

#define BINARY(name, operand, result, expression)                                                  \
  static const char *name(LOOP_PARAMETERS) {                                                       \
    const operand *a = in[0], *b = in[1];                                                          \
    result *o = out;                                                                               \
    int64_t s = step[0], t = step[1];                                                              \
    if (s == 1 && t == 1) {                                                                        \
      EACH(i, n) {                                                                                 \
        operand x = a[i], y = b[i];                                                                \
        o[i] = (result)(expression);                                                               \
      }                                                                                            \
    } else if (s == 1 && t == 0) {                                                                 \
      operand y = *b;                                                                              \
      EACH(i, n) {                                                                                 \
        operand x = a[i];                                                                          \
        o[i] = (result)(expression);                                                               \
      }                                                                                            \
    } else if (s == 0 && t == 1) {                                                                 \
      operand x = *a;                                                                              \
      EACH(i, n) {                                                                                 \
        operand y = b[i];                                                                          \
        o[i] = (result)(expression);                                                               \
      }                                                                                            \
    } else {                                                                                       \
      EACH(i, n) {                                                                                 \
        operand x = a[i * s], y = b[i * t];                                                        \
        o[i] = (result)(expression);                                                               \
      }                                                                                            \
    }                                                                                              \
    return NULL;                                                                                   \
  }

BINARY(add_f64, double, double, x + y)
BINARY(sub_f64, double, double, x - y)
BINARY(mul_f64, double, double, x *y)
BINARY(div_f64, double, double, x / y)
BINARY(mod_f64, double, double, fmod(x, y))
BINARY(pow_f64, double, double, pow(x, y))
BINARY(min_f64, double, double, x != x ? x : y != y ? y : x < y ? x : y)
BINARY(max_f64, double, double, x != x ? x : y != y ? y : x > y ? x : y)

BINARY(add_i64, int64_t, int64_t, (uint64_t)x + (uint64_t)y)
BINARY(sub_i64, int64_t, int64_t, (uint64_t)x - (uint64_t)y)
BINARY(mul_i64, int64_t, int64_t, (uint64_t)x *(uint64_t)y)
BINARY(min_i64, int64_t, int64_t, x < y ? x : y)
BINARY(max_i64, int64_t, int64_t, x > y ? x : y)

BINARY(eq_f64, double, uint8_t, x == y)
BINARY(ne_f64, double, uint8_t, x != y)
BINARY(lt_f64, double, uint8_t, x < y)
BINARY(le_f64, double, uint8_t, x <= y)
BINARY(gt_f64, double, uint8_t, x > y)
BINARY(ge_f64, double, uint8_t, x >= y)
BINARY(eq_i64, int64_t, uint8_t, x == y)
BINARY(ne_i64, int64_t, uint8_t, x != y)
BINARY(lt_i64, int64_t, uint8_t, x < y)
BINARY(le_i64, int64_t, uint8_t, x <= y)
BINARY(gt_i64, int64_t, uint8_t, x > y)
BINARY(ge_i64, int64_t, uint8_t, x >= y)
BINARY(eq_bool, uint8_t, uint8_t, x == y)
BINARY(ne_bool, uint8_t, uint8_t, x != y)
BINARY(lt_bool, uint8_t, uint8_t, x < y)
BINARY(le_bool, uint8_t, uint8_t, x <= y)
BINARY(gt_bool, uint8_t, uint8_t, x > y)
BINARY(ge_bool, uint8_t, uint8_t, x >= y)
BINARY(and_bool, uint8_t, uint8_t, x &y)
BINARY(or_bool, uint8_t, uint8_t, x | y)

/* The loops from here on have more than one path of reading in one: a repeated element is read
 * before the result may be written over it. */
#define ELEMENT(x, step, first) ((step) == 0 ? (first) : (x)[i * (step)])

static const char *div_i64(LOOP_PARAMETERS) {
  const int64_t *a = in[0], *b = in[1], first = *a, second = *b;
  int64_t *o = out;
  for (int64_t i = 0; i < n; i++) {
    int64_t x = ELEMENT(a, step[0], first), y = ELEMENT(b, step[1], second);
    if (y == 0) return "an integer is divided by zero";
    if (y == -1 && x == INT64_MIN) return "an integer quotient is too large";
    o[i] = x / y;
  }
  return NULL;
}

static const char *mod_i64(LOOP_PARAMETERS) {
  const int64_t *a = in[0], *b = in[1], first = *a, second = *b;
  int64_t *o = out;
  for (int64_t i = 0; i < n; i++) {
    int64_t x = ELEMENT(a, step[0], first), y = ELEMENT(b, step[1], second);
    if (y == 0) return "an integer is divided by zero";
    o[i] = y == -1 ? 0 : x % y;
  }
  return NULL;
}

#define SELECT(name, element)                                                                      \
  static const char *name(LOOP_PARAMETERS) {                                                       \
    const uint8_t *c = in[0], which = *c;                                                          \
    const element *a = in[1], *b = in[2], first = *a, second = *b;                                 \
    element *o = out;                                                                              \
    int64_t r = step[0], s = step[1], t = step[2];                                                 \
    if (r == 1 && s == 1 && t == 1) {                                                              \
      EACH(i, n) {                                                                                 \
        element x = a[i], y = b[i];                                                                \
        o[i] = c[i] ? x : y;                                                                       \
      }                                                                                            \
    } else if (r == 1 && s == 1 && t == 0) {                                                       \
      EACH(i, n) {                                                                                 \
        element x = a[i];                                                                          \
        o[i] = c[i] ? x : second;                                                                  \
      }                                                                                            \
    } else if (r == 1 && s == 0 && t == 1) {                                                       \
      EACH(i, n) {                                                                                 \
        element y = b[i];                                                                          \
        o[i] = c[i] ? first : y;                                                                   \
      }                                                                                            \
    } else {                                                                                       \
      for (int64_t i = 0; i < n; i++) {                                                            \
        element x = ELEMENT(a, s, first), y = ELEMENT(b, t, second);                               \
        o[i] = ELEMENT(c, r, which) ? x : y;                                                       \
      }                                                                                            \
    }                                                                                              \
    return NULL;                                                                                   \
  }

SELECT(select_f64, double)
SELECT(select_i64, int64_t)
SELECT(select_bool, uint8_t)

/* ---- which loop ---- */

static const EvalLoop loops[IR_OP_COUNT][3] = {
    [IR_NEG] = {[IR_F64] = neg_f64, [IR_I64] = neg_i64},
    [IR_ABS] = {[IR_F64] = abs_f64, [IR_I64] = abs_i64},
    [IR_SIGN] = {[IR_F64] = sign_f64, [IR_I64] = sign_i64},
    [IR_EXP] = {[IR_F64] = exp_f64},
    [IR_LOG] = {[IR_F64] = log_f64},
    [IR_SQRT] = {[IR_F64] = sqrt_f64},
    [IR_SIN] = {[IR_F64] = sin_f64},
    [IR_COS] = {[IR_F64] = cos_f64},
    [IR_TANH] = {[IR_F64] = tanh_f64},
    [IR_FLOOR] = {[IR_F64] = floor_f64},
    [IR_CEIL] = {[IR_F64] = ceil_f64},
    [IR_NOT] = {[IR_BOOL] = not_bool},
    [IR_TOTAL] = {[IR_F64] = f64_to_f64, [IR_I64] = i64_to_i64},
    [IR_SOME] = {[IR_BOOL] = bool_to_bool},
    [IR_ISNAN] = {[IR_F64] = isnan_f64},
    [IR_ISINF] = {[IR_F64] = isinf_f64},
    [IR_ADD] = {[IR_F64] = add_f64, [IR_I64] = add_i64},
    [IR_SUB] = {[IR_F64] = sub_f64, [IR_I64] = sub_i64},
    [IR_MUL] = {[IR_F64] = mul_f64, [IR_I64] = mul_i64},
    [IR_DIV] = {[IR_F64] = div_f64, [IR_I64] = div_i64},
    [IR_MOD] = {[IR_F64] = mod_f64, [IR_I64] = mod_i64},
    [IR_POW] = {[IR_F64] = pow_f64},
    [IR_MIN] = {[IR_F64] = min_f64, [IR_I64] = min_i64},
    [IR_MAX] = {[IR_F64] = max_f64, [IR_I64] = max_i64},
    [IR_EQ] = {[IR_F64] = eq_f64, [IR_I64] = eq_i64, [IR_BOOL] = eq_bool},
    [IR_NE] = {[IR_F64] = ne_f64, [IR_I64] = ne_i64, [IR_BOOL] = ne_bool},
    [IR_LT] = {[IR_F64] = lt_f64, [IR_I64] = lt_i64, [IR_BOOL] = lt_bool},
    [IR_LE] = {[IR_F64] = le_f64, [IR_I64] = le_i64, [IR_BOOL] = le_bool},
    [IR_GT] = {[IR_F64] = gt_f64, [IR_I64] = gt_i64, [IR_BOOL] = gt_bool},
    [IR_GE] = {[IR_F64] = ge_f64, [IR_I64] = ge_i64, [IR_BOOL] = ge_bool},
    [IR_AND] = {[IR_BOOL] = and_bool},
    [IR_OR] = {[IR_BOOL] = or_bool},
    [IR_SELECT] = {[IR_F64] = select_f64, [IR_I64] = select_i64, [IR_BOOL] = select_bool},
    [IR_THREEFRY] = {[IR_I64] = eval_threefry_loop},
    [IR_UNIFORM] = {[IR_I64] = eval_uniform_loop},
};

static const EvalLoop casts[3][3] = {
    [IR_F64] = {[IR_F64] = f64_to_f64, [IR_I64] = f64_to_i64, [IR_BOOL] = f64_to_bool},
    [IR_I64] = {[IR_F64] = i64_to_f64, [IR_I64] = i64_to_i64, [IR_BOOL] = i64_to_bool},
    [IR_BOOL] = {[IR_F64] = bool_to_f64, [IR_I64] = bool_to_i64, [IR_BOOL] = bool_to_bool},
};

EvalLoop eval_loop_of(IrOp op, const IrAttr *attr, IrDtype operand) {
  return op == IR_CAST ? casts[operand][attr->dtype] : loops[op][operand];
}

/* ---- broadcasting ---- */

/* How the elements of several operands are found along the axes of the result, with axes that all
 * of them walk alike made one. */
typedef struct {
  int rank;
  int64_t dim[IR_MAX_RANK];
  int64_t step[EVAL_ELEMENTWISE_OPERANDS][IR_MAX_RANK];
} Space;

/* The elements from one to the next of operand t along axis j of the result, counted from the
 * right. */
static int64_t step_along(const IrType *t, const IrType *over, int from_right) {
  int axis = t->rank - 1 - from_right;
  if (axis < 0 || (t->dim[axis] == 1 && over->dim[over->rank - 1 - from_right] != 1)) return 0;
  return eval_extent(t, axis + 1, t->rank);
}

/* Axes from the left; an axis of size 1 is left out. */
static Space space_of(const IrType *over, EvalValue *const *in, int count) {
  Space s = {0};
  for (int axis = 0; axis < over->rank; axis++) {
    int64_t step[EVAL_ELEMENTWISE_OPERANDS];
    bool merges = s.rank > 0;
    if (over->dim[axis] == 1) continue;
    for (int k = 0; k < count; k++) {
      step[k] = step_along(&in[k]->tensor.type, over, over->rank - 1 - axis);
      merges = merges && s.step[k][s.rank - 1] == step[k] * over->dim[axis];
    }
    if (!merges) s.dim[s.rank++] = 1;
    s.dim[s.rank - 1] *= over->dim[axis];
    for (int k = 0; k < count; k++) s.step[k][s.rank - 1] = step[k];
  }
  return s;
}

static const char *walk(Eval *e, EvalLoop loop, const Space *s) {
  const void *in[EVAL_ELEMENTWISE_OPERANDS];
  int64_t offset[EVAL_ELEMENTWISE_OPERANDS] = {0}, step[EVAL_ELEMENTWISE_OPERANDS];
  int64_t at[IR_MAX_RANK] = {0};
  int last = s->rank - 1;
  const IrTensor *out = &e->out[0]->tensor;
  size_t size = ir_dtype_size(out->type.dtype);
  char *to = out->data.bytes;
  for (int k = 0; k < e->count; k++) step[k] = s->step[k][last];
  for (int axis = last;;) {
    for (int k = 0; k < e->count; k++) {
      const IrTensor *x = &e->in[k]->tensor;
      in[k] = (const char *)x->data.bytes + (size_t)offset[k] * ir_dtype_size(x->type.dtype);
    }
    const char *error = loop(s->dim[last], to, in, step);
    if (error) return error;
    to += (size_t)s->dim[last] * size;
    for (axis = last - 1; axis >= 0; axis--) {
      for (int k = 0; k < e->count; k++) offset[k] += s->step[k][axis];
      if (++at[axis] < s->dim[axis]) break;
      for (int k = 0; k < e->count; k++) offset[k] -= s->step[k][axis] * s->dim[axis];
      at[axis] = 0;
    }
    if (axis < 0) return NULL;
  }
}

/* Each operand is one element or as the result: one loop does it all. */
static bool flat(const Eval *e, int64_t *step) {
  for (int k = 0; k < e->count; k++) {
    int64_t n = e->in[k]->tensor.count;
    step[k] = n == e->out[0]->tensor.count;
    if (n != 1 && !step[k]) return false;
  }
  return true;
}

static const char *apply(Eval *e, EvalLoop loop) {
  int64_t step[EVAL_ELEMENTWISE_OPERANDS];
  const void *in[EVAL_ELEMENTWISE_OPERANDS];
  const IrTensor *out = &e->out[0]->tensor;
  if (out->count == 0) return NULL;
  if (flat(e, step)) {
    for (int k = 0; k < e->count; k++) in[k] = e->in[k]->tensor.data.bytes;
    return loop(out->count, out->data.bytes, in, step);
  }
  Space s = space_of(&out->type, e->in, e->count);
  return walk(e, loop, &s);
}

/* An operand that the result can be written over: as large, and walked like the result. */
static int operand_to_overwrite(const Eval *e, const IrType *type) {
  int64_t count = eval_extent(type, 0, type->rank);
  for (int k = 0; k < e->count; k++) {
    const IrTensor *x = &e->in[k]->tensor;
    if (x->count == count && ir_dtype_size(x->type.dtype) == ir_dtype_size(type->dtype) &&
        eval_reusable(e, k))
      return k;
  }
  return -1;
}

static const char *elementwise(Eval *e, IrDtype result) {
  IrDtype operand = e->in[e->count - 1]->tensor.type.dtype;
  EvalLoop loop = eval_loop_of(e->op, e->attr, operand);
  IrType type;
  for (int k = 0; k < e->count; k++) {
    IrDtype expected = e->op == IR_SELECT && k == 0 ? IR_BOOL : operand;
    if (!loop || e->in[k]->tensor.type.dtype != expected)
      return eval_error(e, "not for operands of these types");
  }
  const char *error = eval_broadcast_type(e, result, &type);
  int over = error ? -1 : operand_to_overwrite(e, &type);
  if (!error) error = eval_result(e, &type, over);
  if (!error && over >= 0) error = eval_charge_elements(e, (double)e->out[0]->tensor.count);
  if (error) return error;
  error = apply(e, loop);
  return error ? eval_error(e, "%s", error) : NULL;
}

#define TO_SAME(name)                                                                              \
  const char *eval_##name(Eval *e) {                                                               \
    return elementwise(e, e->in[e->count - 1]->tensor.type.dtype);                                 \
  }
#define TO_BOOL(name)                                                                              \
  const char *eval_##name(Eval *e) { return elementwise(e, IR_BOOL); }

TO_SAME(neg)
TO_SAME(abs)
TO_SAME(sign)
TO_SAME(exp)
TO_SAME(log)
TO_SAME(sqrt)
TO_SAME(sin)
TO_SAME(cos)
TO_SAME(tanh)
TO_SAME(floor)
TO_SAME(ceil)
TO_BOOL(not )
TO_SAME(total)
TO_SAME(some)
TO_BOOL(isnan)
TO_BOOL(isinf)
TO_SAME(add)
TO_SAME(sub)
TO_SAME(mul)
TO_SAME(div)
TO_SAME(mod)
TO_SAME(pow)
TO_SAME(min)
TO_SAME(max)
TO_BOOL(eq)
TO_BOOL(ne)
TO_BOOL(lt)
TO_BOOL(le)
TO_BOOL(gt)
TO_BOOL(ge)
TO_BOOL(and)
TO_BOOL(or)
TO_SAME(select)
TO_SAME(threefry)

const char *eval_uniform(Eval *e) { return elementwise(e, IR_F64); }

const char *eval_cast(Eval *e) {
  IrType type = e->in[0]->tensor.type;
  if (type.dtype == e->attr->dtype) return eval_view(e, &type, 0, 0);
  return elementwise(e, e->attr->dtype);
}

/* ---- walking one operand ---- */

EvalWalk eval_walk(const IrType *over, const EvalValue *operand) {
  EvalWalk w = {.rank = over->rank};
  for (int axis = 0; axis < over->rank; axis++) {
    w.dim[axis] = over->dim[axis];
    w.step[axis] = step_along(&operand->tensor.type, over, over->rank - 1 - axis);
  }
  return w;
}

void eval_walk_on(EvalWalk *w) {
  for (int axis = w->rank - 1; axis >= 0; axis--) {
    w->offset += w->step[axis];
    if (++w->at[axis] < w->dim[axis]) return;
    w->offset -= w->step[axis] * w->dim[axis];
    w->at[axis] = 0;
  }
}

void eval_walk_copy(EvalWalk *w, const void *from, size_t size, int64_t n, void *to) {
  for (int64_t i = 0; i < n; i++) {
    if (size == 8)
      memcpy((char *)to + i * 8, (const char *)from + w->offset * 8, 8);
    else
      ((char *)to)[i] = ((const char *)from)[w->offset];
    eval_walk_on(w);
  }
}
