/* Selections between rows and numbers by one condition for each row, as one selection between
 * joined rows: ONNX Runtime's Where takes three times as long as other operators, and twice as long
 * as taking a result apart. */
#include "ir/economy.h"

enum {
  MOST_JOINED = 8,  /* selections */
  MOST_COLUMNS = 64 /* of wide rows the copies take longer than a second selection */
};

/* Whether n selects, row by row, between values and a number, and how many columns there are. */
static bool selects_rows(const IrNode *n, int64_t *columns, double *otherwise) {
  if (n->op != IR_SELECT || n->out[0]->type.dtype != IR_F64) return false;
  const IrType *t = &n->out[0]->type, *c = &n->in[0]->type;
  const IrTensor *y = n->in[2]->constant;
  if (!y || !ir_tensor_uniform(y) || t->rank == 0 || c->rank != t->rank ||
      c->dim[c->rank - 1] != 1 || !ir_types_equal(t, &n->in[1]->type))
    return false;
  for (int k = 0; k < t->rank - 1; k++)
    if (c->dim[k] != t->dim[k]) return false;
  *columns = t->dim[t->rank - 1];
  *otherwise = y->data.f64[0];
  return *columns > 0 && *columns <= MOST_COLUMNS;
}

typedef struct {
  const IrNode *nodes[MOST_JOINED];
  int64_t columns[MOST_JOINED], total;
  double otherwise[MOST_JOINED];
  int count;
} Rows;

/* Wide ones first: what puts parts together wants few of the narrow ones in front. */
static void add_rows(Rows *r, const IrNode *n, int64_t columns, double otherwise) {
  int at = r->count++;
  for (; at > 0 && r->columns[at - 1] < columns; at--) {
    r->nodes[at] = r->nodes[at - 1];
    r->columns[at] = r->columns[at - 1];
    r->otherwise[at] = r->otherwise[at - 1];
  }
  r->nodes[at] = n;
  r->columns[at] = columns;
  r->otherwise[at] = otherwise;
  r->total += columns;
}

/* n, and selections behind it whose operands are there already. */
static void find_rows(const Rewriting *w, const IrNode *n, Rows *r) {
  const IrFunction *f = n->owner;
  int64_t columns;
  double otherwise;
  bool behind = false;
  for (int i = 0; i < f->node_count && r->count < MOST_JOINED; i++) {
    const IrNode *m = f->nodes[i];
    behind |= m == n;
    if (behind && m->op == IR_SELECT && m->in[0] == n->in[0] &&
        selects_rows(m, &columns, &otherwise) && w->map[m->in[1]->id] &&
        r->total + columns <= MOST_COLUMNS)
      add_rows(r, m, columns, otherwise);
  }
}

static IrValue *alternatives(IrBuilder *b, const Rows *r) {
  IrTensor *t = ir_tensor_new(b->module->arena, ir_type(IR_F64, 1, &r->total));
  int64_t at = 0;
  for (int k = 0; k < r->count; k++)
    for (int64_t j = 0; j < r->columns[k]; j++) t->data.f64[at++] = r->otherwise[k];
  return ir_constant(b, t);
}

IrValue *join_selects(const Rewriting *w, const IrNode *n) {
  Rows r = {.count = 0};
  IrValue *parts[MOST_JOINED];
  int64_t columns, at = 0;
  double otherwise;
  if (!selects_rows(n, &columns, &otherwise)) return NULL;
  find_rows(w, n, &r);
  if (r.count < 2) return NULL;
  int last = n->out[0]->type.rank - 1;
  for (int k = 0; k < r.count; k++) parts[k] = w->map[r.nodes[k]->in[1]->id];
  IrValue *rows = ir_select(w->b, w->map[n->in[0]->id], ir_concat(w->b, parts, r.count, last),
                            alternatives(w->b, &r));
  for (int k = 0; k < r.count; at += r.columns[k++])
    w->map[r.nodes[k]->out[0]->id] =
        ir_slice(w->b, rows, last, ir_i64(w->b, at), ir_i64(w->b, r.columns[k]));
  return w->map[n->out[0]->id];
}
