/* Indices that the rows of several matrices share, repeated for each row once for all of them:
 * ONNX's operators that read and add single elements want an index for each. */
#include "ir/economy.h"

enum { FEW = 16 }; /* indices up to which rows are read otherwise */

IrValue *spread_index(const Rewriting *w, const IrNode *n) {
  bool gathers = n->op == IR_GATHER;
  if (!gathers && n->op != IR_SCATTER_ADD && n->op != IR_SCATTER_SET) return NULL;
  const IrType *index = &n->in[1]->type;
  if (n->attr.batch || n->attr.axis != 1 || n->in[0]->type.rank != 2 || index->rank != 1 ||
      index->dim[0] < FEW || w->uses[n->in[1]->id] < 2)
    return NULL;
  IrValue *x = w->map[n->in[0]->id], *at = w->map[n->in[1]->id];
  at = ir_broadcast(w->b, at, (IrValue *[]){ir_dim(w->b, x, 0), ir_dim(w->b, at, 0)}, 2);
  return gathers ? ir_gather(w->b, x, at, 1, 1)
                 : ir_scatter(w->b, n->op, x, at, w->map[n->in[2]->id], 1, 1);
}
