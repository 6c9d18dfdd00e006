/* Loops: unrolled when short, tensor ops when their iterations are independent, IR loops otherwise.
 */
#include "lower/random.h"
#include "lower/trace.h"

enum {
  UNROLL = 4,     /* iterations of a sequential loop up to which copies of its body are smaller */
  MOST_GROUPS = 8 /* copies of the body of a parallel loop, for sizes that differ */
};

/* The loop's iterations as the body sees them. */
typedef struct {
  const Stmt *stmt;
  Tr count;               /* i64 */
  Tr first;               /* value of the loop variable in the first iteration (S_FOR) */
  SVal elements;          /* S_FOREACH: the container, its first axis is iterated */
  const IrTensor *chosen; /* the numbers of the iterations that count is of; NULL: all */
} Iteration;

/* The loop variable's value in iteration k (from 0) of the loop. */
static SVal loop_value(Tracer *t, const Iteration *it, Tr k) {
  const StanType *type = it->stmt->decl->type;
  if (it->stmt->kind == S_FOR) return sval(type, tr_binary(t, IR_ADD, k, it->first), false);
  TracedIndex index = {.kind = INDEX_SINGLE, .value = k};
  return index_value(t, it->elements, &index, 1, type);
}

/* The body as iteration k of the loops around. */
static void trace_iterated(Tracer *t, const Stmt *body, Tr k) {
  Tr place = t->place;
  int loops = t->loops;
  if (t->key.value && stmt_draws(body)) enter_iteration(t, k);
  trace_stmt(t, body);
  t->place = place;
  t->loops = loops;
}

/* The condition of a while loop after iteration k: the one before the first was that of no
 * iteration. */
static Tr trace_next_condition(Tracer *t, const Stmt *loop, Tr k) {
  Tr place = t->place;
  int loops = t->loops;
  if (t->key.value && stmt_draws(loop)) enter_iteration(t, tr_binary(t, IR_ADD, k, tr_int(t, 1)));
  Tr on = trace_condition(t, loop->cond);
  t->place = place;
  t->loops = loops;
  return on;
}

static void run_body(Tracer *t, const Iteration *it, Tr k) {
  Tr mask = t->mask, broken = t->broken, continued = t->continued;
  size_t scope = t->frame->count;
  t->continued = (Tr){0};
  bind(t, it->stmt->decl, loop_value(t, it, k));
  trace_iterated(t, it->stmt->body, k);
  t->frame->count = scope;
  t->continued = continued;
  t->broken = broken.value && !t->broken.value ? broken : t->broken;
  t->mask = mask;
}

/* ---- unrolled ---- */

static void trace_unrolled(Tracer *t, const Iteration *it, int64_t count) {
  Tr mask = t->mask, broken = t->broken;
  t->broken = (Tr){0};
  for (int64_t k = 0; k < count && !t->frame->done; k++) {
    int escapes = t->escapes;
    bool known;
    run_body(t, it, tr_int(t, k));
    if (t->broken.value && tr_known_bool(t->broken, &known) && known) break;
    if (t->escapes == escapes) continue;
    if (t->broken.value) t->mask = tr_and(t, mask, tr_not(t, t->broken));
    if (t->frame->returned.value) t->mask = tr_and(t, t->mask, tr_not(t, t->frame->returned));
  }
  t->mask = mask;
  t->broken = broken;
}

/* ---- parallel ---- */

/* A level with a row for each iteration of each of the current level's iterations, whose counts
 * differ. */
static Level *ragged_level(Tracer *t, Tr count, Tr *iteration) {
  IrBuilder *b = t->b;
  Level *parent = t->level;
  count = tr_spread(t, count, parent);
  IrValue *parents = ir_i64(b, 1);
  for (int a = 0; a < parent->depth; a++)
    parents = ir_binary(b, IR_MUL, parents, ir_dim(b, count.value, a));
  IrValue *counts = ir_reshape(b, count.value, &parents, 1);
  IrValue *total = ir_reduce_all(b, IR_REDUCE_SUM, counts), *one = ir_i64(b, 1);
  IrValue *offsets = ir_emit(b, IR_CUMSUM, (IrAttr){.exclusive = true}, &counts, 1);
  /* a step at each offset but the first, summed up: which parent a row belongs to */
  IrValue *room = ir_binary(b, IR_ADD, total, one);
  IrValue *steps = ir_scatter(b, IR_SCATTER_ADD, ir_broadcast(b, ir_i64(b, 0), &room, 1), offsets,
                              ir_broadcast(b, one, &parents, 1), 0, 0);
  IrValue *owner = ir_emit(b, IR_CUMSUM, (IrAttr){0}, &steps, 1);
  owner = ir_binary(b, IR_SUB, ir_slice(b, owner, 0, ir_i64(b, 0), total), one);
  Level *l = ARENA_NEW(t->arena, Level);
  *l = (Level){.parent = parent, .depth = 1, .flat = true, .size = total};
  level_set_places(t, l, owner);
  *iteration = (Tr){ir_binary(b, IR_SUB, ir_iota(b, total), ir_gather(b, offsets, owner, 0, 0)), l,
                    count.varying};
  return l;
}

/* Brings a variable private to the iterations back: the last iteration's value. */
static void keep_last(Tracer *t, SVal *v, SVal before, Level *level, Tr count) {
  if (v->type->base == T_TUPLE) {
    for (int k = 0; k < v->type->member_count; k++)
      keep_last(t, &v->members[k], before.members[k], level, count);
    return;
  }
  Tr x = tr_lift(t, v->tr, level);
  int64_t known;
  bool open = !tr_known_int(count, &known);
  if (x.level) {
    IrBuilder *b = t->b;
    int axis = level->depth - 1;
    IrValue *last = ir_binary(b, IR_SUB, ir_dim(b, x.value, axis), ir_i64(b, 1));
    last = ir_binary(b, IR_MAX, last, ir_i64(b, 0));
    IrValue *all = x.value;
    if (open) /* there is an element whatever the size */
      all = ir_concat(b, (IrValue *[]){all, ir_zero_row(b, all, axis)}, 2, axis);
    IrValue *picked = ir_squeeze(b, ir_slice(b, all, axis, last, ir_i64(b, 1)), axis);
    x = (Tr){picked, level->parent, x.varying};
  }
  if (open) {
    Tr any = tr_binary(t, IR_GT, count, tr_int(t, 0));
    x = select_value(t, any, sval(v->type, x, false), before).tr;
  }
  v->tr = x;
}

/* False when the iterations are not independent. */
static bool trace_parallel(Tracer *t, const Iteration *it) {
  const Stmt *s = it->stmt;
  Escapes e = find_escapes(s->body);
  if (e.returns || e.breaks || it->count.varying) return false;
  VarSet assigned = assigned_variables(t->arena, s->body);
  bool *private = ARENA_ARRAY(t->arena, bool, assigned.count);
  bool ragged = it->count.level != NULL;
  for (size_t k = 0; k < assigned.count; k++) {
    Dependence d = loop_dependence(t->arena, s->decl, s->body, assigned.items[k]);
    if (d == DEP_SEQUENTIAL || (d == DEP_PRIVATE && ragged)) return false;
    private[k] = d == DEP_PRIVATE;
  }
  Level *outer = t->level, *level;
  Tr k;
  if (ragged) {
    level = ragged_level(t, it->count, &k);
  } else {
    level = level_product(t, outer, it->count.value);
    IrValue *all = it->chosen ? ir_constant(t->b, it->chosen) : ir_iota(t->b, it->count.value);
    k = tr_enter(t, tr_const(all), level);
  }
  Tr mask = t->mask;
  if (mask.value) t->mask = tr_lift(t, mask, level);
  t->level = level;
  SVal *before = ARENA_ARRAY(t->arena, SVal, assigned.count);
  for (size_t j = 0; j < assigned.count; j++)
    if (private[j]) {
      Binding *b = lookup(t, assigned.items[j]);
      before[j] = b->value;
      b->home = level;
    }
  run_body(t, it, k);
  t->level = outer;
  t->mask = mask;
  for (size_t j = 0; j < assigned.count; j++)
    if (private[j]) {
      Binding *b = lookup(t, assigned.items[j]);
      keep_last(t, &b->value, before[j], level, it->count);
      b->home = outer;
    }
  return true;
}

/* ---- parallel, group by group ---- */

static bool try_parallel(Tracer *t, const Iteration *it);

/* The iterations of a loop, grouped by a size that differs between them. */
typedef struct {
  int count;
  int64_t size[MOST_GROUPS];
  IrTensor *members[MOST_GROUPS]; /* their numbers, in order */
} Grouping;

static int group_of(Grouping *g, int64_t size) {
  int k = 0;
  while (k < g->count && g->size[k] != size) k++;
  if (k == g->count && k < MOST_GROUPS) g->size[g->count++] = size;
  return k;
}

/* False where the size is not known, or takes too many values. `size` is of a level of the loop,
 * whose axis is the last. */
static bool group_iterations(Tracer *t, const Iteration *it, Tr size, Grouping *g) {
  int64_t count, sizes[MOST_GROUPS] = {0};
  const IrTensor *c = size.value ? size.value->constant : NULL;
  if (!c || !tr_known_int(it->count, &count) || c->count != count || size.level->flat ||
      size.level->parent != t->level || c->type.dim[c->type.rank - 1] != count)
    return false;
  for (int64_t k = 0; k < count; k++) {
    int of = group_of(g, c->data.i64[k]);
    if (of == MOST_GROUPS) return false;
    sizes[of]++;
  }
  for (int k = 0; k < g->count; k++)
    g->members[k] = ir_tensor_new(t->arena, ir_type(IR_I64, 1, &sizes[k]));
  for (int64_t k = count; k-- > 0;) {
    int of = group_of(g, c->data.i64[k]);
    g->members[of]->data.i64[--sizes[of]] = it->chosen ? it->chosen->data.i64[k] : k;
  }
  return g->count > 1;
}

static int64_t last_of(const IrTensor *t) { return t->data.i64[t->count - 1]; }

/* The groups one after the other, that of the last iteration last, because private variables keep
 * what that one gives them. */
static bool trace_groups(Tracer *t, const Iteration *it, const Grouping *g) {
  int latest = 0;
  for (int k = 1; k < g->count; k++)
    if (last_of(g->members[k]) > last_of(g->members[latest])) latest = k;
  for (int k = 0; k < g->count; k++) {
    int turn = k + 1 == g->count ? latest : k < latest ? k : k + 1;
    Iteration group = *it;
    group.chosen = g->members[turn];
    group.count = tr_int(t, group.chosen->count);
    if (!try_parallel(t, &group)) return false;
  }
  return true;
}

/* As a level; where a size turns out to differ between the iterations, as a level for each of its
 * values, if these are known and few. If not, everything is as before. */
static bool try_parallel(Tracer *t, const Iteration *it) {
  VarSet assigned = assigned_variables(t->arena, it->stmt->body);
  Binding *before = ARENA_ARRAY(t->arena, Binding, assigned.count);
  for (size_t k = 0; k < assigned.count; k++) before[k] = *lookup(t, assigned.items[k]);
  Tracer saved = *t;
  Frame frame = *t->frame;
  Ragged ragged;
  t->ragged = &ragged;
  if (setjmp(ragged.escape) == 0) {
    bool done = trace_parallel(t, it);
    t->ragged = saved.ragged;
    return done;
  }
  for (int attempt = 0; attempt < 2; attempt++) {
    Grouping groups = {0};
    *t = saved;
    t->frame->count = frame.count;
    for (size_t k = 0; k < assigned.count; k++) *lookup(t, assigned.items[k]) = before[k];
    if (attempt || !group_iterations(t, it, ragged.size, &groups)) break;
    if (trace_groups(t, it, &groups)) return true;
  }
  return false;
}

/* ---- sequential ---- */

/* Everything a sequential loop carries: what its body changes, and the flags of leaving it. */
static Slots carried_slots(Tracer *t, const Stmt *s, Escapes e) {
  Slots slots = changed_slots(t, s);
  Tr no = tr_const(ir_bool(t->b, false));
  if (e.breaks) {
    t->broken = tr_spread(t, no, t->level);
    if (t->level) /* else no iteration begins once it is set */
      ARENA_PUSH(t->arena, slots.slots, slots.count, slots.capacity, &t->broken);
  }
  if (e.returns) {
    Frame *f = t->frame;
    const StanType *type = f->function->type->result;
    if (type->base == T_TUPLE || (type_rank(type) && !f->has_result))
      trace_unsupported(t, s->span,
                        "returning a container from inside a loop that stays a loop; assign it to "
                        "a variable and return that after the loop");
    f->returned = tr_spread(t, f->returned.value ? f->returned : no, t->level);
    if (type->base != T_VOID) {
      if (!f->has_result)
        f->result = sval(type, type->base == T_INT ? tr_int(t, 0) : tr_real(t, 0), true);
      f->has_result = true;
      f->result.tr = tr_spread(t, f->result.tr, t->level);
      ARENA_PUSH(t->arena, slots.slots, slots.count, slots.capacity, &f->result.tr);
    }
    ARENA_PUSH(t->arena, slots.slots, slots.count, slots.capacity, &f->returned);
  }
  return slots;
}

typedef struct {
  const Stmt *stmt;
  const Iteration *iteration; /* NULL: while (stmt->cond) */
  Escapes escapes;
  Tr batch_count; /* for: counts that differ between the level's iterations; else value NULL */
  Tr active;      /* while: which of the level's iterations go on; else value NULL */
} Sequential;

/* Whether the loop goes on: some iteration of the level has not left it. */
static IrValue *goes_on(Tracer *t, const Sequential *q, Tr entry_mask) {
  Tr on = entry_mask;
  if (q->active.value) on = tr_and(t, on, q->active);
  if (q->escapes.breaks) on = tr_and(t, on, tr_not(t, t->broken));
  if (q->escapes.returns) on = tr_and(t, on, tr_not(t, t->frame->returned));
  if (!on.value) return ir_bool(t->b, true);
  return tr_fold(t, IR_REDUCE_ANY, on, t->level, NULL).value;
}

static void sequential_iteration(Tracer *t, Sequential *q, Tr i) {
  Tr mask = t->mask;
  if (q->batch_count.value) t->mask = tr_and(t, t->mask, tr_binary(t, IR_LT, i, q->batch_count));
  if (q->active.level) t->mask = tr_and(t, t->mask, q->active);
  /* without a level there is no iteration after the one that left */
  if (t->broken.level) t->mask = tr_and(t, t->mask, tr_not(t, t->broken));
  if (q->escapes.returns && t->frame->returned.level)
    t->mask = tr_and(t, t->mask, tr_not(t, t->frame->returned));
  if (q->iteration)
    run_body(t, q->iteration, i);
  else {
    Tr continued = t->continued;
    t->continued = (Tr){0};
    trace_iterated(t, q->stmt->body, i);
    t->continued = continued;
    Tr on = trace_next_condition(t, q->stmt, i);
    q->active = q->active.level ? tr_and(t, q->active, on) : on;
  }
  t->mask = mask;
}

static void trace_sequential(Tracer *t, Sequential q, IrValue *count) {
  Tr broken = t->broken, mask = t->mask;
  bool while_loop = !q.iteration, varies = stmt_varies(t, q.stmt);
  Slots slots = carried_slots(t, q.stmt->body, q.escapes);
  bool conditional = while_loop || q.escapes.breaks || q.escapes.returns, parting = t->parting;
  t->parting |= conditional && varies;
  if (while_loop) {
    /* at first it may be the same for all iterations of the level */
    q.active = tr_spread(t, trace_condition(t, q.stmt->cond), t->level);
    q.active.varying |= varies;
    ARENA_PUSH(t->arena, slots.slots, slots.count, slots.capacity, &q.active);
  }
  int n = slots.count;
  IrValue **initial = ARENA_ARRAY(t->arena, IrValue *, (size_t)n),
          **results = ARENA_ARRAY(t->arena, IrValue *, (size_t)n + 1);
  Tr *before = ARENA_ARRAY(t->arena, Tr, (size_t)n);
  for (int k = 0; k < n; k++) initial[k] = slots.slots[k]->value;
  IrValue *start = conditional ? goes_on(t, &q, mask) : NULL;

  IrBuilder *outer = t->b, *body = ir_function_begin(t->module, outer, "loop");
  t->b = body;
  Tr i = tr_const(ir_param(body, ir_scalar(IR_I64), "i"));
  for (int k = 0; k < n; k++) {
    Tr *slot = slots.slots[k];
    slot->varying |= varies;
    slot->value = ir_param(body, initial[k]->type, NULL);
    before[k] = *slot;
  }
  Ahead ahead = {outer, count, i, t->place, t->loops, t->level}, *ahead_of = t->ahead;
  t->ahead = conditional || q.batch_count.varying ? NULL : &ahead;
  sequential_iteration(t, &q, i);
  t->ahead = ahead_of;
  int out = 0;
  IrValue *next = conditional ? goes_on(t, &q, mask) : NULL;
  if (conditional) results[out++] = next;
  for (int k = 0; k < n; k++) {
    Tr now = *slots.slots[k];
    if (now.level != before[k].level) now = tr_spread(t, now, before[k].level);
    results[out++] = tr_cast(t, now, before[k].value->type.dtype).value;
    before[k].varying |= now.varying;
  }
  ir_function_end(body, results, NULL, out);
  t->b = outer;
  IrLoop loop = {.count = count, .condition = start, .carried = n, .initial = initial};
  ir_loop(outer, loop, body, results);
  for (int k = 0; k < n; k++)
    *slots.slots[k] = (Tr){results[k], before[k].level, before[k].varying};
  t->broken = broken;
  t->parting = parting;
  if (q.escapes.returns) t->escapes++;
}

static void trace_iteration(Tracer *t, Iteration *it) {
  int64_t known;
  bool is_known = tr_known_int(it->count, &known);
  if (is_known && known <= 1) {
    if (known == 1) trace_unrolled(t, it, 1);
    return;
  }
  if (try_parallel(t, it)) return;
  if (is_known && known <= UNROLL) {
    trace_unrolled(t, it, known);
    return;
  }
  Sequential q = {.stmt = it->stmt, .iteration = it, .escapes = find_escapes(it->stmt->body)};
  Tr count = it->count;
  if (count.level || count.varying) {
    q.batch_count = count;
    if (count.level) count = tr_fold(t, IR_REDUCE_MAX, count, count.level, NULL);
  }
  trace_sequential(t, q, count.value);
}

void trace_for(Tracer *t, const Stmt *s) {
  Tr lo = trace_int(t, s->lhs), hi = trace_int(t, s->rhs);
  Tr n = tr_binary(t, IR_SUB, tr_binary(t, IR_ADD, hi, tr_int(t, 1)), lo);
  Iteration it = {.stmt = s, .first = lo, .count = tr_binary(t, IR_MAX, n, tr_int(t, 0))};
  trace_iteration(t, &it);
}

void trace_foreach(Tracer *t, const Stmt *s) {
  SVal v = trace_expr(t, s->rhs);
  if (v.type->base == T_MATRIX &&
      v.type->array_dims == 0) { /* a matrix's elements, column by column */
    Tr x = tr_transpose(t, v.tr),
       n = tr_binary(t, IR_MUL, tr_dim_value(t, x, 0), tr_dim_value(t, x, 1));
    v = sval(type_simple(t->arena, T_REAL, 1), tr_reshape(t, x, 1, &n), v.autodiff);
  }
  SVal *shape = &v;
  while (shape->type->base == T_TUPLE) shape = &shape->members[0];
  Iteration it = {.stmt = s, .elements = v, .count = tr_dim_value(t, shape->tr, 0)};
  trace_iteration(t, &it);
}

void trace_while(Tracer *t, const Stmt *s) {
  Tr c = trace_condition(t, s->cond);
  bool known;
  if (tr_known_bool(c, &known) && !known) return;
  Sequential q = {.stmt = s, .escapes = find_escapes(s->body)};
  trace_sequential(t, q, NULL);
}
