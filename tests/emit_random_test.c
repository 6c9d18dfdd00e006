/* Random programs over tensors of any rank, some of them empty, emitted as ONNX against the
 * evaluator. All numbers stay small integers, so that results are exact in whatever order ONNX
 * Runtime adds them up. */
#include "emit_check.h"

#include <math.h>
#include <string.h>

enum { MAX_RANK = 4, STEPS = 14, MAX_VALUES = 64, PROGRAMS = 150 };

/* A value and the sizes that it will have when the program runs. */
typedef struct {
  IrValue *value;
  int64_t dims[MAX_RANK];
} Item;

typedef struct {
  IrBuilder *b;
  Item items[MAX_VALUES];
  int count;
  uint64_t state;
} Program;

static int below(Program *p, int n) {
  p->state = p->state * 6364136223846793005u + 1442695040888963407u;
  return (int)((p->state >> 33) % (uint64_t)n);
}

static int rank_of(const Item *x) { return x->value->type.rank; }
static IrDtype dtype_of(const Item *x) { return x->value->type.dtype; }

static Item item(IrValue *v, const int64_t *dims) {
  Item x = {.value = v};
  memcpy(x.dims, dims, sizeof x.dims);
  return x;
}

static Item like(IrValue *v, const Item *x) { return item(v, x->dims); }

static Item pick(Program *p) { return p->items[below(p, p->count)]; }

/* A value of that type, made from any. */
static Item pick_as(Program *p, IrDtype dtype) {
  Item x = pick(p);
  return like(ir_cast(p->b, x.value, dtype), &x);
}

static IrValue *scalar(Program *p, IrDtype dtype, int n) {
  if (dtype == IR_F64) return ir_f64(p->b, n);
  return dtype == IR_I64 ? ir_i64(p->b, n) : ir_bool(p->b, n != 0);
}

/* Keeps numbers small. */
static IrValue *bounded(Program *p, IrValue *v) {
  return v->type.dtype == IR_BOOL ? v : ir_binary(p->b, IR_MOD, v, scalar(p, v->type.dtype, 97));
}

static IrDtype number_type(Program *p) { return below(p, 2) ? IR_F64 : IR_I64; }

static Item without_axis(IrValue *v, const Item *x, int axis) {
  Item y = {.value = v};
  for (int k = 0, n = 0; k < v->type.rank + 1; k++)
    if (k != axis) y.dims[n++] = x->dims[k];
  return y;
}

static Item with_axis(IrValue *v, const Item *x, int axis, int64_t size) {
  Item y = {.value = v};
  for (int k = 0, n = 0; k < v->type.rank; k++) y.dims[k] = k == axis ? size : x->dims[n++];
  return y;
}

/* Something that broadcasts with x: x itself changed, one axis of it folded to 1, or a scalar. */
static IrValue *partner(Program *p, const Item *x) {
  IrDtype t = dtype_of(x);
  int rank = rank_of(x);
  if (rank == 0 || below(p, 3) == 0) return scalar(p, t, below(p, 5));
  if (below(p, 2)) return ir_emit(p->b, IR_REVERSE, (IrAttr){.axis = below(p, rank)}, &x->value, 1);
  int8_t axis = (int8_t)below(p, rank);
  IrOp op = t == IR_BOOL ? IR_REDUCE_ANY : IR_REDUCE_SUM;
  IrValue *v = bounded(p, ir_reduce(p->b, op, x->value, &axis, 1));
  return axis == 0 && below(p, 2) ? v : ir_unsqueeze(p->b, v, axis);
}

/* ---- steps ---- */

static Item step_unary(Program *p) {
  static const IrOp ops[] = {IR_NEG, IR_ABS, IR_SIGN};
  static const IrOp real_ops[] = {IR_FLOOR, IR_CEIL, IR_ISNAN, IR_ISINF};
  Item x = pick_as(p, number_type(p));
  bool real = dtype_of(&x) == IR_F64 && below(p, 2);
  return like(ir_unary(p->b, real ? real_ops[below(p, 4)] : ops[below(p, 3)], x.value), &x);
}

static Item step_binary(Program *p) {
  static const IrOp ops[] = {IR_ADD, IR_SUB, IR_MUL, IR_MIN, IR_MAX, IR_EQ,
                             IR_NE,  IR_LT,  IR_LE,  IR_GT,  IR_GE};
  Item x = pick_as(p, number_type(p));
  IrValue *y = partner(p, &x);
  IrOp op = ops[below(p, 11)];
  IrValue *v = below(p, 2) ? ir_binary(p->b, op, x.value, y) : ir_binary(p->b, op, y, x.value);
  return like(bounded(p, v), &x);
}

static Item step_divide(Program *p) {
  Item x = pick_as(p, IR_I64);
  IrValue *y = ir_binary(p->b, IR_ADD, ir_unary(p->b, IR_ABS, partner(p, &x)), ir_i64(p->b, 1));
  if (below(p, 2)) y = ir_unary(p->b, IR_NEG, y);
  return like(ir_binary(p->b, below(p, 2) ? IR_DIV : IR_MOD, x.value, y), &x);
}

static Item step_logic(Program *p) {
  Item x = pick_as(p, IR_BOOL);
  IrOp op = below(p, 2) ? IR_AND : IR_OR;
  IrValue *y = ir_unary(p->b, IR_NOT, partner(p, &x));
  return like(ir_binary(p->b, op, x.value, y), &x);
}

static Item step_select(Program *p) {
  Item x = pick(p);
  IrValue *c =
      below(p, 2) ? ir_cast(p->b, x.value, IR_BOOL) : ir_cast(p->b, partner(p, &x), IR_BOOL);
  return like(ir_select(p->b, c, x.value, partner(p, &x)), &x);
}

static Item step_transpose(Program *p) {
  Item x = pick(p), y = {0};
  int rank = rank_of(&x);
  int8_t axes[MAX_RANK];
  for (int k = 0; k < rank; k++) axes[k] = (int8_t)k;
  for (int k = rank - 1; k > 0; k--) {
    int j = below(p, k + 1);
    int8_t t = axes[k];
    axes[k] = axes[j];
    axes[j] = t;
  }
  for (int k = 0; k < rank; k++) y.dims[k] = x.dims[axes[k]];
  y.value = ir_transpose(p->b, x.value, axes);
  return y;
}

static Item step_reshape(Program *p) {
  Item x = pick(p);
  int rank = rank_of(&x);
  if (below(p, 2) && rank < MAX_RANK) {
    int axis = below(p, rank + 1);
    return with_axis(ir_unsqueeze(p->b, x.value, axis), &x, axis, 1);
  }
  IrValue *size = ir_i64(p->b, 1);
  int64_t count = 1;
  for (int k = 0; k < rank; k++) {
    size = ir_binary(p->b, IR_MUL, size, ir_dim(p->b, x.value, k));
    count *= x.dims[k];
  }
  return item(ir_reshape(p->b, x.value, &size, 1), (int64_t[MAX_RANK]){count});
}

static Item step_broadcast(Program *p) {
  Item x = pick(p);
  int rank = rank_of(&x);
  IrValue *dims[MAX_RANK];
  if (rank == MAX_RANK) return x;
  int64_t size = below(p, 4);
  dims[0] = ir_i64(p->b, size);
  for (int k = 0; k < rank; k++) dims[k + 1] = ir_dim(p->b, x.value, k);
  return with_axis(ir_broadcast(p->b, x.value, dims, rank + 1), &x, 0, size);
}

static Item step_reduce(Program *p) {
  static const IrOp ops[] = {IR_REDUCE_SUM, IR_REDUCE_PROD, IR_REDUCE_MAX, IR_REDUCE_MIN};
  static const IrOp bool_ops[] = {IR_REDUCE_ANY, IR_REDUCE_ALL};
  Item x = pick(p);
  int rank = rank_of(&x);
  if (rank == 0) return x;
  int8_t axis = (int8_t)below(p, rank);
  int which = below(p, x.dims[axis] == 0 ? 2 : 4); /* ONNX Runtime has no extremes of nothing */
  IrOp op = dtype_of(&x) == IR_BOOL ? bool_ops[which % 2] : ops[which];
  IrValue *v = x.value;
  if (op == IR_REDUCE_PROD) v = ir_binary(p->b, IR_MOD, v, scalar(p, v->type.dtype, 5));
  return without_axis(bounded(p, ir_reduce(p->b, op, v, &axis, 1)), &x, axis);
}

static Item step_order(Program *p) {
  Item x = pick_as(p, number_type(p));
  int rank = rank_of(&x);
  if (rank == 0) return x;
  IrAttr attr = {.reverse = below(p, 2)};
  if (below(p, 2)) return like(ir_emit(p->b, IR_ARGSORT, attr, &x.value, 1), &x);
  attr.axis = below(p, rank);
  attr.exclusive = below(p, 2);
  return like(bounded(p, ir_emit(p->b, IR_CUMSUM, attr, &x.value, 1)), &x);
}

static Item step_slice(Program *p) {
  Item x = pick(p);
  int rank = rank_of(&x);
  if (rank == 0) return x;
  int axis = below(p, rank);
  int64_t start = below(p, (int)x.dims[axis] + 1),
          length = below(p, (int)(x.dims[axis] - start) + 1);
  Item y = like(NULL, &x);
  y.dims[axis] = length;
  y.value = ir_slice(p->b, x.value, axis, ir_i64(p->b, start), ir_i64(p->b, length));
  return y;
}

static Item step_concat(Program *p) {
  Item x = pick(p);
  int rank = rank_of(&x);
  if (rank == 0) return x;
  int axis = below(p, rank);
  IrValue *parts[2] = {x.value,
                       ir_emit(p->b, IR_REVERSE, (IrAttr){.axis = below(p, rank)}, &x.value, 1)};
  Item y = like(ir_concat(p->b, parts, 2, axis), &x);
  y.dims[axis] *= 2;
  return y.dims[axis] > 12 ? x : y;
}

/* Some indices along an axis of x: fixed ones, or those that order it. */
static Item indices(Program *p, const Item *x, int axis) {
  int64_t n = 1 + below(p, 3);
  IrValue *size = ir_i64(p->b, n);
  IrValue *v = ir_binary(p->b, IR_MUL, ir_iota(p->b, size), ir_i64(p->b, 1 + below(p, 3)));
  v = ir_binary(p->b, IR_MOD, v, ir_dim(p->b, x->value, axis));
  return item(v, (int64_t[MAX_RANK]){n});
}

static Item step_index(Program *p) {
  Item x = pick(p);
  int rank = rank_of(&x);
  if (rank == 0) return x;
  int axis = below(p, rank);
  if (x.dims[axis] == 0) return x;
  Item at = indices(p, &x, axis);
  IrValue *part = ir_gather(p->b, x.value, at.value, axis, 0);
  Item y = like(part, &x);
  y.dims[axis] = at.dims[0];
  if (below(p, 2)) return y;
  if (dtype_of(&x) != IR_BOOL && below(p, 2))
    return like(bounded(p, ir_scatter(p->b, IR_SCATTER_ADD, x.value, at.value, part, axis, 0)), &x);
  if (dtype_of(&x) != IR_BOOL) part = ir_unary(p->b, IR_ABS, part);
  return like(ir_scatter(p->b, IR_SCATTER_SET, x.value, at.value, part, axis, 0), &x);
}

/* Places of each row's elements in order: an index with the leading axes of what it is used on. */
static Item step_index_each(Program *p) {
  Item x = pick_as(p, number_type(p));
  int rank = rank_of(&x);
  if (rank == 0) return x;
  IrValue *order = ir_emit(p->b, IR_ARGSORT, (IrAttr){0}, &x.value, 1);
  IrValue *sorted = ir_gather(p->b, x.value, order, rank - 1, rank - 1);
  if (below(p, 2)) return like(sorted, &x);
  IrOp op = below(p, 2) ? IR_SCATTER_ADD : IR_SCATTER_SET;
  return like(bounded(p, ir_scatter(p->b, op, x.value, order, sorted, rank - 1, rank - 1)), &x);
}

static Item step_matmul(Program *p) {
  Item x = pick_as(p, number_type(p));
  int rank = rank_of(&x);
  if (rank < 2) return x;
  int8_t axes[MAX_RANK];
  for (int k = 0; k < rank; k++) axes[k] = (int8_t)k;
  axes[rank - 1] = (int8_t)(rank - 2);
  axes[rank - 2] = (int8_t)(rank - 1);
  IrValue *product = ir_matmul(p->b, x.value, ir_transpose(p->b, x.value, axes));
  Item y = like(bounded(p, product), &x);
  y.dims[rank - 1] = x.dims[rank - 2];
  return y;
}

/* Sizes that depend on values: the places of what is true. Their number is not known here, so it is
 * summed up at once. */
static Item step_nonzero(Program *p) {
  Item x = pick_as(p, IR_BOOL);
  if (rank_of(&x) != 1) return x;
  IrValue *places = ir_emit(p->b, IR_NONZERO, (IrAttr){0}, &x.value, 1);
  return item(bounded(p, ir_reduce_all(p->b, IR_REDUCE_SUM, places)), (int64_t[MAX_RANK]){0});
}

static Item step_if(Program *p) {
  Item x = pick(p), c = pick_as(p, IR_BOOL);
  IrModule *m = ir_builder_module(p->b);
  IrValue *any = ir_reduce_all(p->b, IR_REDUCE_ANY, c.value), *out;
  IrBuilder *then = ir_function_begin(m, p->b, "then"),
            *orelse = ir_function_begin(m, p->b, "else");
  IrValue *yes = ir_cast(then, x.value, IR_I64), *no = ir_cast(orelse, x.value, IR_BOOL);
  yes = ir_binary(then, IR_ADD, yes, ir_i64(then, 1));
  no = ir_cast(orelse, no, IR_I64);
  ir_function_end(then, &yes, NULL, 1);
  ir_function_end(orelse, &no, NULL, 1);
  ir_if(p->b, any, then, orelse, &out);
  return like(out, &x);
}

/* s <- x[i] - s, over the first axis of x, each s kept or only the last. */
static Item step_loop(Program *p) {
  Item x = pick_as(p, number_type(p));
  if (rank_of(&x) == 0) return x;
  IrBuilder *b = p->b, *body = ir_function_begin(ir_builder_module(b), b, "body");
  int8_t axis = 0;
  IrOp start = dtype_of(&x) == IR_F64 ? IR_REDUCE_SUM : IR_REDUCE_PROD;
  IrValue *initial = bounded(p, ir_reduce(b, start, bounded(p, x.value), &axis, 1)), *out[2];
  if (start == IR_REDUCE_PROD) initial = ir_binary(b, IR_MIN, initial, initial);
  IrType row = initial->type;
  ir_param(body, ir_scalar(IR_I64), NULL);
  IrValue *s = ir_param(body, row, NULL), *element = ir_param(body, row, NULL);
  IrValue *next = ir_binary(body, IR_SUB, element, s);
  IrValue *results[] = {next, s};
  ir_function_end(body, results, NULL, 2);
  IrLoop loop = {.count = ir_dim(b, x.value, 0),
                 .carried = 1,
                 .scanned = 1,
                 .initial = &initial,
                 .inputs = &x.value,
                 .reverse = below(p, 2)};
  ir_loop(b, loop, body, out);
  if (below(p, 2) || x.dims[0] == 0) return without_axis(bounded(p, out[0]), &x, 0);
  return like(bounded(p, out[1]), &x);
}

typedef Item (*Step)(Program *p);

static const Step steps[] = {
    step_unary,  step_binary,    step_binary,  step_divide,    step_logic,
    step_select, step_transpose, step_reshape, step_broadcast, step_reduce,
    step_order,  step_slice,     step_concat,  step_index,     step_index_each,
    step_matmul, step_nonzero,   step_if,      step_loop,
};

/* ---- programs ---- */

static IrTensor *argument(Program *p, Arena *a, IrDtype dtype, int rank, const int64_t *dims) {
  IrTensor *t = ir_tensor_new(a, ir_type(dtype, rank, dims));
  for (int64_t i = 0; i < t->count; i++) {
    int n = below(p, 9) - 4;
    if (dtype == IR_F64)
      t->data.f64[i] = below(p, 40) ? n : below(p, 2) ? NAN : INFINITY;
    else if (dtype == IR_I64)
      t->data.i64[i] = n;
    else
      t->data.boolean[i] = n > 0;
  }
  return t;
}

static int64_t total(const Item *x) {
  int64_t n = 1;
  for (int k = 0; k < rank_of(x); k++) n *= x->dims[k];
  return n;
}

/* NaN cast to an integer is a number that depends on the machine: it becomes 0 first. */
static Item finite(Program *p, Item x) {
  if (dtype_of(&x) != IR_F64) return x;
  IrValue *odd =
      ir_binary(p->b, IR_OR, ir_unary(p->b, IR_ISNAN, x.value), ir_unary(p->b, IR_ISINF, x.value));
  return like(ir_select(p->b, odd, ir_f64(p->b, 0), x.value), &x);
}

static void run_program(uint64_t seed, bool open_sizes, bool plain) {
  Arena *a = arena_new();
  IrOptions options = {.no_fold = plain, .no_cse = plain, .no_algebra = plain};
  Program p = {.state = seed};
  const IrTensor *args[MAX_INPUTS];
  IrValue *results[MAX_OUTPUTS];
  p.b = ir_function_begin(ir_module_new(a, options), NULL, "random");
  for (int k = 0; k < 3; k++) {
    static const IrDtype dtypes[] = {IR_F64, IR_I64, IR_BOOL};
    int rank = below(&p, 4);
    int64_t dims[MAX_RANK] = {0};
    for (int j = 0; j < rank; j++) dims[j] = below(&p, 10) ? 1 + below(&p, 4) : 0;
    IrType t = ir_type(dtypes[k], rank, dims);
    for (int j = 0; j < rank; j++)
      if (open_sizes && dims[j] != 1) t.dim[j] = IR_DYNAMIC;
    args[k] = argument(&p, a, dtypes[k], rank, dims);
    p.items[p.count++] = item(ir_param(p.b, t, NULL), dims);
  }
  for (int k = 0; k < 3; k++) p.items[k] = finite(&p, p.items[k]);
  for (int k = 0; k < STEPS; k++) {
    Item x = steps[below(&p, (int)(sizeof steps / sizeof *steps))](&p);
    if (total(&x) <= 500) p.items[p.count++] = x;
  }
  for (int k = 0; k < MAX_OUTPUTS; k++) results[k] = p.items[p.count - 1 - k].value;
  IrFunction *f = ir_function_end(p.b, results, NULL, MAX_OUTPUTS);
  const char *error = ir_module_error(ir_builder_module(p.b));
  ck_assert_msg(!error, "program %d: %s", (int)seed, error);
  check_function(a, f, args, false);
  arena_free(a);
}

START_TEST(program) {
  for (int way = 0; way < 4; way++) run_program((uint64_t)_i, way % 2, way / 2);
}
END_TEST

int main(void) {
  Suite *s = suite_create("emit random programs");
  TCase *t = tcase_create("programs");
  tcase_set_timeout(t, 0);
  tcase_add_loop_test(t, program, 0, PROGRAMS);
  suite_add_tcase(s, t);
  return run_with_runtime(s);
}
