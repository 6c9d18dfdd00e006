/* Values of a loop's body as linear functions of what it carries. */
#include "ir/iterations.h"

#include "ir/algebra.h"
#include "ir/batch.h"

enum { MOST_PARTS = 4 };

/* Operands in which an op is linear, by bit: in all of them together, or in each for itself. */
typedef struct {
  unsigned operands;
  bool together;
} Linearity;

static const Linearity linearity[IR_OP_COUNT] = {
    [IR_NEG] = {1, false},        [IR_ADD] = {3, true},         [IR_SUB] = {3, true},
    [IR_MUL] = {3, false},        [IR_DIV] = {1, false},        [IR_SELECT] = {6, true},
    [IR_BROADCAST] = {1, false},  [IR_RESHAPE] = {1, false},    [IR_TRANSPOSE] = {1, false},
    [IR_REDUCE_SUM] = {1, false}, [IR_MATMUL] = {3, false},     [IR_SLICE] = {1, false},
    [IR_REVERSE] = {1, false},    [IR_CUMSUM] = {1, false},     [IR_GATHER] = {1, false},
    [IR_CONCAT] = {~0u, true},    [IR_SCATTER_ADD] = {5, true}, [IR_SCATTER_SET] = {5, true}};

/* The same of logarithms: of what a value is the logarithm of. */
static const Linearity log_linearity[IR_OP_COUNT] = {[IR_ADD] = {3, false},
                                                     [IR_SUB] = {1, false},
                                                     [IR_RESHAPE] = {1, false},
                                                     [IR_TRANSPOSE] = {1, false}};

/* A search for the forms of values. */
typedef struct {
  Iterations *t;
  int columns;        /* 0: elementwise, */
  const IrType *type; /* of the seed then; else NULL */
  const Linearity *linearity;
  LinearForm *form; /* by value id */
  bool *linear;     /* by value id: those that have one */
  int *axis;        /* by value id. Not 0: column j is the form's factor, which has no axis of
                       columns, at place j of that axis counted from 1, and zero elsewhere */
} Forms;

static Forms forms_new(Iterations *t, int columns, const IrType *type) {
  Arena *a = t->b->module->arena;
  size_t n = (size_t)t->body->value_count + 1;
  return (Forms){t,
                 columns,
                 type,
                 linearity,
                 ARENA_ARRAY(a, LinearForm, n),
                 ARENA_ARRAY(a, bool, n),
                 ARENA_ARRAY(a, int, n)};
}

static int levels(const Forms *f) { return f->columns ? 2 : 1; }

/* ---- which nodes are linear ---- */

static bool is_open(const Forms *f, const IrValue *v) {
  return f->linear[v->id] || iterations_open(f->t, v) != 0;
}

/* Whether only the leading axis is not known. */
static bool has_open_lead(const IrType *t) {
  for (int k = 1; k < t->rank; k++)
    if (t->dim[k] == IR_DYNAMIC) return false;
  return t->rank > 0 && t->dim[0] == IR_DYNAMIC;
}

/* Whether elements along the leading axis, which is not known, stay apart from one another. */
static bool keeps_lead(const IrNode *n, const IrValue *operand) {
  const IrType *t = &n->out[0]->type, *x = &operand->type;
  if (ir_type_count(x) >= 0) return ir_type_count(t) >= 0;
  if (!has_open_lead(x) || !has_open_lead(t)) return false;
  switch (n->op) {
  case IR_REDUCE_SUM: return n->attr.axes[0] != 0;
  case IR_TRANSPOSE: return n->attr.axes[0] == 0;
  case IR_SLICE:
  case IR_REVERSE:
  case IR_CUMSUM:
  case IR_CONCAT:
  case IR_GATHER:
  case IR_SCATTER_ADD:
  case IR_SCATTER_SET: return n->attr.axis != 0;
  case IR_RESHAPE: {
    int64_t before = 1, after = 1;
    for (int k = 1; k < x->rank; k++) before *= x->dim[k];
    for (int k = 1; k < t->rank; k++) after *= t->dim[k];
    return before == after;
  }
  case IR_MATMUL: return x->rank == t->rank && (x->rank > 2 || operand == n->in[0]);
  default: return x->rank == t->rank;
  }
}

/* Whether n is linear in its open operands as far as its op goes. */
static bool may_be_linear(const Forms *f, const IrNode *n) {
  const Linearity *l = &f->linearity[n->op];
  int open = 0;
  if (n->exact || n->out[0]->type.dtype != IR_F64) return false;
  for (int k = 0; k < n->in_count; k++) {
    if (!is_open(f, n->in[k])) continue;
    open++;
    if (!(k < 32 ? l->operands >> k & 1 : l->operands == ~0u)) return false;
    if (f->columns && !keeps_lead(n, n->in[k])) return false;
  }
  return open == 1 || l->together;
}

/* ---- forms ---- */

/* A value of the iterations with the axis of columns. */
static Lifted with_columns(const Forms *f, Lifted x) {
  if (f->columns && x.stacked) x.value = batch_insert_units(f->t->b, x.value, 0, 1);
  return x;
}

/* x in v's own shape, which it broadcasts to; zeros where it is zero. */
static bool in_full(const Forms *f, const IrValue *v, Lifted *x, int levels) {
  IrBuilder *b = f->t->b;
  IrValue *dims[IR_MAX_RANK];
  int lead = x->value && x->stacked ? levels : 0;
  if (!x->value) *x = (Lifted){ir_f64(b, 0), false};
  IrType own = ir_type(IR_F64, x->value->type.rank - lead, x->value->type.dim + lead);
  if (own.rank == v->type.rank && ir_types_equal(&own, &v->type)) return true;
  x->value = lead ? batch_insert_units(b, x->value, lead, v->type.rank - own.rank) : x->value;
  for (int k = 0; k < lead; k++) dims[k] = ir_dim(b, x->value, k);
  for (int k = 0; k < v->type.rank; k++) {
    dims[lead + k] = iterations_size(f->t, v, k);
    if (!dims[lead + k]) return false;
  }
  x->value = ir_broadcast(b, x->value, dims, lead + v->type.rank);
  return true;
}

/* The sum along an axis of few elements, part by part: reducing an axis with little behind it takes
 * long for each element. */
static IrValue *sum_of_parts(IrBuilder *b, IrValue *v, int axis) {
  IrValue *sum = NULL, *one = ir_i64(b, 1);
  for (int k = 0; k < v->type.dim[axis]; k++) {
    IrValue *part = ir_squeeze(b, ir_slice(b, v, axis, ir_i64(b, k), one), axis);
    sum = sum ? ir_binary(b, IR_ADD, sum, part) : part;
  }
  return sum;
}

/* n of operands that are there. */
static Lifted apply_op(const Forms *f, const IrNode *n, const Lifted *x, int levels) {
  enum { MOST_OPERANDS = 64 };
  IrValue *in[MOST_OPERANDS];
  bool batched[MOST_OPERANDS];
  Lifted out = {NULL, false};
  for (int k = 0; k < n->in_count; k++) {
    in[k] = x[k].value;
    batched[k] = x[k].stacked;
    out.stacked |= batched[k];
  }
  if (!out.stacked && !iterations_may_apply(f->t, n)) return out;
  int axis = n->attr.axes[0] + (out.stacked ? levels : 0);
  if (n->op == IR_REDUCE_SUM && n->attr.axis_count == 1 && in[0]->type.dim[axis] > 0 &&
      in[0]->type.dim[axis] <= MOST_PARTS)
    out.value = sum_of_parts(f->t->b, in[0], axis);
  else
    out.value = ir_emit_batched(f->t->b, n->op, n->attr, in, n->in_count, batched, levels);
  return out;
}

/* Sums and differences, of which zeros are no part. */
static bool add_parts(const Forms *f, const IrNode *n, Lifted *x, Lifted *out) {
  if (f->columns)
    for (int k = 0; k < 2; k++)
      if (x[k].value && !in_full(f, n->out[0], &x[k], 2)) return false;
  if (!x[1].value)
    *out = x[0];
  else if (x[0].value)
    *out = apply_op(f, n, x, levels(f)); /* which has a value always */
  else if (n->op == IR_ADD)
    *out = x[1];
  else
    *out = (Lifted){ir_unary(f->t->b, IR_NEG, x[1].value), x[1].stacked};
  return true;
}

/* The factor, or the offset, of n from those of its operands. */
static bool combine(const Forms *f, const IrNode *n, Lifted *x, const bool *linear, Lifted *out) {
  bool zero = true, together = f->linearity[n->op].together;
  for (int k = 0; k < n->in_count; k++) zero &= !linear[k] || !x[k].value;
  *out = (Lifted){NULL, false};
  if (zero) return true;
  if (together && (n->op == IR_ADD || n->op == IR_SUB)) return add_parts(f, n, x, out);
  for (int k = 0; k < n->in_count && together; k++) {
    if (!linear[k]) continue;
    if (n->op == IR_SELECT && !f->columns && !x[k].value) x[k].value = ir_f64(f->t->b, 0);
    if ((n->op != IR_SELECT || f->columns) && !in_full(f, n->in[k], &x[k], levels(f))) return false;
  }
  *out = apply_op(f, n, x, levels(f));
  return out->value != NULL;
}

/* ---- columns along an axis ---- */

/* v's factor in the shape of v, [n, ...]. */
static bool full_factor(Forms *f, const IrValue *v, Lifted *x) {
  *x = f->form[v->id].factor;
  return in_full(f, v, x, 1);
}

/* Own axis `axis` of a value as that of columns. */
static Lifted axis_to_columns(const Forms *f, Lifted x, int axis) {
  int8_t order[IR_MAX_RANK];
  IrValue *v = x.stacked ? x.value : ir_unsqueeze(f->t->b, x.value, 0);
  int next = 0;
  order[0] = (int8_t)(1 + axis);
  for (int k = 1; k < v->type.rank; k++) {
    if (next == 1 + axis) next++;
    order[k] = (int8_t)next++;
  }
  return (Lifted){ir_transpose(f->t->b, v, order), true};
}

/* The form of v, which has its columns along an axis, with an axis of columns. */
static bool spread_columns(Forms *f, const IrValue *v) {
  IrBuilder *b = f->t->b;
  int axis = f->axis[v->id] - 1, rank = v->type.rank;
  int64_t dim[IR_MAX_RANK];
  Lifted x;
  if (axis < 0) return true;
  if (f->linearity != linearity || !full_factor(f, v, &x)) return false;
  for (int k = 0; k < rank + 2; k++) dim[k] = k == 0 || k == 2 + axis ? f->columns : 1;
  IrTensor *t = ir_tensor_new(b->module->arena, ir_type(IR_F64, rank + 2, dim));
  for (int j = 0; j < f->columns; j++) t->data.f64[j * f->columns + j] = 1;
  IrValue *stack = x.stacked ? x.value : ir_unsqueeze(b, x.value, 0);
  stack = ir_binary(b, IR_MUL, ir_unsqueeze(b, stack, 0), ir_constant(b, t));
  f->form[v->id].factor = (Lifted){stack, true};
  f->axis[v->id] = 0;
  return true;
}

/* The factor of an elementwise n whose operand k, the one that is open, has its columns along an
 * axis. */
static bool keep_elementwise(Forms *f, const IrNode *n, int k, Lifted *factor) {
  const IrValue *v = n->in[k];
  int shift = n->out[0]->type.rank - v->type.rank, axis = f->axis[v->id] - 1;
  Lifted x[2];
  if (n->in_count > 2 || v->type.dim[axis] != n->out[0]->type.dim[axis + shift]) return false;
  *factor = f->form[v->id].factor;
  f->axis[n->out[0]->id] = axis + shift + 1;
  if (f->linearity[n->op].together) {
    if (n->op == IR_SUB && k == 1) factor->value = ir_unary(f->t->b, IR_NEG, factor->value);
    return true;
  }
  for (int j = 0; j < n->in_count; j++) x[j] = j == k ? *factor : iterations_lift(f->t, n->in[j]);
  for (int j = 0; j < n->in_count; j++)
    if (!x[j].value) return false;
  *factor = apply_op(f, n, x, 1);
  return factor->value != NULL;
}

/* The same where n moves axes. */
static bool keep_moved(Forms *f, const IrNode *n, Lifted *factor) {
  const IrValue *v = n->in[0];
  int source[IR_MAX_RANK], axis = f->axis[v->id] - 1, rank = n->out[0]->type.rank;
  Lifted x[IR_MAX_RANK + 1];
  if (n->op == IR_RESHAPE && !node_is_unit_reshape(n, source)) return false;
  for (int k = 0; k < rank && n->op == IR_TRANSPOSE; k++) source[k] = n->attr.axes[k];
  if (!full_factor(f, v, &x[0])) return false;
  for (int j = 1; j < n->in_count; j++) {
    x[j] = iterations_lift(f->t, n->in[j]);
    if (!x[j].value) return false;
  }
  *factor = apply_op(f, n, x, 1);
  for (int k = 0; k < rank; k++)
    if (source[k] == axis) f->axis[n->out[0]->id] = k + 1;
  return factor->value && f->axis[n->out[0]->id];
}

/* The factor of the sum, among logarithms or not, of v along `axis`. */
static bool sum_columns(Forms *f, const IrValue *v, int axis, Lifted *factor) {
  Lifted x;
  if (f->axis[v->id] != axis + 1 || !full_factor(f, v, &x)) return false;
  *factor = axis_to_columns(f, x, axis);
  return true;
}

/* The factor of n whose operand k has its columns along an axis, where they stay along one or
 * become an axis of columns without any computation. */
static bool keep_columns(Forms *f, const IrNode *n, int k, Lifted *factor) {
  if (ir_op_elementwise(n->op)) return keep_elementwise(f, n, k, factor);
  if (n->op == IR_RESHAPE || n->op == IR_TRANSPOSE) return keep_moved(f, n, factor);
  return n->op == IR_REDUCE_SUM && n->attr.axis_count == 1 &&
         sum_columns(f, n->in[0], n->attr.axes[0], factor);
}

/* ---- logarithms ---- */

/* A value less what is finite of its maximum along an axis, which is `max` then. */
static const IrNode *maximum_in(const IrValue *shift, const IrValue **finite) {
  const IrNode *select = made_by(shift, IR_SELECT);
  *finite = shift;
  if (!select) return made_by(shift, IR_REDUCE_MAX);
  const IrNode *infinite = made_by(select->in[0], IR_ISINF);
  return infinite && infinite->in[0] == select->in[2] ? made_by(select->in[2], IR_REDUCE_MAX)
                                                      : NULL;
}

/* The value v of which n is log(sum(exp(v))) along an axis; NULL where it is not. */
static const IrValue *log_sum_exp_of(const IrNode *n, int *axis) {
  if (n->op != IR_ADD) return NULL;
  for (int k = 0; k < 2; k++) {
    const IrNode *log = made_by(n->in[k], IR_LOG), *max;
    const IrNode *sum = log ? made_by(log->in[0], IR_REDUCE_SUM) : NULL;
    const IrNode *exp = sum ? made_by(sum->in[0], IR_EXP) : NULL;
    const IrNode *sub = exp ? made_by(exp->in[0], IR_SUB) : NULL;
    const IrValue *finite;
    if (!sub || !(max = maximum_in(n->in[1 - k], &finite))) continue;
    const IrNode *reshape = made_by(sub->in[1], IR_RESHAPE);
    bool same = max->in[0] == sub->in[0] && max->attr.axis_count == 1 &&
                sum->attr.axis_count == 1 && max->attr.axes[0] == sum->attr.axes[0];
    if (!same || !reshape || reshape->in[0] != finite ||
        !keeps_axes(max->out[0], &reshape->out[0]->type))
      continue;
    *axis = max->attr.axes[0];
    return sub->in[0];
  }
  return NULL;
}

/* ---- all nodes ---- */

static bool is_sum_of_exponentials(Forms *f, const IrNode *n, LinearForm *form, bool *done) {
  int axis;
  const IrValue *v = f->linearity == log_linearity ? log_sum_exp_of(n, &axis) : NULL;
  *done = v != NULL;
  return v && f->linear[v->id] && sum_columns(f, v, axis, &form->factor);
}

static bool form_of_node(Forms *f, const IrNode *n, LinearForm *form) {
  enum { MOST_OPERANDS = 64 };
  Lifted factor[MOST_OPERANDS], offset[MOST_OPERANDS];
  bool linear[MOST_OPERANDS], done;
  int open = 0, along = -1;
  if (is_sum_of_exponentials(f, n, form, &done) || done) return form->factor.value != NULL;
  if (n->in_count > MOST_OPERANDS || !may_be_linear(f, n)) return false;
  if (f->type && !ir_types_equal(&n->out[0]->type, f->type)) return false;
  if (f->type && !ir_op_elementwise(n->op)) return false;
  for (int k = 0; k < n->in_count; k++) {
    if (!is_open(f, n->in[k])) continue;
    if (!f->linear[n->in[k]->id]) return false;
    open++;
    if (f->axis[n->in[k]->id]) along = k;
  }
  bool kept = along >= 0 && open == 1 && keep_columns(f, n, along, &form->factor);
  if (along >= 0 && !kept) f->axis[n->out[0]->id] = 0;
  const Linearity *l = &f->linearity[n->op];
  for (int k = 0; k < n->in_count; k++) {
    linear[k] = is_open(f, n->in[k]) || (l->together && (k < 32 ? l->operands >> k & 1 : true));
    if (is_open(f, n->in[k])) {
      if (!kept && !spread_columns(f, n->in[k])) return false;
      factor[k] = f->form[n->in[k]->id].factor;
      offset[k] = f->form[n->in[k]->id].offset;
      continue;
    }
    Lifted x = iterations_lift(f->t, n->in[k]);
    if (!x.value) return false;
    offset[k] = with_columns(f, x);
    factor[k] = linear[k] ? (Lifted){NULL, false} : offset[k];
  }
  return (kept || combine(f, n, factor, linear, &form->factor)) &&
         combine(f, n, offset, linear, &form->offset);
}

/* The forms of what v is computed from, and its own. */
static bool find_form(Forms *f, const IrValue *v, LinearForm *form) {
  const IrFunction *body = f->t->body;
  bool *needed = ARENA_ARRAY(f->t->b->module->arena, bool, (size_t)body->value_count + 1);
  needed[v->id] = true;
  mark_live(body, needed);
  for (int i = 0; i < body->node_count && !f->linear[v->id]; i++) {
    const IrNode *n = body->nodes[i];
    const IrValue *out = n->out_count == 1 ? n->out[0] : NULL;
    if (!out || !needed[out->id] || f->linear[out->id] || !iterations_open(f->t, out)) continue;
    f->linear[out->id] = form_of_node(f, n, &f->form[out->id]);
  }
  *form = f->form[v->id];
  return f->linear[v->id];
}

static void set_seed(Forms *f, const IrValue *v, IrValue *factor, bool stacked) {
  f->linear[v->id] = true;
  f->form[v->id].factor = (Lifted){factor, stacked};
}

bool linear_elementwise(Iterations *t, const IrValue *v, const IrValue *seed, LinearForm *form) {
  Forms f = forms_new(t, 0, &seed->type);
  set_seed(&f, seed, ir_f64(t->b, 1), false);
  return find_form(&f, v, form);
}

/* ---- columns ---- */

static int own_count(const IrType *t) {
  int64_t n = 1;
  for (int k = t->rank > 0 && t->dim[0] == IR_DYNAMIC ? 1 : 0; k < t->rank; k++) n *= t->dim[k];
  return n > 64 ? 0 : (int)n;
}

int linear_columns(const Iterations *t, uint64_t seeds) {
  int columns = 0;
  bool open = false, closed = false;
  for (int k = 0; k < t->carried; k++) {
    const IrType *type = &iterations_param(t, k)->type;
    if (!(seeds >> k & 1)) continue;
    bool lead = has_open_lead(type);
    open |= lead;
    closed |= !lead;
    if (type->dtype != IR_F64 || (!lead && ir_type_count(type) < 0) || !own_count(type)) return 0;
    columns += own_count(type);
  }
  return open && closed ? 0 : columns;
}

/* Column `first` + j is 1 at element j, and the others are zeros. */
static IrValue *unit_columns(const Forms *f, int k, int first) {
  IrBuilder *b = f->t->b;
  const IrType *own = &iterations_param(f->t, k)->type;
  int64_t dim[IR_MAX_RANK] = {f->columns, 1};
  IrValue *dims[IR_MAX_RANK];
  for (int a = 0; a < own->rank; a++) dim[2 + a] = own->dim[a] == IR_DYNAMIC ? 1 : own->dim[a];
  IrTensor *t = ir_tensor_new(b->module->arena, ir_type(IR_F64, own->rank + 2, dim));
  int count = own_count(own);
  for (int j = 0; j < count; j++) t->data.f64[(first + j) * count + j] = 1;
  for (int a = 0; a < own->rank + 2; a++)
    dims[a] = a > 1 ? ir_dim(b, iterations_initial(f->t, k), a - 2) : ir_i64(b, dim[a]);
  return ir_broadcast(b, ir_constant(b, t), dims, own->rank + 2);
}

/* The one axis of carried value k along which its elements lie, counted from 1; else 0. */
static int only_axis(const Iterations *t, uint64_t seeds) {
  int axis = 0;
  const IrType *own = NULL;
  for (int k = 0; k < t->carried; k++) {
    if (!(seeds >> k & 1)) continue;
    if (own) return 0;
    own = &iterations_param(t, k)->type;
  }
  for (int a = 0; own && a < own->rank; a++) {
    if (own->dim[a] == 1 || (a == 0 && own->dim[a] == IR_DYNAMIC)) continue;
    if (axis) return 0;
    axis = a + 1;
  }
  return axis;
}

static void seed_columns(Forms *f, uint64_t seeds, double one) {
  int first = 0, axis = only_axis(f->t, seeds);
  for (int k = 0; k < f->t->carried; k++) {
    const IrValue *seed = iterations_param(f->t, k);
    if (!(seeds >> k & 1)) continue;
    if (axis)
      set_seed(f, seed, ir_f64(f->t->b, one), false);
    else
      set_seed(f, seed, unit_columns(f, k, first), true);
    f->axis[seed->id] = axis;
    first += own_count(&seed->type);
  }
}

bool linear_general(Iterations *t, const IrValue *v, uint64_t seeds, int columns,
                    LinearForm *form) {
  Forms f = forms_new(t, columns, NULL);
  seed_columns(&f, seeds, 1);
  if (!find_form(&f, v, form) || !spread_columns(&f, v)) return false;
  *form = f.form[v->id];
  return true;
}

bool log_linear(Iterations *t, const IrValue *v, int k, int columns, LinearForm *form) {
  Forms f = forms_new(t, columns, NULL);
  uint64_t seeds = UINT64_C(1) << k;
  if (!only_axis(t, seeds)) return false;
  f.linearity = log_linearity;
  seed_columns(&f, seeds, 0);
  return find_form(&f, v, form) && !f.axis[v->id];
}
