#include "lower/random.h"

#include "frontend/suffix.h"
#include "lower/draws.h"
#include "lower/prng.h"

#include <string.h>

/* ---- finding draws ---- */

bool is_random_name(const char *name) { return name_ends(name, "_rng"); }

/* For a call that draws, in the order of the text. */
typedef struct {
  const Expr *wanted; /* NULL: any */
  uint64_t passed;    /* how many came before it */
} Search;

static bool search_expr(Search *s, const Expr *e) {
  if (!e) return false;
  if (e->kind == E_CALL && is_random_name(e->name)) {
    if (!s->wanted || s->wanted == e) return true;
    s->passed++;
  }
  for (int k = 0; k < e->arg_count; k++)
    if (search_expr(s, e->args[k])) return true;
  for (int k = 0; k < e->index_count; k++)
    if (search_expr(s, e->indices[k].a) || search_expr(s, e->indices[k].b)) return true;
  return false;
}

static bool search_sizes(Search *search, const SizedType *s) {
  if (!s) return false;
  const Expr *exprs[] = {s->sizes[0], s->sizes[1], s->lower, s->upper, s->offset, s->multiplier};
  for (int k = 0; k < s->array_dims; k++)
    if (search_expr(search, s->array_sizes[k])) return true;
  for (size_t k = 0; k < sizeof exprs / sizeof *exprs; k++)
    if (search_expr(search, exprs[k])) return true;
  for (int k = 0; k < s->member_count; k++)
    if (search_sizes(search, s->members[k])) return true;
  return false;
}

static bool search_stmt(Search *search, const Stmt *s) {
  if (!s) return false;
  const Expr *exprs[] = {s->cond, s->lhs, s->rhs, s->lower, s->upper};
  for (size_t k = 0; k < sizeof exprs / sizeof *exprs; k++)
    if (search_expr(search, exprs[k])) return true;
  for (int k = 0; k < s->arg_count; k++)
    if (search_expr(search, s->args[k])) return true;
  if (s->kind == S_DECL && search_sizes(search, s->decl->sized)) return true;
  if (s->kind == S_DECL && search_expr(search, s->decl->init)) return true;
  for (int k = 0; k < s->stmt_count; k++)
    if (search_stmt(search, s->stmts[k])) return true;
  return search_stmt(search, s->body) || search_stmt(search, s->orelse);
}

static bool search_block(Search *search, const Block *block) {
  for (int k = 0; k < block->stmt_count; k++)
    if (search_stmt(search, block->stmts[k])) return true;
  return false;
}

bool stmt_draws(const Stmt *s) { return search_stmt(&(Search){0}, s); }
bool block_draws(const Block *block) { return search_block(&(Search){0}, block); }

/* ---- places ---- */

/* The finalizer of SplitMix64 (Steele, Lea and Flood 2014). */
static uint64_t scrambled(uint64_t x) {
  x += 0x9e3779b97f4a7c15;
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
  x = (x ^ x >> 27) * 0x94d049bb133111eb;
  return x ^ x >> 31;
}

uint64_t enter_random_call(Tracer *t, const Expr *call) {
  uint64_t outer = t->path;
  Search search = {.wanted = call};
  const FunDef *f = t->frame->function;
  if (f)
    search_stmt(&search, f->body);
  else
    search_block(&search, &t->program->blocks[t->block]);
  t->path = scrambled(outer ^ scrambled(search.passed));
  return outer;
}

/* What an iteration of the loop inside of `loops` others adds to the key. */
static int64_t loop_step(int loops) { return (int64_t)(scrambled(~(uint64_t)loops) | 1); }

void enter_iteration(Tracer *t, Tr k) {
  k = tr_binary(t, IR_MUL, k, tr_int(t, loop_step(t->loops++)));
  t->place = t->place.value ? tr_binary(t, IR_ADD, t->place, k) : k;
}

/* ---- drawing ---- */

/* The number of each element of the given dims. */
static Tr element_number(Tracer *t, int rank, const Tr *dims) {
  IrValue *number = ir_i64(t->b, 0);
  for (int a = 0; a < rank; a++) {
    IrValue *i = ir_iota(t->b, dims[a].value);
    for (int k = a + 1; k < rank; k++) i = ir_unsqueeze(t->b, i, i->type.rank);
    number = ir_binary(t->b, IR_ADD, ir_binary(t->b, IR_MUL, number, dims[a].value), i);
  }
  return tr_const(number);
}

/* Numbers of the given own dims for each key that differs from the place's by an offset. */
static Tr draw_at(Tracer *t, Tr offset, int rank, const Tr *dims) {
  Tr counter = element_number(t, rank, dims), numbers;
  int own = tr_rank(offset);
  for (int k = 0; k < rank && own; k++) offset = tr_unsqueeze(t, offset, own + k);
  if (t->place.value) offset = tr_binary(t, IR_ADD, offset, t->place);
  if (collect_draw(t, offset, counter, &numbers)) return numbers;
  Tr bits = tr_binary(t, IR_THREEFRY, tr_binary(t, IR_ADD, t->key, offset), counter);
  return tr_unary(t, IR_UNIFORM, bits);
}

/* The loop before which numbers of these dims can be drawn for all its iterations, or NULL. */
static const Ahead *loop_ahead(const Tracer *t, int rank, const Tr *dims) {
  const Ahead *a = t->ahead;
  for (int k = 0; k < rank; k++)
    if (!tr_known(dims[k])) return NULL;
  return a && t->loops == a->loops + 1 && t->level == a->level ? a : NULL;
}

/* Those of every iteration of the loop, then of the one that is traced. */
static Tr draw_ahead(Tracer *t, const Ahead *a, int rank, const Tr *dims) {
  Tracer inside = *t;
  t->b = a->b;
  t->place = a->place;
  t->loops = a->loops;
  t->mask = (Tr){0};
  Tr own[IR_MAX_RANK], step = tr_int(t, loop_step(a->loops));
  for (int k = 0; k < rank; k++) own[k] = tr_const(ir_constant(t->b, dims[k].value->constant));
  Tr offset = tr_binary(t, IR_MUL, tr_const(ir_iota(t->b, a->count)), step);
  Tr all = draw_at(t, tr_binary(t, IR_ADD, offset, tr_int(t, (int64_t)t->path)), rank, own);
  *t = inside;
  return tr_gather(t, all, a->i, 0);
}

Tr draw_units(Tracer *t, int rank, const Tr *dims) {
  if (!t->key.value) trace_unsupported(t, t->span, "random numbers here");
  for (int k = 0; k < rank; k++)
    if (dims[k].level) trace_ragged(t, t->span, "random numbers");
  const Ahead *a = loop_ahead(t, rank, dims);
  return a ? draw_ahead(t, a, rank, dims) : draw_at(t, tr_int(t, (int64_t)t->path), rank, dims);
}

/* ---- entry points ---- */

/* Names that no variable of a program has. */
static const char *const SHARED_STATE = "state/", *const STATES = "states/";

static IrType state_type(void) { return ir_type(IR_I64, 1, (int64_t[]){2}); }

void start_generator(Tracer *t, Ports *p, bool batched) {
  const char *name = batched ? STATES : SHARED_STATE;
  IrValue *state = ir_param(t->b, state_type(), name);
  t->key = (Tr){prng_key(t->b, state), NULL, batched};
  add_input(p, (LoweredPort){.name = name}, batched);
  collect_draws(t, p, state);
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
  add_input(outer, (LoweredPort){.name = "draw_count"}, false);
  return ir_param(b, ir_scalar(IR_I64), "draw_count");
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
