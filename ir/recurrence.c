/* Loops that carry linear functions of what they carry, without. What is carried is computed for
 * all iterations by a scan (scan.c), and given to the loop as what is scanned: nothing else keeps
 * its body in it.
 *
 * A square root of something linear in the square is carried as its square, and a logarithm as what
 * it is of. Compositions may overflow where the loop would not, and square roots of negative
 * numbers must stay NaN: unless all states are finite, the loop runs as it was. */
#include "ir/iterations.h"
#include "ir/scan.h"

#include "ir/copy.h"
#include "ir/changes.h"
#include "ir/extent.h"
#include "ir/grad.h"

#include <math.h>

enum {
  FEWEST_TRIPS = 12,
  MOST_CARRIED = 64, /* bits of a set */
  MOST_STATES = 4,   /* elements of a state that is a vector */
  MOST_NODES = 1000  /* of a body */
};
static const int64_t MOST_ELEMENTS = 1 << 22;

/* A recurrence that was found: states of which carried values are made. */
typedef struct {
  uint64_t members;     /* carried values, by bit */
  const IrValue *inner; /* what is carried in place of the one member, of the body; or NULL */
  IrOp outer;           /* then the op that gives the member */
  const IrValue *seed;  /* and the value in which it is linear: the member's inverse image */
} Recurrence;

/* What iterations make of carried value k. */
typedef struct {
  IrValue *ends;          /* [n, ...], after each iteration */
  IrValue *begins, *last; /* before each, and after all */
  const IrValue *inner;   /* of the body, or NULL */
  IrValue *inner_ends;    /* the stack of it */
} Trajectory;

typedef struct {
  Iterations t;
  LoopLayout layout;
  Trajectory *found; /* by carried value */
} Rewrite;

/* ---- finding recurrences ---- */

/* The carried values that k depends on, itself apart unless it does. */
static uint64_t closure(const Iterations *t, int k) {
  uint64_t set = iterations_open(t, iterations_result(t, k)), before;
  do {
    before = set;
    for (int j = 0; j < t->carried; j++)
      if (set >> j & 1) set |= iterations_open(t, iterations_result(t, j));
  } while (set != before);
  return set;
}

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

/* v with axes of size 1 put before its own, which are behind the iterations'. */
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

/* The states of x' = factor x + offset, for each element by itself. */
static IrValue *states_elementwise(Iterations *t, const LinearForm *form, IrValue *x0,
                                   bool *certain) {
  IrBuilder *b = t->b;
  Lifted offset = form->offset.value ? form->offset : (Lifted){ir_f64(b, 0), false};
  IrValue *all = in_all(t, aligned(b, offset, x0->type.rank), x0);
  *certain = is_one(&form->factor);
  if (*certain) return sums(t, all, x0);
  Scan s = {.b = b, .reverse = t->loop->attr.reverse, .count = t->count};
  AffineMaps maps = {aligned(b, form->factor, x0->type.rank), all};
  return scan_affine(&s, maps, ir_unsqueeze(b, x0, 0));
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
  if (n->op == IR_MUL) return ir_binary(b, IR_MUL, x, x);
  if (n->op == IR_POW) return ir_binary(b, IR_MUL, x, x);
  return ir_unary(b, n->op, x);
}

/* ---- vectors ---- */

static IrValue *permuted(IrBuilder *b, IrValue *v, const int8_t *order) {
  return ir_transpose(b, v, order);
}

/* The number of elements of carried value k for each of the leading axis that is not known. */
static IrValue *own_elements(const Iterations *t, int k, bool *lead) {
  const IrType *own = &iterations_param(t, k)->type;
  int64_t n = 1;
  *lead = own->rank > 0 && own->dim[0] == IR_DYNAMIC;
  for (int a = *lead ? 1 : 0; a < own->rank; a++) n *= own->dim[a];
  return ir_i64(t->b, n);
}

/* Part of the matrices with vectors: rows of carried value k, from its form. */
static IrValue *map_rows(Iterations *t, int k, const LinearForm *form, int columns) {
  IrBuilder *b = t->b;
  bool lead;
  IrValue *own = own_elements(t, k, &lead), *x0 = iterations_initial(t, k), *parts[2];
  Lifted forms[2] = {form->factor, form->offset};
  for (int j = 0; j < 2; j++) {
    IrValue *dims[IR_MAX_RANK] = {ir_i64(b, j ? 1 : columns), t->count};
    Lifted x = forms[j].value ? forms[j] : (Lifted){ir_f64(b, 0), false};
    int rank = x0->type.rank;
    for (int a = 0; a < rank; a++) dims[2 + a] = ir_dim(b, x0, a);
    IrValue *v = x.value;
    if (x.stacked) { /* axes of size 1 where its own are fewer */
      IrValue *with[IR_MAX_RANK] = {ir_dim(b, v, 0), ir_dim(b, v, 1)};
      int count = 2, missing = rank + 2 - v->type.rank;
      while (missing-- > 0) with[count++] = ir_i64(b, 1);
      for (int a = 2; a < v->type.rank; a++) with[count++] = ir_dim(b, v, a);
      v = ir_reshape(b, v, with, count);
    }
    v = ir_broadcast(b, v, dims, rank + 2);
    IrValue *flat[] = {dims[0], t->count, lead ? ir_dim(b, x0, 0) : ir_i64(b, 1), own};
    parts[j] = permuted(b, ir_reshape(b, v, flat, 4), (int8_t[]){3, 0, 1, 2});
  }
  return ir_concat(b, parts, 2, 1);
}

/* Carried value k as a state [K, 1, lead], and back from [K, n, lead]. */
static IrValue *to_state(Iterations *t, int k) {
  IrBuilder *b = t->b;
  bool lead;
  IrValue *own = own_elements(t, k, &lead), *x0 = iterations_initial(t, k);
  IrValue *dims[] = {ir_i64(b, 1), lead ? ir_dim(b, x0, 0) : ir_i64(b, 1), own};
  return permuted(b, ir_reshape(b, x0, dims, 3), (int8_t[]){2, 0, 1});
}

static IrValue *from_states(Iterations *t, int k, IrValue *rows) {
  IrBuilder *b = t->b;
  IrValue *x0 = iterations_initial(t, k), *dims[IR_MAX_RANK] = {t->count};
  for (int a = 0; a < x0->type.rank; a++) dims[1 + a] = ir_dim(b, x0, a);
  return ir_reshape(b, permuted(b, rows, (int8_t[]){1, 2, 0}), dims, x0->type.rank + 1);
}

/* ---- the loop as it was ---- */

/* The body's nodes, with what `map` has already left out. */
static void copy_rest(IrBuilder *b, const IrFunction *f, IrValue **map) {
  for (int i = 0; i < f->node_count; i++) {
    const IrNode *n = f->nodes[i];
    bool there = n->out_count > 0;
    for (int k = 0; k < n->out_count; k++) there &= map[n->out[k]->id] != NULL;
    if (there) continue;
    const IrScope *scope = ir_set_scope(b, n->scope);
    bool adjoint = ir_set_adjoint(b, n->adjoint), exact = ir_set_exact(b, n->exact);
    repeat_node(b, n, map);
    ir_set_scope(b, scope);
    ir_set_adjoint(b, adjoint);
    ir_set_exact(b, exact);
  }
}

/* The body's parameters in `inner`; carried values are those of `carried`, by bit. */
static IrLoop loop_parameters(Rewrite *w, IrBuilder *inner, uint64_t carried, IrValue **map,
                              IrValue **initial, IrValue **inputs) {
  const IrFunction *f = w->t.body;
  IrValue *const *in = w->t.in;
  IrLoop loop = {.count = w->t.count,
                 .initial = initial,
                 .inputs = inputs,
                 .reverse = w->t.loop->attr.reverse};
  map[f->params[0]->id] = ir_param(inner, ir_scalar(IR_I64), f->param_names[0]);
  for (int k = 0; k < w->t.carried; k++) {
    const IrValue *p = iterations_param(&w->t, k);
    if (!(carried >> k & 1)) continue;
    initial[loop.carried++] = iterations_initial(&w->t, k);
    map[p->id] = ir_param(inner, p->type, NULL);
    map[p->id]->facts = p->facts;
  }
  for (int k = w->layout.scanned; k < w->layout.captures; k++) {
    const IrValue *p = f->params[1 + k - w->layout.initial];
    inputs[loop.scanned++] = in[k];
    map[p->id] = ir_param(inner, p->type, NULL);
    map[p->id]->facts = p->facts;
  }
  return loop;
}

static void bind_captures(const Rewrite *w, IrValue **map) {
  const IrFunction *f = w->t.body;
  for (int k = w->layout.captures; k < w->t.loop->in_count; k++)
    map[f->params[1 + k - w->layout.initial]->id] = w->t.in[k];
}

/* In `b`: the loop for the members alone, which stacks them as iterations end, and what is carried
 * in their place. */
static int original_states(Rewrite *w, IrBuilder *b, const Recurrence *r, IrValue **stacks) {
  const IrFunction *f = w->t.body;
  Arena *a = b->module->arena;
  size_t values = (size_t)f->value_count + 1, most = (size_t)w->t.loop->in_count + values;
  IrValue **map = ARENA_ARRAY(a, IrValue *, values), **initial = ARENA_ARRAY(a, IrValue *, most),
          **inputs = ARENA_ARRAY(a, IrValue *, most), **results = ARENA_ARRAY(a, IrValue *, most);
  IrBuilder *inner = ir_function_begin(b->module, b, f->name);
  IrLoop loop = loop_parameters(w, inner, r->members, map, initial, inputs);
  uint64_t known = w->t.known;
  for (int k = 0; k < w->t.carried; k++) { /* others that members depend on */
    const IrValue *p = iterations_param(&w->t, k);
    if (!(known >> k & 1)) continue;
    inputs[loop.scanned++] = w->found[k].begins;
    map[p->id] = ir_param(inner, p->type, NULL);
  }
  bind_captures(w, map);
  for (int k = 0; k < w->t.carried; k++) /* what is not computed is not read */
    if (!(known >> k & 1) && !(r->members >> k & 1))
      map[iterations_param(&w->t, k)->id] = iterations_initial(&w->t, k);
  copy_rest(inner, f, map);
  int count = 0, outs = 0;
  for (int k = 0; k < w->t.carried; k++)
    if (r->members >> k & 1) results[count++] = map[iterations_result(&w->t, k)->id];
  for (int k = 0; k < w->t.carried; k++)
    if (r->members >> k & 1) results[count + outs++] = map[iterations_result(&w->t, k)->id];
  if (r->inner) results[count + outs++] = map[r->inner->id];
  ir_function_end(inner, results, NULL, count + outs);
  ir_loop(b, loop, inner, results);
  for (int k = 0; k < outs; k++) stacks[k] = results[count + k];
  return outs;
}

/* v in the shape of a stack, which a branch may have forgotten. */
static IrValue *in_shape_of(IrBuilder *b, IrValue *v, IrValue *stack, IrValue *count) {
  IrValue *dims[IR_MAX_RANK] = {count};
  if (count->constant) return v;
  for (int k = 1; k < v->type.rank; k++) dims[k] = ir_dim(b, stack, k);
  return ir_reshape(b, v, dims, v->type.rank);
}

/* stacks, or what the loop gives where one of the first `members` of them is not finite. */
static void unless_infinite(Rewrite *w, const Recurrence *r, IrValue **stacks, int members,
                            int count) {
  IrBuilder *b = w->t.b, *branch[2];
  IrValue *sum = NULL, *loop[MOST_STATES + 1];
  for (int k = 0; k < members; k++) {
    IrValue *s = ir_reduce_all(b, IR_REDUCE_SUM, stacks[k]);
    sum = sum ? ir_binary(b, IR_ADD, sum, s) : s;
  }
  IrValue *finite = ir_binary(b, IR_LT, ir_unary(b, IR_ABS, sum), ir_f64(b, INFINITY));
  branch[0] = ir_function_begin(b->module, b, "scan");
  ir_function_end(branch[0], stacks, NULL, count);
  branch[1] = ir_function_begin(b->module, b, "loop");
  original_states(w, branch[1], r, loop);
  ir_function_end(branch[1], loop, NULL, count);
  IrValue *either[MOST_STATES + 1];
  ir_if(b, finite, branch[0], branch[1], either);
  for (int k = 0; k < count; k++) stacks[k] = in_shape_of(b, either[k], stacks[k], w->t.count);
}

/* ---- carrying it out ---- */

/* From the states as iterations end, what they are as they begin, and the last. */
static void complete(Rewrite *w, int k, IrValue *ends) {
  IrBuilder *b = w->t.b;
  bool reverse = w->t.loop->attr.reverse;
  IrValue *first = ir_unsqueeze(b, iterations_initial(&w->t, k), 0), *none = ir_i64(b, 0);
  IrValue *all =
      ir_concat(b, reverse ? (IrValue *[]){ends, first} : (IrValue *[]){first, ends}, 2, 0);
  Trajectory *x = &w->found[k];
  x->ends = ends;
  x->begins = ir_slice(b, all, 0, reverse ? ir_i64(b, 1) : none, w->t.count);
  x->last = ir_gather(b, all, reverse ? none : w->t.count, 0, 0);
  w->t.known |= UINT64_C(1) << k;
  iterations_know(&w->t, iterations_param(&w->t, k), x->begins);
  iterations_know(&w->t, iterations_result(&w->t, k), ends);
}

/* Carried value k alone. */
static bool take_single(Rewrite *w, int k) {
  Iterations *t = &w->t;
  IrBuilder *b = t->b;
  const IrValue *param = iterations_param(t, k), *result = iterations_result(t, k);
  const IrNode *inverse = find_inverse(t, k);
  Recurrence r = {.members = UINT64_C(1) << k};
  LinearForm form;
  IrValue *x0 = iterations_initial(t, k), *stacks[2];
  int count = 1;
  bool certain;
  if (!keeps_shape(t, k)) return false;
  if (linear_elementwise(t, result, param, &form)) {
    if (!form.factor.value) return false; /* it is known as it is */
    stacks[0] = states_elementwise(t, &form, x0, &certain);
  } else if (inverse && linear_elementwise(t, result->node->in[0], inverse->out[0], &form) &&
             form.factor.value) {
    r.inner = result->node->in[0];
    stacks[1] = states_elementwise(t, &form, on_value(b, inverse, x0), &certain);
    stacks[0] = ir_unary(b, result->node->op, stacks[1]);
    certain = false;
    count = 2;
  } else {
    return false;
  }
  if (!certain) unless_infinite(w, &r, stacks, 1, count);
  complete(w, k, stacks[0]);
  if (r.inner) {
    w->found[k].inner = r.inner;
    w->found[k].inner_ends = stacks[1];
    iterations_know(t, r.inner, stacks[1]);
  }
  return true;
}

/* Carried values that depend on one another, or of which one mixes its elements. */
static bool take_vector(Rewrite *w, uint64_t members) {
  Iterations *t = &w->t;
  IrBuilder *b = t->b;
  Recurrence r = {.members = members};
  IrValue *rows[MOST_STATES], *starts[MOST_STATES], *stacks[MOST_STATES + 1];
  LinearForm form;
  int columns = linear_columns(t, members), count = 0, row = 0;
  if (!columns || columns > MOST_STATES) return false;
  for (int k = 0; k < t->carried; k++) {
    if (!(members >> k & 1)) continue;
    if (!keeps_shape(t, k) || !linear_general(t, iterations_result(t, k), members, columns, &form))
      return false;
    rows[count] = map_rows(t, k, &form, columns);
    starts[count++] = to_state(t, k);
  }
  Scan s = {.b = b, .size = columns, .reverse = t->loop->attr.reverse, .count = t->count};
  AffineMaps maps = {ir_concat(b, rows, count, 0), NULL};
  IrValue *states = scan_affine(&s, maps, ir_concat(b, starts, count, 0));
  count = 0;
  for (int k = 0; k < t->carried; k++) {
    bool lead;
    if (!(members >> k & 1)) continue;
    IrValue *own = own_elements(t, k, &lead);
    stacks[count++] = from_states(t, k, ir_slice(b, states, 0, ir_i64(b, row), own));
    row += (int)own->constant->data.i64[0];
  }
  unless_infinite(w, &r, stacks, count, count);
  count = 0;
  for (int k = 0; k < t->carried; k++)
    if (members >> k & 1) complete(w, k, stacks[count++]);
  return true;
}

static bool take_some(Rewrite *w) {
  Iterations *t = &w->t;
  for (int k = 0; k < t->carried; k++) {
    uint64_t own = UINT64_C(1) << k;
    if (t->known & own) continue;
    uint64_t members = closure(t, k);
    if (!(members & own)) continue; /* it is known already, or follows others */
    if (members == own ? take_single(w, k) || take_vector(w, own) : take_vector(w, members))
      return true;
  }
  return false;
}

/* ---- the loop that is left ---- */

static void give(IrBuilder *inner, IrLoop *loop, IrValue **inputs, IrValue **map, const IrValue *v,
                 IrValue *stack) {
  inputs[loop->scanned++] = stack;
  map[v->id] = ir_param(inner, v->type, NULL);
  map[v->id]->facts = v->facts;
}

static void emit_rest(Rewrite *w, IrValue **outer) {
  Iterations *t = &w->t;
  const IrFunction *f = t->body;
  const IrNode *n = t->loop;
  Arena *a = t->b->module->arena;
  size_t values = (size_t)f->value_count + 1;
  size_t most = (size_t)n->in_count + values + 3 * (size_t)t->carried;
  IrValue **map = ARENA_ARRAY(a, IrValue *, values), **initial = ARENA_ARRAY(a, IrValue *, most),
          **inputs = ARENA_ARRAY(a, IrValue *, most), **results = ARENA_ARRAY(a, IrValue *, most);
  IrBuilder *inner = ir_function_begin(t->b->module, t->b, f->name);
  IrLoop loop = loop_parameters(w, inner, ~t->known, map, initial, inputs);
  for (int k = 0; k < t->carried; k++) {
    const Trajectory *x = &w->found[k];
    if (!x->ends) continue;
    give(inner, &loop, inputs, map, iterations_param(t, k), x->begins);
    give(inner, &loop, inputs, map, iterations_result(t, k), x->ends);
    if (x->inner) give(inner, &loop, inputs, map, x->inner, x->inner_ends);
  }
  bind_captures(w, map);
  copy_rest(inner, f, map);
  int count = 0;
  for (int k = 0; k < t->carried; k++)
    if (!w->found[k].ends) results[count++] = map[iterations_result(t, k)->id];
  for (int k = t->carried; k < n->out_count; k++) results[count++] = map[f->results[k]->id];
  ir_function_end(inner, results, NULL, count);
  ir_loop(t->b, loop, inner, results);
  count = 0;
  for (int k = 0; k < t->carried; k++)
    outer[n->out[k]->id] = w->found[k].ends ? w->found[k].last : results[count++];
  for (int k = t->carried; k < n->out_count; k++) outer[n->out[k]->id] = results[count++];
}

static bool rewrite_loop(IrBuilder *b, const IrNode *n, IrValue **map) {
  if (n->attr.has_condition || !n->attr.carried || n->attr.carried > MOST_CARRIED ||
      n->body[0]->node_count > MOST_NODES)
    return false;
  const IrTensor *trips = n->in[0]->constant;
  if (trips && trips->data.i64[0] < FEWEST_TRIPS) return false;
  IrValue **in = ARENA_ARRAY(b->module->arena, IrValue *, (size_t)n->in_count);
  for (int k = 0; k < n->in_count; k++) {
    in[k] = map[n->in[k]->id];
    bool scanned = k > n->attr.carried && k <= n->attr.carried + n->attr.scanned;
    if (scanned && !has_extent(in[k], 0, in[0])) return false;
  }
  Rewrite w = {.t = iterations_new(b, n, in), .layout = loop_layout(n)};
  w.found = ARENA_ARRAY(b->module->arena, Trajectory, (size_t)n->attr.carried);
  while (take_some(&w)) continue;
  if (!w.t.known) return false;
  emit_rest(&w, map);
  return true;
}

/* ---- functions ---- */

static IrFunction *rewritten(IrFunction *f, KeptCallee **callees, bool *changed);

static IrFunction *rewritten_callee(IrFunction *f, KeptCallee **callees, bool *changed) {
  if (!f->role) return f;
  for (const KeptCallee *c = *callees; c; c = c->next)
    if (c->callee == f) return c->function;
  IrFunction *g = rewritten(f, callees, changed);
  g->role = f->role;
  KeptCallee *c = ARENA_NEW(f->module->arena, KeptCallee);
  *c = (KeptCallee){f, g, *callees};
  *callees = c;
  return g;
}

static IrFunction *rewritten(IrFunction *f, KeptCallee **callees, bool *changed) {
  IrModule *m = f->module;
  IrBuilder *b = ir_function_begin(m, NULL, f->name);
  IrValue **map = ARENA_ARRAY(m->arena, IrValue *, (size_t)f->value_count + 1),
          **params = copy_params(b, f),
          **results = ARENA_ARRAY(m->arena, IrValue *, (size_t)f->result_count + 1);
  for (int k = 0; k < f->param_count; k++) map[f->params[k]->id] = params[k];
  for (int i = 0; i < f->node_count; i++) {
    IrNode n = *f->nodes[i];
    ir_set_scope(b, n.scope);
    ir_set_adjoint(b, n.adjoint);
    for (int k = 0; k < 2 && n.body[k]; k++)
      n.body[k] = (n.op == IR_CALL ? rewritten_callee : rewritten)(n.body[k], callees, changed);
    if (n.op == IR_LOOP && rewrite_loop(b, &n, map)) {
      *changed = true;
    } else {
      repeat_node(b, &n, map);
    }
    for (int k = 0; k < n.out_count; k++) keep_knowledge(map[n.out[k]->id], n.out[k]);
  }
  for (int k = 0; k < f->result_count; k++) results[k] = map[f->results[k]->id];
  return ir_function_end(b, results, f->result_names, f->result_count);
}

IrFunction *ir_scan_recurrences(IrFunction *f) {
  KeptCallee *callees = NULL;
  bool changed = false;
  if (f->module->options.no_scan) return f;
  IrFunction *g = rewritten(f, &callees, &changed);
  return changed ? ir_simplify(g) : f;
}
