/* Additions to places known beforehand, as sums of groups: the elements of each place are brought
 * side by side and summed up, which takes a third of the time of adding them one by one. Groups are
 * divided into rows of one length, filled up with elements that a mask makes 0, and the rows' sums
 * are added to their places one by one.
 *
 * The graph is the same for any number of elements above FEW: neither what suits the sizes at hand
 * best, nor rows that happen to need no mask, change its form. */
#include "ir/economy.h"

enum { FEW = 64 }; /* elements that are not worth three more nodes */

/* Nanoseconds for an element that is added alone, and for one of a row. */
static const double ALONE = 4.9, IN_ROW = 1.8;

/* The elements of places: those of place p are order[start[p]], ..., order[start[p + 1] - 1]. */
typedef struct {
  int64_t places, count;
  int64_t *start, *order;
} Groups;

static bool find_groups(Arena *a, const IrTensor *index, int64_t places, Groups *g) {
  *g = (Groups){.places = places, .count = index->count};
  g->start = ARENA_ARRAY(a, int64_t, (size_t)places + 2);
  g->order = ARENA_ARRAY(a, int64_t, (size_t)index->count + 1);
  const int64_t *at = index->data.i64;
  for (int64_t k = 0; k < g->count; k++) {
    if (at[k] < 0 || at[k] >= places) return false;
    g->start[at[k] + 2]++;
  }
  for (int64_t p = 2; p <= places + 1; p++) g->start[p] += g->start[p - 1];
  for (int64_t k = 0; k < g->count; k++) g->order[g->start[at[k] + 1]++] = k;
  return true;
}

static int64_t group_size(const Groups *g, int64_t p) { return g->start[p + 1] - g->start[p]; }

static int64_t largest_group(const Groups *g) {
  int64_t most = 0;
  for (int64_t p = 0; p < g->places; p++)
    if (group_size(g, p) > most) most = group_size(g, p);
  return most;
}

/* ---- rows ---- */

/* Groups as rows of equal length, as many as each needs. */
typedef struct {
  int64_t rows, length;
} Rows;

/* Whether some row is not full. */
static bool leaves_gaps(const Groups *g, int64_t length) {
  for (int64_t p = 0; p < g->places; p++)
    if (group_size(g, p) % length) return true;
  return false;
}

static int64_t rows_needed(const Groups *g, int64_t length) {
  int64_t rows = 0;
  for (int64_t p = 0; p < g->places; p++) rows += (group_size(g, p) + length - 1) / length;
  return rows;
}

static double cost(const Rows *r) {
  return IN_ROW * (double)r->rows * (double)r->length + ALONE * (double)r->rows;
}

static Rows cheapest_rows(const Groups *g) {
  int64_t most = largest_group(g);
  Rows best = {0, 0};
  for (int64_t power = 2; best.rows == 0 || power < 2 * most; power *= 2) {
    Rows r = {0, power};
    while (!leaves_gaps(g, r.length)) r.length++;
    r.rows = rows_needed(g, r.length);
    if (best.rows == 0 || cost(&r) < cost(&best)) best = r;
  }
  return best;
}

/* What is gathered for the rows, the mask of what counts, and the places of the rows. */
typedef struct {
  IrTensor *index, *mask, *place;
} Layout;

static IrTensor *vector(Arena *a, IrDtype dtype, int64_t count) {
  return ir_tensor_new(a, ir_type(dtype, 1, &count));
}

/* Element k of row r. What fills up a row is an element of its own group, if there is one, so that
 * an infinity does not spoil others. */
static Layout lay_out(Arena *a, const Groups *g, const Rows *rows) {
  int64_t n = rows->rows * rows->length, row = 0;
  Layout l = {vector(a, IR_I64, n), vector(a, IR_F64, n), vector(a, IR_I64, rows->rows)};
  for (int64_t p = 0; p < g->places; p++) {
    int64_t at = g->start[p], end = g->start[p + 1];
    for (; at < end; row++) {
      l.place->data.i64[row] = p;
      for (int64_t k = 0; k < rows->length; k++, at++) {
        int64_t here = row * rows->length + k;
        l.mask->data.f64[here] = at < end;
        l.index->data.i64[here] = g->order[at < end ? at : end - 1];
      }
    }
  }
  return l;
}

/* ---- building ---- */

/* x with its axis divided in two. */
static IrValue *divided(IrBuilder *b, IrValue *x, int axis, int64_t first, int64_t second) {
  IrValue *dims[IR_MAX_RANK];
  int rank = 0;
  for (int k = 0; k < x->type.rank; k++) {
    if (k != axis) {
      dims[rank++] = ir_dim(b, x, k);
    } else {
      dims[rank++] = ir_i64(b, first);
      dims[rank++] = ir_i64(b, second);
    }
  }
  return ir_reshape(b, x, dims, rank);
}

static IrValue *sum_along(IrBuilder *b, IrValue *x, int axis) {
  int8_t axes = (int8_t)axis;
  return ir_reduce(b, IR_REDUCE_SUM, x, &axes, 1);
}

/* Whether the elements are in order already: group by group, or one of each group after the
 * other. */
static bool in_order(const Groups *g, int64_t size, bool by_group) {
  for (int64_t k = 0; k < g->count; k++) {
    int64_t group = k / size, member = k % size;
    if (g->order[k] != (by_group ? k : member * g->places + group)) return false;
  }
  return true;
}

static IrValue *sums_in_order(IrBuilder *b, const Groups *g, IrValue *v, int axis) {
  int64_t size = g->places ? g->count / g->places : 0;
  if (size == 0 || g->count % g->places != 0) return NULL;
  for (int64_t p = 0; p < g->places; p++)
    if (group_size(g, p) != size) return NULL;
  if (in_order(g, size, true)) return sum_along(b, divided(b, v, axis, g->places, size), axis + 1);
  if (in_order(g, size, false)) return sum_along(b, divided(b, v, axis, size, g->places), axis);
  return NULL;
}

/* A vector of constants along an axis of a tensor. */
static IrValue *along(IrBuilder *b, const IrTensor *t, int axis, int rank) {
  IrValue *dims[IR_MAX_RANK] = {ir_i64(b, t->count)};
  for (int k = axis + 1; k < rank; k++) dims[k - axis] = ir_i64(b, 1);
  return ir_reshape(b, ir_constant(b, t), dims, rank - axis);
}

static IrValue *sums_of_rows(IrBuilder *b, const Groups *g, const Rows *rows, IrValue *x,
                             IrValue *v, int axis) {
  Layout l = lay_out(b->module->arena, g, rows);
  v = ir_gather(b, v, ir_constant(b, l.index), axis, 0);
  v = ir_binary(b, IR_MUL, v, along(b, l.mask, axis, v->type.rank));
  v = sum_along(b, divided(b, v, axis, rows->rows, rows->length), axis + 1);
  return ir_scatter(b, IR_SCATTER_ADD, x, ir_constant(b, l.place), v, axis, 0);
}

IrValue *group_sums(const Rewriting *w, const IrNode *n) {
  IrBuilder *b = w->b;
  Groups g;
  if (n->op != IR_SCATTER_ADD || n->attr.batch || n->out[0]->type.dtype != IR_F64) return NULL;
  IrValue *x = w->map[n->in[0]->id], *index = w->map[n->in[1]->id], *v = w->map[n->in[2]->id];
  int axis = n->attr.axis;
  int64_t places = x->type.dim[axis];
  if (!index->constant || index->type.rank != 1 || places == IR_DYNAMIC ||
      v->type.dim[axis] != index->constant->count || index->constant->count < 2 ||
      v->type.rank == IR_MAX_RANK || !find_groups(b->module->arena, index->constant, places, &g))
    return NULL;
  IrValue *sums = sums_in_order(b, &g, v, axis);
  if (sums) return ir_binary(b, IR_ADD, x, sums);
  if (g.count <= FEW || g.count <= g.places) return NULL;
  Rows rows = cheapest_rows(&g);
  return sums_of_rows(b, &g, &rows, x, v, axis);
}
