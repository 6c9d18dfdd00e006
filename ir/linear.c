/* Sums of many terms, rebuilt as a whole: a term that appears more than once gets one factor, terms
 * with a common factor share its multiplication, and terms of few elements are added up before they
 * meet larger ones.
 *
 * Such sums grow term by term in the log density of a model and in the cotangents of what is used
 * often. Among reals, terms that might cancel stay as they are, except in what differentiation
 * made and plain multiples of one value. Sums in exact formulas are left alone: they live on the
 * rounding between their terms. */
#include "ir/linear.h"

#include "ir/algebra.h"

#include <math.h>

enum { MOST_TERMS = 512, MOST_CLASSES = 8 };

typedef struct {
  IrValue *value; /* in the builder */
  double factor;
  int group; /* terms of one shape */
} Term;

/* Terms of one shape, which may be that of the sum without its axes of size 1. */
typedef struct {
  IrType type;
  const IrNode *reshape; /* what gives them the shape of the sum, or NULL */
} Class;

typedef struct {
  const LinearSource *source;
  IrBuilder *b;
  const IrNode *root;
  Term *terms;
  int term_count, term_capacity;
  PointerMap index; /* values to their terms, counted from 1 */
  Class classes[MOST_CLASSES];
  int class_count;
  double constant;
  bool has_constant;
  int nodes;   /* that the sum has now */
  int large;   /* those of them that make as many elements as the sum has */
  bool failed; /* terms might cancel, or there are too many */
} Sum;

/* ---- taking apart ---- */

static bool may_meet(const Sum *s, double x, double y) {
  return x * y > 0 || s->root->adjoint || x == 0;
}

/* Multiples that no compensated formula is made of: those take numbers once or, to halve their
 * digits, 2^27 + 1 times. The logarithm of a scale has them: what n numbers subtract of it meets
 * what a change of variables adds. */
static bool is_plain_multiple(double factor) { return fabs(factor) >= 2 && fabs(factor) < 0x1p26; }

static bool may_cancel(const IrValue *v, double x, double y) {
  return (is_plain_multiple(x) || is_plain_multiple(y)) && fabs(x) < 0x1p26 && fabs(y) < 0x1p26 &&
         (v->facts & IR_FINITE);
}

static int class_of(Sum *s, const IrValue *v, const IrNode *reshape) {
  for (int k = 0; k < s->class_count; k++) {
    const Class *c = &s->classes[k];
    if ((c->reshape != NULL) == (reshape != NULL) && ir_types_equal(&c->type, &v->type)) return k;
  }
  if (s->class_count == MOST_CLASSES) {
    s->failed = true;
    return 0;
  }
  s->classes[s->class_count] = (Class){v->type, reshape};
  return s->class_count++;
}

static void add_constant(Sum *s, double x) {
  if (!may_meet(s, s->constant, x)) s->failed = true;
  s->constant += x;
  s->has_constant = true;
}

static int wide_axes(const IrType *t) {
  int count = 0;
  for (int k = 0; k < t->rank; k++) count += t->dim[k] != 1;
  return count;
}

static void add_term(Sum *s, const IrValue *old, double factor, const IrNode *reshape) {
  Arena *a = s->b->module->arena;
  IrValue *v = linear_mapped(s->source, old);
  double x;
  if (v->type.rank == 0 && is_splat(v, &x)) {
    add_constant(s, factor * x);
    return;
  }
  if (reshape && wide_axes(&v->type) != wide_axes(&s->root->out[0]->type)) {
    if (v->type.rank) s->failed = true; /* it is repeated before it is reshaped */
    reshape = NULL;
  }
  size_t at = (size_t)(uintptr_t)pointer_map_get(&s->index, v);
  if (at) {
    Term *t = &s->terms[at - 1];
    if (!may_meet(s, t->factor, factor) && !may_cancel(v, t->factor, factor)) s->failed = true;
    t->factor += factor;
    return;
  }
  if (s->term_count == MOST_TERMS) s->failed = true;
  if (s->failed) return;
  ARENA_PUSH(a, s->terms, s->term_count, s->term_capacity,
             ((Term){v, factor, class_of(s, v, reshape)}));
  pointer_map_set(&s->index, a, v, (void *)(uintptr_t)s->term_count);
}

static bool is_factor(const IrValue *v, double *c) {
  return v->constant && v->uniform && v->type.rank == 0 && is_splat(v, c) && isnormal(*c);
}

/* Whether the reshape of one number per instance of a batch can be looked through. */
static bool is_plain_reshape(const IrNode *n) {
  int source[IR_MAX_RANK];
  return wide_axes(&n->out[0]->type) <= 1 && node_is_unit_reshape(n, source);
}

static void take_apart(Sum *s, const IrValue *v, double factor, const IrNode *reshape) {
  const IrNode *n = v->node;
  double c;
  bool here = !s->source->live || s->source->live[v->id];
  bool inner = n && here && !n->exact && n->out[0] == v && v->type.dtype == IR_F64 &&
               (n == s->root || (linear_uses(s->source, v) == 1 && n->adjoint == s->root->adjoint));
  /* parts that are repeated along axes of the sum are terms of their own */
  if (inner && n != s->root && !reshape && !covers(&v->type, &s->root->out[0]->type)) inner = false;
  IrOp op = inner ? n->op : IR_CONST;
  bool scaled = op == IR_MUL && is_factor(n->in[1], &c);
  if (s->nodes > MOST_TERMS) s->failed = true; /* which bounds the recursion too */
  if (s->failed) return;
  if (op == IR_ADD || op == IR_SUB || op == IR_NEG || scaled) {
    s->nodes++;
    s->large += !reshape && covers(&v->type, &s->root->out[0]->type);
  }
  if (op == IR_ADD || op == IR_SUB) {
    take_apart(s, n->in[0], factor, reshape);
    take_apart(s, n->in[1], op == IR_ADD ? factor : -factor, reshape);
  } else if (op == IR_NEG) {
    take_apart(s, n->in[0], -factor, reshape);
  } else if (scaled) {
    take_apart(s, n->in[0], factor * c, reshape);
  } else if (op == IR_RESHAPE && is_plain_reshape(n)) {
    s->nodes++;
    take_apart(s, n->in[0], factor, reshape ? reshape : n);
  } else {
    add_term(s, v, factor, reshape);
  }
}

/* ---- putting together ---- */

static IrValue *plus(IrBuilder *b, IrValue *sum, IrValue *v, bool minus) {
  if (!sum) return minus ? ir_unary(b, IR_NEG, v) : v;
  return ir_binary(b, minus ? IR_SUB : IR_ADD, sum, v);
}

/* The terms of a class whose factor is c or -c, without it. *minus: all are negative, and that is
 * left out too. */
static IrValue *sum_of_factor(const Sum *s, int class, double c, bool *minus) {
  IrValue *sum = NULL;
  bool positive = false;
  for (int k = 0; k < s->term_count; k++)
    positive |= s->terms[k].group == class && s->terms[k].factor == c;
  *minus = !positive;
  for (int pass = 0; pass < 2; pass++)
    for (int k = 0; k < s->term_count; k++) {
      const Term *t = &s->terms[k];
      bool negative = t->factor < 0;
      if (t->group == class && fabs(t->factor) == c && negative == (pass == (positive ? 1 : 0)))
        sum = plus(s->b, sum, t->value, positive && negative);
    }
  return sum;
}

static bool is_first_of_factor(const Sum *s, int k) {
  for (int j = 0; j < k; j++)
    if (s->terms[j].group == s->terms[k].group &&
        fabs(s->terms[j].factor) == fabs(s->terms[k].factor))
      return false;
  return s->terms[k].factor != 0;
}

static IrValue *sum_of_class(const Sum *s, int class) {
  IrValue *sum = NULL;
  for (int pass = 0; pass < 2; pass++) /* what is negative is subtracted in the end */
    for (int k = 0; k < s->term_count; k++) {
      bool minus;
      double c = fabs(s->terms[k].factor);
      if (s->terms[k].group != class || !is_first_of_factor(s, k)) continue;
      bool any = false;
      for (int j = 0; j < s->term_count; j++)
        any |= s->terms[j].group == class && s->terms[j].factor == c;
      if (any != (pass == 0)) continue;
      IrValue *part = sum_of_factor(s, class, c, &minus);
      if (c != 1) {
        part = ir_binary(s->b, IR_MUL, part, ir_f64(s->b, minus ? -c : c));
        minus = false;
      }
      sum = plus(s->b, sum, part, minus);
    }
  const IrNode *n = s->classes[class].reshape;
  if (!n || !sum) return sum;
  IrValue *sizes[IR_MAX_RANK];
  for (int k = 1; k < n->in_count; k++) sizes[k - 1] = linear_mapped(s->source, n->in[k]);
  return ir_reshape(s->b, sum, sizes, n->in_count - 1);
}

static bool is_large(const Sum *s, int class) {
  const Class *c = &s->classes[class];
  return !c->reshape && covers(&c->type, &s->root->out[0]->type);
}

/* How many nodes putting together makes, and how many large ones among them. */
static int cost(const Sum *s, int *large) {
  bool others = s->has_constant && s->constant != 0;
  int total = 0, parts = others;
  *large = -1;
  for (int k = 0; k < s->class_count; k++) total += s->classes[k].reshape != NULL;
  for (int k = 0; k < s->term_count; k++) {
    if (s->terms[k].factor == 0) continue;
    bool scaled = is_first_of_factor(s, k) && fabs(s->terms[k].factor) != 1;
    parts++;
    total += scaled;
    if (is_large(s, s->terms[k].group))
      *large += 1 + scaled;
    else
      others = true;
  }
  *large += others;
  return total + (parts ? parts - 1 : 0);
}

static bool is_better(const Sum *s) {
  int large, nodes = cost(s, &large);
  return nodes < s->nodes || (nodes == s->nodes && large < s->large);
}

static IrValue *put_together(const Sum *s) {
  IrValue *sum = NULL;
  const IrType *full = &s->root->out[0]->type;
  for (int whole = 0; whole < 2; whole++) { /* what is as large as the sum comes last */
    for (int k = 0; k < s->class_count; k++) {
      IrValue *part = is_large(s, k) == (whole == 1) ? sum_of_class(s, k) : NULL;
      if (part) sum = plus(s->b, sum, part, false);
    }
    if (whole == 0 && s->has_constant && s->constant != 0)
      sum = plus(s->b, sum, ir_f64(s->b, s->constant), false);
  }
  return sum && covers(&sum->type, full) ? sum : NULL;
}

IrValue *linear_rebuild(IrBuilder *b, const IrNode *root, const LinearSource *source) {
  if (root->exact) return NULL;
  Sum s = {.source = source, .b = b, .root = root};
  take_apart(&s, root->out[0], 1, NULL);
  return s.failed || s.term_count < 2 || !is_better(&s) ? NULL : put_together(&s);
}
