/* Random programs: what building them simplifies has the values that their ops have one by one, and
 * what is claimed of values is so. */
#include "ir/eval.h"
#include "ir/ir.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PROGRAMS = 1200, STEPS = 30, POOL = 64, MOST_ELEMENTS = 400 };

typedef struct {
  IrValue *value;
  IrTensor *tensor;
} Item;

typedef struct {
  Arena *arena;
  IrBuilder *b;
  uint64_t state;
  bool open; /* sizes of parameters are not known */
  Item items[POOL];
  int count;
  IrTensor *args[POOL];
  int arg_count;
} Program;

static uint32_t below(Program *p, uint32_t n) {
  p->state = p->state * 6364136223846793005u + 1442695040888963407u;
  return (uint32_t)(p->state >> 33) % n;
}

/* Halves of small integers: sums and products of few of them are exact. */
static void fill(Program *p, IrTensor *t) {
  bool uniform = below(p, 4) == 0;
  for (int64_t i = 0; i < t->count; i++) {
    int x = (int)below(p, 9) - 4;
    if (uniform && i) x = t->type.dtype == IR_F64 ? (int)(2 * t->data.f64[0]) : 0;
    if (t->type.dtype == IR_F64) t->data.f64[i] = x / 2.0;
    if (t->type.dtype == IR_I64) t->data.i64[i] = uniform && i ? t->data.i64[0] : x;
    if (t->type.dtype == IR_BOOL) t->data.boolean[i] = uniform && i ? t->data.boolean[0] : x > 0;
  }
}

static const int64_t shapes[][4] = {{0},          {1, 3},       {1, 1},       {2, 2, 3},
                                    {2, 1, 3},    {2, 2, 1},    {3, 4, 2, 3}, {3, 4, 1, 1},
                                    {3, 4, 1, 3}, {3, 1, 2, 3}, {2, 3, 2},    {1, 2}};

static IrTensor *random_tensor(Program *p, IrDtype dtype) {
  const int64_t *s = shapes[below(p, sizeof shapes / sizeof *shapes)];
  IrTensor *t = ir_tensor_new(p->arena, ir_type(dtype, (int)s[0], s + 1));
  fill(p, t);
  return t;
}

static void add_item(Program *p, IrValue *v, IrTensor *t) {
  if (p->count < POOL) p->items[p->count++] = (Item){v, t};
}

static void add_inputs(Program *p) {
  for (int k = 0; k < 8; k++) {
    IrTensor *t = random_tensor(p, k < 5 ? IR_F64 : k < 7 ? IR_BOOL : IR_I64);
    IrType type = t->type;
    for (int a = 0; a < type.rank && p->open; a++)
      if (type.dim[a] != 1) type.dim[a] = IR_DYNAMIC;
    p->args[p->arg_count++] = t;
    add_item(p, ir_param(p->b, type, NULL), t);
  }
  for (int k = 0; k < 5; k++) {
    IrTensor *t = random_tensor(p, k < 4 ? IR_F64 : IR_BOOL);
    add_item(p, ir_constant(p->b, t), t);
  }
}

static Item *pick(Program *p, IrDtype dtype) {
  for (int attempt = 0; attempt < 100; attempt++) {
    Item *i = &p->items[below(p, (uint32_t)p->count)];
    if (i->tensor->type.dtype == dtype) return i;
  }
  return &p->items[0];
}

static bool moderate(const IrTensor *t) {
  if (t->count > MOST_ELEMENTS || t->type.rank > 5) return false;
  for (int64_t i = 0; i < t->count && t->type.dtype == IR_F64; i++)
    if (fabs(t->data.f64[i]) > 1e6) return false;
  return true;
}

/* Applies an op to items, where it has a value. */
static void apply(Program *p, IrOp op, IrAttr attr, const Item *in, int count) {
  const IrTensor *tensors[16];
  IrValue *values[16];
  IrTensor *out;
  for (int k = 0; k < count; k++) {
    tensors[k] = in[k].tensor;
    values[k] = in[k].value;
  }
  if (p->count == POOL || ir_eval_op(p->arena, op, &attr, tensors, count, &out) || !moderate(out))
    return;
  add_item(p, ir_emit(p->b, op, attr, values, count), out);
}

static Item number(Program *p, int64_t n) {
  return (Item){ir_i64(p->b, n), ir_tensor_i64(p->arena, n)};
}

/* The size of an axis of something, as it is written there or as a number. */
static Item size(Program *p, int64_t n) {
  for (int attempt = 0; attempt < 10 && n != 1; attempt++) {
    Item *i = &p->items[below(p, (uint32_t)p->count)];
    for (int a = 0; a < i->tensor->type.rank; a++)
      if (i->tensor->type.dim[a] == n)
        return (Item){ir_dim(p->b, i->value, a), ir_tensor_i64(p->arena, n)};
  }
  return number(p, n);
}

/* ---- steps ---- */

static bool broadcasts(const IrTensor *x, const IrTensor *y) {
  for (int k = 1; k <= x->type.rank && k <= y->type.rank; k++) {
    int64_t n = x->type.dim[x->type.rank - k], m = y->type.dim[y->type.rank - k];
    if (n != m && n != 1 && m != 1) return false;
  }
  return true;
}

static void step_unary(Program *p) {
  static const IrOp ops[] = {IR_NEG, IR_ABS, IR_SIGN, IR_FLOOR, IR_CEIL, IR_ISNAN, IR_ISINF};
  if (below(p, 4) == 0)
    apply(p, IR_NOT, (IrAttr){0}, pick(p, IR_BOOL), 1);
  else
    apply(p, ops[below(p, 7)], (IrAttr){0}, pick(p, IR_F64), 1);
}

static void step_binary(Program *p) {
  static const IrOp ops[] = {IR_ADD, IR_SUB, IR_MUL, IR_ADD, IR_SUB, IR_MUL,
                             IR_DIV, IR_MIN, IR_MAX, IR_EQ,  IR_NE,  IR_LT,
                             IR_LE,  IR_GT,  IR_GE,  IR_AND, IR_OR,  IR_POW};
  IrOp op = ops[below(p, 18)];
  IrDtype dtype = op == IR_AND || op == IR_OR ? IR_BOOL : IR_F64;
  Item in[2] = {*pick(p, dtype), *pick(p, dtype)};
  if (op == IR_DIV || op == IR_POW) {
    static const double divisors[] = {1, 2, -1, 0.5, 4};
    double d = divisors[below(p, 5)];
    if (op == IR_POW) d = below(p, 2) ? 2 : 1;
    in[1] = (Item){ir_f64(p->b, d), ir_tensor_f64(p->arena, d)};
  }
  if (broadcasts(in[0].tensor, in[1].tensor)) apply(p, op, (IrAttr){0}, in, 2);
}

static void step_select(Program *p) {
  IrDtype dtype = below(p, 3) ? IR_F64 : IR_BOOL;
  Item in[3] = {*pick(p, IR_BOOL), *pick(p, dtype), *pick(p, dtype)};
  if (broadcasts(in[0].tensor, in[1].tensor) && broadcasts(in[0].tensor, in[2].tensor) &&
      broadcasts(in[1].tensor, in[2].tensor))
    apply(p, IR_SELECT, (IrAttr){0}, in, 3);
}

static void step_cast(Program *p) {
  IrDtype from = (IrDtype)below(p, 3), to = (IrDtype)below(p, 3);
  apply(p, IR_CAST, (IrAttr){.dtype = to}, pick(p, from), 1);
}

static void step_broadcast(Program *p) {
  Item in[IR_MAX_RANK + 1] = {*pick(p, below(p, 3) ? IR_F64 : IR_BOOL)};
  const IrType *x = &in[0].tensor->type;
  int more = (int)below(p, 3), rank = x->rank + more;
  for (int k = 0; k < rank; k++) {
    int64_t n = k < more ? 1 : x->dim[k - more];
    if (n == 1 && below(p, 2)) n = 1 + below(p, 3);
    in[1 + k] = k >= more && n != 1 && x->dim[k - more] == n && below(p, 2)
                    ? (Item){ir_dim(p->b, in[0].value, k - more), ir_tensor_i64(p->arena, n)}
                    : size(p, n);
  }
  apply(p, IR_BROADCAST, (IrAttr){0}, in, rank + 1);
}

static void step_reshape(Program *p) {
  Item in[IR_MAX_RANK + 1] = {*pick(p, below(p, 3) ? IR_F64 : IR_BOOL)};
  const IrType *x = &in[0].tensor->type;
  int rank = 0;
  if (below(p, 4) == 0) {
    in[1] = size(p, in[0].tensor->count);
    rank = 1;
  } else {
    for (int k = 0; k <= x->rank; k++) {
      if (below(p, 4) == 0) in[1 + rank++] = number(p, 1);
      if (k == x->rank || (x->dim[k] == 1 && below(p, 2))) continue;
      int64_t n = x->dim[k];
      in[1 + rank++] = below(p, 2)
                           ? size(p, n)
                           : (Item){ir_dim(p->b, in[0].value, k), ir_tensor_i64(p->arena, n)};
    }
  }
  apply(p, IR_RESHAPE, (IrAttr){0}, in, rank + 1);
}

static void step_transpose(Program *p) {
  Item *x = pick(p, IR_F64);
  IrAttr attr = {.axis_count = x->tensor->type.rank};
  for (int k = 0; k < attr.axis_count; k++) attr.axes[k] = (int8_t)k;
  for (int k = attr.axis_count - 1; k > 0; k--) {
    int j = (int)below(p, (uint32_t)k + 1);
    int8_t swap = attr.axes[k];
    attr.axes[k] = attr.axes[j];
    attr.axes[j] = swap;
  }
  apply(p, IR_TRANSPOSE, attr, x, 1);
}

static void step_reduce(Program *p) {
  static const IrOp reals[] = {IR_REDUCE_SUM,  IR_REDUCE_SUM, IR_REDUCE_SUM,
                               IR_REDUCE_PROD, IR_REDUCE_MAX, IR_REDUCE_MIN};
  static const IrOp truths[] = {IR_REDUCE_ANY, IR_REDUCE_ALL};
  bool real = below(p, 4) > 0;
  Item *x = pick(p, real ? IR_F64 : IR_BOOL);
  IrAttr attr = {0};
  for (int k = 0; k < x->tensor->type.rank; k++)
    if (below(p, 2)) attr.axes[attr.axis_count++] = (int8_t)k;
  apply(p, real ? reals[below(p, 6)] : truths[below(p, 2)], attr, x, 1);
}

static void step_matmul(Program *p) {
  Item in[2] = {*pick(p, IR_F64), *pick(p, IR_F64)};
  const IrType *x = &in[0].tensor->type, *y = &in[1].tensor->type;
  if (x->rank >= 2 && y->rank >= 2 && x->dim[x->rank - 1] == y->dim[y->rank - 2])
    apply(p, IR_MATMUL, (IrAttr){0}, in, 2);
}

static void step_slice(Program *p) {
  Item x = *pick(p, IR_F64);
  const IrType *t = &x.tensor->type;
  if (!t->rank) return;
  int axis = (int)below(p, (uint32_t)t->rank);
  int64_t n = t->dim[axis], start = below(p, (uint32_t)n + 1),
          length = below(p, (uint32_t)(n - start) + 1);
  if (below(p, 4) == 0) {
    start = 0;
    length = n;
  }
  apply(p, IR_SLICE, (IrAttr){.axis = axis}, (Item[]){x, number(p, start), size(p, length)}, 3);
}

static Item random_index(Program *p, int64_t n) {
  static const int64_t one[] = {1}, two[] = {2}, three[] = {3}, square[] = {2, 2};
  static const int64_t *const dims[] = {one, two, three, square};
  int kind = (int)below(p, 5);
  IrTensor *t = ir_tensor_new(p->arena, kind == 4 ? ir_scalar(IR_I64)
                                                  : ir_type(IR_I64, kind == 3 ? 2 : 1, dims[kind]));
  bool run = below(p, 2);
  for (int64_t k = 0; k < t->count; k++)
    t->data.i64[k] = run ? k % n : (int64_t)below(p, (uint32_t)n);
  if (below(p, 3)) return (Item){ir_constant(p->b, t), t};
  /* as something that is not known when the program is built */
  IrValue *zero = ir_cast(p->b, ir_unary(p->b, IR_ISNAN, p->items[0].value), IR_I64);
  zero = ir_reduce_all(p->b, IR_REDUCE_MAX, zero);
  return (Item){ir_binary(p->b, IR_ADD, ir_constant(p->b, t), zero), t};
}

static void step_gather(Program *p) {
  Item x = *pick(p, IR_F64);
  if (!x.tensor->type.rank) return;
  int axis = (int)below(p, (uint32_t)x.tensor->type.rank);
  if (x.tensor->type.dim[axis] < 1) return;
  Item index = random_index(p, x.tensor->type.dim[axis]);
  IrAttr attr = {.axis = axis};
  if (below(p, 2)) {
    apply(p, IR_GATHER, attr, (Item[]){x, index}, 2);
    return;
  }
  IrTensor *like, *updates = NULL;
  const IrTensor *tensors[] = {x.tensor, index.tensor};
  if (ir_eval_op(p->arena, IR_GATHER, &attr, tensors, 2, &like)) return;
  updates = ir_tensor_new(p->arena, like->type);
  fill(p, updates);
  Item u = {ir_constant(p->b, updates), updates};
  apply(p, below(p, 2) ? IR_SCATTER_ADD : IR_SCATTER_SET, attr, (Item[]){x, index, u}, 3);
  if (below(p, 2)) {
    Item last = p->items[p->count - 1];
    if (last.tensor->type.rank == x.tensor->type.rank && last.tensor->type.dtype == IR_F64 &&
        memcmp(last.tensor->type.dim, x.tensor->type.dim, sizeof last.tensor->type.dim) == 0)
      apply(p, IR_GATHER, attr, (Item[]){last, index}, 2);
  }
}

static void step_concat(Program *p) {
  Item in[3] = {*pick(p, IR_F64), *pick(p, IR_F64), *pick(p, IR_F64)};
  if (!in[0].tensor->type.rank) return;
  if (below(p, 2)) in[1] = in[0];
  int axis = (int)below(p, (uint32_t)in[0].tensor->type.rank), count = 1;
  for (int k = 1; k < 3; k++) {
    IrType t = in[k].tensor->type;
    if (t.rank <= axis) continue;
    t.dim[axis] = in[0].tensor->type.dim[axis];
    if (ir_types_equal(&t, &in[0].tensor->type)) in[count++] = in[k];
  }
  apply(p, IR_CONCAT, (IrAttr){.axis = axis}, in, count);
}

static void step_scan(Program *p) {
  Item *x = pick(p, IR_F64);
  if (!x->tensor->type.rank) return;
  IrAttr attr = {.axis = (int)below(p, (uint32_t)x->tensor->type.rank)};
  if (below(p, 2)) {
    apply(p, IR_REVERSE, attr, x, 1);
    return;
  }
  attr.reverse = below(p, 2);
  attr.exclusive = below(p, 2);
  apply(p, IR_CUMSUM, attr, x, 1);
}

static void (*const steps[])(Program *p) = {
    step_unary,   step_binary,    step_binary,    step_binary,    step_binary,
    step_select,  step_cast,      step_broadcast, step_broadcast, step_reshape,
    step_reshape, step_transpose, step_reduce,    step_reduce,    step_matmul,
    step_slice,   step_gather,    step_concat,    step_scan};

/* ---- checks ---- */

static double element(const IrTensor *t, int64_t i) {
  return t->type.dtype == IR_F64   ? t->data.f64[i]
         : t->type.dtype == IR_I64 ? (double)t->data.i64[i]
                                   : t->data.boolean[i];
}

static void check_facts(const Item *item, int program) {
  const IrValue *v = item->value;
  for (int64_t i = 0; i < item->tensor->count; i++) {
    double x = element(item->tensor, i);
    bool lies = ((v->facts & IR_NONNEGATIVE) && !(x >= 0)) ||
                ((v->facts & IR_POSITIVE) && !(x > 0)) ||
                ((v->facts & IR_AT_MOST_ONE) && !(x <= 1)) ||
                ((v->facts & IR_NOT_NAN) && isnan(x)) || ((v->facts & IR_FINITE) && !isfinite(x));
    ck_assert_msg(!lies, "program %d: facts %u of %%%d do not hold of %g", program, v->facts, v->id,
                  x);
  }
  bool fits = v->type.rank == item->tensor->type.rank && v->type.dtype == item->tensor->type.dtype;
  for (int a = 0; fits && a < v->type.rank; a++)
    fits = v->type.dim[a] == IR_DYNAMIC || v->type.dim[a] == item->tensor->type.dim[a];
  ck_assert_msg(fits, "program %d: the type of %%%d", program, v->id);
}

static void compare(const Program *p, const IrFunction *f, const char *what, int program) {
  IrTensor *results[POOL];
  const char *error = ir_verify(f);
  Text text = text_new(p->arena);
  ir_print(&text, f);
  ck_assert_msg(!error, "program %d, %s: %s\n%s", program, what, error, text.data);
  error = ir_eval_function(p->arena, f, (const IrTensor *const *)p->args, results, 1000);
  ck_assert_msg(!error, "program %d, %s: %s\n%s", program, what, error, text.data);
  for (int k = 0; k < p->count; k++) {
    const IrTensor *x = p->items[k].tensor, *y = results[k];
    ck_assert_msg(ir_types_equal(&x->type, &y->type), "program %d, %s: type of result %d\n%s",
                  program, what, k, text.data);
    for (int64_t i = 0; i < x->count; i++) {
      double a = element(x, i), b = element(y, i);
      bool same = a == b || (isnan(a) && isnan(b)) || fabs(a - b) <= 1e-9 * fabs(a);
      ck_assert_msg(same, "program %d, %s: element %d of result %d is %.17g, not %.17g\n%s",
                    program, what, (int)i, k, b, a, text.data);
    }
  }
}

static void run_program(int number, IrOptions options) {
  Program p = {.arena = arena_new(), .state = (uint64_t)number * 7919u + 1, .open = number % 2};
  IrModule *m = ir_module_new(p.arena, options);
  p.b = ir_function_begin(m, NULL, "program");
  add_inputs(&p);
  for (int k = 0; k < STEPS; k++) steps[below(&p, sizeof steps / sizeof *steps)](&p);
  ck_assert_msg(!ir_module_error(m), "program %d: %s", number, ir_module_error(m));
  IrValue *results[POOL];
  for (int k = 0; k < p.count; k++) {
    results[k] = p.items[k].value;
    check_facts(&p.items[k], number);
  }
  IrFunction *f = ir_function_end(p.b, results, NULL, p.count);
  compare(&p, f, "built", number);
  compare(&p, ir_simplify(f), "simplified", number);
  compare(&p, ir_make_reproducible(f), "reproducible", number);
  arena_free(p.arena);
}

START_TEST(random_programs) {
  for (int k = 0; k < PROGRAMS; k++) run_program(k, (IrOptions){0});
}
END_TEST

START_TEST(passes_apart) {
  for (int k = 0; k < PROGRAMS / 4; k++) {
    run_program(k, (IrOptions){.no_fold = true});
    run_program(k, (IrOptions){.no_algebra = true});
    run_program(k, (IrOptions){.no_cse = true});
  }
}
END_TEST

int main(void) {
  Suite *s = suite_create("random programs");
  TCase *t = tcase_create("random programs");
  tcase_set_timeout(t, 300);
  tcase_add_test(t, random_programs);
  tcase_add_test(t, passes_apart);
  suite_add_tcase(s, t);
  SRunner *runner = srunner_create(s);
  srunner_set_fork_status(runner, CK_NOFORK);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
