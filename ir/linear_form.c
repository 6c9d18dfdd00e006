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

/* A search for the forms of values. */
typedef struct {
  Iterations *t;
  int columns;        /* 0: elementwise, */
  const IrType *type; /* of the seed then; else NULL */
  LinearForm *form;   /* by value id */
  bool *linear;       /* by value id: those that have one */
} Forms;

static Forms forms_new(Iterations *t, int columns, const IrType *type) {
  Arena *a = t->b->module->arena;
  size_t n = (size_t)t->body->value_count + 1;
  return (Forms){t, columns, type, ARENA_ARRAY(a, LinearForm, n), ARENA_ARRAY(a, bool, n)};
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
  const Linearity *l = &linearity[n->op];
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
static bool in_full(const Forms *f, const IrValue *v, Lifted *x) {
  IrBuilder *b = f->t->b;
  IrValue *dims[IR_MAX_RANK];
  int lead = x->value && x->stacked ? levels(f) : 0;
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
static Lifted apply_op(const Forms *f, const IrNode *n, const Lifted *x) {
  enum { MOST_OPERANDS = 64 };
  IrValue *in[MOST_OPERANDS];
  bool batched[MOST_OPERANDS];
  Lifted out = {NULL, false};
  for (int k = 0; k < n->in_count; k++) {
    in[k] = x[k].value;
    batched[k] = x[k].stacked;
    out.stacked |= batched[k];
  }
  int axis = n->attr.axes[0] + (out.stacked ? levels(f) : 0);
  if (n->op == IR_REDUCE_SUM && n->attr.axis_count == 1 && in[0]->type.dim[axis] > 0 &&
      in[0]->type.dim[axis] <= MOST_PARTS)
    out.value = sum_of_parts(f->t->b, in[0], axis);
  else
    out.value = ir_emit_batched(f->t->b, n->op, n->attr, in, n->in_count, batched, levels(f));
  return out;
}

/* Sums and differences, of which zeros are no part. */
static bool add_parts(const Forms *f, const IrNode *n, Lifted *x, Lifted *out) {
  if (f->columns)
    for (int k = 0; k < 2; k++)
      if (x[k].value && !in_full(f, n->out[0], &x[k])) return false;
  if (!x[1].value)
    *out = x[0];
  else if (x[0].value)
    *out = apply_op(f, n, x);
  else if (n->op == IR_ADD)
    *out = x[1];
  else
    *out = (Lifted){ir_unary(f->t->b, IR_NEG, x[1].value), x[1].stacked};
  return true;
}

/* The factor, or the offset, of n from those of its operands. */
static bool combine(const Forms *f, const IrNode *n, Lifted *x, const bool *linear, Lifted *out) {
  bool zero = true, together = linearity[n->op].together;
  for (int k = 0; k < n->in_count; k++) zero &= !linear[k] || !x[k].value;
  *out = (Lifted){NULL, false};
  if (zero) return true;
  if (n->op == IR_ADD || n->op == IR_SUB) return add_parts(f, n, x, out);
  for (int k = 0; k < n->in_count && together; k++) {
    if (!linear[k]) continue;
    if (n->op == IR_SELECT && !f->columns && !x[k].value) x[k].value = ir_f64(f->t->b, 0);
    if ((n->op != IR_SELECT || f->columns) && !in_full(f, n->in[k], &x[k])) return false;
  }
  *out = apply_op(f, n, x);
  return out->value != NULL;
}

static bool form_of_node(Forms *f, const IrNode *n, LinearForm *form) {
  enum { MOST_OPERANDS = 64 };
  Lifted factor[MOST_OPERANDS], offset[MOST_OPERANDS];
  bool linear[MOST_OPERANDS];
  if (n->in_count > MOST_OPERANDS || !may_be_linear(f, n)) return false;
  if (f->type && !ir_types_equal(&n->out[0]->type, f->type)) return false;
  if (f->type && !ir_op_elementwise(n->op)) return false;
  const Linearity *l = &linearity[n->op];
  for (int k = 0; k < n->in_count; k++) {
    bool open = is_open(f, n->in[k]);
    linear[k] = open || (l->together && (k < 32 ? l->operands >> k & 1 : true));
    if (open) {
      if (!f->linear[n->in[k]->id]) return false;
      factor[k] = f->form[n->in[k]->id].factor;
      offset[k] = f->form[n->in[k]->id].offset;
      continue;
    }
    Lifted x = iterations_lift(f->t, n->in[k]);
    if (!x.value) return false;
    offset[k] = with_columns(f, x);
    factor[k] = linear[k] ? (Lifted){NULL, false} : offset[k];
  }
  return combine(f, n, factor, linear, &form->factor) &&
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

bool linear_general(Iterations *t, const IrValue *v, uint64_t seeds, int columns,
                    LinearForm *form) {
  Forms f = forms_new(t, columns, NULL);
  int first = 0;
  for (int k = 0; k < t->carried; k++) {
    const IrValue *seed = iterations_param(t, k);
    if (!(seeds >> k & 1)) continue;
    set_seed(&f, seed, unit_columns(&f, k, first), true);
    first += own_count(&seed->type);
  }
  return find_form(&f, v, form);
}
