#include "lower/random.h"

#include "frontend/suffix.h"
#include "lower/prng.h"

#include <string.h>

/* ---- drawing ---- */

/* The number of each iteration of the level, in order; with own axes of the given dims, of each of
 * their elements. */
static Tr element_number(Tracer *t, int rank, const Tr *dims) {
  Level *levels[IR_MAX_RANK], *level = t->level;
  int depth = level ? level->depth : 0, total = depth + rank;
  for (Level *l = level; l; l = l->flat ? NULL : l->parent) levels[l->depth - 1] = l;
  if (total > IR_MAX_RANK) trace_unsupported(t, t->span, "random numbers of this many dimensions");
  IrValue *number = NULL;
  for (int a = 0; a < total; a++) {
    IrValue *n = a < depth ? levels[a]->size : dims[a - depth].value;
    IrValue *i = ir_iota(t->b, n);
    for (int k = 0; k < total - 1; k++) i = ir_unsqueeze(t->b, i, k < a ? 0 : i->type.rank);
    number = number ? ir_binary(t->b, IR_ADD, ir_binary(t->b, IR_MUL, number, n), i) : i;
  }
  return number ? (Tr){number, level, false} : tr_int(t, 0);
}

Tr draw_bits(Tracer *t, int rank, const Tr *dims) {
  if (!t->key.value) trace_unsupported(t, t->span, "random numbers here");
  for (int k = 0; k < rank; k++)
    if (dims[k].level)
      trace_unsupported(t, t->span,
                        "as many random numbers as differs between the iterations of a loop");
  Tr *draws = &t->accumulators[ACC_DRAWS];
  Tr high = tr_binary(t, IR_MUL, *draws, tr_int(t, INT64_C(1) << 32));
  Tr counter = tr_binary(t, IR_ADD, element_number(t, rank, dims), high);
  *draws = tr_binary(t, IR_ADD, *draws, tr_int(t, 1));
  return tr_binary(t, IR_THREEFRY, t->key, counter);
}

Tr draw_units(Tracer *t, int rank, const Tr *dims) {
  return tr_unary(t, IR_UNIFORM, draw_bits(t, rank, dims));
}

/* ---- finding draws ---- */

bool is_random_name(const char *name) { return name_ends(name, "_rng"); }

static bool expr_draws(const Expr *e) {
  if (!e) return false;
  if (e->kind == E_CALL && is_random_name(e->name)) return true;
  for (int k = 0; k < e->arg_count; k++)
    if (expr_draws(e->args[k])) return true;
  for (int k = 0; k < e->index_count; k++)
    if (expr_draws(e->indices[k].a) || expr_draws(e->indices[k].b)) return true;
  return false;
}

bool stmt_draws(const Stmt *s) {
  if (!s) return false;
  const Expr *exprs[] = {s->cond, s->lhs, s->rhs, s->lower, s->upper};
  for (size_t k = 0; k < sizeof exprs / sizeof *exprs; k++)
    if (expr_draws(exprs[k])) return true;
  for (int k = 0; k < s->arg_count; k++)
    if (expr_draws(s->args[k])) return true;
  if (s->kind == S_DECL && expr_draws(s->decl->init)) return true;
  for (int k = 0; k < s->stmt_count; k++)
    if (stmt_draws(s->stmts[k])) return true;
  return stmt_draws(s->body) || stmt_draws(s->orelse);
}

bool block_draws(const Block *block) {
  for (int k = 0; k < block->stmt_count; k++)
    if (stmt_draws(block->stmts[k])) return true;
  return false;
}

/* ---- entry points ---- */

/* Names that no variable of a program has. */
static const char *const SHARED_STATE = "state/", *const STATES = "states/";

static IrType state_type(void) { return ir_type(IR_I64, 1, (int64_t[]){2}); }

void start_generator(Tracer *t, Ports *p, bool batched) {
  const char *name = batched ? STATES : SHARED_STATE;
  t->key = (Tr){prng_key(t->b, ir_param(t->b, state_type(), name)), NULL, batched};
  t->accumulators[ACC_DRAWS] = tr_int(t, 0);
  add_input(p, (LoweredPort){.name = name}, batched);
}

void end_generator(Tracer *t) { t->key = (Tr){0}; }

static bool is_state(const LoweredPort *port) {
  return port->name == SHARED_STATE || port->name == STATES;
}

/* How many draws the function is called for: the size of the first input that has one for each, or
 * else an input of its own. */
static IrValue *draw_count(IrBuilder *b, const Ports *p, IrValue *const *params, Ports *outer) {
  for (size_t k = 0; k < p->input_count; k++)
    if (p->batched[k] && params[k]) return ir_dim(b, params[k], 0);
  add_input(outer, (LoweredPort){.name = "draws"}, false);
  return ir_param(b, ir_scalar(IR_I64), "draws");
}

static void split_state(IrBuilder *b, const Ports *p, IrValue **params, Ports *outer) {
  add_input(outer, (LoweredPort){.name = "prng_state"}, false);
  IrValue *state = ir_param(b, state_type(), "prng_state");
  for (size_t k = 0; k < p->input_count; k++) {
    if (p->inputs[k].name == SHARED_STATE)
      params[k] = prng_split_at(b, state, ir_i64(b, PRNG_SHARED));
    if (p->inputs[k].name == STATES)
      params[k] = prng_split(b, state, draw_count(b, p, params, outer));
  }
}

IrFunction *take_state(Tracer *t, IrFunction *f, Ports *p) {
  size_t count = p->input_count, states = 0;
  for (size_t k = 0; k < count; k++) states += is_state(&p->inputs[k]);
  if (!states) return f;
  IrBuilder *b = ir_function_begin(t->module, NULL, f->name);
  IrValue **params = ARENA_ARRAY(t->arena, IrValue *, count);
  IrValue **results = ARENA_ARRAY(t->arena, IrValue *, (size_t)f->result_count);
  Ports outer = {.arena = p->arena};
  for (size_t k = 0; k < count; k++) {
    if (is_state(&p->inputs[k])) continue;
    params[k] = ir_param(b, f->params[k]->type, p->inputs[k].name);
    ir_assume(params[k], f->params[k]->facts);
    add_input(&outer, p->inputs[k], p->batched[k]);
  }
  split_state(b, p, params, &outer);
  ir_inline(b, f, params, results);
  p->inputs = outer.inputs;
  p->input_count = outer.input_count;
  p->batched = outer.batched;
  return ir_function_end(b, results, f->result_names, f->result_count);
}
