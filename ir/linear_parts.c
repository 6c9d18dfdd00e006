/* Vectors put together from parts, some of which have multiples of the same parts of another vector
 * added to them: the multiples are added to all at once, which is two nodes instead of two for each
 * part. Gradients are such vectors: the logarithm of a normal density gives a multiple of the
 * parameter to the derivative by it. */
#include "ir/economy.h"

enum {
  MOST_PARTS = 64,
  WORTH = 4, /* nodes for two, and for a selection that would have put the parts together itself */
  MOST_COLUMNS = 64 /* of longer rows a multiplication takes longer than the nodes that it saves */
};

/* A part as rest + factor * (what is at its place in the other vector). */
typedef struct {
  const IrValue *rest;
  double factor;
  int nodes; /* that are saved where the multiple is added elsewhere */
} Part;

static bool is_own(const Rewriting *w, const IrValue *v) { return w->uses[v->id] == 1; }

/* v = x c for a slice x of `of`, or of any vector where *of is NULL, at a place along the last
 * axis; *factor is multiplied by c. */
static bool is_multiple(const Rewriting *w, const IrValue *v, const IrValue **of, int64_t at,
                        double *factor, int *nodes) {
  const IrNode *n = v->node;
  int last = v->type.rank - 1;
  if (n && n->op == IR_MUL && is_own(w, v) && n->in[1]->constant && n->in[1]->type.rank == 0) {
    *factor *= n->in[1]->constant->data.f64[0];
    ++*nodes;
    n = n->in[0]->node;
  }
  if (!n || n->op != IR_SLICE || n->attr.axis != last || !n->in[1]->constant ||
      n->in[1]->constant->data.i64[0] != at || !ir_types_equal(&n->out[0]->type, &v->type) ||
      !(n->in[0]->facts & IR_FINITE) || (*of && n->in[0] != *of))
    return false;
  *of = n->in[0];
  return true;
}

static Part take_part(const Rewriting *w, const IrValue *v, const IrValue **of, int64_t at) {
  const IrNode *n = v->node;
  if (n && (n->op == IR_ADD || n->op == IR_SUB) && is_own(w, v))
    for (int k = 1; k >= (n->op == IR_ADD ? 0 : 1); k--) {
      Part p = {n->in[1 - k], n->op == IR_ADD ? 1 : -1, 1};
      if (ir_types_equal(&n->in[k]->type, &v->type) && ir_types_equal(&p.rest->type, &v->type) &&
          is_multiple(w, n->in[k], of, at, &p.factor, &p.nodes))
        return p;
    }
  return (Part){v, 0, 0};
}

IrValue *add_multiples(const Rewriting *w, const IrNode *n) {
  Part parts[MOST_PARTS];
  IrValue *rests[MOST_PARTS];
  const IrValue *of = NULL;
  const IrType *t = &n->out[0]->type;
  int last = t->rank - 1, saved = 0;
  if (n->op != IR_CONCAT || t->dtype != IR_F64 || n->attr.axis != last ||
      n->in_count > MOST_PARTS || t->dim[last] == IR_DYNAMIC || t->dim[last] > MOST_COLUMNS)
    return NULL;
  IrTensor *factors =
      ir_tensor_new(w->b->module->arena, ir_type(IR_F64, 1, (int64_t[]){t->dim[last]}));
  int64_t at = 0;
  for (int k = 0; k < n->in_count; k++) {
    parts[k] = take_part(w, n->in[k], &of, at);
    saved += parts[k].nodes;
    rests[k] = w->map[parts[k].rest->id];
    int64_t end = at + n->in[k]->type.dim[last];
    while (at < end) factors->data.f64[at++] = parts[k].factor;
  }
  if (saved < WORTH || !ir_types_equal(&of->type, t)) return NULL;
  IrValue *sum = ir_concat(w->b, rests, n->in_count, last);
  return ir_binary(w->b, IR_ADD, sum,
                   ir_binary(w->b, IR_MUL, w->map[of->id], ir_constant(w->b, factors)));
}
