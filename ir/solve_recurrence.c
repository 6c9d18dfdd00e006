/* The states that a loop carries, as scans. */
#include "ir/recurrence.h"

#include "ir/builder.h"
#include "ir/scan.h"

#include <float.h>
#include <math.h>

static const int64_t MOST_ELEMENTS = 1 << 22;
/* Logarithm of how much factors may enlarge a state that offsets bring back. */
static const double MOST_GROWTH = 10;

/* Whether a stack of that is not too large. */
static bool fits_memory(const Iterations *t, const IrType *type) {
  int64_t n = t->count->constant ? t->count->constant->data.i64[0] : 1;
  for (int k = 0; k < type->rank; k++) {
    int64_t d = type->dim[k] == IR_DYNAMIC ? 1 : type->dim[k];
    if (d > 0 && n > MOST_ELEMENTS / d) return false;
    n *= d;
  }
  return type->rank < IR_MAX_RANK - 4;
}

/* Whether a carried value begins in the shape that it keeps. */
static bool keeps_shape(const Iterations *t, int k) {
  const IrType *own = &iterations_param(t, k)->type;
  return own->dtype == IR_F64 && ir_types_equal(own, &iterations_initial(t, k)->type) &&
         ir_types_equal(own, &iterations_result(t, k)->type) && fits_memory(t, own);
}

/* x with axes of size 1 put before its own, which are behind the iterations'. */
static IrValue *aligned(IrBuilder *b, Lifted x, int rank) {
  IrValue *dims[IR_MAX_RANK];
  int own = x.value->type.rank - (x.stacked ? 1 : 0), count = 0;
  dims[count++] = x.stacked ? ir_dim(b, x.value, 0) : ir_i64(b, 1);
  for (int k = own; k < rank; k++) dims[count++] = ir_i64(b, 1);
  for (int k = 0; k < own; k++) dims[count++] = ir_dim(b, x.value, k + (x.stacked ? 1 : 0));
  return ir_reshape(b, x.value, dims, count);
}

/* x, [1 or n, ...], in the shape of v for all iterations. */
static IrValue *in_all(Iterations *t, IrValue *x, IrValue *like) {
  IrValue *dims[IR_MAX_RANK];
  IrBuilder *b = t->b;
  dims[0] = t->count;
  for (int k = 0; k < like->type.rank; k++) dims[1 + k] = ir_dim(b, like, k);
  return ir_broadcast(b, x, dims, like->type.rank + 1);
}

static bool is_one(const Lifted *x) {
  return x->value && x->value->constant && x->value->uniform &&
         x->value->constant->data.f64[0] == 1;
}

/* States x0 + b_0 + ... + b_t, added up in the loop's order. */
static IrValue *sums(Iterations *t, IrValue *offset, IrValue *x0) {
  IrBuilder *b = t->b;
  bool reverse = t->loop->attr.reverse;
  IrValue *first = ir_unsqueeze(b, x0, 0);
  IrValue *all =
      ir_concat(b, reverse ? (IrValue *[]){offset, first} : (IrValue *[]){first, offset}, 2, 0);
  IrAttr attr = {.axis = 0, .reverse = reverse};
  IrValue *sum = ir_emit(b, IR_CUMSUM, attr, &all, 1);
  return ir_slice(b, sum, 0, ir_i64(b, reverse ? 0 : 1), t->count);
}

/* Whether factors of these sizes, [1 or n, ...], do not enlarge much of what went before. The
 * logarithm of their product is no more than what those above 1 exceed it by, added up. */
static IrValue *grow_little(IrBuilder *b, IrValue *sizes, IrValue *count) {
  IrValue *above = ir_binary(b, IR_SUB, sizes, ir_f64(b, 1));
  IrValue *growth = ir_binary(b, IR_MAX, above, ir_f64(b, 0));
  if (sizes->type.dim[0] == 1)
    growth = ir_binary(b, IR_MUL, growth, ir_cast(b, count, IR_F64));
  else
    growth = ir_reduce(b, IR_REDUCE_SUM, growth, (int8_t[]){0}, 1);
  return ir_binary(b, IR_LT, ir_reduce_all(b, IR_REDUCE_MAX, growth), ir_f64(b, MOST_GROWTH));
}

/* Whether compositions keep the digits of the states. Where states grow as their factors do, an
 * error made on the way stays as small beside them as it was. Where offsets bring them back, it
 * does not: a loop whose roundings are none, as at a fixed point that repels, stays where a scan is
 * carried away. So what counts is by how much states grow less than by their factors. */
static IrValue *digits_are_kept(const Scan *s, IrValue *factor, IrValue *states, IrValue *x0) {
  IrValue *size = ir_unary(s->b, IR_ABS, factor), *kept;
  IrBuilder *stable = ir_function_begin(s->b->module, s->b, "stable");
  ir_function_end(stable, (IrValue *[]){ir_bool(stable, true)}, NULL, 1);
  IrBuilder *b = ir_function_begin(s->b->module, s->b, "unstable");
  Scan inner = *s;
  inner.b = b;
  IrValue *enlarged = ir_binary(b, IR_MUL, factor, scan_before(&inner, states, x0));
  IrValue *least = ir_binary(b, IR_MAX, ir_unary(b, IR_ABS, states), ir_f64(b, DBL_MIN));
  IrValue *lost = ir_binary(b, IR_DIV, ir_unary(b, IR_ABS, enlarged), least);
  IrValue *excess = ir_binary(b, IR_MIN, lost, size);
  ir_function_end(b, (IrValue *[]){grow_little(b, excess, s->count)}, NULL, 1);
  ir_if(s->b, grow_little(s->b, size, s->count), stable, b, &kept);
  return kept;
}

/* The states of x' = factor x + offset, for each element by itself. */
static IrValue *states_elementwise(Iterations *t, const LinearForm *form, IrValue *x0,
                                   Recurrence *r) {
  IrBuilder *b = t->b;
  Lifted offset = form->offset.value ? form->offset : (Lifted){ir_f64(b, 0), false};
  IrValue *all = in_all(t, aligned(b, offset, x0->type.rank), x0);
  r->certain = is_one(&form->factor);
  if (r->certain) return sums(t, all, x0);
  Scan s = {.b = b, .reverse = t->loop->attr.reverse, .count = t->count};
  AffineMaps maps = {aligned(b, form->factor, x0->type.rank), all};
  ScanSums sums;
  IrValue *first = ir_unsqueeze(b, x0, 0), *states = scan_affine(&s, maps, first, &sums);
  if (form->offset.value) r->condition = digits_are_kept(&s, maps.a, states, first);
  return states;
}

/* ---- changes of what is carried ---- */

static bool is_square_of(const IrNode *n, const IrValue *x) {
  if (n->op == IR_MUL) return n->in[0] == x && n->in[1] == x;
  return n->op == IR_POW && n->in[0] == x && n->in[1]->constant && n->in[1]->uniform &&
         n->in[1]->constant->data.f64[0] == 2;
}

static bool is_inverse(const IrNode *n, IrOp outer, const IrValue *x) {
  switch (outer) {
  case IR_SQRT: return is_square_of(n, x);
  case IR_LOG: return n->op == IR_EXP && n->in[0] == x;
  case IR_EXP: return n->op == IR_LOG && n->in[0] == x;
  default: return false;
  }
}

/* The node that undoes what ends the computation of carried value k, or NULL. */
static const IrNode *find_inverse(const Iterations *t, int k) {
  const IrNode *last = iterations_result(t, k)->node;
  for (int i = 0; last && i < t->body->node_count; i++)
    if (is_inverse(t->body->nodes[i], last->op, iterations_param(t, k))) return t->body->nodes[i];
  return NULL;
}

/* The op of n on one value. */
static IrValue *on_value(IrBuilder *b, const IrNode *n, IrValue *x) {
  if (n->op == IR_MUL || n->op == IR_POW) return ir_binary(b, IR_MUL, x, x);
  return ir_unary(b, n->op, x);
}

/* ---- vectors ---- */

/* The number of elements of carried value k for each of the leading axis that is not known. */
static IrValue *own_elements(const Iterations *t, int k, bool *lead) {
  const IrType *own = &iterations_param(t, k)->type;
  int64_t n = 1;
  *lead = own->rank > 0 && own->dim[0] == IR_DYNAMIC;
  for (int a = *lead ? 1 : 0; a < own->rank; a++) n *= own->dim[a];
  return ir_i64(t->b, n);
}

/* Rows of matrices for the elements of carried value k, from its form: [rows, columns, n, lead]. */
static IrValue *map_rows(Iterations *t, int k, Lifted x, int columns) {
  IrBuilder *b = t->b;
  bool lead;
  IrValue *own = own_elements(t, k, &lead), *x0 = iterations_initial(t, k), *v;
  IrValue *dims[IR_MAX_RANK] = {ir_i64(b, columns), t->count};
  int rank = x0->type.rank;
  for (int a = 0; a < rank; a++) dims[2 + a] = ir_dim(b, x0, a);
  v = x.value ? x.value : ir_f64(b, 0);
  if (x.value && x.stacked) { /* axes of size 1 where its own are fewer */
    IrValue *with[IR_MAX_RANK] = {ir_dim(b, v, 0), ir_dim(b, v, 1)};
    int count = 2, missing = rank + 2 - v->type.rank;
    while (missing-- > 0) with[count++] = ir_i64(b, 1);
    for (int a = 2; a < v->type.rank; a++) with[count++] = ir_dim(b, v, a);
    v = ir_reshape(b, v, with, count);
  }
  v = ir_broadcast(b, v, dims, rank + 2);
  IrValue *flat[] = {dims[0], t->count, lead ? ir_dim(b, x0, 0) : ir_i64(b, 1), own};
  return ir_transpose(b, ir_reshape(b, v, flat, 4), (int8_t[]){3, 0, 1, 2});
}

/* Carried value k as a state [K, 1, lead], and back from [K, n, lead]. */
static IrValue *to_state(Iterations *t, int k) {
  IrBuilder *b = t->b;
  bool lead;
  IrValue *own = own_elements(t, k, &lead), *x0 = iterations_initial(t, k);
  IrValue *dims[] = {ir_i64(b, 1), lead ? ir_dim(b, x0, 0) : ir_i64(b, 1), own};
  return ir_transpose(b, ir_reshape(b, x0, dims, 3), (int8_t[]){2, 0, 1});
}

static IrValue *from_states(Iterations *t, int k, IrValue *rows) {
  IrBuilder *b = t->b;
  IrValue *x0 = iterations_initial(t, k), *dims[IR_MAX_RANK] = {t->count};
  for (int a = 0; a < x0->type.rank; a++) dims[1 + a] = ir_dim(b, x0, a);
  return ir_reshape(b, ir_transpose(b, rows, (int8_t[]){1, 2, 0}), dims, x0->type.rank + 1);
}

/* Carried value k alone. */
static bool solve_single(Iterations *t, int k, Recurrence *r) {
  IrBuilder *b = t->b;
  const IrValue *param = iterations_param(t, k), *result = iterations_result(t, k);
  const IrNode *inverse = find_inverse(t, k);
  LinearForm form;
  IrValue *x0 = iterations_initial(t, k);
  r->count = 1;
  if (!keeps_shape(t, k)) return false;
  if (linear_elementwise(t, result, param, &form)) {
    if (!form.factor.value) return false; /* it is known as it is */
    r->stacks[0] = states_elementwise(t, &form, x0, r);
  } else if (inverse && linear_elementwise(t, result->node->in[0], inverse->out[0], &form) &&
             form.factor.value) {
    r->inner = result->node->in[0];
    r->stacks[1] = states_elementwise(t, &form, on_value(b, inverse, x0), r);
    r->stacks[0] = ir_unary(b, result->node->op, r->stacks[1]);
    r->certain = false;
    r->count = 2;
  } else {
    return false;
  }
  r->members_count = 1;
  return true;
}

/* Carried values that depend on one another, or of which one mixes its elements. */
static bool solve_vector(Iterations *t, uint64_t members, Recurrence *r) {
  IrBuilder *b = t->b;
  IrValue *rows[MOST_STATES], *starts[MOST_STATES];
  ScanSums sums;
  LinearForm form;
  int columns = linear_columns(t, members), count = 0, row = 0;
  if (!columns || columns > MOST_STATES) return false;
  for (int k = 0; k < t->carried; k++) {
    if (!(members >> k & 1)) continue;
    if (!keeps_shape(t, k) || !linear_general(t, iterations_result(t, k), members, columns, &form))
      return false;
    IrValue *parts[] = {map_rows(t, k, form.factor, columns), map_rows(t, k, form.offset, 1)};
    rows[count] = ir_concat(b, parts, 2, 1);
    starts[count++] = to_state(t, k);
  }
  Scan s = {b, SCAN_VECTORS, columns, t->loop->attr.reverse, t->count};
  AffineMaps maps = {ir_concat(b, rows, count, 0), NULL};
  IrValue *states = scan_affine(&s, maps, ir_concat(b, starts, count, 0), &sums);
  count = 0;
  for (int k = 0; k < t->carried; k++) {
    bool lead;
    if (!(members >> k & 1)) continue;
    IrValue *own = own_elements(t, k, &lead);
    r->stacks[count++] = from_states(t, k, ir_slice(b, states, 0, ir_i64(b, row), own));
    row += (int)own->constant->data.i64[0];
  }
  r->count = r->members_count = count;
  return true;
}

/* Whether the sums of a scan of logarithms are what they should be: large enough, or 0 because no
 * state that was possible leads there. logs: those of the matrices; x0: the first state; states:
 * those after each map. */
static IrValue *sums_hold(const Scan *s, const ScanSums *sums, IrValue *logs, IrValue *x0,
                          IrValue *states) {
  IrBuilder *b = s->b;
  IrValue *before = ir_unsqueeze(b, scan_before(s, states, x0), 0),
          *best = ir_reduce(b, IR_REDUCE_MAX, ir_binary(b, IR_ADD, logs, before), (int8_t[]){1}, 1);
  IrValue *lost = scan_lost(b, sums->last, ir_binary(b, IR_EQ, best, ir_f64(b, -INFINITY)));
  if (sums->lost) lost = ir_binary(b, IR_ADD, lost, sums->lost);
  return ir_binary(b, IR_EQ, lost, ir_f64(b, 0));
}

/* Carried value k, a vector of logarithms. */
static bool solve_logarithms(Iterations *t, int k, Recurrence *r) {
  IrBuilder *b = t->b;
  LinearForm form;
  ScanSums sums;
  int columns = linear_columns(t, UINT64_C(1) << k);
  if (columns < 2 || columns > MOST_STATES || !keeps_shape(t, k) ||
      !log_linear(t, iterations_result(t, k), k, columns, &form))
    return false;
  IrValue *logs = map_rows(t, k, form.factor, columns);
  IrValue *max = ir_unsqueeze(b, ir_reduce(b, IR_REDUCE_MAX, logs, (int8_t[]){0, 1}, 2), 0);
  IrValue *shifted = ir_binary(b, IR_SUB, logs, ir_unsqueeze(b, max, 0)), *x0 = to_state(t, k);
  AffineMaps maps = {ir_unary(b, IR_EXP, shifted), max};
  Scan s = {b, SCAN_LOGARITHMS, columns, t->loop->attr.reverse, t->count};
  IrValue *states = scan_affine(&s, maps, x0, &sums);
  r->stacks[0] = from_states(t, k, states);
  r->condition = sums_hold(&s, &sums, logs, x0, states);
  r->logarithms = true;
  r->count = r->members_count = 1;
  return true;
}

bool recurrence_solve(Iterations *t, uint64_t members, Recurrence *r) {
  int k = 0;
  while (!(members >> k & 1)) k++;
  *r = (Recurrence){.members = members};
  if (members >> k != 1) return solve_vector(t, members, r);
  return solve_single(t, k, r) || solve_vector(t, members, r) || solve_logarithms(t, k, r);
}
