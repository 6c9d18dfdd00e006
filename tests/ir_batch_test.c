/* Batching. Every op: each choice of operands that carry batch axes, each choice of axes along
 * which they vary, one level and two, sizes known and open, against the op applied to one element
 * of the batch at a time. Functions with branches and loops likewise, and after differentiation. */
#include "ir/ir.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_OPERANDS = 5 };

/* ---- tensors ---- */

typedef struct {
  IrDtype dtype;
  int rank;
  int64_t dims[4];
  double lo, hi; /* elements are spread over [lo, hi]; integers include both */
  bool fixed;    /* a constant lo, never batched */
} Operand;

static double spread_value(const Operand *o, uint64_t *state) {
  *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
  double u = (double)(*state >> 11) / (double)(UINT64_C(1) << 53);
  return o->dtype == IR_F64 ? o->lo + u * (o->hi - o->lo) : floor(o->lo + u * (o->hi - o->lo + 1));
}

static void set(IrTensor *t, int64_t i, double x) {
  if (t->type.dtype == IR_F64)
    t->data.f64[i] = x;
  else if (t->type.dtype == IR_I64)
    t->data.i64[i] = (int64_t)x;
  else
    t->data.boolean[i] = x >= 1;
}

static double get(const IrTensor *t, int64_t i) {
  if (t->type.dtype == IR_F64) return t->data.f64[i];
  return t->type.dtype == IR_I64 ? (double)t->data.i64[i] : t->data.boolean[i];
}

static IrTensor *filled(Arena *a, const Operand *o, IrType type, uint64_t seed) {
  IrTensor *t = ir_tensor_new(a, type);
  for (int64_t i = 0; i < t->count; i++) set(t, i, spread_value(o, &seed));
  return t;
}

static IrType with_batch(const IrType *own, const int64_t *dims, int levels) {
  int64_t all[IR_MAX_RANK];
  memcpy(all, dims, sizeof *dims * (size_t)levels);
  memcpy(all + levels, own->dim, sizeof *all * (size_t)own->rank);
  return ir_type(own->dtype, levels + own->rank, all);
}

/* Element `at` of a batch; axes of size 1 hold for all of them. */
static IrTensor *element(Arena *a, const IrTensor *t, int levels, const int64_t *at) {
  IrTensor *r =
      ir_tensor_new(a, ir_type(t->type.dtype, t->type.rank - levels, t->type.dim + levels));
  int64_t offset = 0;
  for (int l = 0; l < levels; l++)
    offset = offset * t->type.dim[l] + (t->type.dim[l] == 1 ? 0 : at[l]);
  for (int64_t i = 0; i < r->count; i++) set(r, i, get(t, offset * r->count + i));
  return r;
}

static bool close_enough(double x, double y) {
  if (isnan(x) || isnan(y)) return isnan(x) && isnan(y);
  return x == y || fabs(x - y) <= 1e-12 * fmax(1, fmax(fabs(x), fabs(y)));
}

static char *text_of(Arena *a, const IrFunction *f) {
  Text t = text_new(a);
  ir_print(&t, f);
  return t.data;
}

static void run(Arena *a, const char *name, const IrFunction *f, const IrTensor *const *args,
                const IrTensor **results, IrPlan **plan) {
  const char *error = ir_module_error(f->module);
  ck_assert_msg(!error, "%s: %s", name, error);
  error = ir_verify(f);
  ck_assert_msg(!error, "%s: %s\n%s", name, error, text_of(a, f));
  *plan = ir_plan_new(f);
  error = ir_plan_run(*plan, args, results);
  ck_assert_msg(!error, "%s: %s\n%s", name, error, text_of(a, f));
}

static void compare(const char *name, const IrTensor *want, const IrTensor *got) {
  ck_assert_msg(got->type.dtype == want->type.dtype && got->type.rank == want->type.rank,
                "%s: another type", name);
  for (int k = 0; k < want->type.rank; k++)
    ck_assert_msg(got->type.dim[k] == want->type.dim[k], "%s: axis %d is %lld, not %lld", name, k,
                  (long long)got->type.dim[k], (long long)want->type.dim[k]);
  for (int64_t i = 0; i < want->count; i++)
    ck_assert_msg(close_enough(get(want, i), get(got, i)), "%s: element %lld is %.17g, not %.17g",
                  name, (long long)i, get(got, i), get(want, i));
}

/* ---- ops ---- */

#define F64(...)                                                                                   \
  { .dtype = IR_F64, .rank = COUNT(__VA_ARGS__), .dims = {__VA_ARGS__}, .lo = -2, .hi = 3 }
#define REAL                                                                                       \
  { .dtype = IR_F64, .lo = -2, .hi = 3 }
#define BITS(...)                                                                                  \
  { .dtype = IR_BOOL, .rank = COUNT(__VA_ARGS__), .dims = {__VA_ARGS__}, .lo = 0, .hi = 1 }
#define INDEX(n, ...)                                                                              \
  { .dtype = IR_I64, .rank = COUNT(__VA_ARGS__), .dims = {__VA_ARGS__}, .lo = 0, .hi = (n)-1 }
#define INDEX0(n)                                                                                  \
  { .dtype = IR_I64, .lo = 0, .hi = (n)-1 }
#define SIZE(n)                                                                                    \
  { .dtype = IR_I64, .lo = (n), .hi = (n), .fixed = true }
#define FOUR                                                                                       \
  { .dtype = IR_I64, .lo = 4, .hi = 4 }
#define COUNT(...) ((int)(sizeof((int[]){__VA_ARGS__}) / sizeof(int)))
#define AXES(n, ...)                                                                               \
  {                                                                                                \
    .axis_count = (n), .axes = { __VA_ARGS__ }                                                     \
  }

typedef struct {
  IrOp op;
  IrAttr attr;
  int count;
  Operand in[MAX_OPERANDS];
  unsigned uniform; /* operands that may not differ between the elements */
} Case;

static const Case cases[] = {
    {IR_BROADCAST, {0}, 4, {F64(3, 1), SIZE(2), SIZE(3), SIZE(4)}, 0},
    {IR_BROADCAST, {0}, 3, {F64(1), SIZE(2), SIZE(3)}, 0},
    {IR_RESHAPE, {0}, 3, {F64(2, 3), SIZE(3), SIZE(2)}, 0},
    {IR_RESHAPE, {0}, 2, {F64(2, 3), SIZE(6)}, 0},
    {IR_RESHAPE, {0}, 2, {F64(4), FOUR}, 2},
    {IR_TRANSPOSE, AXES(3, 1, 2, 0), 1, {F64(2, 3, 4)}, 0},
    {IR_REDUCE_SUM, AXES(2, 0, 2), 1, {F64(2, 3, 4)}, 0},
    {IR_REDUCE_SUM, AXES(1, 1), 1, {F64(2, 3)}, 0},
    {IR_REDUCE_PROD, AXES(1, 0), 1, {F64(3, 2)}, 0},
    {IR_REDUCE_MAX, AXES(1, 1), 1, {F64(2, 3)}, 0},
    {IR_REDUCE_MIN, AXES(2, 0, 1), 1, {F64(2, 3)}, 0},
    {IR_REDUCE_ANY, AXES(1, 0), 1, {BITS(3, 2)}, 0},
    {IR_REDUCE_ALL, AXES(1, 0), 1, {BITS(3, 2)}, 0},
    {IR_MATMUL, {0}, 2, {F64(4, 3), F64(3, 1)}, 0},
    {IR_MATMUL, {0}, 2, {F64(4, 3), F64(3, 2)}, 0},
    {IR_MATMUL, {0}, 2, {F64(1, 3), F64(3, 1)}, 0},
    {IR_MATMUL, {0}, 2, {F64(1, 3), F64(3, 4)}, 0},
    {IR_MATMUL, {0}, 2, {F64(4, 1), F64(1, 2)}, 0},
    {IR_MATMUL, {0}, 2, {F64(2, 4, 3), F64(3, 1)}, 0},
    {IR_MATMUL, {0}, 2, {F64(4, 3), F64(2, 3, 1)}, 0},
    {IR_MATMUL, {0}, 2, {F64(2, 1, 3), F64(3, 1)}, 0},
    {IR_MATMUL, {0}, 2, {F64(4, 3), F64(2, 3, 2)}, 0},
    {IR_SLICE, {.axis = 1}, 3, {F64(4, 5), INDEX0(3), SIZE(3)}, 0},
    {IR_SLICE, {.axis = 0}, 3, {F64(4, 2), INDEX0(4), SIZE(1)}, 0},
    {IR_SLICE, {.axis = 0}, 3, {F64(4), INDEX0(2), SIZE(2)}, 0},
    {IR_REVERSE, {.axis = 1}, 1, {F64(2, 3)}, 0},
    {IR_GATHER, {.axis = 0}, 2, {F64(4), INDEX0(4)}, 0},
    {IR_GATHER, {.axis = 0}, 2, {F64(4), INDEX(4, 5)}, 0},
    {IR_GATHER, {.axis = 0}, 2, {F64(4, 2), INDEX0(4)}, 0},
    {IR_GATHER, {.axis = 1}, 2, {F64(2, 4), INDEX0(4)}, 0},
    {IR_GATHER, {.axis = 1}, 2, {F64(2, 4), INDEX(4, 3)}, 0},
    {IR_GATHER, {.axis = 1}, 2, {F64(2, 4, 3), INDEX(4, 2, 2)}, 0},
    {IR_GATHER, {.axis = 2}, 2, {F64(2, 3, 4), INDEX(4, 5)}, 0},
    {IR_GATHER, {.axis = 1, .batch = 1}, 2, {F64(2, 4), INDEX(4, 2, 3)}, 0},
    {IR_GATHER, {.axis = 1, .batch = 1}, 2, {F64(2, 4, 3), INDEX(4, 2)}, 0},
    {IR_GATHER, {.axis = 2, .batch = 1}, 2, {F64(2, 3, 4), INDEX(4, 2, 3)}, 0},
    {IR_GATHER, {.axis = 2, .batch = 2}, 2, {F64(2, 3, 4), INDEX(4, 2, 3, 2)}, 0},
    {IR_SCATTER_ADD, {.axis = 0}, 3, {F64(4), INDEX(4, 5), F64(5)}, 0},
    {IR_SCATTER_ADD, {.axis = 0}, 3, {F64(4, 2), INDEX0(4), F64(2)}, 0},
    {IR_SCATTER_ADD, {.axis = 1}, 3, {F64(2, 4), INDEX(4, 3), F64(2, 3)}, 0},
    {IR_SCATTER_ADD, {.axis = 1}, 3, {F64(2, 4, 3), INDEX(4, 2, 2), F64(2, 2, 2, 3)}, 0},
    {IR_SCATTER_ADD, {.axis = 1, .batch = 1}, 3, {F64(2, 4), INDEX(4, 2, 3), F64(2, 3)}, 0},
    {IR_SCATTER_ADD, {.axis = 2, .batch = 1}, 3, {F64(2, 3, 4), INDEX(4, 2, 3), F64(2, 3, 3)}, 0},
    {IR_SCATTER_SET, {.axis = 0}, 3, {F64(4), INDEX(4, 5), F64(5)}, 0},
    {IR_SCATTER_SET, {.axis = 1}, 3, {F64(2, 4), INDEX0(4), F64(2)}, 0},
    {IR_SCATTER_SET, {.axis = 1, .batch = 1}, 3, {F64(2, 4), INDEX(4, 2, 3), F64(2, 3)}, 0},
    {IR_CONCAT, {.axis = 0}, 3, {F64(2), F64(1), F64(3)}, 0},
    {IR_CONCAT, {.axis = 1}, 2, {F64(2, 3), F64(2, 2)}, 0},
    {IR_CUMSUM, {.axis = 1}, 1, {F64(2, 3)}, 0},
    {IR_CUMSUM, {.axis = 0, .reverse = true, .exclusive = true}, 1, {F64(3, 2)}, 0},
    {IR_ARGSORT, {0}, 1, {F64(2, 5)}, 0},
    {IR_ARGSORT, {.reverse = true}, 1, {F64(5)}, 0},
    {IR_IOTA, {0}, 1, {INDEX0(6)}, 1},
    {IR_NONZERO, {0}, 1, {BITS(6)}, 1},
    {IR_SHAPE, {.axis = 1}, 1, {F64(2, 3)}, 0},
};

static const char *const shape_rules[IR_OP_COUNT] = {
#define OP(name, text, operands, shape, evaluate, vjp, batch, guard, onnx) [IR_##name] = #shape,
#include "ir/ops.def"
#undef OP
};

static const int operand_counts[IR_OP_COUNT] = {
#define OP(name, text, operands, shape, evaluate, vjp, batch, guard, onnx) [IR_##name] = operands,
#include "ir/ops.def"
#undef OP
};

/* How an op is batched in one test. */
typedef struct {
  int levels;
  int64_t size[2];
  bool open; /* sizes other than 1 are not known */
  bool batched[MAX_OPERANDS];
  unsigned varies[MAX_OPERANDS]; /* bit l: along level l */
} Batching;

static IrType open_type(IrType t) {
  for (int k = 0; k < t.rank; k++)
    if (t.dim[k] != 1) t.dim[k] = IR_DYNAMIC;
  return t;
}

static IrValue *operand_value(IrBuilder *b, const Operand *o, IrType type) {
  if (!o->fixed) return NULL;
  (void)type;
  return ir_i64(b, (int64_t)o->lo);
}

static void describe(char *text, size_t room, const Case *c, const Batching *how) {
  int n = snprintf(text, room, "%s axis %d batch %d, %d levels%s:", ir_op_name(c->op), c->attr.axis,
                   c->attr.batch, how->levels, how->open ? ", open" : "");
  for (int k = 0; k < c->count; k++) {
    n += snprintf(text + n, room - (size_t)n, " [%s", how->batched[k] ? "batch" : "");
    for (int l = 0; how->batched[k] && l < how->levels; l++)
      n += snprintf(text + n, room - (size_t)n, " %d", how->varies[k] >> l & 1 ? 9 : 1);
    for (int d = 0; d < c->in[k].rank; d++)
      n += snprintf(text + n, room - (size_t)n, " %d", (int)c->in[k].dims[d]);
    n += snprintf(text + n, room - (size_t)n, "]");
  }
}

/* The result for one element. */
static const IrTensor *apply_plainly(Arena *a, const char *name, const Case *c,
                                     const IrTensor *const *args, IrPlan **plan) {
  IrBuilder *b = ir_function_begin(ir_module_new(a, (IrOptions){0}), NULL, "plain");
  IrValue *in[MAX_OPERANDS];
  const IrTensor *used[MAX_OPERANDS], *result;
  int params = 0;
  for (int k = 0; k < c->count; k++) {
    in[k] = operand_value(b, &c->in[k], args[k]->type);
    if (in[k]) continue;
    in[k] = ir_param(b, args[k]->type, NULL);
    used[params++] = args[k];
  }
  IrValue *out = ir_emit(b, c->op, c->attr, in, c->count);
  run(a, name, ir_function_end(b, &out, NULL, 1), used, &result, plan);
  return result;
}

static void compare_elements(Arena *a, const char *name, const Case *c, const Batching *how,
                             const IrTensor *const *args, const IrTensor *got) {
  int64_t total = 1;
  for (int l = 0; l < how->levels; l++) total *= how->size[l];
  for (int64_t i = 0; i < total; i++) {
    int64_t at[2] = {how->levels == 2 ? i / how->size[1] : i,
                     how->levels == 2 ? i % how->size[1] : 0};
    const IrTensor *one[MAX_OPERANDS];
    IrPlan *plan;
    for (int k = 0; k < c->count; k++)
      one[k] = how->batched[k] ? element(a, args[k], how->levels, at) : args[k];
    compare(name, apply_plainly(a, name, c, one, &plan), element(a, got, how->levels, at));
    ir_plan_free(plan);
  }
}

static void check_batching(const Case *c, const Batching *how) {
  Arena *a = arena_new();
  char name[300];
  describe(name, sizeof name, c, how);
  IrBuilder *b = ir_function_begin(ir_module_new(a, (IrOptions){0}), NULL, "batched");
  IrValue *in[MAX_OPERANDS];
  const IrTensor *args[MAX_OPERANDS], *used[MAX_OPERANDS], *got;
  int params = 0;
  bool impossible = false;
  for (int k = 0; k < c->count; k++) {
    const Operand *o = &c->in[k];
    IrType type = ir_type(o->dtype, o->rank, o->dims);
    int64_t dims[2];
    for (int l = 0; l < how->levels; l++) dims[l] = how->varies[k] >> l & 1 ? how->size[l] : 1;
    if (how->batched[k]) {
      type = with_batch(&type, dims, how->levels);
      for (int l = 0; l < how->levels; l++) impossible |= c->uniform >> k & 1 && dims[l] != 1;
    }
    args[k] = filled(a, o, type, 17 + (uint64_t)k);
    in[k] = operand_value(b, o, type);
    if (in[k]) continue;
    in[k] = ir_param(b, how->open ? open_type(type) : type, NULL);
    used[params++] = args[k];
  }
  IrValue *out = ir_emit_batched(b, c->op, c->attr, in, c->count, how->batched, how->levels);
  if (impossible) {
    ck_assert_msg(!out, "%s: batched, though its size would differ", name);
  } else {
    IrPlan *plan;
    ck_assert_msg(out != NULL, "%s: not batched", name);
    run(a, name, ir_function_end(b, &out, NULL, 1), used, &got, &plan);
    compare_elements(a, name, c, how, args, got);
    ir_plan_free(plan);
  }
  arena_free(a);
}

/* Each choice of levels along which the batched operands from k on vary. */
static void vary_operands(const Case *c, Batching *how, int k) {
  while (k < c->count && !how->batched[k]) k++;
  if (k == c->count) {
    for (int open = 0; open < 2; open++) {
      how->open = open;
      check_batching(c, how);
    }
    return;
  }
  for (unsigned v = 0; v < 1u << how->levels; v++) {
    how->varies[k] = v;
    vary_operands(c, how, k + 1);
  }
}

static void check_case(const Case *c) {
  static const int64_t sizes[][2] = {{3, 0}, {1, 0}, {2, 3}};
  for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
    for (unsigned subset = 1; subset < 1u << c->count; subset++) {
      Batching how = {.levels = sizes[s][1] ? 2 : 1, .size = {sizes[s][0], sizes[s][1]}};
      bool fixed = false;
      for (int k = 0; k < c->count; k++) {
        how.batched[k] = subset >> k & 1;
        fixed |= how.batched[k] && c->in[k].fixed;
      }
      if (!fixed) vary_operands(c, &how, 0);
    }
}

/* Element types of an elementwise op's operands, by its shape rule. */
static IrDtype operand_dtype(IrOp op, int k) {
  if (!strcmp(shape_rules[op], "logical") || (op == IR_SELECT && k == 0)) return IR_BOOL;
  if (!strncmp(shape_rules[op], "bits", 4)) return IR_I64;
  return IR_F64;
}

static void check_elementwise(IrOp op) {
  static const int64_t dims[][3][2] = {{{0, 0}, {0, 0}, {0, 0}},
                                       {{0, 0}, {3, 0}, {0, 0}},
                                       {{3, 0}, {2, 3}, {3, 0}},
                                       {{2, 1}, {3, 0}, {2, 3}},
                                       {{4, 0}, {1, 0}, {4, 0}}};
  for (size_t s = 0; s < sizeof dims / sizeof *dims; s++) {
    Case c = {.op = op, .count = operand_counts[op], .attr = {.dtype = IR_I64}};
    if (op != IR_CAST) c.attr.dtype = IR_F64;
    for (int k = 0; k < c.count; k++) {
      Operand *o = &c.in[k];
      *o = (Operand){.dtype = operand_dtype(op, k), .lo = 0.1, .hi = 1.9};
      if (o->dtype == IR_I64) o->hi = 1e12;
      while (o->rank < 2 && dims[s][k][o->rank]) {
        o->dims[o->rank] = dims[s][k][o->rank];
        o->rank++;
      }
    }
    check_case(&c);
  }
}

START_TEST(ops) {
  IrOp op = (IrOp)_i;
  int checked = 0;
  if (op == IR_CONST || op == IR_CALL || op == IR_IF || op == IR_LOOP) return;
  if (ir_op_elementwise(op)) {
    check_elementwise(op);
    checked++;
  }
  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++)
    if (cases[k].op == op) {
      check_case(&cases[k]);
      checked++;
    }
  ck_assert_msg(checked, "no case for %s", ir_op_name(op));
}
END_TEST

/* ---- functions ---- */

enum { MAX_PARAMS = 4, MAX_RESULTS = 4 };

/* A function of the given parameters. Results with padded[k] are stacked by a loop: a batched one
 * has as many rows as the longest element needs, and the rows beyond an element's own are zeros. */
typedef struct {
  const char *name;
  int count;
  Operand in[MAX_PARAMS];
  int (*build)(IrBuilder *b, IrValue *const *in, IrValue **out);
  bool padded[MAX_RESULTS];
} Program;

static IrValue *add(IrBuilder *b, IrValue *x, IrValue *y) { return ir_binary(b, IR_ADD, x, y); }
static IrValue *sub(IrBuilder *b, IrValue *x, IrValue *y) { return ir_binary(b, IR_SUB, x, y); }
static IrValue *mul(IrBuilder *b, IrValue *x, IrValue *y) { return ir_binary(b, IR_MUL, x, y); }
static IrValue *lt(IrBuilder *b, IrValue *x, IrValue *y) { return ir_binary(b, IR_LT, x, y); }
static IrBuilder *region(IrBuilder *b, const char *name) {
  return ir_function_begin(ir_builder_module(b), b, name);
}

/* x scanned, a state that mixes with the parameter, the states stacked. */
static int scan_over(IrBuilder *b, IrValue *const *in, bool reverse, IrValue **out) {
  IrBuilder *body = region(b, "step");
  IrValue *i = ir_param(body, ir_scalar(IR_I64), NULL),
          *s = ir_param(body, ir_scalar(IR_F64), NULL),
          *x = ir_param(body, ir_scalar(IR_F64), NULL);
  IrValue *next = add(body, mul(body, s, in[1]), mul(body, x, ir_cast(body, i, IR_F64)));
  IrValue *initial = ir_f64(b, 1);
  ir_function_end(body, (IrValue *[]){next, sub(body, next, s)}, NULL, 2);
  ir_loop(b,
          (IrLoop){.count = ir_dim(b, in[0], 0),
                   .carried = 1,
                   .scanned = 1,
                   .initial = &initial,
                   .inputs = in,
                   .reverse = reverse},
          body, out);
  return 2;
}
static int build_scan(IrBuilder *b, IrValue *const *in, IrValue **out) {
  return scan_over(b, in, false, out);
}
static int build_reverse_scan(IrBuilder *b, IrValue *const *in, IrValue **out) {
  return scan_over(b, in, true, out);
}

/* Square root by Newton's method, counting steps, each guess stacked; x in[0]. */
static int build_newton(IrBuilder *b, IrValue *const *in, IrValue **out) {
  IrValue *x = in[0], *one = ir_f64(b, 1), *initial[] = {one, ir_i64(b, 0)};
  IrValue *far = lt(b, ir_f64(b, 1e-9), ir_unary(b, IR_ABS, sub(b, mul(b, one, one), x)));
  IrBuilder *body = region(b, "newton");
  ir_param(body, ir_scalar(IR_I64), NULL);
  IrValue *g = ir_param(body, ir_scalar(IR_F64), NULL),
          *n = ir_param(body, ir_scalar(IR_I64), NULL);
  IrValue *next = mul(body, ir_f64(body, 0.5), add(body, g, ir_binary(body, IR_DIV, x, g)));
  IrValue *go =
      lt(body, ir_f64(body, 1e-9), ir_unary(body, IR_ABS, sub(body, mul(body, next, next), x)));
  ir_function_end(body, (IrValue *[]){go, next, add(body, n, ir_i64(body, 1)), g}, NULL, 4);
  ir_loop(b, (IrLoop){.condition = far, .carried = 2, .initial = initial}, body, out);
  return 3;
}

/* A vector raised in[1] times, from powers stacked forwards, then used backwards. */
static int build_count(IrBuilder *b, IrValue *const *in, IrValue **out) {
  IrValue *x = in[0], *n = in[1], *start = ir_broadcast_like(b, ir_f64(b, 1), x), *forth[2];
  IrBuilder *body = region(b, "powers");
  IrValue *i = ir_param(body, ir_scalar(IR_I64), NULL), *p = ir_param(body, start->type, NULL);
  (void)i;
  IrValue *next = mul(body, p, x);
  ir_function_end(body, (IrValue *[]){next, next}, NULL, 2);
  ir_loop(b, (IrLoop){.count = n, .carried = 1, .initial = &start}, body, forth);
  out[0] = forth[0];
  body = region(b, "back");
  i = ir_param(body, ir_scalar(IR_I64), NULL);
  IrValue *s = ir_param(body, ir_scalar(IR_F64), NULL), *row = ir_param(body, start->type, NULL);
  IrValue *r = mul(body, ir_reduce_all(body, IR_REDUCE_SUM, row),
                   add(body, ir_cast(body, i, IR_F64), ir_f64(body, 0.5)));
  ir_function_end(body, (IrValue *[]){add(body, mul(body, s, ir_f64(body, 0.5)), r), r}, NULL, 2);
  IrValue *zero = ir_f64(b, 0);
  ir_loop(b,
          (IrLoop){.count = n,
                   .carried = 1,
                   .scanned = 1,
                   .initial = &zero,
                   .inputs = forth + 1,
                   .reverse = true},
          body, out + 1);
  return 3;
}

/* Branches of which the one not taken divides by zero and reads out of range. */
static int build_branch(IrBuilder *b, IrValue *const *in, IrValue **out) {
  IrValue *x = in[0], *n = in[1], *table = in[2], *zero = ir_i64(b, 0);
  IrBuilder *then = region(b, "then"), *orelse = region(b, "else");
  IrValue *k = ir_binary(then, IR_DIV, ir_i64(then, 12), n);
  IrValue *picked = ir_gather(then, table, sub(then, n, ir_i64(then, 1)), 0, 0);
  ir_function_end(then, (IrValue *[]){k, mul(then, picked, ir_unary(then, IR_LOG, x)), table}, NULL,
                  3);
  ir_function_end(orelse, (IrValue *[]){zero, x, mul(orelse, table, x)}, NULL, 3);
  ir_if(b, lt(b, zero, n), then, orelse, out);
  return 3;
}

/* A loop that never ends in a branch that is not to be taken. */
static int build_guarded_loop(IrBuilder *b, IrValue *const *in, IrValue **out) {
  IrValue *n = in[0], *table = in[1], *half = ir_binary(b, IR_MOD, n, ir_i64(b, 2)),
          *none = ir_i64(b, 0);
  IrBuilder *then = region(b, "then"), *orelse = region(b, "else"), *body = region(then, "down");
  ir_param(body, ir_scalar(IR_I64), NULL);
  IrValue *k = ir_param(body, ir_scalar(IR_I64), NULL),
          *s = ir_param(body, ir_scalar(IR_F64), NULL);
  IrValue *left = sub(body, k, ir_i64(body, 2));
  IrValue *picked = ir_gather(body, table, left, 0, 0);
  ir_function_end(
      body,
      (IrValue *[]){ir_binary(body, IR_NE, left, ir_i64(body, 0)), left, add(body, s, picked)},
      NULL, 3);
  IrValue *initial[] = {n, ir_f64(then, 0)}, *r[2];
  ir_loop(then,
          (IrLoop){.condition = ir_binary(then, IR_NE, n, ir_i64(then, 0)),
                   .carried = 2,
                   .initial = initial},
          body, r);
  ir_function_end(then, &r[1], NULL, 1);
  IrValue *minus = ir_f64(orelse, -1);
  ir_function_end(orelse, &minus, NULL, 1);
  ir_if(b, ir_binary(b, IR_EQ, half, none), then, orelse, out);
  return 1;
}

/* While inside for: in[1] sweeps of a bisection each of its own length; the outer state starts
 * without a batch and comes to depend on it only in the second iteration. */
static int build_nested(IrBuilder *b, IrValue *const *in, IrValue **out) {
  IrValue *x = in[0], *initial[] = {ir_f64(b, 1), ir_f64(b, 2), ir_f64(b, 4)};
  IrBuilder *outer = region(b, "sweeps");
  IrValue *i = ir_param(outer, ir_scalar(IR_I64), NULL), *s[3], *r[2];
  for (int k = 0; k < 3; k++) s[k] = ir_param(outer, ir_scalar(IR_F64), NULL);
  IrBuilder *inner = region(outer, "halve");
  IrValue *j = ir_param(inner, ir_scalar(IR_I64), NULL),
          *w = ir_param(inner, ir_scalar(IR_F64), NULL);
  IrValue *next = add(inner, mul(inner, w, ir_f64(inner, 0.5)),
                      mul(inner, ir_cast(inner, add(inner, i, j), IR_F64), ir_f64(inner, 0.01)));
  ir_function_end(inner, (IrValue *[]){lt(inner, ir_f64(inner, 1), next), next, w}, NULL, 3);
  ir_loop(outer,
          (IrLoop){.count = ir_i64(outer, 9),
                   .condition = lt(outer, ir_f64(outer, 1), s[1]),
                   .carried = 1,
                   .initial = &s[1]},
          inner, r);
  ir_function_end(outer,
                  (IrValue *[]){add(outer, s[0], r[0]), add(outer, s[2], ir_f64(outer, 0.25)),
                                add(outer, s[2], x)},
                  NULL, 3);
  ir_loop(b, (IrLoop){.count = in[1], .carried = 3, .initial = initial}, outer, out);
  return 3;
}

/* A branch on something that is the same for all, whose one side depends on the batch. */
static int build_shared_branch(IrBuilder *b, IrValue *const *in, IrValue **out) {
  IrBuilder *then = region(b, "then"), *orelse = region(b, "else");
  ir_function_end(then, (IrValue *[]){mul(then, in[0], in[2]), in[2]}, NULL, 2);
  ir_function_end(orelse, (IrValue *[]){in[2], mul(orelse, in[2], in[2])}, NULL, 2);
  ir_if(b, lt(b, ir_i64(b, 1), in[1]), then, orelse, out);
  return 2;
}

/* Calls: of an elementwise function on values of differing ranks, and of one that holds a loop. */
static int build_calls(IrBuilder *b, IrValue *const *in, IrValue **out) {
  IrModule *m = ir_builder_module(b);
  IrBuilder *f = ir_function_begin(m, NULL, "scalar");
  IrValue *x = ir_param(f, ir_scalar(IR_F64), NULL), *y = ir_param(f, ir_scalar(IR_F64), NULL);
  IrValue *r = add(f, mul(f, x, y), ir_unary(f, IR_EXP, x));
  IrFunction *scalar = ir_function_end(f, &r, NULL, 1);
  scalar->elementwise = true;
  f = ir_function_begin(m, NULL, "newton");
  x = ir_param(f, ir_scalar(IR_F64), NULL);
  IrValue *root[4], *pair[2] = {in[0], in[1]};
  build_newton(f, &x, root);
  IrFunction *newton = ir_function_end(f, root, NULL, 2);
  ir_call(b, scalar, pair, 2, out);
  ir_call(b, newton, in, 1, root);
  out[1] = root[0];
  out[2] = root[1];
  ir_call(b, newton, &root[0], 1, root);
  out[3] = root[0];
  return 4;
}

/* The recurrence of a Cholesky factorisation, on a matrix that the parameter scales. */
static int build_cholesky(IrBuilder *b, IrValue *const *in, IrValue **out) {
  int64_t n = 3;
  IrValue *size = ir_i64(b, n), *index = ir_iota(b, size), *dims[] = {size, size};
  IrValue *rows = ir_cast(b, ir_unsqueeze(b, index, 1), IR_F64),
          *columns = ir_cast(b, ir_unsqueeze(b, index, 0), IR_F64);
  IrValue *d = sub(b, rows, columns),
          *a = ir_unary(b, IR_EXP, ir_unary(b, IR_NEG, mul(b, mul(b, d, d), in[0])));
  IrValue *start = ir_broadcast(b, ir_f64(b, 0), dims, 2);
  IrBuilder *body = region(b, "column");
  IrValue *j = ir_param(body, ir_scalar(IR_I64), NULL), *l = ir_param(body, start->type, NULL);
  IrValue *row = ir_gather(body, l, j, 0, 0);
  IrValue *c = sub(body, ir_gather(body, a, j, 1, 0),
                   ir_squeeze(body, ir_matmul(body, l, ir_unsqueeze(body, row, 1)), 1));
  IrValue *scaled =
      ir_binary(body, IR_DIV, c, ir_unary(body, IR_SQRT, ir_gather(body, c, j, 0, 0)));
  IrValue *kept = ir_select(body, lt(body, index, j), ir_f64(body, 0), scaled);
  IrValue *next = ir_scatter(body, IR_SCATTER_SET, l, j, kept, 1, 0);
  ir_function_end(body, &next, NULL, 1);
  ir_loop(b, (IrLoop){.count = size, .carried = 1, .initial = &start}, body, out);
  return 1;
}

static const Program programs[] = {
    {"scan", 2, {F64(4), REAL}, build_scan, {0}},
    {"reverse_scan", 2, {F64(4), REAL}, build_reverse_scan, {0}},
    {"newton", 1, {{.lo = 0.5, .hi = 90}}, build_newton, {false, false, true}},
    {"count", 2, {F64(2), INDEX0(5)}, build_count, {false, false, true}},
    {"branch",
     3,
     {{.lo = 0.5, .hi = 2}, {.dtype = IR_I64, .lo = -1, .hi = 2}, F64(3)},
     build_branch,
     {0}},
    {"guarded_loop", 2, {INDEX0(8), F64(8)}, build_guarded_loop, {0}},
    {"nested", 2, {REAL, INDEX0(6)}, build_nested, {0}},
    {"shared_branch", 3, {REAL, INDEX0(4), F64(2)}, build_shared_branch, {0}},
    {"calls", 2, {{.lo = 0.5, .hi = 9}, F64(3)}, build_calls, {0}},
    {"cholesky", 1, {{.lo = 0.1, .hi = 2}}, build_cholesky, {0}},
};

static IrFunction *built(Arena *a, const Program *p) {
  IrBuilder *b = ir_function_begin(ir_module_new(a, (IrOptions){0}), NULL, p->name);
  IrValue *in[MAX_PARAMS], *out[MAX_RESULTS];
  for (int k = 0; k < p->count; k++)
    in[k] = ir_param(b, ir_type(p->in[k].dtype, p->in[k].rank, p->in[k].dims), NULL);
  int results = p->build(b, in, out);
  return ir_function_end(b, out, NULL, results);
}

/* The first rows of a stacked result; what follows must be zero. */
static const IrTensor *without_padding(Arena *a, const char *name, const IrTensor *t,
                                       int64_t rows) {
  ck_assert_msg(t->type.rank > 0 && t->type.dim[0] >= rows, "%s: too few rows", name);
  IrType type = t->type;
  type.dim[0] = rows;
  IrTensor *r = ir_tensor_new(a, type);
  for (int64_t i = 0; i < t->count; i++) {
    if (i < r->count)
      set(r, i, get(t, i));
    else
      ck_assert_msg(get(t, i) == 0, "%s: a row that is none is not zero", name);
  }
  return r;
}

/* vmap of f against f on each element. */
static void check_vmap(Arena *a, const Program *p, IrFunction *f, const bool *batched, int levels,
                       const int64_t *sizes, bool open, bool all) {
  char name[200];
  snprintf(name, sizeof name, "%s: %d%d%d%d, %d levels of %d%s", p->name, batched[0], batched[1],
           batched[2], batched[3], levels, (int)sizes[0], open ? ", open" : "");
  bool result_batched[16];
  ck_assert_int_le(f->result_count, 16);
  IrFunction *g = ir_vmap(f, batched, levels, open ? NULL : sizes, all, result_batched);
  const IrTensor *args[MAX_PARAMS * 2], *got[16];
  for (int k = 0; k < f->param_count; k++) {
    IrType type = ir_type(p->in[k].dtype, p->in[k].rank, p->in[k].dims);
    args[k] =
        filled(a, &p->in[k], batched[k] ? with_batch(&type, sizes, levels) : type, 5 + (uint64_t)k);
  }
  IrPlan *plan, *one;
  run(a, name, g, args, got, &plan);
  int64_t total = levels == 2 ? sizes[0] * sizes[1] : sizes[0];
  for (int64_t i = 0; i < total; i++) {
    int64_t at[2] = {levels == 2 ? i / sizes[1] : i, levels == 2 ? i % sizes[1] : 0};
    const IrTensor *alone[MAX_PARAMS * 2], *want[16];
    for (int k = 0; k < f->param_count; k++)
      alone[k] = batched[k] ? element(a, args[k], levels, at) : args[k];
    run(a, name, f, alone, want, &one);
    for (int k = 0; k < f->result_count; k++) {
      ck_assert(result_batched[k] || !all);
      const IrTensor *mine = result_batched[k] ? element(a, got[k], levels, at) : got[k];
      if (k < MAX_RESULTS && p->padded[k])
        mine = without_padding(a, name, mine, want[k]->type.dim[0]);
      compare(name, want[k], mine);
    }
    ir_plan_free(one);
  }
  ir_plan_free(plan);
}

/* Each choice of parameters that carry batch axes. */
static void check_every_vmap(const Program *p,
                             IrFunction *(*derive)(IrFunction *f, const Program *p)) {
  static const int64_t sizes[][2] = {{3, 0}, {1, 0}, {7, 0}, {2, 3}};
  for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
    for (unsigned subset = 1; subset < 1u << p->count; subset++)
      for (int open = 0; open < 2; open++) {
        Arena *a = arena_new();
        bool batched[MAX_PARAMS] = {0};
        for (int k = 0; k < p->count; k++) batched[k] = subset >> k & 1;
        IrFunction *f = built(a, p);
        if (derive) f = derive(f, p);
        check_vmap(a, p, f, batched, sizes[s][1] ? 2 : 1, sizes[s], open, open && s != 1);
        arena_free(a);
      }
}

START_TEST(functions) { check_every_vmap(&programs[_i], NULL); }
END_TEST

/* ---- after differentiation ---- */

/* The sum of the real results, as one more, with its gradient. */
static IrFunction *gradient_of(IrFunction *f, const Program *p) {
  IrBuilder *b = ir_function_begin(f->module, NULL, p->name);
  IrValue *in[MAX_PARAMS], *out[MAX_RESULTS + 1], *sum = ir_f64(b, 0);
  bool wrt[MAX_PARAMS] = {0};
  for (int k = 0; k < p->count; k++) {
    in[k] = ir_param(b, f->params[k]->type, NULL);
    wrt[k] = p->in[k].dtype == IR_F64;
  }
  ir_inline(b, f, in, out);
  for (int k = 0; k < f->result_count; k++)
    if (out[k]->type.dtype == IR_F64)
      sum = add(b, sum, ir_reduce_all(b, IR_REDUCE_SUM, mul(b, out[k], ir_f64(b, k + 1))));
  return ir_grad(ir_function_end(b, &sum, NULL, 1), 0, wrt);
}

START_TEST(gradients) {
  Program p = programs[_i];
  memset(p.padded, 0, sizeof p.padded);
  check_every_vmap(&p, gradient_of);
}
END_TEST

int main(void) {
  Suite *s = suite_create("ir_batch");
  TCase *t = tcase_create("ops");
  tcase_set_timeout(t, 0);
  tcase_add_loop_test(t, ops, 0, IR_OP_COUNT);
  suite_add_tcase(s, t);
  t = tcase_create("functions");
  tcase_set_timeout(t, 0);
  int count = (int)(sizeof programs / sizeof *programs);
  tcase_add_loop_test(t, functions, 0, count);
  tcase_add_loop_test(t, gradients, 0, count);
  suite_add_tcase(s, t);
  SRunner *r = srunner_create(s);
  srunner_set_fork_status(r, CK_NOFORK);
  srunner_run_all(r, CK_NORMAL);
  int failed = srunner_ntests_failed(r);
  srunner_free(r);
  return failed != 0;
}
