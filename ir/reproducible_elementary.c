/* exp, log, pow, tanh, sin and cos from arithmetic and tables, to within one unit in the last
 * place, or two and a half of sin and cos: the argument is reduced to a small one of which a short
 * Taylor polynomial is exact, and tables have the function at the points in between (Tang,
 * "Table-driven implementation of the exponential function in IEEE floating-point arithmetic", ACM
 * TOMS 15, 1989, and likewise of the logarithm, 1990). Constants in two or three parts have their
 * leading bits in the first ones, so that multiples are exact (Cody and Waite, "Software Manual for
 * the Elementary Functions", 1980).
 */
#include "ir/reproducible.h"

#include <math.h>

static IrValue *add(IrBuilder *b, IrValue *x, IrValue *y) { return ir_binary(b, IR_ADD, x, y); }
static IrValue *sub(IrBuilder *b, IrValue *x, IrValue *y) { return ir_binary(b, IR_SUB, x, y); }
static IrValue *mul(IrBuilder *b, IrValue *x, IrValue *y) { return ir_binary(b, IR_MUL, x, y); }
static IrValue *quotient(IrBuilder *b, IrValue *x, IrValue *y) {
  return ir_binary(b, IR_DIV, x, y);
}
static IrValue *times(IrBuilder *b, IrValue *x, double c) { return mul(b, x, ir_f64(b, c)); }
static IrValue *plus(IrBuilder *b, IrValue *x, double c) { return add(b, x, ir_f64(b, c)); }

static IrValue *compare(IrBuilder *b, IrOp op, IrValue *x, double c) {
  return ir_binary(b, op, x, ir_f64(b, c));
}

/* The nearest multiple of 1 / scale, times scale. */
static IrValue *nearest(IrBuilder *b, IrValue *x, double scale) {
  return ir_unary(b, IR_FLOOR, plus(b, times(b, x, scale), 0.5));
}

/* c[0] + c[1] x + c[2] x^2 ... */
static IrValue *polynomial(IrBuilder *b, IrValue *x, const double *c, int count) {
  IrValue *v = ir_f64(b, c[count - 1]);
  for (int k = count - 2; k >= 0; k--) v = plus(b, mul(b, v, x), c[k]);
  return v;
}

/* ---- tables ---- */

/* A number that is an integer, less `first`, as an index of `count` entries. It is one whatever the
 * number is: parameters are assumed to be finite, but a trajectory that diverges comes to others.
 * So what is known of the number does not count. */
static IrValue *index_of(IrBuilder *b, IrValue *number, int64_t first, int64_t count) {
  IrValue *v = ir_cast(b, number, IR_I64);
  v->facts = 0;
  if (first) v = ir_binary(b, IR_SUB, v, ir_i64(b, first));
  v = ir_binary(b, IR_MAX, v, ir_i64(b, 0));
  return ir_binary(b, IR_MIN, v, ir_i64(b, count - 1));
}

typedef struct {
  int64_t count;
  double (*entry)(int64_t k);
} Table;

/* One tensor for all that look something up in a table. */
static const IrTensor *entries_of(IrModule *m, const Table *table) {
  IrTensor *t = pointer_map_get(&m->tables, table);
  if (t) return t;
  t = ir_tensor_new(m->arena, ir_type(IR_F64, 1, &table->count));
  for (int64_t k = 0; k < table->count; k++) t->data.f64[k] = table->entry(k);
  pointer_map_set(&m->tables, m->arena, table, t);
  return t;
}

static IrValue *look_up(IrBuilder *b, const Table *table, IrValue *index) {
  return ir_gather(b, ir_constant(b, entries_of(b->module, table)), index, 0, 0);
}

/* ---- exp ---- */

/* exp x = 2^k 2^(j / 2048) exp r, where x = (2048 k + j) ln 2 / 2048 + r. */
enum {
  ROOTS = 2048,
  LEAST_POWER = -1077,
  MOST_POWER = 1024,
  POWERS = MOST_POWER - LEAST_POWER + 1
};
static const double LN2_ROOTS_HIGH = 0x1.62e42ffp-12, LN2_ROOTS_LOW = -0x1.718432a1b0e26p-46;

static double root_of_two(int64_t j) { return (double)exp2l((long double)j / ROOTS); }

static double rest_of_root(int64_t j) {
  return (double)(exp2l((long double)j / ROOTS) - root_of_two(j));
}

/* 2^k in two factors, of which the product with a number between 1 and 2 by the first is exact,
 * also where the result is subnormal or infinite. */
enum { DOWN = -1, UP = 60 };

static double first_factor(int64_t at) {
  int64_t k = at + LEAST_POWER;
  return ldexp(1, (int)(k + (k > 0 ? DOWN : UP)));
}

static double second_factor(int64_t at) { return ldexp(1, -(at + LEAST_POWER > 0 ? DOWN : UP)); }

static const Table roots_of_two = {ROOTS, root_of_two}, rests_of_roots = {ROOTS, rest_of_root},
                   first_factors = {POWERS, first_factor}, second_factors = {POWERS, second_factor};

/* NaN stays NaN all the way, but for what it is as an integer. */
static IrValue *exp_of(IrBuilder *b, IrValue *x) {
  static const double taylor[] = {1.0 / 2, 1.0 / 6};
  static const double least = -746, most = 710; /* beyond, 0 and infinity */
  x = ir_binary(b, IR_MIN, ir_binary(b, IR_MAX, x, ir_f64(b, least)), ir_f64(b, most));
  IrValue *n = nearest(b, x, 0x1.71547652b82fep+11); /* 2048 / ln 2 */
  IrValue *r = sub(b, sub(b, x, times(b, n, LN2_ROOTS_HIGH)), times(b, n, LN2_ROOTS_LOW));
  IrValue *less_one = add(b, r, mul(b, mul(b, r, r), polynomial(b, r, taylor, 2)));
  IrValue *place = index_of(b, n, LEAST_POWER * ROOTS, POWERS * ROOTS), *roots = ir_i64(b, ROOTS);
  IrValue *k = ir_binary(b, IR_DIV, place, roots), *j = ir_binary(b, IR_MOD, place, roots);
  IrValue *root = look_up(b, &roots_of_two, j), *rest = look_up(b, &rests_of_roots, j);
  IrValue *v = add(b, root, add(b, rest, mul(b, root, less_one)));
  v = mul(b, v, look_up(b, &first_factors, k));
  return mul(b, v, look_up(b, &second_factors, k));
}

IrValue *reproducible_exp(const Rewriting *w, const IrNode *n) {
  return exp_of(w->b, w->map[n->in[0]->id]);
}

/* ---- log ---- */

/* log x = k ln 2 + log d + log(1 + r), where x = 2^k m, d is m to 10 bits, and r = (m - d) / d. d
 * is 1 where x is near 1, and so the logarithm is as exact as r there. */
enum { STEPS = 1024, LARGEST_STEP = 1600 };
static const double LN2_HIGH = 0x1.62e42fefa38p-1, LN2_LOW = 0x1.ef35793c7673p-45;
static const double FIXED_POINT = 0x1p42; /* of the first parts, so that their sum is exact */

static double log_step_high(int64_t i) {
  return i ? rint((double)(logl((long double)i / STEPS) * FIXED_POINT)) / FIXED_POINT : 0;
}

static double log_step_low(int64_t i) {
  return i ? (double)(logl((long double)i / STEPS) - log_step_high(i)) : 0;
}

static double power_down(int64_t at) { return ldexp(1, (int)-(at + LEAST_POWER)); }

static const Table log_steps_high = {LARGEST_STEP, log_step_high},
                   log_steps_low = {LARGEST_STEP, log_step_low}, powers_down = {POWERS, power_down};

/* A logarithm in two parts, whose sum has some 10 bits more than a double has; and whether it is
 * one: not so of 0, negative numbers, infinities, NaN, subnormal numbers and the largest ones, for
 * which a runtime's own logarithm will do. */
typedef struct {
  IrValue *high, *low, *regular;
} LogParts;

/* A runtime's own logarithm tells k. Where m would be exactly at the end of its interval,
 * 2^-0.4123, runtimes might not agree; that is no double. */
static LogParts log_parts(IrBuilder *b, IrValue *x, IrValue *rough) {
  static const double taylor[] = {-1.0 / 2, 1.0 / 3, -1.0 / 4, 1.0 / 5};
  LogParts p;
  p.regular = compare(b, IR_LT, ir_unary(b, IR_ABS, rough), 708);
  IrValue *k = ir_unary(b, IR_FLOOR, plus(b, times(b, rough, 0x1.71547652b82fep+0), 0.4123));
  IrValue *power = look_up(b, &powers_down, index_of(b, k, LEAST_POWER, POWERS));
  IrValue *m = mul(b, x, power), *step = nearest(b, m, STEPS), *d = times(b, step, 1.0 / STEPS);
  IrValue *r = quotient(b, sub(b, m, d), d), *at = index_of(b, step, 0, LARGEST_STEP);
  IrValue *curved = mul(b, mul(b, r, r), polynomial(b, r, taylor, 4));
  p.high = add(b, times(b, k, LN2_HIGH), look_up(b, &log_steps_high, at));
  IrValue *low = add(b, times(b, k, LN2_LOW), look_up(b, &log_steps_low, at));
  p.low = add(b, r, add(b, low, curved));
  return p;
}

IrValue *reproducible_log(const Rewriting *w, const IrNode *n) {
  IrBuilder *b = w->b;
  IrValue *x = w->map[n->in[0]->id], *rough = ir_unary(b, IR_LOG, x);
  LogParts p = log_parts(b, x, rough);
  return ir_select(b, p.regular, add(b, p.high, p.low), rough);
}

/* ---- pow ---- */

/* x rounded to half of its bits (Veltkamp); its rest has as many. */
static IrValue *upper_half(IrBuilder *b, IrValue *x) {
  IrValue *scaled = times(b, x, 0x1p27 + 1);
  return sub(b, scaled, sub(b, scaled, x));
}

/* What rounding took from p = x y (Dekker, "A floating-point technique for extending the available
 * precision", 1971). */
static IrValue *product_error(IrBuilder *b, IrValue *x, IrValue *y, IrValue *p) {
  IrValue *xh = upper_half(b, x), *yh = upper_half(b, y), *xl = sub(b, x, xh), *yl = sub(b, y, yh);
  IrValue *rest = sub(b, mul(b, xh, yh), p);
  rest = add(b, add(b, rest, mul(b, xh, yl)), mul(b, xl, yh));
  return add(b, rest, mul(b, xl, yl));
}

/* exp(y log |x|), with y log |x| in two parts. What is 0, infinite, NaN or nearly so is left to the
 * runtime, and so are signs. */
IrValue *reproducible_pow(const Rewriting *w, const IrNode *n) {
  IrBuilder *b = w->b;
  IrValue *base = w->map[n->in[0]->id], *y = w->map[n->in[1]->id];
  IrValue *own = ir_binary(b, IR_POW, base, y), *size = ir_unary(b, IR_ABS, own);
  IrValue *x = ir_unary(b, IR_ABS, base);
  LogParts p = log_parts(b, x, ir_unary(b, IR_LOG, x));
  static const double most = 1e290; /* what Veltkamp's factor does not make infinite */
  y = ir_select(b, compare(b, IR_GT, y, -most), y, ir_f64(b, -most)); /* nor is it NaN */
  y = ir_binary(b, IR_MIN, y, ir_f64(b, most));
  IrValue *high = mul(b, y, p.high), *low = mul(b, y, p.low), *sum = add(b, high, low);
  IrValue *error = add(b, sub(b, high, sum), low);
  error = add(b, error, product_error(b, y, p.high, high));
  IrValue *v = exp_of(b, sum);
  v = mul(b, add(b, v, mul(b, v, error)), ir_unary(b, IR_SIGN, own));
  IrValue *usual =
      ir_binary(b, IR_AND, compare(b, IR_GT, size, 1e-300), compare(b, IR_LT, size, 1e300));
  return ir_select(b, ir_binary(b, IR_AND, usual, p.regular), v, own);
}

/* ---- tanh ---- */

/* x / (1 + x^2 / (3 + x^2 / (5 + ...))) (NIST Handbook of Mathematical Functions, 4.39) near 0, and
 * 1 - 2 / (exp 2x + 1). */
IrValue *reproducible_tanh(const Rewriting *w, const IrNode *n) {
  IrBuilder *b = w->b;
  IrValue *x = w->map[n->in[0]->id], *size = ir_unary(b, IR_ABS, x), *square = mul(b, x, x);
  IrValue *fraction = ir_f64(b, 15);
  for (int odd = 13; odd > 0; odd -= 2) fraction = plus(b, quotient(b, square, fraction), odd);
  IrValue *two = ir_f64(b, 2), *above = plus(b, exp_of(b, times(b, size, 2)), 1);
  IrValue *far = sub(b, ir_f64(b, 1), quotient(b, two, above));
  return ir_select(b, compare(b, IR_LT, size, 0.55), quotient(b, x, fraction),
                   mul(b, far, ir_unary(b, IR_SIGN, x)));
}

/* ---- sin, cos ---- */

static const double HALF_PI[] = {0x1.921fb544p+0, 0x1.0b4611a6p-34, 0x1.3198a2e037073p-69};

/* sin(x + quarters pi / 2), where x = n pi / 2 + r. Numbers so large that n has more than 20 bits
 * are left to the runtime. */
static IrValue *shifted_sine(IrBuilder *b, IrValue *x, int quarters, IrValue *own) {
  static const double sine[] = {
      -1.0 / 6,        1.0 / 120,        -1.0 / 5040,          1.0 / 362880,
      -1.0 / 39916800, 1.0 / 6227020800, -1.0 / 1307674368000, 1.0 / 355687428096000};
  static const double cosine[] = {
      1.0 / 24,        -1.0 / 720,         1.0 / 40320,         -1.0 / 3628800,
      1.0 / 479001600, -1.0 / 87178291200, 1.0 / 20922789888000};
  IrValue *n = nearest(b, x, 0x1.45f306dc9c883p-1), *r = x;
  for (int k = 0; k < 3; k++) r = sub(b, r, times(b, n, HALF_PI[k]));
  IrValue *square = mul(b, r, r);
  IrValue *s = add(b, r, mul(b, r, mul(b, square, polynomial(b, square, sine, 8))));
  IrValue *curved = mul(b, mul(b, square, square), polynomial(b, square, cosine, 7));
  IrValue *c = sub(b, ir_f64(b, 1), sub(b, times(b, square, 0.5), curved));
  if (quarters) n = plus(b, n, quarters);
  IrValue *halves = ir_unary(b, IR_FLOOR, times(b, n, 0.5)); /* how often the sign has changed */
  IrValue *odd = ir_binary(b, IR_NE, n, times(b, halves, 2));
  IrValue *even_halves = times(b, ir_unary(b, IR_FLOOR, times(b, halves, 0.5)), 2);
  IrValue *v = ir_select(b, odd, c, s);
  v = ir_select(b, ir_binary(b, IR_NE, halves, even_halves), ir_unary(b, IR_NEG, v), v);
  return ir_select(b, compare(b, IR_LT, ir_unary(b, IR_ABS, x), 1e6), v, own);
}

IrValue *reproducible_sin(const Rewriting *w, const IrNode *n) {
  IrValue *x = w->map[n->in[0]->id];
  return shifted_sine(w->b, x, 0, ir_unary(w->b, IR_SIN, x));
}

IrValue *reproducible_cos(const Rewriting *w, const IrNode *n) {
  IrValue *x = w->map[n->in[0]->id];
  return shifted_sine(w->b, x, 1, ir_unary(w->b, IR_COS, x));
}
