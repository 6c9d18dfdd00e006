/* Ops with bodies. A body's parameters are bound, it runs, and its results are taken from it before
 * it is cleared for the next time. */
#include "ir/eval.h"

#include <string.h>

/* ---- CALL ---- */

/* Binds operands from `first` on to the parameters from `param` on. */
static const char *bind_rest(Eval *e, EvalBody *b, int first, int param, bool last) {
  if (b->function->param_count - param != e->count - first)
    return eval_error(e, "%d operands for %d parameters", e->count - first,
                      b->function->param_count - param);
  for (int k = first; k < e->count; k++) {
    const char *error = eval_bind(e, b, param + k - first, e->in[k], last && e->dies[k]);
    if (error) return error;
  }
  return NULL;
}

static void drop_params(Eval *e, EvalBody *b) {
  for (int k = 0; k < b->function->param_count; k++) eval_value_drop(e->pool, eval_param(b, k));
}

/* Runs a body once, on operands from `first` on; its results become the op's. */
static const char *run_once(Eval *e, EvalBody *b, int first) {
  const char *error = bind_rest(e, b, first, 0, true);
  if (error) {
    drop_params(e, b);
    return error;
  }
  error = eval_body_run(e, b);
  if (error) return error;
  for (int k = 0; k < b->function->result_count; k++)
    eval_value_share(e->out[k], eval_body_result(b, k));
  eval_body_clear(e->pool, b);
  return NULL;
}

/* How the operands of an elementwise function are found. */
typedef struct {
  EvalWalk walk;
  bool uniform, whole; /* one element; an element for each of the result's */
} Source;

static Source source_of(const IrTensor *out, const EvalValue *operand) {
  Source s = {.uniform = operand->tensor.count == 1, .whole = operand->tensor.count == out->count};
  if (!s.uniform && !s.whole) s.walk = eval_walk(&out->type, operand);
  return s;
}

static const void *element(const IrTensor *t, int64_t k) {
  return (const char *)t->data.bytes + (size_t)k * ir_dtype_size(t->type.dtype);
}

static EvalLane next_lane(Eval *e, int k, Source *s, int64_t first, int64_t n) {
  const IrTensor *x = &e->in[k]->tensor;
  if (s->uniform) return (EvalLane){x->data.bytes, true};
  if (s->whole) return (EvalLane){element(x, first), false};
  void *room = eval_lanes_room(e->step->lanes, k);
  eval_walk_copy(&s->walk, x->data.bytes, ir_dtype_size(x->type.dtype), n, room);
  return (EvalLane){room, false};
}

/* Some elements of the result. */
static const char *call_lanes(Eval *e, Source *sources, EvalLane *args, int64_t first, int64_t n) {
  const IrTensor *out = &e->out[0]->tensor;
  size_t size = ir_dtype_size(out->type.dtype);
  char *to = (char *)out->data.bytes + (size_t)first * size;
  EvalLane result;
  for (int k = 0; k < e->count; k++) args[k] = next_lane(e, k, &sources[k], first, n);
  const char *error = eval_lanes_run(e, e->step->lanes, args, n, &result);
  if (error) return error;
  if (!result.uniform) {
    memcpy(to, result.data, (size_t)n * size);
    return NULL;
  }
  for (int64_t i = 0; i < n; i++) memcpy(to + (size_t)i * size, result.data, size);
  return NULL;
}

/* One element of the result, by the function's own body. */
static const char *call_one(Eval *e, Source *sources, int64_t at) {
  EvalBody *b = e->step->body[0];
  const IrTensor *out = &e->out[0]->tensor;
  for (int k = 0; k < e->count; k++) {
    const IrTensor *x = &e->in[k]->tensor;
    Source *s = &sources[k];
    int64_t place = s->uniform ? 0 : s->whole ? at : s->walk.offset;
    EvalValue *param = eval_param(b, k);
    param->tensor = (IrTensor){.type = ir_scalar(x->type.dtype), .count = 1};
    param->tensor.data.bytes = (void *)element(x, place);
    if (!s->uniform && !s->whole) eval_walk_on(&s->walk);
  }
  const char *error = eval_body_run(e, b);
  if (error) return error;
  size_t size = ir_dtype_size(out->type.dtype);
  memcpy((char *)out->data.bytes + (size_t)at * size, eval_body_result(b, 0)->tensor.data.bytes,
         size);
  eval_body_clear(e->pool, b);
  return NULL;
}

static const char *check_scalar_call(Eval *e, const IrFunction *f) {
  if (f->param_count != e->count || f->result_count != 1)
    return eval_error(e, "%d operands for %d parameters", e->count, f->param_count);
  for (int k = 0; k < e->count; k++)
    if (e->in[k]->tensor.type.dtype != f->params[k]->type.dtype)
      return eval_error(e, "operand %d of another type", k);
  return NULL;
}

static const char *call_elementwise(Eval *e) {
  const IrFunction *f = e->step->body[0]->function;
  IrType type;
  const char *error = check_scalar_call(e, f);
  if (!error) error = eval_broadcast_type(e, f->results[0]->type.dtype, &type);
  if (!error) error = eval_result(e, &type, -1);
  const IrTensor *out = &e->out[0]->tensor;
  if (error || out->count == 0) return error;
  size_t size = sizeof(Source) + sizeof(EvalLane);
  Source *sources = eval_scratch(e, (size_t)e->count + 1, size);
  if (!sources) return eval_error(e, "out of memory");
  EvalLane *args = (EvalLane *)(void *)(sources + e->count);
  for (int k = 0; k < e->count; k++) sources[k] = source_of(out, e->in[k]);
  int64_t each = e->step->lanes ? EVAL_LANES : 1;
  for (int64_t at = 0; at < out->count && !error; at += each)
    error = !e->step->lanes
                ? call_one(e, sources, at)
                : call_lanes(e, sources, args, at, out->count - at < each ? out->count - at : each);
  return error;
}

const char *eval_call(Eval *e) {
  EvalBody *b = e->step->body[0];
  return b->function->elementwise ? call_elementwise(e) : run_once(e, b, 0);
}

/* ---- IF ---- */

const char *eval_if(Eval *e) {
  const IrTensor *condition = &e->in[0]->tensor;
  if (condition->type.dtype != IR_BOOL || condition->count != 1)
    return eval_error(e, "the condition is not a bool");
  return run_once(e, e->step->body[condition->data.boolean[0] ? 0 : 1], 1);
}

/* ---- LOOP ---- */

/* Where things are among the operands, and the results of the body. */
typedef struct {
  int64_t count;
  bool running;
  int carried, scanned, outs;
  int first_carried, first_scanned, first_capture;
  int first_result;
  int64_t done;
} Loop;

static const char *loop_layout(Eval *e, Loop *l) {
  const IrAttr *attr = e->attr;
  const IrFunction *body = e->step->body[0]->function;
  *l = (Loop){.running = true, .carried = attr->carried, .scanned = attr->scanned};
  l->outs = e->step->node->out_count - l->carried;
  l->first_carried = attr->has_condition ? 2 : 1;
  l->first_scanned = l->first_carried + l->carried;
  l->first_capture = l->first_scanned + l->scanned;
  l->first_result = attr->has_condition ? 1 : 0;
  if (e->count < l->first_capture || l->outs < 0 ||
      body->param_count != 1 + e->count - l->first_carried ||
      body->result_count != l->first_result + l->carried + l->outs)
    return eval_error(e, "a body that does not fit");
  const IrTensor *count = &e->in[0]->tensor, *condition = &e->in[e->count > 1 ? 1 : 0]->tensor;
  if (count->type.dtype != IR_I64 || count->count != 1)
    return eval_error(e, "the number of iterations is not an integer");
  l->count = count->data.i64[0];
  if (!attr->has_condition) return NULL;
  if (condition->type.dtype != IR_BOOL || condition->count != 1)
    return eval_error(e, "the condition is not a bool");
  l->running = condition->data.boolean[0];
  return NULL;
}

/* Element i of a scanned operand, which stays where it is. */
static const char *bind_element(Eval *e, const Loop *l, int k, int64_t i) {
  EvalValue *x = e->in[l->first_scanned + k], row = {.block = x->block};
  const IrType *t = &x->tensor.type;
  if (t->rank < 1 || i < 0 || i >= t->dim[0])
    return eval_error(e, "element %lld of scanned operand %d", (long long)i, k);
  row.tensor.type = (IrType){.dtype = t->dtype, .rank = t->rank - 1};
  memcpy(row.tensor.type.dim, t->dim + 1, sizeof *t->dim * (size_t)(t->rank - 1));
  row.tensor.count = x->tensor.count / t->dim[0];
  row.tensor.data.bytes =
      (char *)x->tensor.data.bytes + (size_t)(i * row.tensor.count) * ir_dtype_size(t->dtype);
  return eval_bind(e, e->step->body[0], 1 + l->carried + k, &row, false);
}

/* The number of the iteration has memory of its own, as the body may pass it on. */
static const char *bind_number(Eval *e, int64_t number) {
  EvalValue v = {.tensor = {.type = ir_scalar(IR_I64), .count = 1}};
  v.block = eval_block_take(e->pool, sizeof number);
  if (!v.block) return eval_error(e, "out of memory");
  v.tensor.data.bytes = eval_block_data(v.block);
  *v.tensor.data.i64 = number;
  const char *error = eval_bind(e, e->step->body[0], 0, &v, true);
  eval_value_drop(e->pool, &v);
  return error;
}

static const char *bind_iteration(Eval *e, const Loop *l) {
  EvalBody *b = e->step->body[0];
  int64_t number = e->attr->reverse ? l->count - 1 - l->done : l->done;
  const char *error = bind_number(e, number);
  for (int k = 0; k < l->carried && !error; k++)
    error = eval_bind(e, b, 1 + k, &e->step->state[k], true);
  for (int k = 0; k < l->scanned && !error; k++) error = bind_element(e, l, k, number);
  if (!error) error = bind_rest(e, b, l->first_capture, 1 + l->carried + l->scanned, false);
  return error;
}

/* Rows for stacked results. Their number may not be known: room grows by doubling. In reverse the
 * last row is filled first. */
static const char *grow_out(Eval *e, const Loop *l, EvalValue *out, const IrTensor *row) {
  const IrType *t = &row->type;
  int64_t room = out->block ? out->tensor.type.dim[0] : 0, wanted = room ? room * 2 : 16, count;
  if (room == 0 && l->count <= EVAL_MAX_ELEMENTS &&
      (!e->attr->has_condition || l->count * (row->count + 1) < 1 << 16))
    wanted = l->count;
  if (wanted > l->count) wanted = l->count;
  IrType type = {.dtype = t->dtype, .rank = t->rank + 1, .dim = {wanted}};
  if (type.rank > IR_MAX_RANK) return eval_error(e, "%d axes are too many", type.rank);
  memcpy(type.dim + 1, t->dim, sizeof *t->dim * (size_t)t->rank);
  const char *error = eval_count(e, &type, &count);
  if (error) return error;
  size_t bytes = (size_t)row->count * ir_dtype_size(t->dtype);
  EvalBlock *block = eval_block_take(e->pool, (size_t)wanted * bytes);
  if (!block) return eval_error(e, "out of memory");
  if (room && bytes) {
    size_t shift = e->attr->reverse ? (size_t)(wanted - room) * bytes : 0;
    memcpy((char *)eval_block_data(block) + shift, out->tensor.data.bytes, (size_t)room * bytes);
  }
  eval_value_drop(e->pool, out);
  out->block = block;
  out->tensor = (IrTensor){.type = type, .count = count, .data.bytes = eval_block_data(block)};
  return NULL;
}

static const char *append_out(Eval *e, const Loop *l, EvalValue *out, const IrTensor *row) {
  const IrType *t = &row->type;
  const char *error = eval_charge_elements(e, (double)row->count);
  if (error) return error;
  if (!out->block || l->done == out->tensor.type.dim[0]) {
    error = grow_out(e, l, out, row);
    if (error) return error;
  }
  IrType *all = &out->tensor.type;
  for (int k = 0; k < t->rank; k++)
    if (all->dim[k + 1] != t->dim[k])
      return eval_error(e, "results of iterations differ in size: %lld and %lld",
                        (long long)all->dim[k + 1], (long long)t->dim[k]);
  int64_t place = e->attr->reverse ? all->dim[0] - 1 - l->done : l->done;
  size_t bytes = (size_t)row->count * ir_dtype_size(t->dtype);
  if (bytes) memcpy((char *)out->tensor.data.bytes + (size_t)place * bytes, row->data.bytes, bytes);
  return NULL;
}

static const char *take_results(Eval *e, Loop *l) {
  EvalBody *b = e->step->body[0];
  EvalValue *state = e->step->state;
  const char *error = NULL;
  for (int k = 0; k < l->carried; k++)
    eval_value_share(&state[k], eval_body_result(b, l->first_result + k));
  for (int k = 0; k < l->outs && !error; k++)
    error = append_out(e, l, &state[l->carried + k],
                       &eval_body_result(b, l->first_result + l->carried + k)->tensor);
  if (e->attr->has_condition) l->running = eval_body_result(b, 0)->tensor.data.boolean[0];
  l->done++;
  eval_body_clear(e->pool, b);
  return error;
}

static const char *iterate(Eval *e, Loop *l) {
  EvalBody *b = e->step->body[0];
  while (l->running && l->done < l->count) {
    const char *error = eval_charge(e, 1);
    if (error) return error;
    error = bind_iteration(e, l);
    if (error) {
      drop_params(e, b);
      return error;
    }
    error = eval_body_run(e, b);
    if (!error) error = take_results(e, l);
    if (error) return error;
  }
  return NULL;
}

/* What is stacked of no iterations; sizes that only an iteration would have shown are 0. */
static const char *empty_out(Eval *e, const Loop *l, int k, EvalValue *out) {
  const IrType *row = &e->step->body[0]->function->results[l->first_result + l->carried + k]->type;
  IrType type = {.dtype = row->dtype, .rank = row->rank + 1};
  if (type.rank > IR_MAX_RANK) return eval_error(e, "%d axes are too many", type.rank);
  for (int j = 0; j < row->rank; j++) type.dim[j + 1] = row->dim[j] == IR_DYNAMIC ? 0 : row->dim[j];
  out->block = eval_block_take(e->pool, 0);
  if (!out->block) return eval_error(e, "out of memory");
  out->tensor = (IrTensor){.type = type, .data.bytes = eval_block_data(out->block)};
  return NULL;
}

static const char *give_results(Eval *e, const Loop *l) {
  EvalValue *state = e->step->state;
  const char *error = NULL;
  for (int k = 0; k < l->outs && !error; k++) {
    EvalValue *out = &state[l->carried + k];
    if (!out->block) {
      error = empty_out(e, l, k, out);
      continue;
    }
    IrTensor *t = &out->tensor;
    int64_t room = t->type.dim[0], row = room ? t->count / room : 0;
    if (e->attr->reverse)
      t->data.bytes =
          (char *)t->data.bytes + (size_t)((room - l->done) * row) * ir_dtype_size(t->type.dtype);
    t->type.dim[0] = l->done;
    t->count = l->done * row;
  }
  for (int k = 0; k < l->carried + l->outs && !error; k++)
    eval_value_pass(e->out[k], &state[k], true);
  return error;
}

const char *eval_loop(Eval *e) {
  Loop l;
  EvalValue *state = e->step->state;
  const char *error = loop_layout(e, &l);
  if (error) return error;
  for (int k = 0; k < l.carried; k++) {
    int from = l.first_carried + k;
    eval_value_pass(&state[k], e->in[from], e->dies[from]);
  }
  error = iterate(e, &l);
  if (!error) error = give_results(e, &l);
  for (int k = 0; k < l.carried + l.outs; k++) eval_value_drop(e->pool, &state[k]);
  return error;
}
