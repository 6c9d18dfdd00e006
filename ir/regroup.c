/* Sums and products in the body of a loop, regrouped so that what does not depend on what is
 * carried comes together, where it can be computed outside: (y - a) - x for y - (a + x). */
#include "ir/copy_loop.h"

enum { MOST_LEAVES = 32 };

typedef struct {
  const IrValue *value;
  bool minus; /* in a sum */
} Leaf;

typedef struct {
  const Copier *c;
  bool product;
  Leaf leaves[MOST_LEAVES];
  int count;
  bool full;
} Tree;

static bool continues(const Tree *t, const IrValue *v, bool root) {
  const IrNode *n = v->node;
  if (!n || v->type.dtype != IR_F64 || (!root && t->c->uses[v->id] != 1)) return false;
  if (!root && !t->c->varies[v->id]) return false;
  if (t->product) return n->op == IR_MUL;
  return n->op == IR_ADD || n->op == IR_SUB || n->op == IR_NEG;
}

static void take_apart(Tree *t, const IrValue *v, bool minus, bool root) {
  const IrNode *n = v->node;
  if (t->full) return;
  if (!continues(t, v, root)) {
    t->full = t->count == MOST_LEAVES;
    if (!t->full) t->leaves[t->count++] = (Leaf){v, minus};
    return;
  }
  for (int k = 0; k < n->in_count; k++)
    take_apart(t, n->in[k], minus != (n->op == IR_NEG || (n->op == IR_SUB && k == 1)), false);
}

/* The leaves that vary over the iterations (do not), put together. *minus: that is to be
 * subtracted. */
static IrValue *combined(const Tree *t, bool varying, bool *minus) {
  IrBuilder *b = t->c->b;
  IrValue *v = NULL;
  bool positive = t->product;
  for (int k = 0; k < t->count; k++)
    positive |= !t->leaves[k].minus && t->c->varies[t->leaves[k].value->id] == varying;
  *minus = !positive;
  for (int pass = 0; pass < 2; pass++) /* what is subtracted comes second */
    for (int k = 0; k < t->count; k++) {
      const Leaf *l = &t->leaves[k];
      bool opposite = positive && l->minus;
      if (t->c->varies[l->value->id] != varying || opposite != (pass == 1)) continue;
      IrValue *x = copier_mapped(t->c, l->value);
      v = v ? ir_binary(b, t->product ? IR_MUL : opposite ? IR_SUB : IR_ADD, v, x) : x;
    }
  return v;
}

IrValue *regroup(Copier *c, const IrNode *n) {
  const IrValue *v = n->out[0];
  Tree t = {.c = c, .product = n->op == IR_MUL};
  bool sum = n->op == IR_ADD || n->op == IR_SUB;
  if ((!sum && !t.product) || v->type.dtype != IR_F64 || !c->varies[v->id]) return NULL;
  const IrNode *reader = c->uses[v->id] == 1 ? c->reader[v->id] : NULL;
  if (reader && reader->out[0]->type.dtype == IR_F64 &&
      (t.product ? reader->op == IR_MUL
                 : reader->op == IR_ADD || reader->op == IR_SUB || reader->op == IR_NEG))
    return NULL; /* a part of a larger one */
  take_apart(&t, v, false, true);
  int others = 0;
  for (int k = 0; k < t.count; k++) others += !c->varies[t.leaves[k].value->id];
  if (t.full || others < 2 || others == t.count) return NULL;
  bool minus_x, minus_y;
  IrValue *x = combined(&t, true, &minus_x), *y = combined(&t, false, &minus_y);
  if (t.product) return ir_binary(c->b, IR_MUL, x, y);
  if (minus_x && minus_y) return ir_unary(c->b, IR_NEG, ir_binary(c->b, IR_ADD, x, y));
  if (minus_x) return ir_binary(c->b, IR_SUB, y, x);
  return ir_binary(c->b, minus_y ? IR_SUB : IR_ADD, x, y);
}

/* ---- bodies ---- */

/* Finds what depends on the carried values of a loop with that body. */
static bool *find_varying(Arena *a, const IrFunction *f, int carried) {
  bool *varies = ARENA_ARRAY(a, bool, (size_t)f->value_count);
  for (int k = 1; k <= carried; k++) varies[f->params[k]->id] = true;
  for (int i = 0; i < f->node_count; i++) {
    const IrNode *n = f->nodes[i];
    bool any = false;
    for (int k = 0; k < n->in_count; k++) any |= varies[n->in[k]->id];
    for (int k = 0; k < n->out_count; k++) varies[n->out[k]->id] = any;
  }
  return varies;
}

IrFunction *regrouped_body(Session *s, const IrFunction *f, int carried) {
  IrModule *m = f->module;
  IrBuilder *b = ir_function_begin(m, NULL, f->name);
  b->counts_uses = true;
  Session plain = {.batched = s->batched};
  Copier c = copier_new(&plain, b, f);
  IrValue **results = ARENA_ARRAY(m->arena, IrValue *, (size_t)f->result_count);
  c.varies = find_varying(m->arena, f, carried);
  for (int k = 0; k < f->param_count; k++)
    c.map[f->params[k]->id] = copy_param(b, f, k, f->params[k]->type);
  copier_count_uses(&c);
  copy_nodes(&c);
  for (int k = 0; k < f->result_count; k++) results[k] = copier_mapped(&c, f->results[k]);
  return ir_function_end(b, results, f->result_names, f->result_count);
}
