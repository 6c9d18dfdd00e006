#include "emit/shapes.h"

bool known_dim(const IrValue *dim, int64_t *value) {
  if (!dim->constant) return false;
  *value = dim->constant->data.i64[0];
  return true;
}

static bool is_shape(const IrValue *v) { return v->node && v->node->op == IR_SHAPE; }

bool is_size_of(const IrValue *dim, const IrValue *x, int axis) {
  int64_t known;
  if (known_dim(dim, &known)) return x->type.dim[axis] == known;
  return is_shape(dim) && dim->node->in[0] == x && dim->node->attr.axis == axis;
}

int64_t static_extent(const IrType *t, int first, int last) {
  int64_t n = 1;
  for (int i = first; i < last; i++) {
    if (t->dim[i] == IR_DYNAMIC) return -1;
    n *= t->dim[i];
  }
  return n;
}

const char *shape_of(Graph *g, const char *x, int first, int last) {
  Node *n = node_of1(g, "Shape", x);
  node_int(n, "start", first);
  node_int(n, "end", last);
  return node_end(n);
}

const char *dim_vector(Frame *f, const IrValue *dim) {
  int64_t known, zero = 0;
  if (known_dim(dim, &known)) return constant_vector(f->graph, &known, 1);
  if (is_shape(dim)) {
    int axis = dim->node->attr.axis;
    return shape_of(f->graph, name_of(f, dim->node->in[0]), axis, axis + 1);
  }
  return unsqueeze(f->graph, name_of(f, dim), &zero, 1);
}

/* How many of the dims from `from` on go into one piece of the shape: a run of numbers, or of
 * consecutive sizes of one tensor. */
static int run_length(IrValue *const *dims, int from, int count) {
  int64_t known;
  int i = from + 1;
  if (known_dim(dims[from], &known)) {
    while (i < count && known_dim(dims[i], &known)) i++;
  } else if (is_shape(dims[from])) {
    const IrNode *first = dims[from]->node;
    while (i < count && !dims[i]->constant && is_shape(dims[i]) &&
           dims[i]->node->in[0] == first->in[0] &&
           dims[i]->node->attr.axis == first->attr.axis + (i - from))
      i++;
  }
  return i - from;
}

static const char *run_vector(Frame *f, IrValue *const *dims, int count) {
  int64_t numbers[IR_MAX_RANK];
  if (count == 1) return dim_vector(f, dims[0]);
  if (is_shape(dims[0]) && !dims[0]->constant) {
    const IrNode *first = dims[0]->node;
    return shape_of(f->graph, name_of(f, first->in[0]), first->attr.axis, first->attr.axis + count);
  }
  for (int i = 0; i < count; i++) known_dim(dims[i], &numbers[i]);
  return constant_vector(f->graph, numbers, (size_t)count);
}

const char *shape_vector(Frame *f, IrValue *const *dims, int count) {
  const char *pieces[IR_MAX_RANK];
  int piece_count = 0;
  if (count == 0) return constant_vector(f->graph, NULL, 0);
  for (int i = 0; i < count;) {
    int run = run_length(dims, i, count);
    pieces[piece_count++] = run_vector(f, dims + i, run);
    i += run;
  }
  if (piece_count == 1) return pieces[0];
  Node *n = node_begin(f->graph, "Concat");
  for (int i = 0; i < piece_count; i++) node_in(n, pieces[i]);
  node_int(n, "axis", 0);
  return node_end(n);
}

const char *unsqueeze(Graph *g, const char *x, const int64_t *axes, size_t count) {
  return count ? apply2(g, "Unsqueeze", x, constant_vector(g, axes, count)) : x;
}

const char *squeeze_axis(Graph *g, const char *x, int64_t axis) {
  return apply2(g, "Squeeze", x, constant_vector(g, &axis, 1));
}

const char *reshape_to(Graph *g, const char *x, const int64_t *shape, size_t count) {
  return apply2(g, "Reshape", x, constant_vector(g, shape, count));
}

const char *transpose_by(Graph *g, const char *x, const int64_t *permutation, size_t rank) {
  Node *n = node_of1(g, "Transpose", x);
  node_ints(n, "perm", permutation, rank);
  return node_end(n);
}
