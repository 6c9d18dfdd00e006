/* Plans: the steps of a function and of those it uses, with a place for each value. */
#include "ir/eval.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

static const int64_t DEFAULT_STEP_LIMIT = (int64_t)1 << 28;
enum { ELEMENTS_PER_STEP = 1024 };
/* Memory that may be spent on a constant. */
static const size_t CONSTANT_BYTES = (size_t)1 << 32;

struct IrPlan {
  Arena *arena;
  EvalPool pool;
  EvalBody *body;
  PointerMap bodies; /* IrFunction to EvalBody */
  PointerMap lanes;  /* IrFunction to EvalLanes */
  int64_t step_limit, steps_left;
  char text[EVAL_TEXT_BYTES];
};

static const EvalKernel kernels[IR_OP_COUNT] = {
#define OP(name, text, operands, shape, evaluate, vjp, batch, guard, onnx)                         \
  [IR_##name] = eval_##evaluate,
#include "ir/ops.def"
#undef OP
};

/* ---- planning ---- */

static EvalBody *plan_body(IrPlan *p, const IrFunction *f);

static void add_value(EvalBody *b, const IrValue *v) {
  EvalValue *place = &b->values[v->id];
  place->declared = &v->type;
  if (v->constant) place->tensor = *v->constant;
}

static EvalValue **places(Arena *a, EvalBody *b, IrValue *const *values, int count) {
  EvalValue **list = ARENA_ARRAY(a, EvalValue *, (size_t)count);
  for (int k = 0; k < count; k++) list[k] = &b->values[values[k]->id];
  return list;
}

/* The step after which each value is not needed: -1 where nothing uses it, step_count for results.
 */
static int *last_uses(Arena *a, const EvalBody *b) {
  const IrFunction *f = b->function;
  int *last = ARENA_ARRAY(a, int, (size_t)f->value_count);
  for (int k = 0; k < f->value_count; k++) last[k] = -1;
  for (int s = 0; s < b->step_count; s++) {
    const IrNode *n = b->steps[s].node;
    for (int k = 0; k < n->in_count; k++) last[n->in[k]->id] = s;
  }
  for (int k = 0; k < f->result_count; k++) last[f->results[k]->id] = b->step_count;
  return last;
}

/* What step s is the last to use, and what it makes that nothing uses. A constant has nothing to
 * drop. */
static void plan_drops(Arena *a, EvalBody *b, int s, const int *last) {
  EvalStep *step = &b->steps[s];
  const IrNode *n = step->node;
  step->dies = ARENA_ARRAY(a, bool, (size_t)n->in_count);
  step->last = ARENA_ARRAY(a, EvalValue *, (size_t)n->in_count + (size_t)n->out_count);
  for (int k = n->in_count - 1; k >= 0; k--) {
    bool later = false;
    if (last[n->in[k]->id] != s || n->in[k]->constant) continue;
    for (int j = 0; j < step->last_count; j++) later = later || step->last[j] == step->in[k];
    if (later) continue;
    step->dies[k] = true;
    step->last[step->last_count++] = step->in[k];
  }
  for (int k = 0; k < n->out_count; k++)
    if (last[n->out[k]->id] < 0) step->last[step->last_count++] = step->out[k];
}

static void plan_step(IrPlan *p, EvalBody *b, const IrNode *n) {
  Arena *a = p->arena;
  EvalStep *step = &b->steps[b->step_count++];
  step->node = n;
  step->kernel = kernels[n->op];
  step->in = places(a, b, n->in, n->in_count);
  step->out = places(a, b, n->out, n->out_count);
  if (n->op == IR_CALL && n->body[0]->elementwise)
    step->lanes = eval_lanes_plan(a, &p->lanes, n->body[0]);
  for (int k = 0; k < 2; k++)
    if (n->body[k]) step->body[k] = plan_body(p, n->body[k]);
  if (n->op == IR_LOOP) step->state = ARENA_ARRAY(a, EvalValue, (size_t)n->out_count);
}

/* What still holds memory when all steps are done: results, and parameters that nothing uses. */
static void plan_kept(Arena *a, EvalBody *b, const int *last) {
  const IrFunction *f = b->function;
  b->kept = ARENA_ARRAY(a, EvalValue *, (size_t)f->result_count + (size_t)f->param_count);
  for (int k = 0; k < f->result_count; k++)
    if (!f->results[k]->constant) b->kept[b->kept_count++] = &b->values[f->results[k]->id];
  for (int k = 0; k < f->param_count; k++)
    if (last[f->params[k]->id] < 0) b->kept[b->kept_count++] = &b->values[f->params[k]->id];
}

static EvalBody *plan_body(IrPlan *p, const IrFunction *f) {
  EvalBody *b = pointer_map_get(&p->bodies, f);
  if (b) return b;
  b = ARENA_NEW(p->arena, EvalBody);
  pointer_map_set(&p->bodies, p->arena, f, b);
  b->function = f;
  b->values = ARENA_ARRAY(p->arena, EvalValue, (size_t)f->value_count);
  b->steps = ARENA_ARRAY(p->arena, EvalStep, (size_t)f->node_count);
  for (int k = 0; k < f->param_count; k++) add_value(b, f->params[k]);
  for (int k = 0; k < f->node_count; k++)
    for (int j = 0; j < f->nodes[k]->out_count; j++) add_value(b, f->nodes[k]->out[j]);
  for (int k = 0; k < f->node_count; k++)
    if (f->nodes[k]->op != IR_CONST) plan_step(p, b, f->nodes[k]);
  const int *last = last_uses(p->arena, b);
  for (int s = 0; s < b->step_count; s++) plan_drops(p->arena, b, s, last);
  plan_kept(p->arena, b, last);
  return b;
}

IrPlan *ir_plan_new(const IrFunction *f) {
  Arena *a = arena_new();
  jmp_buf exhausted;
  if (!a) return NULL;
  if (setjmp(exhausted)) {
    arena_free(a);
    return NULL;
  }
  arena_on_exhaustion(a, &exhausted);
  IrPlan *p = ARENA_NEW(a, IrPlan);
  p->arena = a;
  p->step_limit = DEFAULT_STEP_LIMIT;
  p->body = plan_body(p, f);
  arena_on_exhaustion(a, NULL);
  return p;
}

void ir_plan_limit_steps(IrPlan *p, int64_t limit) { p->step_limit = limit; }
int64_t ir_plan_allocations(const IrPlan *p) { return p->pool.allocations; }

/* ---- running ---- */

EvalValue *eval_param(EvalBody *b, int k) { return &b->values[b->function->params[k]->id]; }

EvalValue *eval_body_result(EvalBody *b, int k) { return &b->values[b->function->results[k]->id]; }

/* Whether a value is as its declaration says. */
static bool as_declared(const EvalValue *v, const IrType *declared) {
  const IrType *t = &v->tensor.type;
  if (t->dtype != declared->dtype || t->rank != declared->rank) return false;
  for (int k = 0; k < t->rank; k++)
    if (declared->dim[k] != IR_DYNAMIC && declared->dim[k] != t->dim[k]) return false;
  return true;
}

const char *eval_bind(Eval *e, EvalBody *b, int k, EvalValue *v, bool last) {
  EvalValue *param = eval_param(b, k);
  if (!as_declared(v, param->declared))
    return eval_error(e, "operand %d is not of the type that '%s' expects", k,
                      b->function->name ? b->function->name : "the body");
  eval_value_pass(param, v, last);
  return NULL;
}

const char *eval_charge(Eval *e, int64_t steps) {
  e->plan->steps_left -= steps;
  if (e->plan->steps_left >= 0) return NULL;
  return eval_error(e, "more than %lld steps", (long long)e->plan->step_limit);
}

const char *eval_charge_elements(Eval *e, double elements) {
  return e->plan ? eval_charge(e, (int64_t)(elements / ELEMENTS_PER_STEP)) : NULL;
}

void eval_body_clear(EvalPool *pool, EvalBody *b) {
  for (int k = 0; k < b->kept_count; k++) eval_value_drop(pool, b->kept[k]);
}

static void drop_all(EvalPool *pool, EvalBody *b) {
  for (int k = 0; k < b->function->value_count; k++) eval_value_drop(pool, &b->values[k]);
}

static const char *run_step(IrPlan *p, const EvalStep *step) {
  Eval e = {.op = step->node->op,
            .attr = &step->node->attr,
            .count = step->node->in_count,
            .in = step->in,
            .dies = step->dies,
            .out = step->out,
            .pool = &p->pool,
            .text = p->text,
            .step = step,
            .plan = p};
  const char *error = step->kernel(&e);
  eval_block_drop(&p->pool, e.scratch);
  for (int k = 0; k < e.step->node->out_count && !error; k++)
    if (!as_declared(step->out[k], step->out[k]->declared))
      error = eval_error(&e, "result %d has another size than it should", k);
  for (int k = 0; k < step->last_count; k++) eval_value_drop(&p->pool, step->last[k]);
  return error;
}

const char *eval_body_run(Eval *e, EvalBody *b) {
  for (int s = 0; s < b->step_count; s++) {
    const char *error = run_step(e->plan, &b->steps[s]);
    if (!error) continue;
    drop_all(e->pool, b);
    return error;
  }
  return NULL;
}

static const char *bind_arguments(Eval *e, EvalBody *b, const IrTensor *const *args) {
  for (int k = 0; k < b->function->param_count; k++) {
    EvalValue v = {.tensor = *args[k]};
    int64_t count;
    const char *error = eval_count(e, &v.tensor.type, &count);
    if (!error && count != v.tensor.count) error = eval_error(e, "argument %d is no tensor", k);
    if (!error) error = eval_bind(e, b, k, &v, true);
    if (error) return error;
  }
  return NULL;
}

/* Results that are arguments, or parts of them, become copies, as arguments are the caller's. */
static const char *own_results(Eval *e, EvalBody *b) {
  for (int k = 0; k < b->function->result_count; k++) {
    EvalValue *v = eval_body_result(b, k);
    size_t size = (size_t)v->tensor.count * ir_dtype_size(v->tensor.type.dtype);
    if (v->block || b->function->results[k]->constant) continue;
    v->block = eval_block_take(e->pool, size);
    if (!v->block) return eval_error(e, "out of memory");
    if (size) memcpy(eval_block_data(v->block), v->tensor.data.bytes, size);
    v->tensor.data.bytes = eval_block_data(v->block);
  }
  return NULL;
}

const char *ir_plan_run(IrPlan *p, const IrTensor *const *args, const IrTensor **results) {
  Eval e = {.op = IR_CALL, .pool = &p->pool, .text = p->text, .plan = p};
  EvalBody *b = p->body;
  eval_body_clear(&p->pool, b);
  p->steps_left = p->step_limit;
  const char *error = bind_arguments(&e, b, args);
  if (!error) error = eval_body_run(&e, b);
  if (!error) error = own_results(&e, b);
  if (error) {
    drop_all(&p->pool, b);
    return error;
  }
  for (int k = 0; k < b->function->result_count; k++) results[k] = &eval_body_result(b, k)->tensor;
  return NULL;
}

void ir_plan_free(IrPlan *p) {
  if (!p) return;
  eval_body_clear(&p->pool, p->body);
  eval_pool_free(&p->pool);
  arena_free(p->arena);
}

/* ---- constants ---- */

/* Places for operands; `more` avoids the arena where there are few. */
enum { FEW = 16 };

const char *ir_eval_op(Arena *a, IrOp op, const IrAttr *attr, const IrTensor *const *in, int count,
                       IrTensor **out) {
  EvalValue few[FEW], *operands = count > FEW ? ARENA_ARRAY(a, EvalValue, (size_t)count) : few;
  EvalValue *few_places[FEW],
      **operand_places = count > FEW ? ARENA_ARRAY(a, EvalValue *, (size_t)count) : few_places;
  EvalValue result = {0}, *result_place = &result;
  EvalPool pool = {0};
  char text[EVAL_TEXT_BYTES];
  int expected = ir_op_info(op)->operands;
  for (int k = 0; k < count; k++) {
    operands[k] = (EvalValue){.tensor = *in[k], .declared = &in[k]->type};
    operand_places[k] = &operands[k];
  }
  Eval e = {.op = op,
            .attr = attr,
            .count = count,
            .in = operand_places,
            .out = &result_place,
            .pool = &pool,
            .arena = a,
            .text = text};
  const char *error = NULL;
  if (op == IR_CALL || op == IR_IF || op == IR_LOOP)
    error = eval_error(&e, "has bodies");
  else if (expected >= 0 ? count != expected : count < 1)
    error = eval_error(&e, "%d operands", count);
  if (!error) error = kernels[op](&e);
  eval_block_drop(&pool, e.scratch);
  eval_pool_free(&pool);
  if (error) return arena_strdup(a, error);
  *out = ARENA_NEW(a, IrTensor);
  **out = result.tensor;
  return NULL;
}

static IrTensor *copy_of(Arena *a, const IrTensor *t) {
  IrTensor *copy = ir_tensor_new(a, t->type);
  if (t->count)
    memcpy(copy->data.bytes, t->data.bytes, (size_t)t->count * ir_dtype_size(t->type.dtype));
  return copy;
}

const char *ir_eval_function(Arena *a, const IrFunction *f, const IrTensor *const *args,
                             IrTensor **results, int64_t step_limit) {
  const IrTensor **owned = ARENA_ARRAY(a, const IrTensor *, (size_t)f->result_count);
  jmp_buf exhausted, *before;
  IrPlan *p = ir_plan_new(f);
  if (!p) return "out of memory";
  ir_plan_limit_steps(p, step_limit);
  p->pool.most_bytes = CONSTANT_BYTES;
  const char *error = ir_plan_run(p, args, owned);
  /* The plan's memory is not the arena's: it must not be lost when that runs out. */
  before = arena_on_exhaustion(a, &exhausted);
  if (setjmp(exhausted)) {
    error = "out of memory";
  } else {
    if (error) error = arena_strdup(a, error);
    for (int k = 0; k < f->result_count && !error; k++) results[k] = copy_of(a, owned[k]);
  }
  arena_on_exhaustion(a, before);
  ir_plan_free(p);
  return error;
}
