/* Reading values as linear forms: what moves elements moves factors and places, found out by moving
 * the elements' numbers; sums, products with constants and matrix products with constants combine
 * them; anything else is a table. */
#include "ir/design_form.h"

#include "ir/eval.h"

#include <math.h>
#include <string.h>

enum {
  MOST_TERMS = 256,
  MOST_FACTORS = 1 << 25 /* of all terms of a form together */
};

/* Elements of an operand beyond which it is not worked out. */
static const int64_t LARGE = 1 << 25;

FormSource form_source(IrBuilder *b, const IrFunction *f, IrValue *const *map) {
  Arena *a = b->module->arena;
  return (FormSource){
      .b = b, .map = map, .known = ARENA_ARRAY(a, const IrTensor *, (size_t)f->value_count + 1)};
}

static Arena *arena_of(const FormSource *s) { return s->b->module->arena; }

/* ---- constants ---- */

/* What stands in the table for values that are known not to be constant. */
static const IrTensor unknown;

static const IrTensor *evaluated(FormSource *s, const IrValue *v) {
  const IrNode *n = v->node;
  int64_t count = ir_type_count(&v->type);
  if (!n || n->out_count != 1 || n->body[0] || n->op == IR_CONST || count < 0 || count > LARGE)
    return NULL;
  const IrTensor **in = ARENA_ARRAY(arena_of(s), const IrTensor *, (size_t)n->in_count + 1);
  for (int k = 0; k < n->in_count; k++)
    if (!(in[k] = form_known(s, n->in[k]))) return NULL;
  IrTensor *out;
  return ir_eval_op(arena_of(s), n->op, &n->attr, in, n->in_count, &out) ? NULL : out;
}

const IrTensor *form_known(FormSource *s, const IrValue *v) {
  if (v->constant) return v->constant;
  const IrTensor **known = &s->known[v->id];
  if (!*known) {
    const IrTensor *t = evaluated(s, v);
    *known = t ? t : &unknown;
  }
  return *known == &unknown ? NULL : *known;
}

/* ---- forms ---- */

static bool add_term(FormSource *s, DesignForm *f, DesignTerm t) {
  if (f->term_count == MOST_TERMS || (f->term_count + 1) * f->count > MOST_FACTORS) return false;
  ARENA_PUSH(arena_of(s), f->terms, f->term_count, f->capacity, t);
  return true;
}

static bool add_terms(FormSource *s, DesignForm *f, const DesignForm *g) {
  for (int k = 0; k < g->term_count; k++)
    if (!add_term(s, f, g->terms[k])) return false;
  return true;
}

static double *new_factors(const FormSource *s, int64_t count) {
  return ARENA_ARRAY(arena_of(s), double, (size_t)count + 1);
}

static bool constant_form(FormSource *s, const IrTensor *t, DesignForm *out) {
  for (int64_t n = 0; n < t->count; n++)
    if (!isfinite(t->data.f64[n])) return false;
  return add_term(s, out, (DesignTerm){.factor = t->data.f64});
}

static int64_t *numbers(const FormSource *s, int64_t count) {
  int64_t *p = ARENA_ARRAY(arena_of(s), int64_t, (size_t)count + 1);
  for (int64_t n = 0; n < count; n++) p[n] = n;
  return p;
}

static bool table_form(FormSource *s, const IrValue *v, DesignForm *out) {
  IrValue *table = s->map[v->id];
  if (!table || out->count > s->largest) return false;
  double *ones = new_factors(s, out->count);
  for (int64_t n = 0; n < out->count; n++) ones[n] = 1;
  const int64_t *place = out->count == 1 ? NULL : numbers(s, out->count);
  return add_term(s, out, (DesignTerm){.table = table, .place = place, .factor = ones});
}

/* The elements of g with numbers from[0], from[1], ... */
static bool add_selected(FormSource *s, DesignForm *f, const DesignForm *g, const int64_t *from) {
  for (int k = 0; k < g->term_count; k++) {
    DesignTerm t = g->terms[k];
    double *factor = new_factors(s, f->count);
    int64_t *place = t.place ? ARENA_ARRAY(arena_of(s), int64_t, (size_t)f->count + 1) : NULL;
    for (int64_t n = 0; n < f->count; n++) factor[n] = t.factor[from[n]];
    for (int64_t n = 0; place && n < f->count; n++) place[n] = t.place[from[n]];
    t.factor = factor;
    t.place = place;
    if (!add_term(s, f, t)) return false;
  }
  return true;
}

/* ---- ops that move elements ---- */

/* Which elements of its first operand an op takes, given tensors for the others. */
static const int64_t *taken_from(const FormSource *s, IrOp op, const IrAttr *attr,
                                 const IrType *first, const IrTensor **in, int count) {
  IrType type = *first;
  type.dtype = IR_I64;
  IrTensor *number = ir_tensor_new(arena_of(s), type), *out;
  for (int64_t n = 0; n < number->count; n++) number->data.i64[n] = n;
  in[0] = number;
  return ir_eval_op(arena_of(s), op, attr, in, count, &out) ? NULL : out->data.i64;
}

static bool moved_form(FormSource *s, const IrNode *n, DesignForm *out) {
  const IrTensor **in = ARENA_ARRAY(arena_of(s), const IrTensor *, (size_t)n->in_count + 1);
  for (int k = 1; k < n->in_count; k++)
    if (!(in[k] = form_known(s, n->in[k]))) return table_form(s, n->out[0], out);
  DesignForm x = {0};
  if (!form_of(s, n->in[0], &x)) return false;
  if (n->op == IR_RESHAPE) return add_terms(s, out, &x);
  const int64_t *from = taken_from(s, n->op, &n->attr, &n->in[0]->type, in, n->in_count);
  return from && add_selected(s, out, &x, from);
}

/* ---- elementwise ops ---- */

/* For each element of a result of type `type`, the number of the operand's element; NULL with *same
 * where that is its own number. */
static const int64_t *broadcast_from(const FormSource *s, const IrType *operand, const IrType *type,
                                     bool *same) {
  IrType t = *operand;
  t.dtype = type->dtype;
  *same = ir_type_count(&t) == ir_type_count(type);
  if (*same) return NULL;
  const IrTensor *in[IR_MAX_RANK + 1];
  for (int k = 0; k < type->rank; k++) in[1 + k] = ir_tensor_i64(arena_of(s), type->dim[k]);
  return taken_from(s, IR_BROADCAST, &(IrAttr){0}, operand, in, type->rank + 1);
}

/* The form of operand v, broadcast to the result. */
static bool add_operand(FormSource *s, const IrValue *v, const IrType *type, DesignForm *out) {
  bool same;
  DesignForm x = {0};
  if (!form_of(s, v, &x)) return false;
  const int64_t *from = broadcast_from(s, &v->type, type, &same);
  return same ? add_terms(s, out, &x) : from && add_selected(s, out, &x, from);
}

static void negate(FormSource *s, DesignForm *f, int first) {
  for (int k = first; k < f->term_count; k++) {
    double *factor = new_factors(s, f->count);
    for (int64_t n = 0; n < f->count; n++) factor[n] = -f->terms[k].factor[n];
    f->terms[k].factor = factor;
  }
}

static bool sum_form(FormSource *s, const IrNode *n, DesignForm *out) {
  const IrType *type = &n->out[0]->type;
  if (!add_operand(s, n->in[0], type, out)) return false;
  int first = out->term_count;
  if (n->op == IR_NEG) return negate(s, out, 0), true;
  if (!add_operand(s, n->in[1], type, out)) return false;
  if (n->op == IR_SUB) negate(s, out, first);
  return true;
}

/* f times or divided by constants. */
static bool scale_by_known(FormSource *s, DesignForm *f, const IrNode *n, const IrValue *by,
                           const IrTensor *t) {
  bool same;
  const int64_t *from = broadcast_from(s, &by->type, &n->out[0]->type, &same);
  if (!same && !from) return false;
  for (int k = 0; k < f->term_count; k++) {
    double *factor = new_factors(s, f->count);
    for (int64_t m = 0; m < f->count; m++) {
      double c = t->data.f64[same ? m : from[m]], x = f->terms[k].factor[m];
      factor[m] = n->op == IR_MUL ? x * c : x / c;
      if (!isfinite(c) || !isfinite(factor[m])) return false;
    }
    f->terms[k].factor = factor;
  }
  return true;
}

/* f times or divided by a number that is not known: that of its tables. */
static bool scale_by_number(FormSource *s, DesignForm *f, IrOp op, const IrValue *by) {
  if (!s->map[by->id]) return false;
  IrValue *number = ir_reshape(s->b, s->map[by->id], NULL, 0);
  for (int k = 0; k < f->term_count; k++) {
    IrValue *table = f->terms[k].table;
    f->terms[k].table = ir_binary(s->b, op, table ? table : ir_f64(s->b, 1), number);
  }
  return true;
}

/* Whether v is a product of constants, operand *side, with a number that is not known. */
static bool is_scaled_known(FormSource *s, const IrValue *v, int *side) {
  const IrNode *n = v->node;
  if (!n || n->op != IR_MUL) return false;
  for (*side = 0; *side < 2; ++*side)
    if (form_known(s, n->in[*side]) && ir_type_count(&n->in[1 - *side]->type) == 1) return true;
  return false;
}

/* f times or divided by v. */
static bool scale_by(FormSource *s, DesignForm *f, const IrNode *n, const IrValue *v) {
  int side;
  const IrTensor *t = form_known(s, v);
  if (t) return scale_by_known(s, f, n, v, t);
  if (ir_type_count(&v->type) == 1) return scale_by_number(s, f, n->op, v);
  if (!is_scaled_known(s, v, &side)) return false;
  const IrValue *known = v->node->in[side], *number = v->node->in[1 - side];
  return scale_by_known(s, f, n, known, form_known(s, known)) &&
         scale_by_number(s, f, n->op, number);
}

static bool product_form(FormSource *s, const IrNode *n, DesignForm *out) {
  for (int k = 1; k >= (n->op == IR_MUL ? 0 : 1); k--) {
    int side;
    const IrValue *by = n->in[k];
    if (form_known(s, by) || ir_type_count(&by->type) == 1 || is_scaled_known(s, by, &side))
      return add_operand(s, n->in[1 - k], &n->out[0]->type, out) && scale_by(s, out, n, by);
  }
  return table_form(s, n->out[0], out);
}

/* ---- sums of products ---- */

/* Columns of a product of two matrices, of which one is known. */
typedef struct {
  const double *matrix;
  int64_t rows, inner, columns;
  bool first; /* the matrix stands first */
} Product;

/* What term t of the other operand gives to the product by way of number k of the inner axis. */
static DesignTerm product_term(const FormSource *s, const Product *p, const DesignTerm *t,
                               int64_t k) {
  int64_t count = p->rows * p->columns;
  double *factor = new_factors(s, count);
  int64_t *place = ARENA_ARRAY(arena_of(s), int64_t, (size_t)count + 1);
  bool one_place = true;
  for (int64_t i = 0, n = 0; i < p->rows; i++)
    for (int64_t j = 0; j < p->columns; j++, n++) {
      int64_t left = i * p->inner + k, right = k * p->columns + j, other = p->first ? right : left;
      factor[n] = p->matrix[p->first ? left : right] * t->factor[other];
      place[n] = t->place ? t->place[other] : t->at;
      one_place &= place[n] == place[0];
    }
  DesignTerm out = {t->table, one_place ? NULL : place, count ? place[0] : 0, factor};
  return out;
}

static bool finite_factors(const DesignForm *f) {
  for (int k = 0; k < f->term_count; k++)
    for (int64_t n = 0; n < f->count; n++)
      if (!isfinite(f->terms[k].factor[n])) return false;
  return true;
}

static bool matmul_form(FormSource *s, const IrNode *n, DesignForm *out) {
  const IrType *x = &n->in[0]->type, *y = &n->in[1]->type;
  const IrTensor *left = form_known(s, n->in[0]), *right = form_known(s, n->in[1]),
                 *matrix = left ? left : right;
  DesignForm form = {0};
  if (x->rank != 2 || y->rank != 2 || !matrix || x->dim[1] > MOST_TERMS)
    return table_form(s, n->out[0], out);
  if (!form_of(s, n->in[left ? 1 : 0], &form)) return false;
  Product p = {matrix->data.f64, x->dim[0], x->dim[1], y->dim[1], left != NULL};
  for (int t = 0; t < form.term_count; t++)
    for (int64_t k = 0; k < p.inner; k++) {
      if ((out->term_count + 1) * out->count > MOST_FACTORS ||
          !add_term(s, out, product_term(s, &p, &form.terms[t], k)))
        return false;
    }
  return finite_factors(out);
}

/* A sum along one axis. */
static bool reduced_form(FormSource *s, const IrNode *n, DesignForm *out) {
  const IrType *x = &n->in[0]->type;
  int axis = n->attr.axes[0];
  int64_t length = x->dim[axis], inner = 1;
  if (n->attr.axis_count != 1 || length > MOST_TERMS) return table_form(s, n->out[0], out);
  for (int k = axis + 1; k < x->rank; k++) inner *= x->dim[k];
  DesignForm f = {0};
  if (!form_of(s, n->in[0], &f)) return false;
  int64_t *from = ARENA_ARRAY(arena_of(s), int64_t, (size_t)out->count + 1);
  for (int64_t k = 0; k < length; k++) {
    for (int64_t m = 0; m < out->count; m++) from[m] = (m / inner * length + k) * inner + m % inner;
    if (!add_selected(s, out, &f, from)) return false;
  }
  return true;
}

/* ---- any value ---- */

bool form_of(FormSource *s, const IrValue *v, DesignForm *out) {
  *out = (DesignForm){.count = ir_type_count(&v->type)};
  if (v->type.dtype != IR_F64 || out->count < 0) return false;
  const IrTensor *t = form_known(s, v);
  if (t) return constant_form(s, t, out);
  const IrNode *n = v->node;
  if (!n || out->count <= s->leaf) return table_form(s, v, out);
  switch (n->op) {
  case IR_ADD:
  case IR_SUB:
  case IR_NEG: return sum_form(s, n, out);
  case IR_MUL:
  case IR_DIV: return product_form(s, n, out);
  case IR_RESHAPE:
  case IR_BROADCAST:
  case IR_TRANSPOSE:
  case IR_SLICE:
  case IR_REVERSE:
  case IR_GATHER: return moved_form(s, n, out);
  case IR_MATMUL: return matmul_form(s, n, out);
  case IR_REDUCE_SUM: return reduced_form(s, n, out);
  default: return table_form(s, v, out);
  }
}
