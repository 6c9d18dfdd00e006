/* Random programs, with loops, branches and calls in each other: their gradients against
 * differences, and against the same gradient over a batch. */
#include "grad_check.h"

#include "ir/ir.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PROGRAMS = 150, POOL = 24, DEPTH = 3, CHAINS = 3 };

/* All shapes broadcast to [2, 3]. */
typedef enum { SCALAR, VECTOR, ROW, COLUMN, MATRIX, SHAPES } Shape;
static const struct {
  int rank;
  int64_t dims[2];
} shapes[] = {{0, {0}}, {1, {3}}, {2, {1, 3}}, {2, {2, 1}}, {2, {2, 3}}};

typedef struct {
  IrValue *value;
  Shape shape;
} Item;

/* A region being written. */
typedef struct Scribe Scribe;
struct Scribe {
  IrBuilder *b;
  uint64_t *state;
  int depth;
  Item items[POOL];
  int count;
  IrValue *truth, *trips, *mask; /* bool, i64, bool[3] */
};

static unsigned below(Scribe *s, unsigned n) { return (unsigned)grad_random(s->state, 0, n); }

static IrType type_of(Shape shape, bool open_sizes) {
  IrType t = ir_type(IR_F64, shapes[shape].rank, shapes[shape].dims);
  for (int k = 0; k < t.rank; k++)
    if (open_sizes && t.dim[k] != 1) t.dim[k] = IR_DYNAMIC;
  return t;
}

static void keep(Scribe *s, IrValue *v, Shape shape) {
  int at = s->count < POOL ? s->count++ : (int)below(s, POOL);
  s->items[at] = (Item){v, shape};
}

static Item any(Scribe *s) { return s->items[below(s, (unsigned)s->count)]; }

static IrValue *unary(Scribe *s, IrOp op, IrValue *x) { return ir_unary(s->b, op, x); }
static IrValue *binary(Scribe *s, IrOp op, IrValue *x, IrValue *y) {
  return ir_binary(s->b, op, x, y);
}
static IrValue *real(Scribe *s, double x) { return ir_f64(s->b, x); }

/* v in another shape: summed over axes that the shape lacks, repeated along others. */
static IrValue *fit(Scribe *s, Item v, Shape shape) {
  IrBuilder *b = s->b;
  IrValue *x = v.value, *two = ir_i64(b, 2), *three = ir_i64(b, 3), *one = ir_i64(b, 1);
  bool rows = v.shape == COLUMN || v.shape == MATRIX,
       columns = v.shape != COLUMN && v.shape != SCALAR;
  bool want_rows = shape == COLUMN || shape == MATRIX,
       want_columns = shape != COLUMN && shape != SCALAR;
  int8_t axes[2];
  int count = 0, rank = shapes[v.shape].rank;
  if (rank == 2 && !(rows && want_rows)) axes[count++] = 0;
  if (rank > 0 && !(columns && want_columns)) axes[count++] = (int8_t)(rank - 1);
  x = ir_reduce(b, IR_REDUCE_SUM, x, axes, count);
  if (x->type.rank == 1 && want_rows && rows) x = ir_unsqueeze(b, x, 1);
  IrValue *dims[] = {want_rows ? two : one, want_columns ? three : one};
  return ir_broadcast(b, x, dims + 2 - shapes[shape].rank, shapes[shape].rank);
}

/* Within (-1, 1) */
static IrValue *tame(Scribe *s, IrValue *x) { return unary(s, IR_TANH, x); }

static IrValue *above(Scribe *s, IrValue *x, double least) {
  return binary(s, IR_ADD, binary(s, IR_MUL, x, x), real(s, least));
}

static void write_unary(Scribe *s) {
  Item x = any(s);
  switch (below(s, 7)) {
  case 0: x.value = unary(s, IR_SIN, x.value); break;
  case 1: x.value = unary(s, IR_COS, x.value); break;
  case 2: x.value = unary(s, IR_EXP, tame(s, x.value)); break;
  case 3: x.value = unary(s, IR_NEG, x.value); break;
  case 4: x.value = unary(s, IR_SQRT, above(s, x.value, 1)); break;
  case 5: x.value = unary(s, IR_LOG, above(s, x.value, 0.5)); break;
  default: x.value = tame(s, x.value);
  }
  keep(s, x.value, x.shape);
}

static Shape joined(Shape x, Shape y) {
  int rows = (x == COLUMN || x == MATRIX) | (y == COLUMN || y == MATRIX);
  int columns = (x != COLUMN && x != SCALAR) | (y != COLUMN && y != SCALAR);
  if (rows) return columns ? MATRIX : COLUMN;
  return x == ROW || y == ROW ? ROW : columns ? VECTOR : SCALAR;
}

static void write_binary(Scribe *s) {
  Item x = any(s), y = any(s);
  IrValue *v;
  switch (below(s, 6)) {
  case 0: v = binary(s, IR_ADD, x.value, y.value); break;
  case 1: v = binary(s, IR_SUB, x.value, y.value); break;
  case 2: v = tame(s, binary(s, IR_MUL, x.value, y.value)); break;
  case 3: v = binary(s, IR_DIV, x.value, above(s, y.value, 1)); break;
  case 4: v = binary(s, IR_POW, above(s, x.value, 0.5), tame(s, y.value)); break;
  default: v = ir_select(s->b, s->truth, x.value, y.value);
  }
  keep(s, tame(s, v), joined(x.shape, y.shape));
}

static void write_masked(Scribe *s) {
  Item x = any(s), y = any(s);
  keep(s, ir_select(s->b, s->mask, x.value, y.value), joined(joined(x.shape, y.shape), VECTOR));
}

static void write_product(Scribe *s) {
  IrValue *x = fit(s, any(s), MATRIX), *y = fit(s, any(s), MATRIX);
  IrValue *square = ir_matmul(s->b, x, ir_transpose(s->b, y, (int8_t[]){1, 0}));
  keep(s, tame(s, ir_matmul(s->b, square, y)), MATRIX);
  keep(s, tame(s, ir_matmul(s->b, square, fit(s, any(s), COLUMN))), COLUMN);
  keep(s, ir_reduce(s->b, IR_REDUCE_PROD, tame(s, x), (int8_t[]){0}, 1), VECTOR);
}

static IrValue *indices(Scribe *s, int count, int limit) {
  IrTensor *t = ir_tensor_new(ir_module_arena(ir_builder_module(s->b)),
                              ir_type(IR_I64, 1, (int64_t[]){count}));
  for (int k = 0; k < count; k++) t->data.i64[k] = below(s, (unsigned)limit);
  return ir_constant(s->b, t);
}

static void write_moves(Scribe *s) {
  IrBuilder *b = s->b;
  IrValue *x = fit(s, any(s), VECTOR), *m = fit(s, any(s), MATRIX), *six = ir_i64(b, 6), *v;
  switch (below(s, 9)) {
  case 0: v = ir_gather(b, x, indices(s, 3, 3), 0, 0); break;
  case 1: v = ir_gather(b, m, ir_i64(b, below(s, 2)), 0, 0); break;
  case 2:
    v = ir_scatter(b, IR_SCATTER_ADD, x, indices(s, 3, 3), ir_gather(b, m, ir_i64(b, 0), 0, 0), 0,
                   0);
    break;
  case 3:
    v = ir_scatter(b, IR_SCATTER_SET, x, indices(s, 3, 3), ir_gather(b, m, ir_i64(b, 1), 0, 0), 0,
                   0);
    break;
  case 4:
    v = ir_slice(b, ir_concat(b, (IrValue *[]){x, fit(s, any(s), VECTOR)}, 2, 0), 0, ir_i64(b, 2),
                 ir_i64(b, 3));
    break;
  case 5:
    v = ir_slice(b, ir_reshape(b, m, &six, 1), 0, ir_i64(b, below(s, 4)), ir_i64(b, 3));
    break;
  case 6:
    v = ir_emit(b, IR_CUMSUM, (IrAttr){.reverse = below(s, 2), .exclusive = below(s, 2)}, &x, 1);
    break;
  case 7: v = ir_emit(b, IR_REVERSE, (IrAttr){.axis = 0}, &x, 1); break;
  default: v = ir_gather(b, x, ir_unary(b, IR_ARGSORT, x), 0, 0);
  }
  keep(s, v, VECTOR);
}

static void write_some(Scribe *s, int count);

/* A region inside s, which may read what s has. */
static Scribe inside(Scribe *s, const char *name) {
  Scribe inner = *s;
  inner.b = ir_function_begin(ir_builder_module(s->b), s->b, name);
  inner.depth--;
  return inner;
}

static void write_if(Scribe *s) {
  IrBuilder *branches[2];
  IrValue *out[2];
  Shape shape[2] = {(Shape)below(s, SHAPES), (Shape)below(s, SHAPES)};
  for (int side = 0; side < 2; side++) {
    Scribe inner = inside(s, side ? "else" : "then");
    write_some(&inner, 3);
    for (int k = 0; k < 2; k++) out[k] = fit(&inner, any(&inner), shape[k]);
    branches[side] = inner.b;
    ir_function_end(inner.b, out, NULL, 2);
  }
  ir_if(s->b, s->truth, branches[0], branches[1], out);
  for (int k = 0; k < 2; k++) keep(s, out[k], shape[k]);
}

static void write_loop(Scribe *s) {
  IrBuilder *b = s->b;
  bool scans = below(s, 2), conditional = !scans && below(s, 2);
  Shape shape[2] = {(Shape)below(s, SHAPES), (Shape)below(s, SHAPES)};
  IrValue *initial[2] = {fit(s, any(s), shape[0]), fit(s, any(s), shape[1])};
  IrValue *input = fit(s, any(s), MATRIX), *results[4], *out[3], *e = NULL;
  Scribe body = inside(s, "body");
  IrValue *i = ir_param(body.b, ir_scalar(IR_I64), NULL), *state[2];
  for (int k = 0; k < 2; k++) state[k] = ir_param(body.b, initial[k]->type, NULL);
  if (scans) e = ir_param(body.b, ir_type(IR_F64, 1, input->type.dim + 1), NULL);
  for (int k = 0; k < 2; k++) keep(&body, state[k], shape[k]);
  if (e) keep(&body, e, VECTOR);
  IrValue *at = ir_binary(body.b, IR_MIN, i, ir_i64(body.b, 2));
  keep(&body, ir_gather(body.b, fit(&body, any(s), VECTOR), at, 0, 0), SCALAR);
  keep(&body, ir_cast(body.b, at, IR_F64), SCALAR);
  write_some(&body, 5);
  int count = 0;
  if (conditional) {
    IrValue *next = ir_binary(body.b, IR_ADD, i, ir_i64(body.b, 1));
    results[count++] = ir_binary(body.b, IR_LT, next, s->trips);
  }
  for (int k = 0; k < 2; k++)
    results[count++] =
        tame(&body, fit(&body, k ? any(&body) : body.items[body.count - 1], shape[k]));
  results[count++] = fit(&body, any(&body), SCALAR);
  ir_function_end(body.b, results, NULL, count);
  IrLoop loop = {.count = scans ? ir_dim(b, input, 0) : s->trips,
                 .carried = 2,
                 .scanned = scans,
                 .initial = initial,
                 .inputs = &input,
                 .reverse = !conditional && below(s, 3) == 0};
  if (conditional) {
    loop.condition = binary(s, IR_LT, ir_i64(b, 0), s->trips);
    loop.count = NULL;
  }
  ir_loop(b, loop, body.b, out);
  for (int k = 0; k < 2; k++) keep(s, out[k], shape[k]);
  keep(s, ir_reduce_all(b, IR_REDUCE_SUM, out[2]), SCALAR);
}

static void write_call(Scribe *s) {
  bool elementwise = below(s, 2);
  Scribe f = {.b = ir_function_begin(ir_builder_module(s->b), NULL, "callee"), .state = s->state};
  Item args[2] = {any(s), any(s)};
  for (int k = 0; k < 2; k++) {
    IrType t = elementwise ? ir_scalar(IR_F64) : args[k].value->type;
    keep(&f, ir_param(f.b, t, NULL), elementwise ? SCALAR : args[k].shape);
  }
  for (int k = 0; k < 3; k++) (below(s, 2) || elementwise ? write_unary : write_product)(&f);
  IrValue *x = f.items[f.count - 1].value, *y = any(&f).value, *v;
  Shape shape = joined(f.items[f.count - 1].shape, SCALAR);
  if (elementwise) x = binary(&f, IR_MUL, x, y);
  IrFunction *callee = ir_function_end(f.b, &x, NULL, 1);
  callee->elementwise = elementwise;
  ir_call(s->b, callee, (IrValue *[]){args[0].value, args[1].value}, 2, &v);
  keep(s, v, elementwise ? joined(args[0].shape, args[1].shape) : shape);
}

static void write_some(Scribe *s, int count) {
  for (int k = 0; k < count; k++) {
    unsigned what = below(s, 12);
    if (what < 2)
      write_unary(s);
    else if (what < 5)
      write_binary(s);
    else if (what == 5)
      write_masked(s);
    else if (what == 6)
      write_product(s);
    else if (what < 9)
      write_moves(s);
    else if (s->depth == 0)
      write_unary(s);
    else if (what == 9)
      write_if(s);
    else if (what == 10)
      write_loop(s);
    else if (below(s, 2))
      write_call(s);
  }
}

enum { PARAMS = SHAPES + 3 };

/* The last: a scalar that depends on everything. */
static IrFunction *random_function(IrModule *m, uint64_t *state, bool open_sizes) {
  Scribe s = {.b = ir_function_begin(m, NULL, "random"), .state = state, .depth = DEPTH};
  for (int k = 0; k < SHAPES; k++)
    keep(&s, ir_param(s.b, type_of((Shape)k, open_sizes), NULL), (Shape)k);
  s.truth = ir_param(s.b, ir_scalar(IR_BOOL), NULL);
  s.trips = ir_param(s.b, ir_scalar(IR_I64), NULL);
  s.mask = ir_param(s.b, ir_type(IR_BOOL, 1, (int64_t[]){3}), NULL);
  write_some(&s, 8);
  write_loop(&s);
  IrValue *results[2] = {real(&s, 0), fit(&s, any(&s), MATRIX)};
  for (int k = 0; k < s.count; k++)
    results[0] = binary(&s, IR_ADD, results[0], fit(&s, s.items[k], SCALAR));
  return ir_function_end(s.b, results, NULL, 2);
}

static void random_args(Arena *a, uint64_t *state, const IrTensor **args) {
  for (int k = 0; k < SHAPES; k++) {
    GradInput x = {.rank = shapes[k].rank, .low = -1.2, .high = 1.2};
    memcpy(x.dims, shapes[k].dims, sizeof shapes[k].dims);
    args[k] = grad_tensor(a, &x, state);
  }
  IrTensor *truth = ir_tensor_new(a, ir_scalar(IR_BOOL)),
           *mask = ir_tensor_new(a, ir_type(IR_BOOL, 1, (int64_t[]){3}));
  truth->data.boolean[0] = grad_random(state, 0, 1) < 0.5;
  for (int k = 0; k < 3; k++) mask->data.boolean[k] = grad_random(state, 0, 1) < 0.5;
  args[SHAPES] = truth;
  args[SHAPES + 1] = ir_tensor_i64(a, (int64_t)grad_random(state, 0, 4));
  args[SHAPES + 2] = mask;
}

static const IrTensor *stacked(Arena *a, const IrTensor *const *t) {
  IrType type = {.dtype = t[0]->type.dtype, .rank = t[0]->type.rank + 1, .dim = {CHAINS}};
  memcpy(type.dim + 1, t[0]->type.dim, sizeof *type.dim * (size_t)t[0]->type.rank);
  IrTensor *all = ir_tensor_new(a, type);
  size_t size = (size_t)t[0]->count * ir_dtype_size(type.dtype);
  for (size_t c = 0; c < CHAINS; c++)
    memcpy((char *)all->data.bytes + c * size, t[c]->data.bytes, size);
  return all;
}

/* The gradient over a batch is that of each: as it is, simplified, made cheap, and reproducible. */
static void check_batch(Arena *a, IrFunction *f, const bool *wrt, uint64_t *state, int program) {
  const IrTensor *args[CHAINS][PARAMS], *batch[PARAMS], *column[CHAINS];
  IrTensor *each[CHAINS][PARAMS + 4], *all[PARAMS + 4];
  bool batched[PARAMS];
  IrFunction *g = ir_grad(f, 0, wrt);
  for (int c = 0; c < CHAINS; c++) {
    random_args(a, state, args[c]);
    grad_run(a, g, args[c], each[c]);
  }
  for (int k = 0; k < PARAMS; k++) {
    batched[k] = true;
    for (int c = 0; c < CHAINS; c++) column[c] = args[c][k];
    batch[k] = stacked(a, column);
  }
  IrFunction *h = ir_vmap(g, batched, 1, NULL, true, NULL);
  for (int pass = 0; pass < 4; pass++) {
    if (pass == 1) h = ir_simplify(ir_expand_calls(h));
    if (pass == 2) h = ir_simplify(ir_economise(ir_scan_recurrences(h)));
    if (pass == 3) h = ir_make_reproducible(h);
    grad_run(a, h, batch, all);
    for (int k = 0; k < g->result_count; k++)
      for (int c = 0; c < CHAINS; c++)
        for (int64_t i = 0; i < each[c][k]->count; i++) {
          double x = each[c][k]->data.f64[i], y = all[k]->data.f64[c * each[c][k]->count + i];
          ck_assert_msg(fabs(x - y) <= 1e-9 * fmax(1, fabs(x)),
                        "program %d: result %d of chain %d is %.12g by itself, %.12g in a batch",
                        program, k, c, x, y);
        }
  }
}

START_TEST(random_programs) {
  Arena *a = arena_new();
  IrModule *m = ir_module_new(a, (IrOptions){0});
  uint64_t state = (uint64_t)_i + 1;
  IrFunction *f = random_function(m, &state, _i % 2);
  const IrTensor *args[PARAMS];
  bool wrt[PARAMS] = {false};
  for (int k = 0; k < SHAPES; k++) wrt[k] = grad_random(&state, 0, 1) < 0.7;
  random_args(a, &state, args);
  check_vjp(f, wrt, args, 1e-6);
  check_vjp(ir_simplify(f), wrt, args, 1e-6);
  check_batch(a, f, wrt, &state, _i);
  arena_free(a);
}
END_TEST

int main(void) {
  Suite *s = suite_create("ir_grad_random");
  TCase *t = tcase_create("programs");
  tcase_set_timeout(t, 300);
  const char *more = getenv("STAN2ONNX_RANDOM_PROGRAMS");
  const char *first = getenv("STAN2ONNX_RANDOM_FIRST");
  int from = first ? atoi(first) : 0;
  tcase_add_loop_test(t, random_programs, from, from + (more ? atoi(more) : PROGRAMS));
  suite_add_tcase(s, t);
  SRunner *runner = srunner_create(s);
  srunner_set_fork_status(runner, CK_NOFORK);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
