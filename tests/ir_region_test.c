/* The evaluation of ops with bodies: branches, loops, calls, and elementwise functions on many
 * elements. */
#include "eval_check.h"

#include <math.h>
#include <string.h>

static IrType vector_of(IrDtype dtype, int64_t n) { return ir_type(dtype, 1, &n); }

static IrTensor *reals(int64_t n) { return ir_tensor_new(arena, vector_of(F, n)); }
static IrTensor *integers(int64_t n) { return ir_tensor_new(arena, vector_of(I, n)); }

static IrBuilder *body_of(IrBuilder *b, const char *name) {
  return ir_function_begin(ir_builder_module(b), b, name);
}

static void check_values(const char *name, const IrTensor *t, Value expected) {
  check_same(name, t, tensor_of_value(&expected));
}

#define VALUE(...) ((Value)__VA_ARGS__)

/* ---- IF ---- */

START_TEST(branches) {
  IrBuilder *b = begin_plain("branches");
  IrValue *c = ir_param(b, ir_scalar(B), NULL), *x = ir_param(b, vector_of(F, IR_DYNAMIC), NULL);
  IrBuilder *then = body_of(b, "then"), *orelse = body_of(b, "else");
  IrValue *yes = ir_binary(then, IR_ADD, x, x);
  ir_function_end(then, &yes, NULL, 1);
  IrValue *no = ir_slice(orelse, x, 0, ir_i64(orelse, 0), ir_i64(orelse, 1));
  ir_function_end(orelse, &no, NULL, 1);
  IrValue *results[2];
  ir_if(b, c, then, orelse, results);
  results[1] = x;
  IrFunction *f = ir_function_end(b, results, NULL, 2);
  IrTensor *flag = ir_tensor_new(arena, ir_scalar(B)), *out[2];
  const IrTensor *args[] = {flag, tensor_of_value(&VALUE(VECTOR(F, 3, 1, 2, 3)))};
  flag->data.boolean[0] = 1;
  ck_assert_ptr_null(run_twice(f, args, out));
  check_values("then", out[0], VALUE(VECTOR(F, 3, 2, 4, 6)));
  check_values("operand", out[1], VALUE(VECTOR(F, 3, 1, 2, 3)));
  flag->data.boolean[0] = 0;
  ck_assert_ptr_null(run_twice(f, args, out));
  check_values("else", out[0], VALUE(VECTOR(F, 1, 1)));
}
END_TEST

/* ---- LOOP ---- */

/* s <- 2 s + x[i], with (s, i) of each iteration kept. */
static IrFunction *accumulating_loop(bool reverse, bool condition) {
  IrBuilder *b = begin_plain("loop");
  IrValue *x = ir_param(b, vector_of(F, IR_DYNAMIC), NULL);
  IrValue *limit = ir_param(b, ir_scalar(F), NULL);
  IrBuilder *body = body_of(b, "body");
  IrValue *i = ir_param(body, ir_scalar(I), NULL);
  IrValue *s = ir_param(body, ir_scalar(F), NULL);
  IrValue *element = ir_param(body, ir_scalar(F), NULL);
  IrValue *twice = ir_binary(body, IR_ADD, s, s);
  IrValue *next = ir_binary(body, IR_ADD, twice, element);
  IrValue *results[4] = {ir_binary(body, IR_LT, next, limit), next, next, i};
  ir_function_end(body, results + !condition, NULL, 3 + condition);
  IrValue *initial = ir_f64(b, 0), *out[3];
  IrLoop loop = {.count = ir_dim(b, x, 0),
                 .condition = condition ? ir_binary(b, IR_LT, initial, limit) : NULL,
                 .carried = 1,
                 .scanned = 1,
                 .initial = &initial,
                 .inputs = &x,
                 .reverse = reverse};
  ir_loop(b, loop, body, out);
  return ir_function_end(b, out, NULL, 3);
}

static const struct {
  const char *name;
  bool reverse, condition;
  double limit;
  Value x, s, all, numbers;
} loops[] = {
    {"forward", false, false, 0, VECTOR(F, 3, 1, 2, 3), SCALAR(F, 11), VECTOR(F, 3, 1, 4, 11),
     VECTOR(I, 3, 0, 1, 2)},
    {"reverse", true, false, 0, VECTOR(F, 3, 1, 2, 3), SCALAR(F, 17), VECTOR(F, 3, 17, 8, 3),
     VECTOR(I, 3, 0, 1, 2)},
    {"until", false, true, 4, VECTOR(F, 3, 1, 2, 3), SCALAR(F, 4), VECTOR(F, 2, 1, 4),
     VECTOR(I, 2, 0, 1)},
    {"reverse until", true, true, 4, VECTOR(F, 4, 9, 1, 2, 3), SCALAR(F, 8), VECTOR(F, 2, 8, 3),
     VECTOR(I, 2, 2, 3)},
    {"never", false, true, 0, VECTOR(F, 3, 1, 2, 3), SCALAR(F, 0), NO_VECTOR(F), NO_VECTOR(I)},
    {"nothing", false, false, 0, NO_VECTOR(F), SCALAR(F, 0), NO_VECTOR(F), NO_VECTOR(I)},
    {"reverse nothing", true, true, 9, NO_VECTOR(F), SCALAR(F, 0), NO_VECTOR(F), NO_VECTOR(I)},
};

START_TEST(loop) {
  IrFunction *f = accumulating_loop(loops[_i].reverse, loops[_i].condition);
  const IrTensor *args[] = {tensor_of_value(&loops[_i].x), ir_tensor_f64(arena, loops[_i].limit)};
  IrTensor *out[3];
  const char *error = run_twice(f, args, out);
  ck_assert_msg(!error, "%s: %s", loops[_i].name, error);
  check_same(loops[_i].name, out[0], tensor_of_value(&loops[_i].s));
  check_same(loops[_i].name, out[1], tensor_of_value(&loops[_i].all));
  check_same(loops[_i].name, out[2], tensor_of_value(&loops[_i].numbers));
}
END_TEST

/* More iterations than the first room for their results, which is not known beforehand. */
START_TEST(growing_results) {
  for (int reverse = 0; reverse < 2; reverse++) {
    IrFunction *f = accumulating_loop(reverse, true);
    IrTensor *x = reals(50000), *out[3]; /* zeros */
    const IrTensor *args[] = {x, ir_tensor_f64(arena, 1e-300)};
    ck_assert_ptr_null(run_twice(f, args, out));
    ck_assert_int_eq(out[2]->count, 50000);
    for (int64_t i = 0; i < 50000; i++) ck_assert_int_eq(out[2]->data.i64[i], i);
  }
}
END_TEST

/* A matrix that the body changes one row at a time, a row read at a place that it computes, and a
 * carried value that is just passed round. */
START_TEST(carried_tensors) {
  IrBuilder *b = begin_plain("rows");
  IrType matrix = ir_type(F, 2, (int64_t[]){IR_DYNAMIC, 2});
  IrValue *x = ir_param(b, matrix, NULL), *n = ir_param(b, ir_scalar(I), NULL);
  IrBuilder *body = body_of(b, "body");
  IrValue *i = ir_param(body, ir_scalar(I), NULL), *m = ir_param(body, matrix, NULL);
  IrValue *p = ir_param(body, ir_scalar(F), NULL), *q = ir_param(body, ir_scalar(F), NULL);
  IrValue *row = ir_gather(body, m, i, 0, 0);
  IrValue *first = ir_gather(body, x, ir_i64(body, 0), 0, 0);
  IrValue *next = ir_binary(body, IR_ADD, i, ir_i64(body, 1));
  IrValue *sum = ir_binary(body, IR_ADD, row, first);
  IrValue *results[4] = {ir_scatter(body, IR_SCATTER_SET, m, next, sum, 0, 0), q, p, m};
  ir_function_end(body, results, NULL, 4);
  IrValue *initial[] = {x, ir_f64(b, 1), ir_f64(b, 2)}, *out[4];
  ir_loop(b, (IrLoop){.count = n, .carried = 3, .initial = initial}, body, out);
  IrFunction *f = ir_function_end(b, out, NULL, 4);
  Value start = MATRIX(F, 4, 2, 1, 10, 0, 0, 0, 0, 0, 0);
  const IrTensor *args[] = {tensor_of_value(&start), ir_tensor_i64(arena, 3)};
  IrTensor *results_of[4];
  const char *error = run_twice(f, args, results_of);
  ck_assert_msg(!error, "%s", error);
  check_values("rows", results_of[0], VALUE(MATRIX(F, 4, 2, 1, 10, 2, 20, 3, 30, 4, 40)));
  check_values("swapped", results_of[1], VALUE(SCALAR(F, 2)));
  check_values("swapped back", results_of[2], VALUE(SCALAR(F, 1)));
  check_values("all", results_of[3],
               VALUE(CUBE(F, 3, 4, 2, 1, 10, 0, 0, 0, 0, 0, 0, 1, 10, 2, 20, 0, 0, 0, 0, 1, 10, 2,
                          20, 3, 30, 0, 0)));
  check_same("argument", args[0], tensor_of_value(&start));
}
END_TEST

/* for i < n: for j <= i: s += x[j] * i, with the outer i captured by the inner body. */
START_TEST(nested) {
  IrBuilder *b = begin_plain("nested");
  IrValue *x = ir_param(b, vector_of(F, IR_DYNAMIC), NULL), *n = ir_dim(b, x, 0);
  IrBuilder *outer = body_of(b, "outer");
  IrValue *i = ir_param(outer, ir_scalar(I), NULL), *s = ir_param(outer, ir_scalar(F), NULL);
  IrBuilder *inner = body_of(outer, "inner");
  IrValue *j = ir_param(inner, ir_scalar(I), NULL), *t = ir_param(inner, ir_scalar(F), NULL);
  IrValue *term = ir_binary(inner, IR_MUL, ir_gather(inner, x, j, 0, 0), ir_cast(inner, i, IR_F64));
  IrValue *next = ir_binary(inner, IR_ADD, t, term);
  ir_function_end(inner, &next, NULL, 1);
  IrValue *count = ir_binary(outer, IR_ADD, i, ir_i64(outer, 1)), *row;
  ir_loop(outer, (IrLoop){.count = count, .carried = 1, .initial = &s}, inner, &row);
  ir_function_end(outer, &row, NULL, 1);
  IrValue *zero = ir_f64(b, 0), *out;
  ir_loop(b, (IrLoop){.count = n, .carried = 1, .initial = &zero}, outer, &out);
  IrFunction *f = ir_function_end(b, &out, NULL, 1);
  const IrTensor *args[] = {tensor_of_value(&VALUE(VECTOR(F, 3, 1, 10, 100)))};
  IrTensor *result;
  ck_assert_ptr_null(run_twice(f, args, &result));
  check_values("nested", result, VALUE(SCALAR(F, 11 + 222)));
}
END_TEST

static IrFunction *endless(IrBuilder *b) {
  IrBuilder *body = body_of(b, "body");
  IrValue *i = ir_param(body, ir_scalar(I), NULL);
  IrValue *results[] = {ir_bool(body, true), i};
  ir_param(body, ir_scalar(I), NULL);
  ir_function_end(body, results, NULL, 2);
  IrValue *initial = ir_i64(b, 0), *out;
  ir_loop(b, (IrLoop){.condition = ir_bool(b, true), .carried = 1, .initial = &initial}, body,
          &out);
  return ir_function_end(b, &out, NULL, 1);
}

START_TEST(step_limit) {
  IrFunction *f = endless(begin_plain("endless"));
  IrTensor *result;
  const char *error = run_twice(f, NULL, &result);
  ck_assert_ptr_nonnull(error);
  ck_assert_ptr_nonnull(strstr(error, "steps"));
  error = ir_eval_function(arena, f, NULL, &result, 1000);
  ck_assert_ptr_nonnull(error);
  ck_assert_ptr_nonnull(strstr(error, "1000 steps"));
}
END_TEST

/* Few iterations of much work count as many. */
START_TEST(work_limit) {
  IrBuilder *b = begin_plain("work");
  IrValue *x = ir_param(b, vector_of(F, IR_DYNAMIC), NULL);
  IrBuilder *body = body_of(b, "body");
  ir_param(body, ir_scalar(I), NULL);
  IrValue *s = ir_param(body, x->type, NULL);
  IrValue *next = ir_binary(body, IR_ADD, s, x), *out;
  ir_function_end(body, &next, NULL, 1);
  ir_loop(b, (IrLoop){.count = ir_i64(b, 100), .carried = 1, .initial = &x}, body, &out);
  IrFunction *f = ir_function_end(b, &out, NULL, 1);
  const IrTensor *args[] = {reals(1 << 16)};
  ck_assert_ptr_null(ir_eval_function(arena, f, args, (IrTensor *[1]){0}, 10000));
  const char *error = ir_eval_function(arena, f, args, (IrTensor *[1]){0}, 5000);
  ck_assert_ptr_nonnull(error);
  ck_assert_ptr_nonnull(strstr(error, "5000 steps"));
}
END_TEST

/* An error inside leaves nothing behind: the plan can run again. */
START_TEST(error_inside) {
  IrBuilder *b = begin_plain("inside");
  IrValue *x = ir_param(b, vector_of(F, IR_DYNAMIC), NULL), *n = ir_param(b, ir_scalar(I), NULL);
  IrBuilder *body = body_of(b, "body");
  IrValue *i = ir_param(body, ir_scalar(I), NULL), *s = ir_param(body, x->type, NULL);
  IrValue *next = ir_binary(body, IR_ADD, s, ir_gather(body, x, i, 0, 0));
  IrValue *results[] = {next, next};
  ir_function_end(body, results, NULL, 2);
  IrValue *out[2];
  ir_loop(b, (IrLoop){.count = n, .carried = 1, .initial = &x}, body, out);
  IrFunction *f = ir_function_end(b, out, NULL, 2);
  IrPlan *p = ir_plan_new(f);
  const IrTensor *results_of[2];
  const IrTensor *x_value = tensor_of_value(&VALUE(VECTOR(F, 2, 1, 2)));
  for (int round = 0; round < 3; round++) {
    const IrTensor *args[] = {x_value, ir_tensor_i64(arena, 3)};
    const char *error = ir_plan_run(p, args, results_of);
    ck_assert_ptr_nonnull(error);
    ck_assert_ptr_nonnull(strstr(error, "index 2 of 2"));
    args[1] = ir_tensor_i64(arena, 2);
    ck_assert_ptr_null(ir_plan_run(p, args, results_of));
    check_values("rows", results_of[1], VALUE(MATRIX(F, 2, 2, 2, 3, 4, 5)));
  }
  ir_plan_free(p);
}
END_TEST

/* ---- CALL ---- */

START_TEST(plain_call) {
  IrBuilder *b = begin_plain("caller");
  IrBuilder *g = ir_function_begin(ir_builder_module(b), NULL, "callee");
  IrValue *u = ir_param(g, vector_of(F, IR_DYNAMIC), NULL);
  IrValue *results[] = {ir_unary(g, IR_NEG, u), u};
  IrFunction *callee = ir_function_end(g, results, NULL, 2);
  IrValue *x = ir_param(b, vector_of(F, IR_DYNAMIC), NULL), *once[2], *again[2];
  ir_call(b, callee, &x, 1, once);
  IrValue *sum = ir_binary(b, IR_ADD, once[0], x);
  ir_call(b, callee, once, 1, again);
  IrValue *out[] = {sum, again[0], once[0], again[1]};
  IrFunction *f = ir_function_end(b, out, NULL, 4);
  const IrTensor *args[] = {tensor_of_value(&VALUE(VECTOR(F, 2, 1, 2)))};
  IrTensor *got[4];
  ck_assert_ptr_null(run_twice(f, args, got));
  check_values("sum", got[0], VALUE(VECTOR(F, 2, 0, 0)));
  check_values("again", got[1], VALUE(VECTOR(F, 2, 1, 2)));
  check_values("once", got[2], VALUE(VECTOR(F, 2, -1, -2)));
  check_values("passed", got[3], VALUE(VECTOR(F, 2, -1, -2)));
}
END_TEST

/* A function of the operands of an elementwise call: one call of f. */
static IrFunction *calling(IrBuilder *b, IrFunction *callee, const IrType *types) {
  IrValue *in[4], *out;
  for (int k = 0; k < callee->param_count; k++) in[k] = ir_param(b, types[k], NULL);
  ir_call(b, callee, in, callee->param_count, &out);
  return ir_function_end(b, &out, NULL, 1);
}

/* Steps until 1 of the rule "half of an even, three times an odd number plus one", but no more than
 * `limit`: a loop of different lengths with a branch in it. */
static IrFunction *collatz(IrModule *m) {
  IrBuilder *b = ir_function_begin(m, NULL, "collatz");
  IrValue *n = ir_param(b, ir_scalar(I), NULL), *limit = ir_param(b, ir_scalar(I), NULL);
  IrBuilder *body = body_of(b, "body");
  ir_param(body, ir_scalar(I), NULL);
  IrValue *k = ir_param(body, ir_scalar(I), NULL), *steps = ir_param(body, ir_scalar(I), NULL);
  IrBuilder *then = body_of(body, "even"), *orelse = body_of(body, "odd");
  IrValue *half = ir_binary(then, IR_DIV, k, ir_i64(then, 2));
  ir_function_end(then, &half, NULL, 1);
  IrValue *more = ir_binary(orelse, IR_MUL, k, ir_i64(orelse, 3));
  more = ir_binary(orelse, IR_ADD, more, ir_i64(orelse, 1));
  ir_function_end(orelse, &more, NULL, 1);
  IrValue *even = ir_binary(body, IR_MOD, k, ir_i64(body, 2));
  even = ir_binary(body, IR_EQ, even, ir_i64(body, 0));
  IrValue *next;
  ir_if(body, even, then, orelse, &next);
  IrValue *one = ir_i64(body, 1);
  IrValue *results[] = {ir_binary(body, IR_GT, next, one), next,
                        ir_binary(body, IR_ADD, steps, one)};
  ir_function_end(body, results, NULL, 3);
  IrValue *initial[] = {n, ir_i64(b, 0)}, *out[2];
  IrLoop loop = {.count = limit,
                 .condition = ir_binary(b, IR_GT, n, ir_i64(b, 1)),
                 .carried = 2,
                 .initial = initial};
  ir_loop(b, loop, body, out);
  IrFunction *f = ir_function_end(b, out + 1, NULL, 1);
  f->elementwise = true;
  return f;
}

static int64_t collatz_steps(int64_t n, int64_t limit) {
  int64_t steps = 0;
  for (; n > 1 && steps < limit; steps++) n = n % 2 == 0 ? n / 2 : 3 * n + 1;
  return steps;
}

START_TEST(different_lengths) {
  enum { N = 1300 };
  for (int way = 0; way < 4; way++) {
    IrBuilder *b = begin_plain("lengths");
    bool same_n = way == 3, same_limit = way == 0 || way == 3;
    IrType types[] = {same_n ? ir_scalar(I) : vector_of(I, IR_DYNAMIC),
                      same_limit ? ir_scalar(I) : vector_of(I, way == 1 ? 1 : IR_DYNAMIC)};
    IrFunction *f = calling(b, collatz(ir_builder_module(b)), types);
    IrTensor *n = same_n ? ir_tensor_i64(arena, 27) : integers(N), *result;
    IrTensor *limit = same_limit ? ir_tensor_i64(arena, 100) : integers(way == 1 ? 1 : N);
    for (int64_t i = 0; i < n->count && !same_n; i++) n->data.i64[i] = i * 7 % 1009 - 3;
    for (int64_t i = 0; i < limit->count && !same_limit; i++)
      limit->data.i64[i] = way == 1 ? 1000 : i % 90 - 5;
    const IrTensor *args[] = {n, limit};
    const char *error = run_twice(f, args, &result);
    ck_assert_msg(!error, "%s", error);
    ck_assert_int_eq(result->count, same_n ? 1 : N);
    for (int64_t i = 0; i < result->count; i++)
      ck_assert_int_eq(result->data.i64[i],
                       collatz_steps(n->data.i64[i], limit->data.i64[limit->count == 1 ? 0 : i]));
  }
}
END_TEST

/* sum over k < n, from n-1 down, of s <- s * x + k: in reverse, with a length for each element. */
static IrFunction *horner(IrModule *m) {
  IrBuilder *b = ir_function_begin(m, NULL, "horner");
  IrValue *x = ir_param(b, ir_scalar(F), NULL), *n = ir_param(b, ir_scalar(I), NULL);
  IrBuilder *body = body_of(b, "body");
  IrValue *k = ir_param(body, ir_scalar(I), NULL), *s = ir_param(body, ir_scalar(F), NULL);
  IrValue *next = ir_binary(body, IR_ADD, ir_binary(body, IR_MUL, s, x), ir_cast(body, k, IR_F64));
  ir_function_end(body, &next, NULL, 1);
  IrValue *zero = ir_f64(b, 0), *out;
  ir_loop(b, (IrLoop){.count = n, .carried = 1, .initial = &zero, .reverse = true}, body, &out);
  IrFunction *f = ir_function_end(b, &out, NULL, 1);
  f->elementwise = true;
  return f;
}

START_TEST(reverse_lengths) {
  enum { N = 40, M = 23 };
  IrBuilder *b = begin_plain("horner");
  IrType types[] = {ir_type(F, 2, (int64_t[]){IR_DYNAMIC, 1}), vector_of(I, IR_DYNAMIC)};
  IrFunction *f = calling(b, horner(ir_builder_module(b)), types);
  IrTensor *x = ir_tensor_new(arena, ir_type(F, 2, (int64_t[]){N, 1})), *n = integers(M), *result;
  for (int i = 0; i < N; i++) x->data.f64[i] = i / 8.0 - 2;
  for (int j = 0; j < M; j++) n->data.i64[j] = j * 5 % 13 - 1;
  const IrTensor *args[] = {x, n};
  const char *error = run_twice(f, args, &result);
  ck_assert_msg(!error, "%s", error);
  ck_assert_int_eq(result->type.dim[0], N);
  ck_assert_int_eq(result->type.dim[1], M);
  for (int i = 0; i < N; i++)
    for (int j = 0; j < M; j++) {
      double s = 0;
      for (int64_t k = n->data.i64[j] - 1; k >= 0; k--) s = s * x->data.f64[i] + (double)k;
      ck_assert_double_eq(result->data.f64[i * M + j], s);
    }
}
END_TEST

/* x / y where y is not 0, else -1: the branch that divides sees no zero. Called through another
 * function, twice. */
static IrFunction *guarded(IrModule *m) {
  IrBuilder *b = ir_function_begin(m, NULL, "guarded");
  IrValue *x = ir_param(b, ir_scalar(I), NULL), *y = ir_param(b, ir_scalar(I), NULL), *out;
  IrBuilder *then = body_of(b, "then"), *orelse = body_of(b, "else");
  IrValue *quotient = ir_binary(then, IR_DIV, x, y);
  ir_function_end(then, &quotient, NULL, 1);
  IrValue *minus_one = ir_i64(orelse, -1);
  ir_function_end(orelse, &minus_one, NULL, 1);
  ir_if(b, ir_binary(b, IR_NE, y, ir_i64(b, 0)), then, orelse, &out);
  IrFunction *f = ir_function_end(b, &out, NULL, 1);
  f->elementwise = true;
  b = ir_function_begin(m, NULL, "both");
  IrValue *in[] = {ir_param(b, ir_scalar(I), NULL), ir_param(b, ir_scalar(I), NULL)}, *q[2];
  ir_call(b, f, in, 2, &q[0]);
  IrValue *swapped[] = {in[1], in[0]};
  ir_call(b, f, swapped, 2, &q[1]);
  out = ir_binary(b, IR_SUB, ir_binary(b, IR_MUL, q[0], ir_i64(b, 100)), q[1]);
  f = ir_function_end(b, &out, NULL, 1);
  f->elementwise = true;
  return f;
}

START_TEST(guarded_branches) {
  IrBuilder *b = begin_plain("guarded");
  IrType types[] = {vector_of(I, IR_DYNAMIC), vector_of(I, IR_DYNAMIC)};
  IrFunction *f = calling(b, guarded(ir_builder_module(b)), types);
  const IrTensor *args[] = {tensor_of_value(&VALUE(VECTOR(I, 4, 7, 0, 5, 9))),
                            tensor_of_value(&VALUE(VECTOR(I, 4, 2, 3, 0, -3)))};
  IrTensor *result;
  const char *error = run_twice(f, args, &result);
  ck_assert_msg(!error, "%s", error);
  check_values("guarded", result, VALUE(VECTOR(I, 4, 300, 1, -100, -300)));
}
END_TEST

START_TEST(error_in_an_element) {
  IrBuilder *b = begin_plain("division");
  IrBuilder *g = ir_function_begin(ir_builder_module(b), NULL, "divide");
  IrValue *x = ir_param(g, ir_scalar(I), NULL);
  IrValue *quotient = ir_binary(g, IR_DIV, ir_i64(g, 12), x);
  IrFunction *divide = ir_function_end(g, &quotient, NULL, 1);
  divide->elementwise = true;
  IrType type = vector_of(I, IR_DYNAMIC);
  IrFunction *f = calling(b, divide, &type);
  const IrTensor *args[] = {tensor_of_value(&VALUE(VECTOR(I, 3, 4, 0, 3)))};
  IrTensor *result;
  const char *error = run_twice(f, args, &result);
  ck_assert_ptr_nonnull(error);
  ck_assert_ptr_nonnull(strstr(error, "zero"));
  args[0] = tensor_of_value(&VALUE(VECTOR(I, 3, 4, 5, 3)));
  ck_assert_ptr_null(run_twice(f, args, &result));
  check_values("division", result, VALUE(VECTOR(I, 3, 3, 2, 4)));
  args[0] = integers(0);
  ck_assert_ptr_null(run_twice(f, args, &result));
  ck_assert_int_eq(result->count, 0);
}
END_TEST

/* A table of coefficients; and a sum over as many elements as an argument says, which is done for
 * one element at a time. */
static IrFunction *tables(IrModule *m, bool with_sum) {
  static double coefficients[] = {5, 7, 11};
  static const IrTensor table = {
      .type = {.dtype = IR_F64, .rank = 1, .dim = {3}}, .count = 3, .data.f64 = coefficients};
  IrBuilder *b = ir_function_begin(m, NULL, "tables");
  IrValue *i = ir_param(b, ir_scalar(I), NULL), *x = ir_param(b, ir_scalar(F), NULL);
  IrValue *out = ir_binary(b, IR_MUL, ir_gather(b, ir_constant(b, &table), i, 0, 0), x);
  if (with_sum) {
    IrValue *sum = ir_reduce_all(b, IR_REDUCE_SUM, ir_cast(b, ir_iota(b, i), IR_F64));
    out = ir_binary(b, IR_ADD, out, sum);
  }
  IrFunction *f = ir_function_end(b, &out, NULL, 1);
  f->elementwise = true;
  return f;
}

START_TEST(tables_and_sums) {
  for (int with_sum = 0; with_sum < 2; with_sum++) {
    IrBuilder *b = begin_plain("tables");
    IrType types[] = {vector_of(I, IR_DYNAMIC), ir_type(F, 2, (int64_t[]){2, 1})};
    IrFunction *f = calling(b, tables(ir_builder_module(b), with_sum), types);
    const IrTensor *args[] = {tensor_of_value(&VALUE(VECTOR(I, 3, 2, 0, 1))),
                              tensor_of_value(&VALUE(MATRIX(F, 2, 1, 1, -2)))};
    IrTensor *result;
    const char *error = run_twice(f, args, &result);
    ck_assert_msg(!error, "%s", error);
    if (with_sum)
      check_values("sums", result, VALUE(MATRIX(F, 2, 3, 12, 5, 7, -21, -10, -14)));
    else
      check_values("tables", result, VALUE(MATRIX(F, 2, 3, 11, 5, 7, -22, -10, -14)));
    args[0] = tensor_of_value(&VALUE(VECTOR(I, 3, 2, 0, 3)));
    error = run_twice(f, args, &result);
    ck_assert_ptr_nonnull(error);
    ck_assert_ptr_nonnull(strstr(error, "index 3 of 3"));
  }
}
END_TEST

START_TEST(endless_element) {
  IrBuilder *b = begin_plain("endless");
  IrFunction *g = endless(ir_function_begin(ir_builder_module(b), NULL, "endless"));
  g->elementwise = true;
  IrFunction *f = calling(b, g, NULL);
  IrTensor *result;
  const char *error = run_twice(f, NULL, &result);
  ck_assert_ptr_nonnull(error);
  ck_assert_ptr_nonnull(strstr(error, "steps"));
}
END_TEST

/* ---- whole functions of constants ---- */

START_TEST(function_of_constants) {
  IrBuilder *b = begin_plain("lengths");
  IrType types[] = {vector_of(I, 3), ir_scalar(I)};
  IrFunction *f = calling(b, collatz(ir_builder_module(b)), types);
  const IrTensor *args[] = {tensor_of_value(&VALUE(VECTOR(I, 3, 6, 1, 7))),
                            ir_tensor_i64(arena, 1000)};
  IrTensor *result;
  ck_assert_ptr_null(ir_eval_function(arena, f, args, &result, 1000));
  check_values("constants", result, VALUE(VECTOR(I, 3, 8, 0, 16)));
  ck_assert_ptr_nonnull(ir_eval_function(arena, f, args, &result, 10));
}
END_TEST

int main(void) {
  Suite *s = suite_create("evaluation of bodies");
  TCase *t = tcase_create("bodies");
  tcase_add_checked_fixture(t, eval_set_up, eval_tear_down);
  tcase_add_test(t, branches);
  tcase_add_loop_test(t, loop, 0, (int)(sizeof loops / sizeof *loops));
  tcase_add_test(t, growing_results);
  tcase_add_test(t, carried_tensors);
  tcase_add_test(t, nested);
  tcase_add_test(t, step_limit);
  tcase_add_test(t, work_limit);
  tcase_add_test(t, error_inside);
  tcase_add_test(t, plain_call);
  tcase_add_test(t, different_lengths);
  tcase_add_test(t, reverse_lengths);
  tcase_add_test(t, guarded_branches);
  tcase_add_test(t, error_in_an_element);
  tcase_add_test(t, tables_and_sums);
  tcase_add_test(t, endless_element);
  tcase_add_test(t, function_of_constants);
  suite_add_tcase(s, t);
  return run_suite(s);
}
