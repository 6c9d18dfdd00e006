/* Sums of products of rows with a matrix of constants, as matrix products: instead of one number
 * for each pair of a row and an element of the matrix, which are then summed up, only the sums. */
#include "ir/economy.h"

/* x where v is x with an axis of size 1 put in at `axis`, else NULL. */
static const IrValue *without_unit(const IrValue *v, int axis) {
  const IrNode *n = v->node;
  if (!n || n->op != IR_RESHAPE || v->type.dim[axis] != 1 ||
      n->in[0]->type.rank != v->type.rank - 1)
    return NULL;
  const IrType *x = &n->in[0]->type;
  int open =
      0; /* sizes that are not known are the same if there is but one, or all are those of x */
  for (int k = 0; k < x->rank; k++) {
    int64_t size = v->type.dim[k < axis ? k : k + 1];
    if (size != x->dim[k]) return NULL;
    open += size == IR_DYNAMIC;
  }
  return open <= 1 ? n->in[0] : NULL;
}

IrValue *contract(const Rewriting *w, const IrNode *n) {
  if (n->op != IR_REDUCE_SUM || n->attr.axis_count != 1) return NULL;
  const IrNode *product = n->in[0]->node;
  if (!product || product->op != IR_MUL || w->uses[product->out[0]->id] != 1 ||
      n->out[0]->type.dtype != IR_F64)
    return NULL;
  int rank = n->in[0]->type.rank, axis = n->attr.axes[0], other = 2 * rank - 3 - axis;
  const IrValue *matrix = product->in[1], *x;
  if (rank < 3 || axis < rank - 2 || !matrix->constant || matrix->type.rank != 2 ||
      matrix->type.dim[axis - (rank - 2)] < 2 || !(x = without_unit(product->in[0], other)))
    return NULL;
  IrValue *c = w->map[matrix->id];
  if (axis == rank - 1) c = ir_transpose(w->b, c, (int8_t[]){1, 0});
  return ir_matmul(w->b, w->map[x->id], c);
}
