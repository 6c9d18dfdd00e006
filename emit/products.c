/* Matrix products. ONNX Runtime before 1.26 makes one node of a Transpose and the MatMul that reads
 * it, for which it has no double kernel; and it moves transposes through what is computed
 * elementwise. So a factor that may become a transpose passes through a Max of nothing else, which
 * no release takes out, in front of the product. */
#include "emit/products.h"
#include "emit/shapes.h"

/* ---- factors ---- */

static bool like_transpose(const IrNode *n, const bool *turned) {
  if (n->op == IR_TRANSPOSE) return true;
  if (!ir_op_elementwise(n->op)) return false;
  for (int k = 0; k < n->in_count; k++)
    if (turned[n->in[k]->id]) return true;
  return false;
}

const bool *transposed_values(Arena *a, const IrFunction *f) {
  bool *turned = ARENA_ARRAY(a, bool, (size_t)f->value_count);
  for (int i = 0; i < f->node_count; i++)
    if (like_transpose(f->nodes[i], turned)) turned[f->nodes[i]->out[0]->id] = true;
  return turned;
}

static const char *factor(Frame *f, const IrNode *n, int k) {
  const char *name = name_of(f, n->in[k]);
  return f->turned[n->in[k]->id] ? apply1(f->graph, "Max", name) : name;
}

/* A product over nothing fills only the first matrix of a batch with zeros. */
Node *form_matmul(Frame *f, const IrNode *n) {
  Graph *g = f->graph;
  const IrType *x = &n->in[0]->type, *y = &n->in[1]->type;
  Node *product = node_of2(g, "MatMul", factor(f, n, 0), factor(f, n, 1));
  int64_t inner = x->dim[x->rank - 1] == IR_DYNAMIC ? y->dim[y->rank - 2] : x->dim[x->rank - 1];
  bool batched = y->rank > 2 && static_extent(y, 0, y->rank - 2) != 1;
  if (inner > 0 || !batched) return product;
  const char *extent = shape_of(g, name_of(f, n->in[0]), x->rank - 1, x->rank);
  int64_t zero = 0;
  const char *empty = apply2(g, "Equal", extent, constant_vector(g, &zero, 1));
  const char *nothing = x->dtype == IR_F64 ? constant_f64(g, 0) : constant_i64(g, 0);
  return node_of3(g, "Where", empty, nothing, node_end(product));
}
