/* Gathers and scatters. ONNX Runtime's GatherElements takes 0.8 to 3 ns per element where Gather
 * takes 8 to 10 for single elements, and its ScatterElements, unlike its ScatterND, adds to one
 * place from one thread only. */
#include "emit/indexing.h"
#include "emit/shapes.h"

#include <limits.h>

/* From how many indices on the three more nodes pay by which GatherElements reads elements of each
 * row at shared indices. */
enum { SHARED_INDEX_MIN = 16 };

Node *reversal(Graph *g, const char *x, int64_t axis) {
  int64_t last = -1, before_first = INT64_MIN;
  Node *node =
      node_of3(g, "Slice", x, constant_vector(g, &last, 1), constant_vector(g, &before_first, 1));
  node_in(node, constant_vector(g, &axis, 1));
  node_in(node, constant_vector(g, &last, 1));
  return node;
}

static Node *along(Node *n, int64_t axis) {
  node_int(n, "axis", axis);
  return n;
}

static const char *concat_vectors(Graph *g, const char *const *parts, int count) {
  if (count == 1) return parts[0];
  Node *n = node_begin(g, "Concat");
  for (int i = 0; i < count; i++) node_in(n, parts[i]);
  return node_end(along(n, 0));
}

/* Sizes [first, last) of a value, as a vector. */
static const char *sizes(Frame *f, const IrValue *v, int first, int last) {
  if (static_extent(&v->type, first, last) >= 0)
    return constant_vector(f->graph, v->type.dim + first, (size_t)(last - first));
  return shape_of(f->graph, name_of(f, v), first, last);
}

/* Elements of the last axis of x at indices that all its rows share. */
static Node *gather_shared(Frame *f, const IrValue *x, const IrValue *index) {
  Graph *g = f->graph;
  int axis = x->type.rank - 1;
  const char *parts[2] = {axis ? sizes(f, x, 0, axis) : NULL, sizes(f, index, 0, 1)};
  const char *each = name_of(f, index);
  if (axis) each = apply2(g, "Expand", each, concat_vectors(g, parts, 2));
  return along(node_of2(g, "GatherElements", name_of(f, x), each), axis);
}

/* GatherND reads at the first axis after the shared ones: another axis is brought there and its
 * result taken back. */
static Node *gather_nd(Frame *f, const IrNode *n) {
  Graph *g = f->graph;
  const IrValue *x = n->in[0], *index = n->in[1];
  int batch = n->attr.batch, axis = n->attr.axis, index_rank = index->type.rank - batch;
  int64_t last = index->type.rank, forth[IR_MAX_RANK], back[IR_MAX_RANK * 2];
  const char *data = name_of(f, x), *at = unsqueeze(g, name_of(f, index), &last, 1);
  if (axis != batch) {
    int k = 0;
    for (int i = 0; i < batch; i++) forth[k++] = i;
    forth[k++] = axis;
    for (int i = batch; i < x->type.rank; i++)
      if (i != axis) forth[k++] = i;
    data = transpose_by(g, data, forth, (size_t)k);
  }
  Node *node = node_of2(g, "GatherND", data, at);
  node_int(node, "batch_dims", batch);
  if (axis == batch || index_rank == 0) return node;
  int k = 0, between = axis - batch, rank = x->type.rank + index_rank - 1;
  for (int i = 0; i < batch; i++) back[k++] = i;
  for (int i = 0; i < between; i++) back[k++] = batch + index_rank + i;
  for (int i = 0; i < index_rank; i++) back[k++] = batch + i;
  while (k < rank) {
    back[k] = k;
    k++;
  }
  Node *result = node_of1(g, "Transpose", node_end(node));
  node_ints(result, "perm", back, (size_t)rank);
  return result;
}

Node *form_gather(Frame *f, const IrNode *n) {
  const IrValue *x = n->in[0], *index = n->in[1];
  int batch = n->attr.batch, axis = n->attr.axis;
  bool elements = axis == x->type.rank - 1 && index->type.rank == batch + 1;
  if (batch == 0) {
    int64_t count = ir_type_count(&index->type);
    if (elements && (axis == 0 || count < 0 || count >= SHARED_INDEX_MIN))
      return gather_shared(f, x, index);
    return along(node_of2(f->graph, "Gather", name_of(f, x), name_of(f, index)), axis);
  }
  if (elements && axis == batch)
    return along(node_of2(f->graph, "GatherElements", name_of(f, x), name_of(f, index)), axis);
  return gather_nd(f, n);
}

/* The index of a scatter, given an axis of x's in place of its own axes, with its own size there:
 * as one for each element of the updates. */
static const char *element_index(Frame *f, const IrNode *n, const char *updates) {
  Graph *g = f->graph;
  const IrValue *x = n->in[0], *index = n->in[1];
  int batch = n->attr.batch, axis = n->attr.axis, count = 0;
  int64_t units[IR_MAX_RANK];
  const char *at = name_of(f, index);
  int own = index->type.rank - batch;
  if (own > 1) {
    int64_t rest = -1;
    const char *parts[2] = {batch ? sizes(f, index, 0, batch) : NULL, constant_vector(g, &rest, 1)};
    at = apply2(g, "Reshape", at, concat_vectors(g, parts + (batch ? 0 : 1), batch ? 2 : 1));
  }
  for (int i = batch; i < x->type.rank; i++)
    if (i != axis || own == 0) units[count++] = i;
  at = unsqueeze(g, at, units, (size_t)count);
  if (x->type.rank == batch + 1) return at;
  return apply2(g, "Expand", at, shape_of(g, updates, 0, x->type.rank));
}

/* The updates with the axes of the index made one. */
static const char *element_updates(Frame *f, const IrNode *n) {
  Graph *g = f->graph;
  const IrValue *x = n->in[0], *index = n->in[1], *updates = n->in[2];
  int batch = n->attr.batch, axis = n->attr.axis, own = index->type.rank - batch;
  int64_t place = axis, rest = -1;
  const char *name = name_of(f, updates);
  if (own == 1) return name;
  if (own == 0) return unsqueeze(g, name, &place, 1);
  const char *parts[3];
  int count = 0;
  if (axis) parts[count++] = sizes(f, updates, 0, axis);
  parts[count++] = constant_vector(g, &rest, 1);
  if (axis + 1 < x->type.rank) parts[count++] = sizes(f, updates, axis + own, updates->type.rank);
  return apply2(g, "Reshape", name, concat_vectors(g, parts, count));
}

static bool known_empty(const IrType *t) {
  for (int k = 0; k < t->rank; k++)
    if (t->dim[k] == 0) return true;
  return false;
}

Node *form_scatter(Frame *f, const IrNode *n) {
  /* as with all that is known to be nothing, the index could not be expanded */
  if (known_empty(&n->in[2]->type)) return node_of1(f->graph, "Identity", name_of(f, n->in[0]));
  const char *updates = element_updates(f, n);
  Node *node = node_of3(f->graph, "ScatterElements", name_of(f, n->in[0]),
                        element_index(f, n, updates), updates);
  node_int(node, "axis", n->attr.axis);
  if (n->op == IR_SCATTER_ADD) node_string(node, "reduction", "add");
  return node;
}
