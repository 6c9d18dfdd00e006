/* How ops of the IR are made of ONNX's operators. Ops whose row of ops.def names an ONNX operator
 * are that operator; every other op has a form here. A form describes its nodes and leaves the last
 * one open, so that its result can be given a name. The reasons for the less obvious ones are gaps
 * of ONNX Runtime's double, integer and bool kernels, each stated at its form. */
#include "emit/shapes.h"
#include "emit/indexing.h"
#include "emit/products.h"
#include "emit/random.h"

#include <math.h>

typedef Node *(*Form)(Frame *f, const IrNode *n);

static const char *operand(Frame *f, const IrNode *n, int k) { return name_of(f, n->in[k]); }

static IrDtype dtype_of(const IrNode *n, int k) { return n->in[k]->type.dtype; }

/* ---- elementwise ---- */

static Node *cast_to(Frame *f, const char *x, IrDtype dtype) {
  Node *node = node_of1(f->graph, "Cast", x);
  node_int(node, "to", onnx_dtype(dtype));
  return node;
}

static Node *form_cast(Frame *f, const IrNode *n) {
  return cast_to(f, operand(f, n, 0), n->attr.dtype);
}

static bool is_zero(const IrValue *v) {
  const IrTensor *c = v->constant;
  if (!c || c->count != 1 || c->type.dtype == IR_BOOL) return false;
  return c->type.dtype == IR_F64 ? c->data.f64[0] == 0 : c->data.i64[0] == 0;
}

/* Whether v is one number, not `neutral` but so close that single precision cannot tell. ONNX
 * Runtime compares in single precision when it drops additions of 0 and products with 1 as doing
 * nothing. */
static bool nearly(const IrValue *v, float neutral) {
  const IrTensor *c = v->constant;
  if (!c || c->type.dtype != IR_F64 || c->count != 1) return false;
  double x = c->data.f64[0];
  return x != (double)neutral && (float)x == neutral;
}

static bool is_empty_constant(const IrValue *v) { return v->constant && v->constant->count == 0; }

/* Arithmetic with a constant of no elements has none, whatever the operation: ONNX Runtime before
 * 1.28 takes Add, Sub, Mul and Div with one for doing nothing, and gives the other operand. */
static Node *empty_result(Frame *f, const IrNode *n) {
  if (!is_empty_constant(n->in[0]) && !is_empty_constant(n->in[1])) return NULL;
  return node_of2(f->graph, "Max", operand(f, n, 0), operand(f, n, 1));
}

/* Sum is not taken for nothing. */
static Node *form_add(Frame *f, const IrNode *n) {
  Node *empty = empty_result(f, n);
  if (empty) return empty;
  bool kept = nearly(n->in[0], 0) || nearly(n->in[1], 0);
  return node_of2(f->graph, kept ? "Sum" : "Add", operand(f, n, 0), operand(f, n, 1));
}

static Node *form_sub(Frame *f, const IrNode *n) {
  Node *empty = empty_result(f, n);
  if (empty) return empty;
  const char *x = operand(f, n, 0), *y = operand(f, n, 1);
  if (!nearly(n->in[1], 0)) return node_of2(f->graph, "Sub", x, y);
  return node_of2(f->graph, "Sum", x, apply1(f->graph, "Neg", y));
}

/* v = 1 / x: x, or NULL. */
static const IrValue *reciprocal_of(const IrValue *v) {
  const IrNode *n = v->node;
  if (!n || n->op != IR_DIV || !ir_types_equal(&n->in[1]->type, &v->type)) return NULL;
  const IrTensor *c = n->in[0]->constant;
  return c && c->type.dtype == IR_F64 && c->count == 1 && c->data.f64[0] == 1 ? n->in[1] : NULL;
}

/* Half the factor (or twice the divisor), then twice the result, which is exact. Of two reciprocals
 * the second is divided by: ONNX Runtime makes one division of a product with a reciprocal, and of
 * two it makes a broken graph. */
static Node *form_mul(Frame *f, const IrNode *n) {
  Graph *g = f->graph;
  Node *empty = empty_result(f, n);
  if (empty) return empty;
  const char *x = operand(f, n, 0), *y = operand(f, n, 1);
  const IrValue *divisor = reciprocal_of(n->in[0]) ? reciprocal_of(n->in[1]) : NULL;
  if (divisor) return node_of2(g, "Div", x, name_of(f, divisor));
  if (!nearly(n->in[0], 1) && !nearly(n->in[1], 1)) return node_of2(g, "Mul", x, y);
  const char **factor = nearly(n->in[0], 1) ? &x : &y;
  *factor = apply2(g, "Mul", *factor, constant_f64(g, 0.5));
  return node_of2(g, "Mul", apply2(g, "Mul", x, y), constant_f64(g, 2));
}

static Node *form_div(Frame *f, const IrNode *n) {
  Graph *g = f->graph;
  Node *empty = empty_result(f, n);
  if (empty) return empty;
  const char *x = operand(f, n, 0), *y = operand(f, n, 1);
  if (!nearly(n->in[1], 1)) return node_of2(g, "Div", x, y);
  y = apply2(g, "Mul", y, constant_f64(g, 2));
  return node_of2(g, "Mul", apply2(g, "Div", x, y), constant_f64(g, 2));
}

/* Cos has a double kernel in ONNX Runtime since 1.29, Sin always: cos x = 1 - 2 sin(x / 2)^2,
 * within 5e-16. (By sin 2x / (2 sin x) small cosines would have all digits, if those sines had.) */
static Node *form_cos(Frame *f, const IrNode *n) {
  Graph *g = f->graph;
  const char *s = apply1(g, "Sin", apply2(g, "Mul", operand(f, n, 0), constant_f64(g, 0.5)));
  const char *twice = apply2(g, "Mul", apply2(g, "Mul", s, s), constant_f64(g, 2));
  return node_of2(g, "Sub", constant_f64(g, 1), twice);
}

/* The remainder of C for both reals and integers, which without fmod is missing for double. */
/* The remainder has the sign of the dividend. Of integers ONNX Runtime before 1.32 takes it in
 * doubles, where 64 bits do not fit; its other remainder, with the sign of the divisor, and its
 * quotient are exact. */
static Node *form_mod(Frame *f, const IrNode *n) {
  Graph *g = f->graph;
  const char *x = operand(f, n, 0), *y = operand(f, n, 1);
  bool real = n->out[0]->type.dtype == IR_F64;
  if (!real && !(n->in[0]->facts & IR_NONNEGATIVE && n->in[1]->facts & IR_POSITIVE))
    return node_of2(g, "Sub", x, apply2(g, "Mul", y, apply2(g, "Div", x, y)));
  Node *node = node_of2(g, "Mod", x, y);
  if (real) node_int(node, "fmod", 1);
  return node;
}

/* Unlike their reductions, Min and Max give NaN if either operand is NaN. */
static Node *form_min(Frame *f, const IrNode *n) {
  return node_of2(f->graph, "Min", operand(f, n, 0), operand(f, n, 1));
}

static Node *form_max(Frame *f, const IrNode *n) {
  return node_of2(f->graph, "Max", operand(f, n, 0), operand(f, n, 1));
}

/* Numbers as bools say whether they are not 0. */
static Node *form_ne(Frame *f, const IrNode *n) {
  if (dtype_of(n, 0) == IR_BOOL)
    return node_of2(f->graph, "Xor", operand(f, n, 0), operand(f, n, 1));
  if (is_zero(n->in[1]) && n->in[0]->type.rank == n->out[0]->type.rank)
    return cast_to(f, operand(f, n, 0), IR_BOOL);
  return node_of1(f->graph, "Not", apply2(f->graph, "Equal", operand(f, n, 0), operand(f, n, 1)));
}

/* Where has no bool kernel. */
static Node *form_select(Frame *f, const IrNode *n) {
  Graph *g = f->graph;
  const char *c = operand(f, n, 0), *x = operand(f, n, 1), *y = operand(f, n, 2);
  if (dtype_of(n, 1) != IR_BOOL) return node_of3(g, "Where", c, x, y);
  return node_of2(g, "Or", apply2(g, "And", c, x), apply2(g, "And", apply1(g, "Not", c), y));
}

/* ---- shapes ---- */

/* Expand broadcasts both ways, so that a 1 in the shape stands for the operand's own size. */
static Node *form_broadcast(Frame *f, const IrNode *n) {
  const IrValue *x = n->in[0];
  int rank = n->in_count - 1, missing = rank - x->type.rank;
  IrValue *dims[IR_MAX_RANK];
  int64_t ones[IR_MAX_RANK];
  bool all_own = true;
  for (int i = 0; i < rank; i++) {
    dims[i] = n->in[1 + i];
    ones[i] = 1;
    if (i < missing || x->type.dim[i - missing] == 1) {
      int64_t known;
      if (!known_dim(dims[i], &known) || known != 1) all_own = false;
    }
  }
  if (all_own)
    return node_of2(f->graph, "Expand", operand(f, n, 0),
                    constant_vector(f->graph, ones, (size_t)rank));
  return node_of2(f->graph, "Expand", operand(f, n, 0), shape_vector(f, dims, rank));
}

/* A constant shape for Reshape, with 0 for "as the operand's axis" and one -1 for "what is left",
 * when there is one: no zero may be meant literally, and at most one size may be unknown. */
static bool constant_shape(const IrNode *n, int64_t *shape) {
  const IrValue *x = n->in[0];
  int unknown = 0;
  bool literal_zero = false;
  for (int i = 0; i < n->in_count - 1; i++) {
    const IrValue *dim = n->in[1 + i];
    if (known_dim(dim, &shape[i])) {
      literal_zero |= shape[i] == 0;
    } else if (i < x->type.rank && is_size_of(dim, x, i)) {
      shape[i] = 0;
    } else {
      shape[i] = -1;
      unknown++;
    }
  }
  return unknown <= 1 && !literal_zero;
}

/* A reshape that copies sizes of axes leaves -1 undefined where one of them is 0 at run time; then
 * all sizes are computed. */
static bool copies_with_unknown(const int64_t *shape, int rank) {
  bool copies = false, unknown = false;
  for (int i = 0; i < rank; i++) {
    copies |= shape[i] == 0;
    unknown |= shape[i] == -1;
  }
  return copies && unknown;
}

/* A reshape that only drops and inserts axes of size 1: which of the operand's are dropped and
 * which of the result's are new. False when it does more than that, or when that cannot be seen. */
static bool only_units(const IrNode *n, int64_t *dropped, size_t *drop_count, int64_t *added,
                       size_t *add_count) {
  const IrValue *x = n->in[0];
  int rank = n->in_count - 1, i = 0, j = 0;
  *drop_count = *add_count = 0;
  while (i < x->type.rank || j < rank) {
    int64_t known;
    if (i < x->type.rank && j < rank && is_size_of(n->in[1 + j], x, i)) {
      i++;
      j++;
    } else if (j < rank && known_dim(n->in[1 + j], &known) && known == 1) {
      added[(*add_count)++] = j++;
    } else if (i < x->type.rank && x->type.dim[i] == 1) {
      dropped[(*drop_count)++] = i++;
    } else {
      return false;
    }
  }
  return true;
}

static Node *form_reshape(Frame *f, const IrNode *n) {
  int rank = n->in_count - 1;
  int64_t shape[IR_MAX_RANK], added[IR_MAX_RANK], dropped[IR_MAX_RANK];
  size_t add_count, drop_count;
  if (constant_shape(n, shape) && !copies_with_unknown(shape, rank))
    return node_of2(f->graph, "Reshape", operand(f, n, 0),
                    constant_vector(f->graph, shape, (size_t)rank));
  if (only_units(n, dropped, &drop_count, added, &add_count)) {
    const char *x = operand(f, n, 0);
    if (drop_count)
      x = apply2(f->graph, "Squeeze", x, constant_vector(f->graph, dropped, drop_count));
    return node_of1(f->graph, "Identity", unsqueeze(f->graph, x, added, add_count));
  }
  Node *node = node_of2(f->graph, "Reshape", operand(f, n, 0), shape_vector(f, n->in + 1, rank));
  node_int(node, "allowzero", 1);
  return node;
}

static Node *form_transpose(Frame *f, const IrNode *n) {
  Node *node = node_of1(f->graph, "Transpose", operand(f, n, 0));
  int64_t permutation[IR_MAX_RANK];
  int rank = n->in[0]->type.rank;
  for (int i = 0; i < rank; i++) permutation[i] = n->attr.axes[i];
  node_ints(node, "perm", permutation, (size_t)rank);
  return node;
}

static Node *form_shape(Frame *f, const IrNode *n) {
  int64_t zero = 0;
  const char *vector = shape_of(f->graph, operand(f, n, 0), n->attr.axis, n->attr.axis + 1);
  return node_of2(f->graph, "Squeeze", vector, constant_vector(f->graph, &zero, 1));
}

static Node *form_iota(Frame *f, const IrNode *n) {
  Graph *g = f->graph;
  return node_of3(g, "Range", constant_i64(g, 0), operand(f, n, 0), constant_i64(g, 1));
}

static Node *form_concat(Frame *f, const IrNode *n) {
  Node *node = node_begin(f->graph, "Concat");
  for (int k = 0; k < n->in_count; k++) node_in(node, operand(f, n, k));
  node_int(node, "axis", n->attr.axis);
  return node;
}

/* ---- reductions ---- */

static Node *reduction(Frame *f, const char *op, const char *x, const IrNode *n) {
  int64_t axes[IR_MAX_RANK];
  Graph *g = f->graph;
  if (n->attr.axis_count == 0) return node_of1(g, "Identity", x);
  for (int i = 0; i < n->attr.axis_count; i++) axes[i] = n->attr.axes[i];
  Node *node = node_of2(g, op, x, constant_vector(g, axes, (size_t)n->attr.axis_count));
  node_int(node, "keepdims", f->keeps[n->out[0]->id]);
  return node;
}

static Node *form_reduce_sum(Frame *f, const IrNode *n) {
  const IrValue *x = n->in[0];
  if (f->squares[x->id]) return reduction(f, "ReduceSumSquare", name_of(f, x->node->in[0]), n);
  return reduction(f, "ReduceSum", operand(f, n, 0), n);
}

static Node *form_reduce_prod(Frame *f, const IrNode *n) {
  return reduction(f, "ReduceProd", operand(f, n, 0), n);
}

/* ReduceMax and ReduceMin may drop NaN. The sum of the operand with all but its NaNs set to 0 is 0
 * or NaN: adding it puts the NaN back. */
static Node *extremum(Frame *f, const IrNode *n, const char *op) {
  Graph *g = f->graph;
  const char *x = operand(f, n, 0);
  bool may_be_nan = n->in[0]->type.dtype == IR_F64 && !(n->in[0]->facts & (IR_NOT_NAN | IR_FINITE));
  Node *plain = reduction(f, op, x, n);
  if (!may_be_nan || n->attr.axis_count == 0) return plain;
  const char *zero = constant_f64(g, 0);
  const char *poison = apply2(g, "Min", apply2(g, "Max", x, zero), zero);
  return node_of2(g, "Add", node_end(plain), node_end(reduction(f, "ReduceSum", poison, n)));
}

static Node *form_reduce_max(Frame *f, const IrNode *n) { return extremum(f, n, "ReduceMax"); }

static Node *form_reduce_min(Frame *f, const IrNode *n) { return extremum(f, n, "ReduceMin"); }

/* The bool kernels of ReduceMax and ReduceMin refuse to reduce nothing: there, sums and products of
 * 0 and 1. */
static Node *logical_reduction(Frame *f, const IrNode *n, const char *direct,
                               const char *arithmetic) {
  Graph *g = f->graph;
  const char *x = operand(f, n, 0);
  if (ir_reduces_something(&n->attr, &n->in[0]->type)) return reduction(f, direct, x, n);
  return cast_to(f, node_end(reduction(f, arithmetic, apply_cast(g, x, IR_I64), n)), IR_BOOL);
}

static Node *form_reduce_any(Frame *f, const IrNode *n) {
  return logical_reduction(f, n, "ReduceMax", "ReduceSum");
}

static Node *form_reduce_all(Frame *f, const IrNode *n) {
  return logical_reduction(f, n, "ReduceMin", "ReduceProd");
}

/* ---- order ---- */

static Node *form_slice(Frame *f, const IrNode *n) {
  Graph *g = f->graph;
  int64_t start, length, axis = n->attr.axis;
  const char *from = dim_vector(f, n->in[1]), *to;
  if (known_dim(n->in[1], &start) && known_dim(n->in[2], &length)) {
    int64_t end = start + length;
    to = constant_vector(g, &end, 1);
  } else if (known_dim(n->in[1], &start) && start == 0) {
    to = dim_vector(f, n->in[2]);
  } else {
    to = apply2(g, "Add", from, dim_vector(f, n->in[2]));
  }
  Node *node = node_of3(g, "Slice", operand(f, n, 0), from, to);
  node_in(node, constant_vector(g, &axis, 1));
  return node;
}

static Node *form_reverse(Frame *f, const IrNode *n) {
  return reversal(f->graph, operand(f, n, 0), n->attr.axis);
}

static Node *form_cumsum(Frame *f, const IrNode *n) {
  Node *node = node_of2(f->graph, "CumSum", operand(f, n, 0), constant_i64(f->graph, n->attr.axis));
  if (n->attr.exclusive) node_int(node, "exclusive", 1);
  if (n->attr.reverse) node_int(node, "reverse", 1);
  return node;
}

/* TopK is stable and takes NaN for the largest value (ONNX Runtime to 1.24 puts it anywhere), so
 * that descending order with NaN last is the ascending order of the negated operand. */
static Node *form_argsort(Frame *f, const IrNode *n) {
  Graph *g = f->graph;
  const IrValue *x = n->in[0];
  const char *operand_name = operand(f, n, 0);
  bool real = x->type.dtype == IR_F64, largest = n->attr.reverse && !real;
  const char *keys = n->attr.reverse && real ? apply1(g, "Neg", operand_name) : operand_name;
  if (x->type.dtype == IR_BOOL) keys = apply_cast(g, keys, IR_I64);
  int last = x->type.rank - 1;
  const char *count = x->type.dim[last] != IR_DYNAMIC ? constant_vector(g, &x->type.dim[last], 1)
                                                      : shape_of(g, operand_name, last, last + 1);
  Node *node = node_of2(g, "TopK", keys, count);
  node_int(node, "largest", largest);
  const char *names[2] = {NULL, NULL};
  node_end_many(node, names, 2);
  return node_of1(g, "Identity", names[1]);
}

static Node *form_nonzero(Frame *f, const IrNode *n) {
  int64_t zero = 0;
  const char *places = apply1(f->graph, "NonZero", operand(f, n, 0));
  return node_of2(f->graph, "Squeeze", places, constant_vector(f->graph, &zero, 1));
}

/* ---- the table ---- */

static const char *const direct[IR_OP_COUNT] = {
#define OP(name, text, operands, shape, evaluate, vjp, batch, guard, onnx) [IR_##name] = onnx,
#include "ir/ops.def"
#undef OP
};

static const Form forms[IR_OP_COUNT] = {
    [IR_ADD] = form_add,
    [IR_SUB] = form_sub,
    [IR_MUL] = form_mul,
    [IR_DIV] = form_div,
    [IR_COS] = form_cos,
    [IR_CAST] = form_cast,
    [IR_MOD] = form_mod,
    [IR_MIN] = form_min,
    [IR_MAX] = form_max,
    [IR_NE] = form_ne,
    [IR_SELECT] = form_select,
    [IR_THREEFRY] = form_threefry,
    [IR_UNIFORM] = form_uniform,
    [IR_BROADCAST] = form_broadcast,
    [IR_RESHAPE] = form_reshape,
    [IR_TRANSPOSE] = form_transpose,
    [IR_REDUCE_SUM] = form_reduce_sum,
    [IR_REDUCE_PROD] = form_reduce_prod,
    [IR_REDUCE_MAX] = form_reduce_max,
    [IR_REDUCE_MIN] = form_reduce_min,
    [IR_REDUCE_ANY] = form_reduce_any,
    [IR_REDUCE_ALL] = form_reduce_all,
    [IR_MATMUL] = form_matmul,
    [IR_SLICE] = form_slice,
    [IR_REVERSE] = form_reverse,
    [IR_GATHER] = form_gather,
    [IR_SCATTER_ADD] = form_scatter,
    [IR_SCATTER_SET] = form_scatter,
    [IR_CONCAT] = form_concat,
    [IR_CUMSUM] = form_cumsum,
    [IR_ARGSORT] = form_argsort,
    [IR_IOTA] = form_iota,
    [IR_NONZERO] = form_nonzero,
    [IR_SHAPE] = form_shape,
};

/* Orderings have no bool kernels; what compares bools compares them as integers. */
static bool is_ordering(IrOp op) {
  return op == IR_LT || op == IR_LE || op == IR_GT || op == IR_GE;
}

/* What is known to have no elements is not computed: ONNX Runtime takes an Expand from 1 to 0 for
 * one that does nothing. */
static Node *nothing(Frame *f, const IrType *type) {
  const IrTensor *empty = ir_tensor_new(f->graph->writer->arena, *type);
  return node_of1(f->graph, "Identity", constant(f->graph, empty));
}

Node *emit_op(Frame *f, const IrNode *n) {
  if (ir_type_count(&n->out[0]->type) == 0) return nothing(f, &n->out[0]->type);
  if (forms[n->op]) return forms[n->op](f, n);
  if (!direct[n->op]) return NULL;
  Node *node = node_begin(f->graph, direct[n->op]);
  for (int k = 0; k < n->in_count; k++) {
    const char *x = operand(f, n, k);
    if (is_ordering(n->op) && dtype_of(n, k) == IR_BOOL) x = apply_cast(f->graph, x, IR_I64);
    node_in(node, x);
  }
  return node;
}
