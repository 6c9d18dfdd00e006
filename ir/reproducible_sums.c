/* Sums and products in an order that does not depend on the runtime. */
#include "ir/algebra.h"
#include "ir/reproducible.h"

/* ---- sums ---- */

enum { LONG_SUM = 256 }; /* elements that are added half to half */

static IrValue *part(IrBuilder *b, IrValue *x, int axis, int64_t start, int64_t length) {
  return ir_slice(b, x, axis, ir_i64(b, start), ir_i64(b, length));
}

/* Elements of x at one place of an axis. */
static IrValue *at(IrBuilder *b, IrValue *x, int axis, IrValue *place) {
  return ir_gather(b, x, place, axis, 0);
}

/* Pairs of elements that are far apart are added until few are left: it is faster than adding them
 * one by one, and rounding errors grow less. */
static IrValue *halved(IrBuilder *b, IrValue *x, int axis) {
  for (int64_t count = x->type.dim[axis]; count >= LONG_SUM; count = x->type.dim[axis]) {
    int64_t half = count / 2;
    IrValue *v = ir_binary(b, IR_ADD, part(b, x, axis, 0, half), part(b, x, axis, half, half));
    if (count % 2) v = ir_concat(b, (IrValue *[]){v, part(b, x, axis, count - 1, 1)}, 2, axis);
    x = v;
  }
  return x;
}

/* The last of the cumulative sums, which have one order only; of what may be nothing, with a zero
 * in front. */
static IrValue *sum_along(IrBuilder *b, IrValue *x, int axis) {
  int64_t count = x->type.dim[axis];
  x = count > 0 ? halved(b, x, axis)
                : ir_concat(b, (IrValue *[]){ir_zero_row(b, x, axis), x}, 2, axis);
  IrValue *sums = ir_emit(b, IR_CUMSUM, (IrAttr){.axis = axis}, &x, 1);
  IrValue *one = ir_i64(b, 1);
  return at(b, sums, axis, ir_binary(b, IR_SUB, ir_dim(b, sums, axis), one));
}

IrValue *reproducible_sum(const Rewriting *w, const IrNode *n) {
  IrValue *x = w->map[n->in[0]->id];
  for (int k = n->attr.axis_count - 1; k >= 0; k--) x = sum_along(w->b, x, n->attr.axes[k]);
  return x;
}

/* ---- products ---- */

static IrValue *product_along(IrBuilder *b, IrValue *x, int axis) {
  IrValue *dims[IR_MAX_RANK];
  int rank = 0;
  for (int k = 0; k < x->type.rank; k++)
    if (k != axis) dims[rank++] = ir_dim(b, x, k);
  IrValue *initial = ir_broadcast(b, ir_f64(b, 1), dims, rank), *result;
  IrBuilder *body = ir_function_begin(b->module, b, "product");
  IrValue *i = ir_param(body, ir_scalar(IR_I64), NULL);
  IrValue *product = ir_param(body, initial->type, NULL);
  product = ir_binary(body, IR_MUL, product, at(body, x, axis, i));
  ir_function_end(body, &product, NULL, 1);
  ir_loop(b, (IrLoop){.count = ir_dim(b, x, axis), .carried = 1, .initial = &initial}, body,
          &result);
  return result;
}

IrValue *reproducible_product(const Rewriting *w, const IrNode *n) {
  IrValue *x = w->map[n->in[0]->id];
  for (int k = n->attr.axis_count - 1; k >= 0; k--) x = product_along(w->b, x, n->attr.axes[k]);
  return x;
}

/* A runtime's optimiser may make a division of a product with a reciprocal: it is made one. */
IrValue *reproducible_quotient(const Rewriting *w, const IrNode *n) {
  for (int k = 0; k < 2; k++) {
    const IrNode *d = made_by(n->in[k], IR_DIV);
    if (d && is_splat_of(d->in[0], 1) && ir_types_equal(&d->in[1]->type, &d->out[0]->type))
      return ir_binary(w->b, IR_DIV, w->map[n->in[1 - k]->id], w->map[d->in[1]->id]);
  }
  return NULL;
}

/* ---- products of matrices ---- */

enum {
  FEW_TERMS = 16,         /* are added one by one */
  LARGE_PRODUCT = 1000,   /* elements: a loop adds terms, each of them as large */
  MOST_ELEMENTS = 1 << 24 /* of all terms, for them to be made at once */
};

/* Column k of x times row k of y. */
static IrValue *outer_product(IrBuilder *b, IrValue *x, IrValue *y, IrValue *k) {
  IrValue *one = ir_i64(b, 1), *column = ir_slice(b, x, x->type.rank - 1, k, one);
  return ir_binary(b, IR_MUL, column, ir_slice(b, y, y->type.rank - 2, k, one));
}

static IrValue *sum_of_few(IrBuilder *b, IrValue *x, IrValue *y, int64_t count) {
  IrValue *v = outer_product(b, x, y, ir_i64(b, 0));
  for (int64_t k = 1; k < count; k++)
    v = ir_binary(b, IR_ADD, v, outer_product(b, x, y, ir_i64(b, k)));
  return v;
}

static IrValue *sum_at_once(IrBuilder *b, IrValue *x, IrValue *y) {
  IrValue *columns = ir_unsqueeze(b, x, x->type.rank);
  IrValue *v = ir_binary(b, IR_MUL, columns, ir_unsqueeze(b, y, y->type.rank - 2));
  return sum_along(b, v, v->type.rank - 2);
}

/* Zeros in the shape of x y. */
static IrValue *zero_product(IrBuilder *b, IrValue *x, IrValue *y, int rank) {
  IrValue *dims[IR_MAX_RANK];
  for (int k = 0; k < rank; k++) {
    int of_x = k - rank + x->type.rank, of_y = k - rank + y->type.rank;
    bool is_y = k == rank - 1 || of_x < 0 || (k < rank - 2 && x->type.dim[of_x] == 1 && of_y >= 0);
    dims[k] = is_y ? ir_dim(b, y, of_y) : ir_dim(b, x, of_x);
  }
  return ir_broadcast(b, ir_f64(b, 0), dims, rank);
}

/* v's axis in front of the others, and one of size 1 in its place. */
static IrValue *terms_in_front(IrBuilder *b, IrValue *v, int axis) {
  return ir_unsqueeze(b, ir_move_axis(b, v, axis, 0), axis + 1);
}

static IrValue *sum_by_loop(IrBuilder *b, IrValue *x, IrValue *y, int rank) {
  IrValue *initial = zero_product(b, x, y, rank), *result;
  IrValue *terms[] = {terms_in_front(b, x, x->type.rank - 1),
                      terms_in_front(b, y, y->type.rank - 2)};
  IrBuilder *body = ir_function_begin(b->module, b, "matmul");
  ir_param(body, ir_scalar(IR_I64), NULL);
  IrValue *sum = ir_param(body, initial->type, NULL);
  IrValue *column = ir_param(body, ir_row_type(&terms[0]->type), NULL);
  IrValue *row = ir_param(body, ir_row_type(&terms[1]->type), NULL);
  sum = ir_binary(body, IR_ADD, sum, ir_binary(body, IR_MUL, column, row));
  ir_function_end(body, &sum, NULL, 1);
  IrLoop loop = {.count = ir_dim(b, terms[0], 0),
                 .carried = 1,
                 .scanned = 2,
                 .initial = &initial,
                 .inputs = terms};
  ir_loop(b, loop, body, &result);
  return result;
}

/* Whether the sum is better made by a loop, as far as sizes are known. */
static bool loops(const IrType *product, int64_t terms) {
  int64_t room = MOST_ELEMENTS, small = LARGE_PRODUCT;
  for (int k = 0; k < product->rank; k++) {
    int64_t n = product->dim[k] > 0 ? product->dim[k] : 1;
    room /= n;
    small /= n;
  }
  return small == 0 || room / (terms > 0 ? terms : 1) == 0;
}

IrValue *reproducible_matmul(const Rewriting *w, const IrNode *n) {
  IrBuilder *b = w->b;
  IrValue *x = w->map[n->in[0]->id], *y = w->map[n->in[1]->id];
  const IrType *type = &n->out[0]->type;
  int64_t terms = x->type.dim[x->type.rank - 1];
  if (terms == IR_DYNAMIC) terms = y->type.dim[y->type.rank - 2];
  if (terms > 0 && terms <= FEW_TERMS) return sum_of_few(b, x, y, terms);
  if (type->rank == IR_MAX_RANK || loops(type, terms)) return sum_by_loop(b, x, y, type->rank);
  return sum_at_once(b, x, y);
}
