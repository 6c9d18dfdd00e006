/* What reductions do besides.
 *
 * They keep the axes they reduce: the IR's reductions remove them, and where they are wanted, as to
 * subtract a sum from what was summed, a reshape puts them back; ONNX's reductions can leave them
 * there, which saves that node. And they take squares. */
#include "emit/shapes.h"
#include "emit/writer.h"

/* ---- kept axes ---- */

static bool is_reduction(const IrNode *n) {
  return n && ir_op_reduction(n->op) && n->attr.axis_count > 0 &&
         ir_type_count(&n->out[0]->type) != 0;
}

/* Whether `reshape` gives back, with size 1, the axes that `reduction` removed, and does nothing
 * else. As neither changes the number of elements, one size may go unproven. */
static bool puts_back(const IrNode *reshape, const IrNode *reduction) {
  const IrValue *x = reduction->in[0], *v = reduction->out[0];
  int reduced = 0, own = 0, unproven = 0;
  if (reshape->op != IR_RESHAPE || reshape->in_count - 1 != x->type.rank) return false;
  for (int a = 0; a < x->type.rank; a++) {
    const IrValue *dim = reshape->in[1 + a];
    int64_t known;
    if (reduced < reduction->attr.axis_count && reduction->attr.axes[reduced] == a) {
      if (!known_dim(dim, &known) || known != 1) return false;
      reduced++;
    } else {
      if (!is_size_of(dim, x, a) && !is_size_of(dim, v, own)) unproven++;
      own++;
    }
  }
  return unproven <= 1;
}

const bool *reductions_that_keep_axes(Arena *a, const IrFunction *f) {
  bool *keeps = ARENA_ARRAY(a, bool, (size_t)f->value_count);
  for (int i = 0; i < f->node_count; i++) {
    const IrNode *n = f->nodes[i];
    if (n->op == IR_RESHAPE && is_reduction(n->in[0]->node)) keeps[n->in[0]->id] = true;
  }
  for (int i = 0; i < f->node_count; i++) {
    const IrNode *n = f->nodes[i];
    for (int k = 0; k < n->in_count; k++)
      if (k > 0 || !is_reduction(n->in[k]->node) || !puts_back(n, n->in[k]->node))
        keeps[n->in[k]->id] = false;
  }
  for (int k = 0; k < f->result_count; k++) keeps[f->results[k]->id] = false;
  return keeps;
}

/* ---- sums of squares ---- */

/* ONNX Runtime squares half as fast in a sum as outside, which for more elements is not worth the
 * node. */
enum { FEW_SQUARES = 48 };

static bool sums_few(const IrNode *n) {
  int64_t count = 1;
  for (int k = 0; k < n->attr.axis_count; k++) {
    int64_t size = n->in[0]->type.dim[n->attr.axes[k]];
    if (size == IR_DYNAMIC || size > FEW_SQUARES) return false;
    count *= size;
  }
  return n->op == IR_REDUCE_SUM && n->attr.axis_count > 0 && count <= FEW_SQUARES;
}

const bool *squares_in_sums(Arena *a, const IrFunction *f) {
  bool *squares = ARENA_ARRAY(a, bool, (size_t)f->value_count);
  int *uses = ARENA_ARRAY(a, int, (size_t)f->value_count);
  for (int i = 0; i < f->node_count; i++)
    for (int k = 0; k < f->nodes[i]->in_count; k++) uses[f->nodes[i]->in[k]->id]++;
  for (int k = 0; k < f->result_count; k++) uses[f->results[k]->id]++;
  for (int i = 0; i < f->node_count; i++) {
    const IrNode *sum = f->nodes[i], *n = sum->in_count ? sum->in[0]->node : NULL;
    if (n && n->op == IR_MUL && n->in[0] == n->in[1] && n->out[0]->type.dtype == IR_F64 &&
        uses[n->out[0]->id] == 1 && sums_few(sum))
      squares[n->out[0]->id] = true;
  }
  return squares;
}
