/* Loops that carry linear functions of what they carry, without. What is carried is computed for
 * all iterations by a scan (scan.c), and given to the loop as what is scanned: nothing else keeps
 * its body in it.
 *
 * A square root of something linear in the square is carried as its square, and a logarithm as what
 * it is of. Compositions may overflow where the loop would not, and square roots of negative
 * numbers must stay NaN: unless all states are finite, the loop runs as it was. */
#include "ir/recurrence.h"

#include "ir/copy.h"
#include "ir/extent.h"
#include "ir/grad.h"

#include <math.h>

enum {
  FEWEST_TRIPS = 12,
  MOST_CARRIED = 64, /* bits of a set */
  MOST_NODES = 1000  /* of a body */
};

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

/* The carried values that carried value k comes from, over any number of iterations. */
static uint64_t closure(const Iterations *t, int k) {
  uint64_t set = iterations_open(t, iterations_result(t, k)), before;
  do {
    before = set;
    for (int j = 0; j < t->carried; j++)
      if (set >> j & 1) set |= iterations_open(t, iterations_result(t, j));
  } while (set != before);
  return set;
}

/* ---- the loop as it was ---- */

/* The body's nodes but for those whose results `map` has already. */
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

/* A value of the body that the loop is given, row by row. */
static void give(IrBuilder *inner, IrLoop *loop, IrValue **inputs, IrValue **map, const IrValue *v,
                 IrValue *stack) {
  inputs[loop->scanned++] = stack;
  map[v->id] = ir_param(inner, v->type, NULL);
  map[v->id]->facts = v->facts;
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
  map[f->params[0]->id] = copy_param(inner, f, 0, ir_scalar(IR_I64));
  for (int k = 0; k < w->t.carried; k++) {
    const IrValue *p = iterations_param(&w->t, k);
    if (!(carried >> k & 1)) continue;
    initial[loop.carried++] = iterations_initial(&w->t, k);
    map[p->id] = ir_param(inner, p->type, NULL);
    map[p->id]->facts = p->facts;
  }
  for (int k = w->layout.scanned; k < w->layout.captures; k++) {
    give(inner, &loop, inputs, map, f->params[1 + k - w->layout.initial], in[k]);
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
static void original_states(Rewrite *w, IrBuilder *b, const Recurrence *r, IrValue **stacks) {
  const IrFunction *f = w->t.body;
  Arena *a = b->module->arena;
  size_t values = (size_t)f->value_count + 1, most = (size_t)w->t.loop->in_count + values;
  IrValue **map = ARENA_ARRAY(a, IrValue *, values), **initial = ARENA_ARRAY(a, IrValue *, most),
          **inputs = ARENA_ARRAY(a, IrValue *, most), **results = ARENA_ARRAY(a, IrValue *, most);
  IrBuilder *inner = ir_function_begin(b->module, b, f->name);
  IrLoop loop = loop_parameters(w, inner, r->members, map, initial, inputs);
  uint64_t known = w->t.known;
  for (int k = 0; k < w->t.carried; k++) { /* others that members depend on */
    if (!(known >> k & 1)) continue;
    give(inner, &loop, inputs, map, iterations_param(&w->t, k), w->found[k].begins);
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
}

/* What was solved, or what the loop gives where that is not as it should be. */
static void unless_infinite(Rewrite *w, Recurrence *r) {
  IrBuilder *b = w->t.b, *scan = ir_function_begin(b->module, b, "scan"), *loop;
  IrValue *sum = NULL, *original[MOST_STATES + 1];
  for (int k = 0; k < r->members_count; k++) {
    IrValue *s = ir_reduce_all(b, IR_REDUCE_SUM, r->stacks[k]);
    sum = sum ? ir_binary(b, IR_ADD, sum, s) : s;
  }
  if (!r->logarithms) sum = ir_unary(b, IR_ABS, sum);
  IrValue *finite = ir_binary(b, IR_LT, sum, ir_f64(b, INFINITY));
  if (r->condition) finite = ir_binary(b, IR_AND, finite, r->condition);
  ir_function_end(scan, r->stacks, NULL, r->count);
  loop = ir_function_begin(b->module, b, "loop");
  original_states(w, loop, r, original);
  ir_function_end(loop, original, NULL, r->count);
  ir_if(b, finite, scan, loop, r->stacks);
}

/* ---- carrying it out ---- */

/* The stack of carried value k in its shape, which branches may have forgotten. */
static IrValue *in_shape(const Rewrite *w, int k, IrValue *stack) {
  IrBuilder *b = w->t.b;
  IrValue *x0 = iterations_initial(&w->t, k), *dims[IR_MAX_RANK] = {w->t.count};
  if (w->t.count->constant) return stack;
  for (int a = 0; a < x0->type.rank; a++) dims[1 + a] = ir_dim(b, x0, a);
  return ir_reshape(b, stack, dims, x0->type.rank + 1);
}

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

/* What is carried in place of the one member. */
static void know_inner(Rewrite *w, const Recurrence *r) {
  int k = 0;
  while (!(r->members >> k & 1)) k++;
  Trajectory *x = &w->found[k];
  x->inner = r->inner;
  x->inner_ends = in_shape(w, k, r->stacks[1]);
  iterations_know(&w->t, x->inner, x->inner_ends);
}

static bool take(Rewrite *w, uint64_t members) {
  Recurrence r;
  int count = 0;
  if (!recurrence_solve(&w->t, members, &r)) return false;
  if (!r.certain) unless_infinite(w, &r);
  for (int k = 0; k < w->t.carried; k++)
    if (members >> k & 1) complete(w, k, in_shape(w, k, r.stacks[count++]));
  if (r.inner) know_inner(w, &r);
  return true;
}

static bool take_some(Rewrite *w) {
  Iterations *t = &w->t;
  for (int k = 0; k < t->carried; k++) {
    uint64_t own = UINT64_C(1) << k;
    if (t->known & own) continue;
    uint64_t members = closure(t, k);
    if (!(members & own)) continue; /* it is known already, or follows others */
    if (take(w, members)) return true;
  }
  return false;
}

/* ---- the loop that is left ---- */

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

typedef struct {
  KeptCallee *callees;
  bool changed; /* some loop was rewritten */
} Pass;

static IrFunction *rewritten(IrFunction *f, void *context) {
  Pass *pass = context;
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
    pass_bodies(&n, rewritten, &pass->callees, pass);
    if (n.op == IR_LOOP && rewrite_loop(b, &n, map)) {
      pass->changed = true;
    } else {
      repeat_node(b, &n, map);
    }
    for (int k = 0; k < n.out_count; k++) keep_knowledge(map[n.out[k]->id], n.out[k]);
  }
  for (int k = 0; k < f->result_count; k++) results[k] = map[f->results[k]->id];
  return ir_function_end(b, results, f->result_names, f->result_count);
}

IrFunction *ir_scan_recurrences(IrFunction *f) {
  Pass pass = {NULL, false};
  if (f->module->options.no_scan) return f;
  IrFunction *g = rewritten(f, &pass);
  return pass.changed ? ir_simplify(g) : f;
}
