/* Batching rules of the ops: op applied to every element of a batch at once. */
#include "ir/batch.h"

#include <assert.h>
#include <string.h>

/* An op to be batched. Rules may change the operands. */
typedef struct {
  IrBuilder *b;
  IrOp op;
  IrAttr attr;
  int count;
  IrValue **in;
  bool *batched;
  int levels;
} Batch;

/* ---- axes ---- */

AxisSet batch_axes(Batched v, int levels) {
  AxisSet axes = 0;
  for (int a = 0; v.batched && a < levels; a++)
    if (v.value->type.dim[a] != 1) axes |= 1u << a;
  return axes;
}

static AxisSet axes_of(const Batch *x, int k) {
  return batch_axes((Batched){x->in[k], x->batched[k], false}, x->levels);
}

static int lead(const Batch *x, int k) { return x->batched[k] ? x->levels : 0; }

static int own_rank(const Batch *x, int k) { return x->in[k]->type.rank - lead(x, k); }

static IrValue *own_dim(const Batch *x, int k, int axis) {
  return ir_dim(x->b, x->in[k], lead(x, k) + axis);
}

IrValue *batch_insert_units(IrBuilder *b, IrValue *v, int at, int count) {
  IrValue *dims[IR_MAX_RANK];
  int rank = 0;
  if (!count) return v;
  for (int a = 0; a < at; a++) dims[rank++] = ir_dim(b, v, a);
  for (int k = 0; k < count; k++) dims[rank++] = ir_i64(b, 1);
  for (int a = at; a < v->type.rank; a++) dims[rank++] = ir_dim(b, v, a);
  return ir_reshape(b, v, dims, rank);
}

IrValue *batch_drop_units(IrBuilder *b, IrValue *v, int at, int count) {
  IrValue *dims[IR_MAX_RANK];
  int rank = 0;
  if (!count) return v;
  for (int a = 0; a < v->type.rank; a++)
    if (a < at || a >= at + count) dims[rank++] = ir_dim(b, v, a);
  return ir_reshape(b, v, dims, rank);
}

void batch_align(IrBuilder *b, IrValue **in, int count, const bool *batched, int levels) {
  int rank = 0;
  for (int k = 0; k < count; k++) {
    int own = in[k]->type.rank - (batched[k] ? levels : 0);
    if (own > rank) rank = own;
  }
  for (int k = 0; k < count; k++)
    if (batched[k]) in[k] = batch_insert_units(b, in[k], levels, rank + levels - in[k]->type.rank);
}

static void align(Batch *x) { batch_align(x->b, x->in, x->count, x->batched, x->levels); }

/* A result without batch axes, given some. */
static IrValue *lifted(const Batch *x, IrValue *v) {
  return batch_insert_units(x->b, v, 0, x->levels);
}

/* Takes the batch axes from operand k; false where it varies along one. */
static bool make_uniform(Batch *x, int k) {
  if (axes_of(x, k)) return false;
  if (x->batched[k]) x->in[k] = batch_drop_units(x->b, x->in[k], 0, x->levels);
  x->batched[k] = false;
  return true;
}

static bool make_all_uniform(Batch *x, int first) {
  for (int k = first; k < x->count; k++)
    if (!make_uniform(x, k)) return false;
  return true;
}

/* The extents of the batch axes. */
static void batch_sizes(const Batch *x, IrValue **sizes) {
  for (int a = 0; a < x->levels; a++) {
    sizes[a] = NULL;
    for (int k = 0; k < x->count && !sizes[a]; k++)
      if (axes_of(x, k) >> a & 1) sizes[a] = ir_dim(x->b, x->in[k], a);
    if (!sizes[a]) sizes[a] = ir_i64(x->b, 1);
  }
}

/* Gives operand k the batch axes in full. */
static void spread(Batch *x, int k, IrValue *const *sizes) {
  IrValue *dims[IR_MAX_RANK];
  int own = own_rank(x, k);
  AxisSet axes = axes_of(x, k);
  for (int a = 0; a < x->levels; a++)
    dims[a] = axes >> a & 1 ? ir_dim(x->b, x->in[k], a) : sizes[a];
  for (int a = 0; a < own; a++) dims[x->levels + a] = own_dim(x, k, a);
  x->in[k] = ir_broadcast(x->b, x->in[k], dims, x->levels + own);
  x->batched[k] = true;
}

static IrValue *emit(const Batch *x) { return ir_emit(x->b, x->op, x->attr, x->in, x->count); }

/* ---- elementwise, shapes ---- */

static IrValue *batch_none(Batch *x) {
  (void)x;
  return NULL;
}

static IrValue *batch_region(Batch *x) {
  (void)x;
  return NULL;
}

static IrValue *batch_elementwise(Batch *x) {
  align(x);
  return emit(x);
}

/* x d... with the extents of the batch put before the dims. */
static IrValue *with_batch_dims(Batch *x) {
  IrValue *in[IR_MAX_RANK + 1];
  int levels = lead(x, 0);
  in[0] = x->in[0];
  for (int a = 0; a < levels; a++) in[1 + a] = ir_dim(x->b, x->in[0], a);
  memcpy(in + 1 + levels, x->in + 1, sizeof *in * (size_t)(x->count - 1));
  return ir_emit(x->b, x->op, x->attr, in, x->count + levels);
}

static IrValue *batch_broadcast(Batch *x) {
  if (!make_all_uniform(x, 1)) return NULL;
  if (!x->batched[0]) return lifted(x, emit(x));
  x->in[0] = batch_insert_units(x->b, x->in[0], x->levels, x->count - 1 - own_rank(x, 0));
  return with_batch_dims(x);
}

static IrValue *batch_reshape(Batch *x) {
  if (!make_all_uniform(x, 1)) return NULL;
  return x->batched[0] ? with_batch_dims(x) : lifted(x, emit(x));
}

static IrValue *batch_transpose(Batch *x) {
  int8_t axes[IR_MAX_RANK];
  int own = own_rank(x, 0);
  for (int a = 0; a < x->levels; a++) axes[a] = (int8_t)a;
  for (int a = 0; a < own; a++) axes[x->levels + a] = (int8_t)(x->attr.axes[a] + x->levels);
  return ir_transpose(x->b, x->in[0], axes);
}

static IrValue *batch_reduce(Batch *x) {
  for (int k = 0; k < x->attr.axis_count; k++)
    x->attr.axes[k] = (int8_t)(x->attr.axes[k] + x->levels);
  return emit(x);
}

static IrValue *batch_axis(Batch *x) {
  x->attr.axis += x->levels;
  return emit(x);
}

static IrValue *batch_concat(Batch *x) {
  IrValue *sizes[IR_MAX_RANK];
  batch_sizes(x, sizes);
  for (int k = 0; k < x->count; k++) spread(x, k, sizes);
  return batch_axis(x);
}

/* An op whose result's size depends on its operand's value. */
static IrValue *batch_iota(Batch *x) { return make_all_uniform(x, 0) ? lifted(x, emit(x)) : NULL; }

static IrValue *batch_nonzero(Batch *x) { return batch_iota(x); }

static IrValue *batch_shape(Batch *x) { return lifted(x, own_dim(x, 0, x->attr.axis)); }

/* ---- products ---- */

/* An unbatched matrix times a vector for each element: the vectors are the rows of one matrix.
 * Where the matrix is data, its transpose is computed at compile time; where it is not, runtimes
 * fuse the transposition with the product. */
static IrValue *matrix_times_vectors(Batch *x) {
  static const int8_t swapped[2] = {1, 0};
  IrValue *rows = ir_squeeze(x->b, x->in[1], x->in[1]->type.rank - 1);
  IrValue *r = ir_matmul(x->b, rows, ir_transpose(x->b, x->in[0], swapped));
  return ir_unsqueeze(x->b, r, r->type.rank);
}

/* A row for each element times an unbatched matrix. */
static IrValue *rows_times_matrix(Batch *x) {
  int row = x->in[0]->type.rank - 2;
  IrValue *rows = ir_squeeze(x->b, x->in[0], row);
  return ir_unsqueeze(x->b, ir_matmul(x->b, rows, x->in[1]), row);
}

/* Rows times columns that both differ between elements. */
static IrValue *dot_products(Batch *x) {
  align(x);
  int rank = x->in[0]->type.rank;
  IrValue *row = ir_squeeze(x->b, x->in[0], rank - 2),
          *column = ir_squeeze(x->b, x->in[1], rank - 1);
  int8_t last[1] = {(int8_t)(rank - 2)};
  IrValue *r = ir_reduce(x->b, IR_REDUCE_SUM, ir_binary(x->b, IR_MUL, row, column), last, 1);
  return batch_insert_units(x->b, r, rank - 2, 2);
}

static IrValue *batch_matmul(Batch *x) {
  const IrType *l = &x->in[0]->type, *r = &x->in[1]->type;
  int64_t rows = l->dim[l->rank - 2], columns = r->dim[r->rank - 1];
  bool outer = l->dim[l->rank - 1] == 1 || r->dim[r->rank - 2] == 1;
  if (outer) {
    align(x);
    return ir_binary(x->b, IR_MUL, x->in[0], x->in[1]);
  }
  if (!x->batched[0] && l->rank == 2 && columns == 1) return matrix_times_vectors(x);
  if (!x->batched[1] && r->rank == 2 && rows == 1) return rows_times_matrix(x);
  if (x->batched[0] && x->batched[1] && rows == 1 && columns == 1) return dot_products(x);
  align(x);
  return emit(x);
}

/* ---- indexing ---- */

/* x with its batch axes in the order: those of `first`, then those of `second`; the rest, along
 * which it does not vary, are dropped. */
static IrValue *arranged(const Batch *x, int k, AxisSet first, AxisSet second) {
  IrValue *v = x->in[k], *dims[IR_MAX_RANK];
  int8_t permutation[IR_MAX_RANK];
  int at[IR_MAX_RANK], kept = 0, rank = 0, own = own_rank(x, k);
  if (!x->batched[k]) return v;
  for (int a = 0; a < x->levels; a++)
    if ((first | second) >> a & 1) {
      dims[kept] = ir_dim(x->b, v, a);
      at[a] = kept++;
    }
  for (int a = 0; a < own; a++) dims[kept + a] = own_dim(x, k, a);
  if (kept < x->levels) v = ir_reshape(x->b, v, dims, kept + own);
  for (int a = 0; a < x->levels; a++)
    if (first >> a & 1) permutation[rank++] = (int8_t)at[a];
  for (int a = 0; a < x->levels; a++)
    if (second >> a & 1) permutation[rank++] = (int8_t)at[a];
  for (; rank < kept + own; rank++) permutation[rank] = (int8_t)rank;
  return ir_transpose(x->b, v, permutation);
}

static int axis_count(AxisSet axes) {
  int count = 0;
  for (; axes; axes &= axes - 1) count++;
  return count;
}

static int add_labels(int *labels, int count, AxisSet axes) {
  for (int a = 0; axes >> a; a++)
    if (axes >> a & 1) labels[count++] = a;
  return count;
}

/* v, whose axes carry the given labels, with its axes in the order of their labels. */
static IrValue *ordered(IrBuilder *b, IrValue *v, const int *labels) {
  int8_t permutation[IR_MAX_RANK];
  for (int i = 0; i < v->type.rank; i++) {
    int place = 0;
    for (int j = 0; j < v->type.rank; j++) place += labels[j] < labels[i];
    permutation[place] = (int8_t)i;
  }
  return ir_transpose(b, v, permutation);
}

/* Axes of the batch that were dropped, as axes of size 1. */
static IrValue *reinserted(const Batch *x, IrValue *v, AxisSet present) {
  IrValue *dims[IR_MAX_RANK];
  int rank = 0, from = 0;
  if (present == (1u << x->levels) - 1) return v;
  for (int a = 0; a < x->levels; a++)
    dims[rank++] = present >> a & 1 ? ir_dim(x->b, v, from++) : ir_i64(x->b, 1);
  while (from < v->type.rank) dims[rank++] = ir_dim(x->b, v, from++);
  return ir_reshape(x->b, v, dims, rank);
}

/* x and index vary along different axes of the batch and share none of their own: axes of the
 * batch along which both vary are shared, those of x alone stay axes of x, those of index alone
 * axes of index. */
static IrValue *gather_apart(const Batch *g) {
  IrBuilder *b = g->b;
  AxisSet s = axes_of(g, 0), t = axes_of(g, 1), shared = s & t;
  int labels[IR_MAX_RANK * 2], rank, axis = g->attr.axis, index_rank = own_rank(g, 1),
                                     others = own_rank(g, 0) - 1, levels = g->levels;
  IrValue *x = arranged(g, 0, shared, s & ~t), *index = arranged(g, 1, shared, t & ~s);
  int batch = axis_count(shared), at = axis_count(s) + axis;
  bool forward = index_rank == 0 && (t & ~s) && at > batch;
  if (forward) { /* so that the index's axes of the batch stay in front */
    int8_t permutation[IR_MAX_RANK];
    for (int a = 0; a < x->type.rank; a++)
      permutation[a] = (int8_t)(a > batch && a <= at ? a - 1 : a);
    permutation[batch] = (int8_t)at;
    x = ir_transpose(b, x, permutation);
    at = batch;
  }
  IrValue *r = ir_gather(b, x, index, at, batch);
  rank = add_labels(labels, 0, shared);
  if (forward) rank = add_labels(labels, rank, t & ~s);
  rank = add_labels(labels, rank, s & ~t);
  for (int a = 0; a < axis; a++) labels[rank++] = levels + a;
  if (!forward) rank = add_labels(labels, rank, t & ~s);
  for (int a = 0; a < index_rank; a++) labels[rank++] = levels + axis + a;
  for (int a = axis; a < others; a++) labels[rank++] = levels + index_rank + a;
  return reinserted(g, ordered(b, r, labels), s | t);
}

/* A gather or scatter whose operands share the axes before attr.axis, as one along a single axis:
 * those axes and attr.axis become one axis of x. */
static void flatten_shared(Batch *g) {
  IrBuilder *b = g->b;
  int batch = g->attr.batch, rank = 0, index_rank = own_rank(g, 1), levels = lead(g, 0);
  IrValue *n = own_dim(g, 0, batch), *rows = ir_i64(b, 1), *dims[IR_MAX_RANK];
  for (int a = 0; a < batch; a++) {
    dims[a] = own_dim(g, 0, a);
    rows = ir_binary(b, IR_MUL, rows, dims[a]);
  }
  for (int a = batch; a < index_rank; a++) dims[a] = ir_i64(b, 1);
  IrValue *offset = ir_reshape(b, ir_binary(b, IR_MUL, ir_iota(b, rows), n), dims, index_rank);
  g->in[1] = ir_binary(b, IR_ADD, g->in[1], offset);
  for (int a = 0; a < levels; a++) dims[rank++] = ir_dim(b, g->in[0], a);
  dims[rank++] = ir_binary(b, IR_MUL, rows, n);
  for (int a = batch + 1; a < own_rank(g, 0); a++) dims[rank++] = own_dim(g, 0, a);
  g->in[0] = ir_reshape(b, g->in[0], dims, rank);
  g->attr.batch = g->attr.axis = 0;
}

static IrValue *batch_gather(Batch *g) {
  bool same = axes_of(g, 0) == axes_of(g, 1) && g->batched[0] && g->batched[1];
  if (!same && g->attr.batch && g->attr.axis == g->attr.batch) flatten_shared(g);
  if (!same && g->attr.batch) {
    IrValue *sizes[IR_MAX_RANK];
    batch_sizes(g, sizes);
    spread(g, 0, sizes);
    spread(g, 1, sizes);
    same = true;
  }
  if (!same) return gather_apart(g);
  return ir_gather(g->b, g->in[0], g->in[1], g->attr.axis + g->levels, g->attr.batch + g->levels);
}

static IrValue *batch_scatter(Batch *g) {
  IrValue *sizes[IR_MAX_RANK], *dims[IR_MAX_RANK];
  AxisSet all = 0;
  int levels = g->levels, rank = levels + own_rank(g, 0), shared = levels;
  for (int k = 0; k < 3; k++) all |= axes_of(g, k);
  batch_sizes(g, sizes);
  spread(g, 0, sizes);
  for (int a = 0; a < rank; a++) dims[a] = ir_dim(g->b, g->in[0], a);
  if (axes_of(g, 1) != all && g->attr.batch && g->attr.axis == g->attr.batch) flatten_shared(g);
  if (g->attr.batch == 0 && make_uniform(g, 1))
    shared = 0;
  else
    spread(g, 1, sizes);
  spread(g, 2, sizes);
  IrValue *r = ir_scatter(g->b, g->op, g->in[0], g->in[1], g->in[2], g->attr.axis + levels,
                          shared ? g->attr.batch + levels : 0);
  return ir_reshape(g->b, r, dims, rank);
}

static IrValue *batch_slice(Batch *x) {
  IrBuilder *b = x->b;
  if (!make_uniform(x, 2)) return NULL;
  if (make_uniform(x, 1)) {
    IrValue *r = ir_slice(b, x->in[0], x->attr.axis + lead(x, 0), x->in[1], x->in[2]);
    return x->batched[0] ? r : lifted(x, r);
  }
  IrValue *start = ir_unsqueeze(b, x->in[1], x->levels);
  IrValue *in[2] = {x->in[0], ir_binary(b, IR_ADD, start, ir_iota(b, x->in[2]))};
  bool batched[2] = {x->batched[0], true};
  Batch gather = {.b = b,
                  .op = IR_GATHER,
                  .attr = {.axis = x->attr.axis},
                  .count = 2,
                  .in = in,
                  .batched = batched,
                  .levels = x->levels};
  return batch_gather(&gather);
}

/* ---- the table ---- */

typedef IrValue *(*Rule)(Batch *x);

static const Rule rules[IR_OP_COUNT] = {
#define OP(name, text, operands, shape, evaluate, vjp, batch, guard, onnx)                         \
  [IR_##name] = batch_##batch,
#include "ir/ops.def"
#undef OP
};

/* The most axes of its own that an operand, or a value computed on the way, may have. */
static int widest(const Batch *x) {
  int rank = 0, sum = 0;
  for (int k = 0; k < x->count; k++) {
    int own = own_rank(x, k);
    sum += own;
    if (own > rank) rank = own;
  }
  if (x->op == IR_BROADCAST || x->op == IR_RESHAPE)
    return x->count - 1 > rank ? x->count - 1 : rank;
  return x->op == IR_GATHER || x->op == IR_SLICE ? sum : rank;
}

IrValue *ir_emit_batched(IrBuilder *b, IrOp op, IrAttr attr, IrValue *const *in, int in_count,
                         const bool *batched, int levels) {
  Arena *a = ir_module_arena(ir_builder_module(b));
  bool any = false;
  for (int k = 0; k < in_count; k++) any |= batched[k];
  if (!any || !levels) return ir_emit(b, op, attr, in, in_count);
  Batch x = {b,
             op,
             attr,
             in_count,
             ARENA_ARRAY(a, IrValue *, (size_t)in_count),
             ARENA_ARRAY(a, bool, (size_t)in_count),
             levels};
  memcpy(x.in, in, sizeof *x.in * (size_t)in_count);
  memcpy(x.batched, batched, sizeof *x.batched * (size_t)in_count);
  assert(rules[op]);
  return widest(&x) + levels > IR_MAX_RANK ? NULL : rules[op](&x);
}
