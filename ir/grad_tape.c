/* What a backward part reads of its forward part: stored, or computed again.
 *
 * Every value that is read must be at hand: stored at a cost, or its node run again, for which in
 * turn its operands must be at hand. The cheapest choice is a minimum cut: edge lengths below are
 * what it costs to have a node's operands on one side and its readers on the other. */
#include "ir/grad.h"
#include "ir/network.h"

/* ---- costs, in units of 10 ns ---- */

enum { NODE = 36, UNKNOWN_SIZE = 32, UNKNOWN_TRIPS = 16, HOISTING = 2 };
static const int64_t UNBOUNDED = INT64_C(1) << 40; /* more than anything else sums up to */
static const int64_t LIMIT = INT64_C(1) << 32;     /* of one node's cost */

static int64_t elements(const IrType *t) {
  int64_t n = 1;
  for (int k = 0; k < t->rank; k++) {
    int64_t d = t->dim[k] == IR_DYNAMIC ? UNKNOWN_SIZE : t->dim[k];
    if (d && n > LIMIT / d) return LIMIT;
    n *= d;
  }
  return n;
}

/* Of each element, in 0.1 ns. */
static int64_t element_cost(IrOp op) {
  switch (op) {
  case IR_EXP:
  case IR_LOG:
  case IR_TANH:
  case IR_SIN:
  case IR_COS:
  case IR_GATHER: return 50;
  case IR_POW:
  case IR_CUMSUM: return 120;
  case IR_ARGSORT:
  case IR_MATMUL: return 400;
  default: return 5;
  }
}

static int64_t body_cost(const IrFunction *f) {
  int64_t sum = 0;
  for (int i = 0; i < f->node_count; i++) sum += node_cost(f->nodes[i]);
  return sum < LIMIT ? sum : LIMIT;
}

int64_t node_cost(const IrNode *n) {
  if (n->op == IR_CONST) return 0;
  int64_t cost = NODE;
  if (n->op == IR_LOOP) {
    const IrTensor *count = n->in[0]->constant;
    int64_t trips = count && !n->attr.has_condition ? count->data.i64[0] : UNKNOWN_TRIPS;
    int64_t each = body_cost(n->body[0]);
    if (trips < 0) trips = 0;
    cost += trips && each > LIMIT / trips ? LIMIT : trips * each;
  } else if (n->body[0]) {
    cost += body_cost(n->body[0]);
  } else {
    int64_t size = elements(&n->out[0]->type), read = n->in_count ? elements(&n->in[0]->type) : 0;
    if (n->op == IR_GATHER || n->op == IR_SLICE) read = size; /* of a table of any length */
    cost += (read > size ? read : size) / 100 * element_cost(n->op) / 10;
  }
  return cost < LIMIT ? cost : LIMIT;
}

static int64_t storage_cost(const IrValue *v, int storing) {
  return storing + elements(&v->type) / 100;
}

/* ---- the choice ---- */

static bool is_earlier(Availability w) { return w == EARLIER || w == UNSTORED || w == HOISTED; }

void plan_tape(Arena *a, const IrFunction *f, const Availability *where, const bool *needed,
               int storing, bool *stored, bool *again) {
  /* Vertices: "v is at hand" for each value, then "n runs again" for each node. On the sink's side
   * are those that hold. */
  int values = f->value_count, source = values + f->node_count, sink = source + 1;
  Network net = network_new(a, sink + 1);
  for (int k = 0; k < f->param_count; k++) {
    const IrValue *v = f->params[k];
    if (is_earlier(where[v->id]))
      network_connect(&net, source, v->id,
                      where[v->id] == EARLIER ? storage_cost(v, storing) : UNBOUNDED);
    if (needed[v->id]) network_connect(&net, v->id, sink, 2 * UNBOUNDED);
  }
  for (int i = 0; i < f->node_count; i++) {
    const IrNode *n = f->nodes[i];
    bool hoisted = where[n->out[0]->id] == HOISTED;
    if (!is_earlier(where[n->out[0]->id])) continue;
    network_connect(&net, source, values + i, hoisted ? HOISTING : node_cost(n));
    for (int k = 0; k < n->out_count; k++) {
      const IrValue *v = n->out[k];
      network_connect(&net, values + i, v->id,
                      where[v->id] == EARLIER ? storage_cost(v, storing) : UNBOUNDED);
      if (needed[v->id]) network_connect(&net, v->id, sink, 2 * UNBOUNDED);
    }
    for (int k = 0; k < n->in_count; k++)
      if (is_earlier(where[n->in[k]->id]))
        network_connect(&net, n->in[k]->id, values + i, 2 * UNBOUNDED);
  }
  network_cut(&net, source, sink);
  for (int k = 0; k < f->param_count; k++) {
    int id = f->params[k]->id;
    stored[id] = where[id] == EARLIER && !network_before(&net, id);
  }
  for (int i = 0; i < f->node_count; i++) {
    const IrNode *n = f->nodes[i];
    again[i] = is_earlier(where[n->out[0]->id]) && !network_before(&net, values + i);
    for (int k = 0; k < n->out_count; k++) {
      int id = n->out[k]->id;
      stored[id] = where[id] == EARLIER && !network_before(&net, id) && !again[i];
    }
  }
}
