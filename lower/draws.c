#include "lower/draws.h"

#include "lower/prng.h"

enum { FEW = 256 }; /* elements up to which a draw is collected: more are worth a call */

/* The numbers that a parameter stands for. */
typedef struct Draw Draw;
struct Draw {
  Draw *next;
  IrValue *numbers, *state;
  const IrTensor *offset, *counter; /* broadcast to the numbers' shape */
};

struct Draws {
  Ports *ports;
  IrBuilder *b; /* of the function that is to have the parameters */
  IrValue *state;
  Draw *first, **end;
};

/* A name that no variable of a program has. */
static const char *const DRAW = "draw/";

void collect_draws(Tracer *t, Ports *p, IrValue *state) {
  if (!t->draws) {
    t->draws = ARENA_NEW(t->arena, struct Draws);
    t->draws->end = &t->draws->first;
  }
  t->draws->ports = p;
  t->draws->b = t->b;
  t->draws->state = state;
}

static bool same_draw(const Draw *d, const struct Draws *all, const IrTensor *offset,
                      const IrTensor *counter, const IrType *type) {
  return d->state == all->state && d->offset == offset && d->counter == counter &&
         ir_types_equal(&d->numbers->type, type);
}

bool collect_draw(Tracer *t, Tr offset, Tr counter, Tr *result) {
  struct Draws *all = t->draws;
  if (!all || !all->state || !tr_known(offset) || !tr_known(counter)) return false;
  Tr each = tr_binary(t, IR_ADD, offset, tr_binary(t, IR_MUL, counter, tr_int(t, 0)));
  IrType type = each.value->type;
  type.dtype = IR_F64;
  int64_t count = ir_type_count(&type);
  if (!tr_known(each) || count < 1 || count > FEW) return false;
  const IrTensor *offsets = each.value->constant, *counters = counter.value->constant;
  Draw *d = all->first;
  while (d && !same_draw(d, all, offsets, counters, &type)) d = d->next;
  if (!d) {
    d = ARENA_NEW(t->arena, Draw);
    *d = (Draw){NULL, ir_param(all->b, type, DRAW), all->state, offsets, counters};
    ir_assume(d->numbers, IR_NONNEGATIVE | IR_AT_MOST_ONE | IR_NOT_NAN | IR_FINITE);
    add_input(all->ports, (LoweredPort){.name = DRAW}, false);
    *all->end = d;
    all->end = &d->next;
  }
  *result = (Tr){d->numbers, each.level, t->key.varying};
  return true;
}

/* ---- making them ---- */

/* x as it broadcasts to the shape of a draw, as a vector. */
static IrValue *flat(IrBuilder *b, const IrTensor *x, const Draw *d) {
  const IrType *type = &d->numbers->type;
  IrValue *dims[IR_MAX_RANK], *count = ir_i64(b, ir_type_count(type));
  for (int k = 0; k < type->rank; k++) dims[k] = ir_i64(b, type->dim[k]);
  return ir_reshape(b, ir_broadcast(b, ir_constant(b, x), dims, type->rank), &count, 1);
}

static IrValue *part(IrBuilder *b, IrValue *all, int64_t start, const Draw *d) {
  const IrType *type = &d->numbers->type;
  IrValue *dims[IR_MAX_RANK];
  for (int k = 0; k < type->rank; k++) dims[k] = ir_i64(b, type->dim[k]);
  IrValue *numbers = ir_slice(b, all, 0, ir_i64(b, start), ir_i64(b, ir_type_count(type)));
  return ir_reshape(b, numbers, dims, type->rank);
}

/* All draws of one state. */
static void draw_all(Tracer *t, IrBuilder *b, const IrValue *state, IrValue **params) {
  IrValue **offsets = NULL, **counters = NULL;
  size_t count = 0, capacity = 0, more = 0, room = 0;
  for (const Draw *d = t->draws->first; d; d = d->next) {
    if (d->state != state) continue;
    ARENA_PUSH(t->arena, offsets, count, capacity, flat(b, d->offset, d));
    ARENA_PUSH(t->arena, counters, more, room, flat(b, d->counter, d));
  }
  if (!count) return;
  IrValue *numbers = prng_uniform_at(b, params[state->index], ir_concat(b, offsets, (int)count, 0),
                                     ir_concat(b, counters, (int)count, 0));
  int64_t start = 0;
  for (const Draw *d = t->draws->first; d; d = d->next) {
    if (d->state != state) continue;
    params[d->numbers->index] = part(b, numbers, start, d);
    start += ir_type_count(&d->numbers->type);
  }
}

IrFunction *make_draws(Tracer *t, IrFunction *f, Ports *p) {
  if (!t->draws || !t->draws->first) return f;
  IrBuilder *b = ir_function_begin(t->module, NULL, f->name);
  IrValue **params = ARENA_ARRAY(t->arena, IrValue *, p->input_count);
  IrValue **results = ARENA_ARRAY(t->arena, IrValue *, (size_t)f->result_count);
  Ports outer = {.arena = p->arena};
  for (size_t k = 0; k < p->input_count; k++) {
    if (p->inputs[k].name == DRAW) continue;
    params[k] = ir_param(b, f->params[k]->type, p->inputs[k].name);
    ir_assume(params[k], f->params[k]->facts);
    add_input(&outer, p->inputs[k], p->batched[k]);
  }
  for (const Draw *d = t->draws->first; d; d = d->next)
    if (!params[d->numbers->index]) draw_all(t, b, d->state, params);
  ir_inline(b, f, params, results);
  p->inputs = outer.inputs;
  p->input_count = outer.input_count;
  p->batched = outer.batched;
  return ir_function_end(b, results, f->result_names, f->result_count);
}
