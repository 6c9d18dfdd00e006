/* Slices of one value along one axis that have no element in common, as outputs of one Split. In
 * ONNX Runtime a Slice of a few elements takes 0.45 us, a Split 0.35 and 0.15 for each output. */
#include "emit/shapes.h"
#include "emit/writer.h"

#include <stdlib.h>

/* Elements of the rows that no slice wants and a Split copies nevertheless. */
enum { MOST_GAP = 16 };

struct Pieces {
  const IrNode *const *slices; /* by their places along the axis */
  int count;
};

static int64_t known(const IrValue *size) { return size->constant->data.i64[0]; }
static int64_t start_of(const IrNode *slice) { return known(slice->in[1]); }
static int64_t end_of(const IrNode *slice) { return start_of(slice) + known(slice->in[2]); }

/* Elements in front of a slice that none before it has, and whether there are any. */
static int64_t gap(int64_t at, int64_t start, int *outputs) {
  *outputs += start > at;
  return start - at;
}

/* Split has kernels for all reals and integers, but not for bools in every runtime. A function of
 * the prob dialect is to read what its call is about, and not to give pieces to its neighbours. */
static bool is_piece(const IrNode *n, bool prob_dialect) {
  const IrValue *x = n->in[0];
  int64_t ignored, axis = n->attr.axis;
  return n->op == IR_SLICE && !(prob_dialect && n->scope) && x->type.dtype != IR_BOOL &&
         ir_type_count(&n->out[0]->type) != 0 && x->type.dim[axis] != IR_DYNAMIC &&
         known_dim(n->in[1], &ignored) && known_dim(n->in[2], &ignored) && start_of(n) >= 0 &&
         known(n->in[2]) > 0 && end_of(n) <= x->type.dim[axis];
}

/* By value and axis, then by the end: taking each that starts behind the last one taken gives the
 * largest number of slices that have nothing in common. */
static int compare(const void *a, const void *b) {
  const IrNode *n = *(const IrNode *const *)a, *m = *(const IrNode *const *)b;
  int64_t x[] = {n->in[0]->id, n->attr.axis, end_of(n), n->out[0]->id};
  int64_t y[] = {m->in[0]->id, m->attr.axis, end_of(m), m->out[0]->id};
  for (int k = 0; k < 4; k++)
    if (x[k] != y[k]) return x[k] < y[k] ? -1 : 1;
  return 0;
}

static bool same_axis(const IrNode *n, const IrNode *m) {
  return n->in[0] == m->in[0] && n->attr.axis == m->attr.axis;
}

/* Of slices along one axis, moves those to the front that have nothing in common; how many. */
static int keep_disjoint(const IrNode **slices, int count) {
  int kept = 0;
  for (int k = 0; k < count; k++)
    if (!kept || start_of(slices[k]) >= end_of(slices[kept - 1])) slices[kept++] = slices[k];
  return kept;
}

/* Whether one Split takes less time than the slices. */
static bool pays(const IrNode *const *slices, int count) {
  const IrType *t = &slices[0]->in[0]->type;
  int axis = slices[0]->attr.axis, outputs = count;
  int64_t at = 0, gaps = 0;
  for (int k = 0; k < count; k++) {
    gaps += gap(at, start_of(slices[k]), &outputs);
    at = end_of(slices[k]);
  }
  gaps += gap(at, t->dim[axis], &outputs);
  int64_t each = static_extent(t, axis + 1, t->rank);
  return count > 1 && outputs <= 3 * (count - 1) &&
         (gaps == 0 || (each >= 0 && each <= MOST_GAP && gaps * each <= MOST_GAP));
}

const Pieces **slices_as_pieces(Arena *a, const IrFunction *f, bool prob_dialect) {
  const Pieces **pieces = ARENA_ARRAY(a, const Pieces *, (size_t)f->value_count);
  const IrNode **slices = ARENA_ARRAY(a, const IrNode *, (size_t)f->node_count);
  int count = 0;
  for (int i = 0; i < f->node_count; i++)
    if (is_piece(f->nodes[i], prob_dialect)) slices[count++] = f->nodes[i];
  qsort(slices, (size_t)count, sizeof *slices, compare);
  for (int first = 0, next; first < count; first = next) {
    for (next = first + 1; next < count && same_axis(slices[first], slices[next]);) next++;
    int kept = keep_disjoint(slices + first, next - first);
    if (!pays(slices + first, kept)) continue;
    Pieces *p = ARENA_NEW(a, Pieces);
    *p = (Pieces){slices + first, kept};
    for (int k = 0; k < kept; k++) pieces[slices[first + k]->out[0]->id] = p;
  }
  return pieces;
}

void emit_pieces(Frame *f, const Pieces *p, const char **wanted) {
  Arena *a = f->graph->writer->arena;
  const IrNode *first = p->slices[0];
  int axis = first->attr.axis, outputs = 0;
  int64_t *sizes = ARENA_ARRAY(a, int64_t, (size_t)p->count * 2 + 1), at = 0;
  const char **names = ARENA_ARRAY(a, const char *, (size_t)p->count * 2 + 1);
  int *place = ARENA_ARRAY(a, int, (size_t)p->count);
  for (int k = 0; k < p->count; k++) {
    const IrNode *n = p->slices[k];
    if (start_of(n) > at) sizes[outputs++] = start_of(n) - at;
    place[k] = outputs;
    names[outputs] = wanted[n->out[0]->id];
    sizes[outputs++] = known(n->in[2]);
    at = end_of(n);
  }
  if (at < first->in[0]->type.dim[axis]) sizes[outputs++] = first->in[0]->type.dim[axis] - at;
  Node *node = node_of2(f->graph, "Split", name_of(f, first->in[0]),
                        constant_vector(f->graph, sizes, (size_t)outputs));
  node_int(node, "axis", axis);
  node_end_many(node, names, (size_t)outputs);
  for (int k = 0; k < p->count; k++) {
    const IrValue *v = p->slices[k]->out[0];
    f->names[v->id] = names[place[k]];
    node_alias(emit_op(f, p->slices[k]), names[place[k]]);
  }
}
