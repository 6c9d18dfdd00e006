/* What is known of the elements of values.
 *
 * Doubles underflow to 0 and overflow to infinity: a product of positives is nonnegative only, a
 * sum of positives is positive, and nothing but bounded ops keeps a value finite. */
#include "ir/builder.h"

#include <math.h>

enum {
  POS = IR_POSITIVE,
  NONNEG = IR_NONNEGATIVE,
  LE1 = IR_AT_MOST_ONE,
  NUM = IR_NOT_NAN,
  FIN = IR_FINITE,
  ALL = POS | NONNEG | LE1 | NUM | FIN
};

unsigned facts_close(unsigned f) {
  if (f & POS) f |= NONNEG;
  if (f & (NONNEG | LE1 | FIN)) f |= NUM;
  if ((f & NONNEG) && (f & LE1)) f |= FIN;
  return f;
}

/* ---- constants ---- */

static unsigned facts_of_number(double x) {
  unsigned f = 0;
  if (x >= 0) f |= NONNEG;
  if (x > 0) f |= POS;
  if (x <= 1) f |= LE1;
  if (!isnan(x)) f |= NUM;
  if (isfinite(x)) f |= FIN;
  return f;
}

unsigned facts_of_tensor(const IrTensor *t) {
  unsigned f = ALL;
  for (int64_t i = 0; i < t->count && f; i++) {
    switch (t->type.dtype) {
    case IR_F64: f &= facts_of_number(t->data.f64[i]); break;
    case IR_I64: f &= facts_of_number((double)t->data.i64[i]); break;
    case IR_BOOL: f &= facts_of_number(t->data.boolean[i]); break;
    }
  }
  return f;
}

/* ---- integers ---- */

/* Sizes, indices and counts. What overflows is not foreseen. */
static unsigned integer_facts(IrOp op, unsigned x, unsigned y) {
  unsigned number = NUM | FIN;
  switch (op) {
  case IR_ADD: return number | (x & y & (POS | NONNEG)) | ((x & y & NONNEG) ? (x | y) & POS : 0);
  case IR_MUL: return number | (x & y & (POS | NONNEG)) | ((x & NONNEG) ? x & y & LE1 : 0);
  case IR_DIV: return number | (x & y & NONNEG) | ((y & POS) ? x & LE1 : 0);
  case IR_MOD: return number | (x & NONNEG);
  default: return number;
  }
}

/* ---- f64 ---- */

static unsigned sum_facts(unsigned x, unsigned y) {
  unsigned f = x & y & (POS | NONNEG);
  if (x & y & NONNEG) f |= (x | y) & POS;
  /* infinities of both signs make NaN: one operand is finite, or both are not below 0, ... */
  if ((x & NUM) && (y & NUM) && ((x | y) & FIN)) f |= NUM;
  if (x & y & LE1) f |= NUM;
  return f;
}

static unsigned product_facts(unsigned x, unsigned y) {
  unsigned f = x & y & NONNEG && ((x & FIN) || (y & POS)) && ((y & FIN) || (x & POS)) ? NONNEG : 0;
  if ((x & FIN) && (y & FIN)) f |= NUM; /* overflows to an infinity, but 0 * inf is not met */
  if ((x & NONNEG) && (y & NONNEG) && (x & y & LE1)) f |= NONNEG | LE1;
  return f;
}

static unsigned quotient_facts(unsigned x, unsigned y) {
  unsigned f = 0;
  bool defined =
      (y & POS) && ((x & FIN) || ((x & NUM) && (y & FIN))); /* not 0 / 0, not inf / inf */
  if (defined) f |= NUM | (x & NONNEG);
  return f;
}

/* The larger of two: NaN if either is. */
static unsigned max_facts(unsigned x, unsigned y) {
  unsigned f = x & y & (LE1 | FIN | NUM);
  if ((x & NUM) && (y & NUM)) f |= (x | y) & (POS | NONNEG);
  return f;
}

static unsigned min_facts(unsigned x, unsigned y) {
  unsigned f = x & y & (POS | NONNEG | FIN | NUM);
  if ((x & NUM) && (y & NUM)) f |= (x | y) & LE1;
  return f;
}

static unsigned pow_facts(unsigned x, const IrValue *y) {
  unsigned f = 0;
  bool even = y->uniform && y->constant->data.f64[0] != 0 && fmod(y->constant->data.f64[0], 2) == 0;
  if ((x & NONNEG) && (y->facts & NUM)) f |= NONNEG;
  if ((x & NUM) && even) f |= NONNEG;
  if ((x & NONNEG) && (x & LE1) && (y->facts & NONNEG)) f |= LE1;
  return f;
}

static unsigned f64_facts(IrOp op, IrValue *const *in, unsigned x, unsigned y) {
  switch (op) {
  case IR_NEG: return x & (NUM | FIN);
  case IR_ABS: return (x & NUM ? NONNEG : 0) | (x & (POS | FIN));
  case IR_SIGN: return x & NUM ? LE1 | FIN | (x & (POS | NONNEG)) : 0;
  case IR_EXP: return x & NUM ? NONNEG : 0;
  case IR_LOG: return x & NONNEG ? NUM | (x & LE1) | (x & POS ? x & FIN : 0) : 0;
  case IR_SQRT: return x & NONNEG ? x & (POS | NONNEG | LE1 | FIN) : 0;
  case IR_SIN:
  case IR_COS: return x & FIN ? LE1 | FIN : 0;
  case IR_TANH: return x & NUM ? LE1 | FIN | (x & (POS | NONNEG)) : 0;
  case IR_FLOOR: return x & (NONNEG | LE1 | FIN | NUM);
  case IR_CEIL: return x & ALL;
  case IR_ADD: return sum_facts(x, y);
  case IR_SUB:
    return (x & NUM) && (y & NUM) && ((x | y) & FIN) ? NUM | ((y & NONNEG) ? x & LE1 : 0) : 0;
  case IR_MUL: return in[0] == in[1] && (x & NUM) ? NONNEG : product_facts(x, y);
  case IR_DIV: return quotient_facts(x, y);
  case IR_MOD: return (x & FIN) && (y & POS) ? FIN | (x & NONNEG) : 0;
  case IR_POW: return pow_facts(x, in[1]);
  case IR_UNIFORM: return NONNEG | LE1 | FIN;
  default: return 0;
  }
}

/* ---- ops that move elements ---- */

static unsigned of_all(IrValue *const *in, int count) {
  unsigned f = ALL;
  for (int k = 0; k < count; k++) f &= in[k]->facts;
  return f;
}

static bool never_empty(const IrValue *x, const IrAttr *attr) {
  for (int k = 0; k < attr->axis_count; k++)
    if (x->type.dim[attr->axes[k]] < 1) return false;
  return true;
}

static unsigned total_facts(const IrValue *x, const IrAttr *attr) {
  unsigned f = x->facts & NONNEG;
  if (x->type.dtype == IR_I64) f |= NUM | FIN;
  return never_empty(x, attr) ? f | (x->facts & POS) : f;
}

/* Products of numbers from 0 to 1, and the empty product, stay there. Otherwise 0 * inf may be met.
 */
static unsigned whole_product_facts(const IrValue *x) {
  unsigned f = (x->facts & NONNEG) && (x->facts & LE1) ? NONNEG | LE1 : 0;
  return x->type.dtype == IR_I64 ? f | NUM | FIN | (x->facts & (POS | NONNEG)) : f;
}

static unsigned extremum_facts(const IrValue *x, const IrAttr *attr) {
  return never_empty(x, attr) ? x->facts : 0;
}

/* Every integer is a number. */
static unsigned operand_facts(const IrValue *v) {
  return v->type.dtype == IR_F64 ? v->facts : v->facts | NUM | FIN;
}

static unsigned cast_facts(IrDtype from, IrDtype to, unsigned x) {
  if (from == IR_BOOL || to == IR_BOOL) return NONNEG | LE1;
  return from == IR_F64 && to == IR_I64 ? x & ~(unsigned)POS : x; /* 0.5 becomes 0 */
}

static unsigned any_facts(IrOp op, const IrAttr *attr, IrValue *const *in, int count,
                          const IrType *type) {
  unsigned x = count > 0 ? operand_facts(in[0]) : 0, y = count > 1 ? operand_facts(in[1]) : 0;
  switch (op) {
  case IR_BROADCAST:
  case IR_RESHAPE:
  case IR_TRANSPOSE:
  case IR_SLICE:
  case IR_REVERSE:
  case IR_GATHER: return x;
  case IR_CAST: return cast_facts(in[0]->type.dtype, type->dtype, x);
  case IR_CONCAT: return of_all(in, count);
  case IR_SELECT: return of_all(in + 1, 2);
  case IR_SCATTER_SET: return x & in[2]->facts;
  case IR_SCATTER_ADD: return x & in[2]->facts & (POS | NONNEG);
  case IR_CUMSUM: return x & (attr->exclusive ? NONNEG : POS | NONNEG);
  case IR_REDUCE_SUM: return total_facts(in[0], attr);
  case IR_REDUCE_PROD: return whole_product_facts(in[0]);
  case IR_REDUCE_MAX:
  case IR_REDUCE_MIN: return extremum_facts(in[0], attr);
  case IR_MATMUL: return x & y & NONNEG && x & y & FIN ? NONNEG : 0;
  case IR_MAX: return max_facts(x, y);
  case IR_MIN: return min_facts(x, y);
  case IR_ARGSORT:
  case IR_IOTA:
  case IR_NONZERO:
  case IR_SHAPE: return NONNEG | FIN;
  default: break;
  }
  if (type->dtype == IR_BOOL) return NONNEG | LE1;
  return type->dtype == IR_I64 ? integer_facts(op, x, y) : f64_facts(op, in, x, y);
}

unsigned facts_of(IrOp op, const IrAttr *attr, IrValue *const *in, int count, const IrType *type) {
  return facts_close(any_facts(op, attr, in, count, type));
}
