/* Elementwise functions on many elements at once. Every value of the function becomes a lane: one
 * scalar for each element, or one for all. Branches and loops run on the elements that take them
 * and on no others, so that each sees just what it would see alone: those elements are packed
 * together before, and their results put back to their places afterwards. */
#include "ir/eval.h"

#include <string.h>

enum { LANE_BYTES = EVAL_LANES * 8 };

typedef struct LaneStep LaneStep;
typedef const char *(*LaneKernel)(Eval *e, LaneStep *s, int64_t n);

/* What a branch or loop needs beside its bodies' own lanes. */
typedef struct {
  int32_t *place[2];  /* where packed elements come from: of either branch; [0] of a loop */
  int32_t *stays;     /* the packed elements that go on */
  int64_t *count;     /* iterations that each packed element may run */
  int64_t *number;    /* of the iteration, where it differs */
  void **packed;      /* captured values */
  void **state[2];    /* carried values, before and after an iteration */
  EvalLane *captured; /* as they are passed on */
  EvalLane *carried;
  int capture_count;
} LaneRegion;

struct LaneStep {
  const IrNode *node;
  LaneKernel kernel;
  EvalLoop loop;
  EvalLane **in, **out;
  void **room; /* of the results */
  EvalLanes *body[2];
  LaneRegion *region;
};

struct EvalLanes {
  const IrFunction *function;
  LaneStep *steps;
  int step_count;
  EvalLane *values; /* by id */
  void **arguments; /* room to lay out arguments */
};

static const char *run(Eval *e, EvalLanes *l, int64_t n) {
  for (int s = 0; s < l->step_count; s++) {
    const char *error = l->steps[s].kernel(e, &l->steps[s], n);
    if (error) return error;
  }
  return NULL;
}

static EvalLane *param_of(EvalLanes *l, int k) { return &l->values[l->function->params[k]->id]; }

static const EvalLane *result_of(const EvalLanes *l, int k) {
  return &l->values[l->function->results[k]->id];
}

static size_t size_of(const IrValue *v) { return ir_dtype_size(v->type.dtype); }

/* ---- moving elements ---- */

static void copy_lane(const EvalLane *from, size_t size, int64_t n, void *to) {
  memcpy(to, from->data, from->uniform ? size : (size_t)n * size);
}

/* One element for each, also where all are the same. */
static void spread_lane(const EvalLane *from, size_t size, int64_t n, void *to) {
  if (!from->uniform) {
    if (to != from->data) memcpy(to, from->data, (size_t)n * size);
    return;
  }
  char first[8];
  memcpy(first, from->data, size);
  for (int64_t i = 0; i < n; i++) memcpy((char *)to + (size_t)i * size, first, size);
}

/* to[i] = from[place[i]]; `to` may be `from` where places ascend. */
static void pack(const void *from, size_t size, const int32_t *place, int64_t n, void *to) {
  if (size == 8)
    for (int64_t i = 0; i < n; i++)
      memcpy((char *)to + i * 8, (const char *)from + (size_t)place[i] * 8, 8);
  else
    for (int64_t i = 0; i < n; i++) ((char *)to)[i] = ((const char *)from)[place[i]];
}

static void unpack_one(const EvalLane *from, size_t size, int64_t i, void *to, int32_t place) {
  memcpy((char *)to + (size_t)place * size,
         (const char *)from->data + (from->uniform ? 0 : (size_t)i * size), size);
}

static EvalLane packed_lane(const EvalLane *from, size_t size, const int32_t *place, int64_t n,
                            void *room) {
  if (from->uniform) return *from;
  pack(from->data, size, place, n, room);
  return (EvalLane){room, false};
}

static bool bool_at(const EvalLane *l, int64_t i) {
  return ((const uint8_t *)l->data)[l->uniform ? 0 : i] != 0;
}

static int64_t int_at(const EvalLane *l, int64_t i) {
  return ((const int64_t *)l->data)[l->uniform ? 0 : i];
}

/* ---- plain ops ---- */

static const char *apply_loop(Eval *e, LaneStep *s, int64_t n) {
  const void *in[EVAL_ELEMENTWISE_OPERANDS];
  int64_t step[EVAL_ELEMENTWISE_OPERANDS];
  bool uniform = true;
  for (int k = 0; k < s->node->in_count; k++) {
    in[k] = s->in[k]->data;
    step[k] = !s->in[k]->uniform;
    uniform = uniform && s->in[k]->uniform;
  }
  *s->out[0] = (EvalLane){s->room[0], uniform};
  const char *error = s->loop(uniform ? 1 : n, s->room[0], in, step);
  return error ? eval_error(e, "%s: %s", ir_op_name(s->node->op), error) : NULL;
}

/* An element of a table that is known. */
static const char *look_up(Eval *e, LaneStep *s, int64_t n) {
  const IrTensor *table = s->node->in[0]->constant;
  const EvalLane *index = s->in[1];
  size_t size = ir_dtype_size(table->type.dtype);
  *s->out[0] = (EvalLane){s->room[0], index->uniform};
  for (int64_t i = 0; i < (index->uniform ? 1 : n); i++) {
    int64_t at = int_at(index, i);
    if (at < 0 || at >= table->count)
      return eval_error(e, "index %lld of %lld", (long long)at, (long long)table->count);
    memcpy((char *)s->room[0] + (size_t)i * size,
           (const char *)table->data.bytes + (size_t)at * size, size);
  }
  return NULL;
}

static void take_results(LaneStep *s, const EvalLanes *body, int64_t n) {
  for (int k = 0; k < s->node->out_count; k++) {
    const EvalLane *result = result_of(body, k);
    copy_lane(result, size_of(s->node->out[k]), n, s->room[k]);
    *s->out[k] = (EvalLane){s->room[k], result->uniform};
  }
}

static const char *call(Eval *e, LaneStep *s, int64_t n) {
  EvalLanes *callee = s->body[0];
  for (int k = 0; k < s->node->in_count; k++) *param_of(callee, k) = *s->in[k];
  const char *error = run(e, callee, n);
  if (!error) take_results(s, callee, n);
  return error;
}

/* ---- IF ---- */

static const char *run_branch(Eval *e, LaneStep *s, int which, int64_t n) {
  EvalLanes *branch = s->body[which];
  for (int k = 1; k < s->node->in_count; k++) *param_of(branch, k - 1) = *s->in[k];
  const char *error = run(e, branch, n);
  if (!error) take_results(s, branch, n);
  return error;
}

static const char *run_packed_branch(Eval *e, LaneStep *s, int which, int64_t n) {
  EvalLanes *branch = s->body[which];
  const int32_t *place = s->region->place[which];
  for (int k = 1; k < s->node->in_count; k++)
    *param_of(branch, k - 1) =
        packed_lane(s->in[k], size_of(s->node->in[k]), place, n, s->region->packed[k - 1]);
  const char *error = run(e, branch, n);
  for (int k = 0; k < s->node->out_count && !error; k++)
    for (int64_t i = 0; i < n; i++)
      unpack_one(result_of(branch, k), size_of(s->node->out[k]), i, s->room[k], place[i]);
  return error;
}

static const char *branch(Eval *e, LaneStep *s, int64_t n) {
  int64_t count[2] = {0};
  if (s->in[0]->uniform) return run_branch(e, s, bool_at(s->in[0], 0) ? 0 : 1, n);
  for (int64_t i = 0; i < n; i++) {
    int which = bool_at(s->in[0], i) ? 0 : 1;
    s->region->place[which][count[which]++] = (int32_t)i;
  }
  for (int which = 0; which < 2; which++)
    if (count[which] == n) return run_branch(e, s, which, n);
  const char *error = run_packed_branch(e, s, 0, count[0]);
  if (!error) error = run_packed_branch(e, s, 1, count[1]);
  for (int k = 0; k < s->node->out_count; k++) *s->out[k] = (EvalLane){s->room[k], false};
  return error;
}

/* ---- LOOP ---- */

/* A loop under way. Its elements end at different times; those that go on are packed. */
typedef struct {
  LaneStep *step;
  LaneRegion *region;
  int64_t n, active, done;
  bool packed; /* not all elements run any more */
  bool same_count;
  int now; /* which of the region's states holds the carried values */
} LaneLoop;

/* The first carried value among the operands. */
static int first_carried(const IrNode *n) { return n->attr.has_condition ? 2 : 1; }

/* Elements that run at least once; where nothing is known of an end, all do. */
static void start_loop(LaneLoop *l) {
  const IrNode *node = l->step->node;
  const EvalLane *count = l->step->in[0];
  const EvalLane *condition = node->attr.has_condition ? l->step->in[1] : NULL;
  l->same_count = count->uniform;
  for (int64_t i = 0; i < l->n; i++) {
    if (int_at(count, i) <= 0 || (condition && !bool_at(condition, i))) continue;
    l->region->count[l->active] = int_at(count, i);
    l->region->place[0][l->active++] = (int32_t)i;
  }
  l->packed = l->active < l->n;
  for (int k = 0; k < node->attr.carried; k++) {
    const EvalLane *initial = l->step->in[first_carried(node) + k];
    size_t size = size_of(node->out[k]);
    void *state = l->region->state[0][k];
    l->region->carried[k] = (EvalLane){state, initial->uniform};
    if (l->packed && !initial->uniform)
      pack(initial->data, size, l->region->place[0], l->active, state);
    else
      copy_lane(initial, size, l->n, state);
    if (l->packed) spread_lane(initial, size, l->n, l->step->room[k]);
  }
  for (int k = 0; k < l->region->capture_count; k++) {
    int operand = first_carried(node) + node->attr.carried + k;
    const EvalLane *v = l->step->in[operand];
    l->region->captured[k] = l->packed
                                 ? packed_lane(v, size_of(node->in[operand]), l->region->place[0],
                                               l->active, l->region->packed[k])
                                 : *v;
  }
}

static void bind_number(LaneLoop *l) {
  int64_t *number = l->region->number;
  bool reverse = l->step->node->attr.reverse, same = !reverse || l->same_count;
  for (int64_t i = 0; i < (same ? 1 : l->active); i++)
    number[i] = reverse ? l->region->count[i] - 1 - l->done : l->done;
  *param_of(l->step->body[0], 0) = (EvalLane){number, same};
}

static const char *run_iteration(Eval *e, LaneLoop *l) {
  const IrNode *node = l->step->node;
  EvalLanes *body = l->step->body[0];
  LaneRegion *r = l->region;
  int carried = node->attr.carried, first_result = node->attr.has_condition ? 1 : 0;
  /* An iteration of many elements takes longer than one of few. */
  const char *error = eval_charge(e, 1 + l->active / 32);
  if (error) return error;
  bind_number(l);
  for (int k = 0; k < carried; k++) *param_of(body, 1 + k) = r->carried[k];
  for (int k = 0; k < r->capture_count; k++) *param_of(body, 1 + carried + k) = r->captured[k];
  error = run(e, body, l->active);
  if (error) return error;
  l->now = 1 - l->now;
  l->done++;
  for (int k = 0; k < carried; k++) {
    const EvalLane *result = result_of(body, first_result + k);
    copy_lane(result, size_of(node->out[k]), l->active, r->state[l->now][k]);
    r->carried[k] = (EvalLane){r->state[l->now][k], result->uniform};
  }
  return NULL;
}

/* Which elements go on; how many. */
static int64_t count_stays(LaneLoop *l) {
  const IrNode *node = l->step->node;
  const EvalLane *condition = node->attr.has_condition ? result_of(l->step->body[0], 0) : NULL;
  LaneRegion *r = l->region;
  int64_t stays = 0;
  if (l->same_count && (!condition || condition->uniform)) {
    bool on = l->done < r->count[0] && (!condition || bool_at(condition, 0));
    return on ? l->active : 0;
  }
  for (int64_t i = 0; i < l->active; i++)
    if (l->done < r->count[i] && (!condition || bool_at(condition, i)))
      r->stays[stays++] = (int32_t)i;
  return stays;
}

/* The results are those of all elements at once. */
static void end_together(LaneLoop *l) {
  for (int k = 0; k < l->step->node->out_count; k++) {
    const EvalLane *v = &l->region->carried[k];
    copy_lane(v, size_of(l->step->node->out[k]), l->n, l->step->room[k]);
    *l->step->out[k] = (EvalLane){l->step->room[k], v->uniform};
  }
}

/* Puts what has been reached to its places: that of elements which go on will be overwritten. */
static void put_back(LaneLoop *l) {
  for (int k = 0; k < l->step->node->out_count; k++)
    for (int64_t i = 0; i < l->active; i++)
      unpack_one(&l->region->carried[k], size_of(l->step->node->out[k]), i, l->step->room[k],
                 l->region->place[0][i]);
}

static void repack(LaneLoop *l, int64_t stays) {
  const IrNode *node = l->step->node;
  LaneRegion *r = l->region;
  int first_capture = first_carried(node) + node->attr.carried;
  for (int64_t i = 0; i < stays; i++) {
    r->place[0][i] = r->place[0][r->stays[i]];
    r->count[i] = r->count[r->stays[i]];
  }
  for (int k = 0; k < node->attr.carried; k++)
    if (!r->carried[k].uniform)
      pack(r->carried[k].data, size_of(node->out[k]), r->stays, stays, r->state[l->now][k]);
  for (int k = 0; k < r->capture_count; k++)
    r->captured[k] = packed_lane(&r->captured[k], size_of(node->in[first_capture + k]), r->stays,
                                 stays, r->packed[k]);
  l->active = stays;
  l->packed = true;
}

static const char *loop(Eval *e, LaneStep *s, int64_t n) {
  LaneLoop l = {.step = s, .region = s->region, .n = n};
  start_loop(&l);
  while (l.active) {
    const char *error = run_iteration(e, &l);
    if (error) return error;
    int64_t stays = count_stays(&l);
    if (stays == l.active) continue;
    if (stays == 0 && !l.packed) {
      end_together(&l);
      return NULL;
    }
    put_back(&l);
    if (stays == 0) break;
    repack(&l, stays);
  }
  for (int k = 0; k < s->node->out_count; k++) *s->out[k] = (EvalLane){s->room[k], false};
  return NULL;
}

/* ---- planning ---- */

/* Lanes' rooms, handed out again after the last use. */
typedef struct {
  void **free;
  size_t count, capacity;
} Rooms;

static void *take_room(Arena *a, Rooms *r) {
  return r->count ? r->free[--r->count] : arena_alloc(a, LANE_BYTES);
}

static bool is_scalar(const IrValue *v) { return v->type.rank == 0; }

static bool is_table(const IrNode *n) {
  const IrValue *x = n->in[0], *index = n->in[1];
  return x->constant && x->type.rank == 1 && is_scalar(index) && n->attr.axis == 0;
}

/* Whether a node can run on lanes, apart from its bodies. Constants need not be scalars where only
 * tables use them. */
static bool fits_lanes(const IrNode *n) {
  if (n->op == IR_CONST) return true;
  if (n->op == IR_GATHER) return is_table(n);
  for (int k = 0; k < n->in_count; k++)
    if (!is_scalar(n->in[k])) return false;
  for (int k = 0; k < n->out_count; k++)
    if (!is_scalar(n->out[k])) return false;
  if (n->op == IR_LOOP) return n->attr.scanned == 0 && n->out_count == n->attr.carried;
  return n->op == IR_CALL || n->op == IR_IF || ir_op_elementwise(n->op);
}

static LaneKernel kernel_of(IrOp op) {
  switch (op) {
  case IR_GATHER: return look_up;
  case IR_CALL: return call;
  case IR_IF: return branch;
  case IR_LOOP: return loop;
  default: return apply_loop;
  }
}

static void **rooms(Arena *a, int count) {
  void **list = ARENA_ARRAY(a, void *, (size_t)count);
  for (int k = 0; k < count; k++) list[k] = arena_alloc(a, LANE_BYTES);
  return list;
}

static LaneRegion *plan_region(Arena *a, const IrNode *n) {
  LaneRegion *r = ARENA_NEW(a, LaneRegion);
  int captures =
      n->op == IR_IF ? n->in_count - 1 : n->in_count - first_carried(n) - n->attr.carried;
  for (int k = 0; k < 2; k++) {
    r->place[k] = ARENA_ARRAY(a, int32_t, EVAL_LANES);
    r->state[k] = rooms(a, n->attr.carried);
  }
  r->stays = ARENA_ARRAY(a, int32_t, EVAL_LANES);
  r->count = ARENA_ARRAY(a, int64_t, EVAL_LANES);
  r->number = ARENA_ARRAY(a, int64_t, EVAL_LANES);
  r->packed = rooms(a, captures);
  r->captured = ARENA_ARRAY(a, EvalLane, (size_t)captures);
  r->carried = ARENA_ARRAY(a, EvalLane, (size_t)n->attr.carried);
  r->capture_count = captures;
  return r;
}

static bool body_fits(const LaneStep *s, const IrFunction *body) {
  const IrNode *n = s->node;
  int params = n->op == IR_CALL ? n->in_count
               : n->op == IR_IF ? n->in_count - 1
                                : n->in_count - first_carried(n) + 1;
  int results = n->out_count + (n->op == IR_LOOP && n->attr.has_condition);
  return body->param_count == params && body->result_count == results;
}

static bool plan_bodies(Arena *a, PointerMap *plans, LaneStep *s) {
  const IrNode *n = s->node;
  for (int k = 0; k < 2 && n->body[k]; k++) {
    if (!body_fits(s, n->body[k])) return false;
    s->body[k] = eval_lanes_plan(a, plans, n->body[k]);
    if (!s->body[k]) return false;
  }
  if (n->op == IR_IF || n->op == IR_LOOP) s->region = plan_region(a, n);
  return true;
}

static bool plan_step(Arena *a, PointerMap *plans, EvalLanes *l, const IrNode *n) {
  LaneStep *s = &l->steps[l->step_count++];
  s->node = n;
  s->kernel = kernel_of(n->op);
  s->in = ARENA_ARRAY(a, EvalLane *, (size_t)n->in_count);
  s->out = ARENA_ARRAY(a, EvalLane *, (size_t)n->out_count);
  s->room = ARENA_ARRAY(a, void *, (size_t)n->out_count);
  for (int k = 0; k < n->in_count; k++) s->in[k] = &l->values[n->in[k]->id];
  for (int k = 0; k < n->out_count; k++) s->out[k] = &l->values[n->out[k]->id];
  if (s->kernel == apply_loop) {
    s->loop = eval_loop_of(n->op, &n->attr, n->in[n->in_count - 1]->type.dtype);
    return s->loop && n->in_count <= EVAL_ELEMENTWISE_OPERANDS;
  }
  return plan_bodies(a, plans, s);
}

/* The step that uses each value last; results are used at the end. */
static int *last_uses(Arena *a, const EvalLanes *l) {
  const IrFunction *f = l->function;
  int *last = ARENA_ARRAY(a, int, (size_t)f->value_count);
  for (int k = 0; k < f->value_count; k++) last[k] = -1;
  for (int s = 0; s < l->step_count; s++)
    for (int k = 0; k < l->steps[s].node->in_count; k++) last[l->steps[s].node->in[k]->id] = s;
  for (int k = 0; k < f->result_count; k++) last[f->results[k]->id] = l->step_count;
  return last;
}

/* Gives back the rooms of operands that step s is the last to use, where `before` only those over
 * which its result can be written. */
static void free_rooms(Arena *a, Rooms *r, const LaneStep *s, int index, const int *last,
                       void **room, bool before) {
  const IrNode *n = s->node;
  for (int k = 0; k < n->in_count; k++) {
    int id = n->in[k]->id;
    if (last[id] != index || !room[id]) continue;
    if (before && (s->kernel != apply_loop || size_of(n->in[k]) != size_of(n->out[0]))) continue;
    ARENA_PUSH(a, r->free, r->count, r->capacity, room[id]);
    room[id] = NULL;
  }
}

static void plan_rooms(Arena *a, EvalLanes *l) {
  Rooms r = {0};
  const int *last = last_uses(a, l);
  void **room = ARENA_ARRAY(a, void *, (size_t)l->function->value_count);
  for (int k = 0; k < l->step_count; k++) {
    LaneStep *s = &l->steps[k];
    free_rooms(a, &r, s, k, last, room, true);
    for (int j = 0; j < s->node->out_count; j++)
      room[s->node->out[j]->id] = s->room[j] = take_room(a, &r);
    free_rooms(a, &r, s, k, last, room, false);
    for (int j = 0; j < s->node->out_count; j++) {
      int id = s->node->out[j]->id;
      if (last[id] >= 0) continue;
      ARENA_PUSH(a, r.free, r.count, r.capacity, room[id]);
      room[id] = NULL;
    }
  }
}

static void place_constant(EvalLanes *l, const IrValue *v) {
  if (v->constant) l->values[v->id] = (EvalLane){v->constant->data.bytes, true};
}

static bool function_fits(const IrFunction *f) {
  for (int k = 0; k < f->param_count; k++)
    if (!is_scalar(f->params[k])) return false;
  for (int k = 0; k < f->result_count; k++)
    if (!is_scalar(f->results[k])) return false;
  for (int k = 0; k < f->node_count; k++)
    if (!fits_lanes(f->nodes[k])) return false;
  return true;
}

EvalLanes *eval_lanes_plan(Arena *a, PointerMap *plans, const IrFunction *f) {
  EvalLanes *known = pointer_map_get(plans, f);
  if (known || !function_fits(f)) return known;
  EvalLanes *l = ARENA_NEW(a, EvalLanes);
  l->function = f;
  l->values = ARENA_ARRAY(a, EvalLane, (size_t)f->value_count);
  l->steps = ARENA_ARRAY(a, LaneStep, (size_t)f->node_count);
  for (int k = 0; k < f->node_count; k++) {
    for (int j = 0; j < f->nodes[k]->out_count; j++) place_constant(l, f->nodes[k]->out[j]);
    if (f->nodes[k]->op != IR_CONST && !plan_step(a, plans, l, f->nodes[k])) return NULL;
  }
  plan_rooms(a, l);
  l->arguments = rooms(a, f->param_count);
  pointer_map_set(plans, a, f, l);
  return l;
}

void *eval_lanes_room(EvalLanes *l, int k) { return l->arguments[k]; }

const char *eval_lanes_run(Eval *e, EvalLanes *l, const EvalLane *args, int64_t n,
                           EvalLane *result) {
  for (int k = 0; k < l->function->param_count; k++) *param_of(l, k) = args[k];
  const char *error = run(e, l, n);
  if (!error) *result = *result_of(l, 0);
  return error;
}
