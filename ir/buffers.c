/* Loops that fill a tensor row by row, as `for (t in 2:T) x[t] = f(x[t - 1])` does.
 *
 * Such a loop carries all of x and copies or walks it in every iteration. Where iteration i writes
 * row i + w of x alone, and reads none but rows beside it, the loop can do without x: it carries
 * the rows that were written last, and returns the new ones stacked. So its derivative needs no
 * tape of x, and its cotangent is no tensor that is scattered into.
 *
 * The numbers of rows and iterations need not be known, but it must be known by how much the first
 * is larger, wherever there is an iteration. Where there is none there may be fewer rows than that,
 * of which nothing may be asked. */
#include "ir/affine.h"
#include "ir/algebra.h"
#include "ir/extent.h"
#include "ir/grad.h"

enum { MOST_LAGS = 16, MOST_PIECES = 64, MOST_STEPS = 64 };

/* ---- buffers ---- */

/* The loop as it is looked at: its operands in b, and what is known of its body's indices. */
typedef struct {
  IrBuilder *b;
  const IrNode *loop;
  IrValue **in;
  IrValue *count; /* not negative */
  const Affine *affine;
} Context;

/* What the body makes of a buffer: of the same rows, whose first axes may be one with that of the
 * rows. */
typedef struct {
  bool is_version;
  int64_t extent; /* elements of the first axis that make a row: IR_DYNAMIC: a row's first axis */
} Version;

/* A carried value that is filled row by row. Its versions are what the body makes of it: itself
 * reshaped or written to, with all rows but those of the iteration as they were. */
typedef struct {
  int carried;
  IrType type;
  IrValue *initial;              /* all of it, before the loop */
  IrValue *row_dim[IR_MAX_RANK]; /* before the loop */
  int64_t more;                  /* rows than iterations, where there is one */
  int64_t written, first_read;   /* row of iteration 0 */
  int lags;                      /* rows before the one written that are read */
  Version *version;              /* by value id of the body */
} Buffer;

/* A size that the body speaks of, before the loop; NULL: it is not known there. */
static IrValue *outer_size(const Context *c, const Buffer *buffer, const IrValue *v) {
  LoopLayout l = loop_layout(c->loop);
  if (v->constant) return ir_i64(c->b, v->constant->data.i64[0]);
  if (!v->node) return v->index < l.captured ? NULL : c->in[l.captures + v->index - l.captured];
  if (v->node->op != IR_SHAPE) return NULL;
  const IrValue *of = v->node->in[0];
  int axis = v->node->attr.axis, merged = buffer->type.rank - of->type.rank;
  if (buffer->version[of->id].is_version)
    return axis > 0 ? buffer->row_dim[axis - 1 + merged] : NULL;
  bool captured = !of->node && of->index >= l.captured;
  return captured ? extent_of(c->b, c->in[l.captures + of->index - l.captured], axis) : NULL;
}

static bool is_row_dim(const Context *c, const Buffer *buffer, const IrValue *size, int k) {
  IrValue *outer = outer_size(c, buffer, size);
  return outer && same_size(outer, buffer->row_dim[k]);
}

static int64_t floor_divide(int64_t x, int64_t y) { return x / y - (x % y < 0 ? 1 : 0); }

/* The row that indices into a version stay in, as seen in iteration 0; false where there is none.
 */
static bool one_row(const Context *c, const Buffer *buffer, const IrValue *version,
                    const Affine *index, int64_t *row) {
  int64_t extent = buffer->version[version->id].extent;
  if (!index->offset || index->count == 0) return false;
  if (extent == IR_DYNAMIC) { /* all of one */
    *row = index->offset[0];
    return index->width && index->length && is_row_dim(c, buffer, index->width, 0) &&
           is_row_dim(c, buffer, index->length, 0);
  }
  if (index->width || index->slope != extent) return false;
  *row = floor_divide(index->offset[0], extent);
  for (int64_t k = 1; k < index->count; k++)
    if (floor_divide(index->offset[k], extent) != *row) return false;
  return true;
}

static bool accept_version(Buffer *buffer, const IrValue *v, int64_t extent) {
  buffer->version[v->id] = (Version){true, extent};
  return true;
}

static int64_t elements(const IrType *t, int first) {
  IrType rest = ir_type(t->dtype, t->rank - first, t->dim + first);
  return ir_type_count(&rest);
}

/* A reshape must keep the rows: their axes as they are, or the first axis of rows within that of
 * the rows, or, where sizes are known, anything. */
static bool accept_reshape(const Context *c, Buffer *buffer, const IrNode *n) {
  const IrType *t = &n->out[0]->type, *whole = &buffer->type;
  if (t->rank == 0) return false;
  int64_t row = elements(whole, 1), rest = elements(t, 1);
  if (row > 0 && rest > 0) /* the number of all elements stays */
    return row % rest == 0 && accept_version(buffer, n->out[0], row / rest);
  int merged = whole->rank - t->rank;
  if (merged < 0 || merged > 1) return false;
  for (int k = 1; k < t->rank; k++)
    if (!is_row_dim(c, buffer, n->in[1 + k], k - 1 + merged)) return false;
  return accept_version(buffer, n->out[0], merged ? whole->dim[1] : 1);
}

/* Whether n does with the buffer only what a row allows. */
static bool accept_node(const Context *c, Buffer *buffer, const IrNode *n) {
  int uses = 0;
  for (int k = 0; k < n->in_count; k++) uses += buffer->version[n->in[k]->id].is_version;
  if (uses == 0 || n->op == IR_SHAPE) return true;
  const Version *version = &buffer->version[n->in[0]->id];
  if (uses > 1 || !version->is_version) return false;
  if (n->op == IR_RESHAPE) return accept_reshape(c, buffer, n);
  bool writes = n->op == IR_SCATTER_SET || n->op == IR_SCATTER_ADD;
  int64_t row;
  if ((!writes && n->op != IR_GATHER) || n->attr.axis || n->attr.batch ||
      !one_row(c, buffer, n->in[0], &c->affine[n->in[1]->id], &row))
    return false;
  if (writes) {
    if (buffer->written >= 0 && buffer->written != row) return false;
    buffer->written = row;
    return accept_version(buffer, n->out[0], version->extent);
  }
  if (row < buffer->first_read) buffer->first_read = row;
  return row >= 0;
}

/* Finds by how much there are more rows than iterations. */
static bool compare_sizes(const Context *c, Buffer *buffer) {
  Size rows = size_of(extent_of(c->b, buffer->initial, 0)), trips = size_of(c->count);
  buffer->more = rows.offset - trips.offset;
  return rows.base == trips.base && buffer->more >= 0;
}

static bool find_buffer(Arena *a, const Context *c, int carried, Buffer *buffer) {
  const IrFunction *f = c->loop->body[0];
  LoopLayout l = loop_layout(c->loop);
  const IrValue *param = f->params[1 + carried];
  const IrType *t = &param->type;
  *buffer = (Buffer){.carried = carried,
                     .type = *t,
                     .initial = c->in[l.initial + carried],
                     .written = -1,
                     .first_read = INT32_MAX,
                     .version = ARENA_ARRAY(a, Version, (size_t)f->value_count + 1)};
  if (t->rank == 0 || ir_type_count(t) == 0 || !compare_sizes(c, buffer)) return false;
  for (int k = 1; k < t->rank; k++) buffer->row_dim[k - 1] = extent_of(c->b, buffer->initial, k);
  accept_version(buffer, param, 1);
  for (int i = 0; i < f->node_count; i++)
    if (!accept_node(c, buffer, f->nodes[i])) return false;
  for (int k = 0; k < f->result_count; k++)
    if (buffer->version[f->results[k]->id].is_version != (k == l.results + carried)) return false;
  const IrValue *end = f->results[l.results + carried];
  if (!ir_types_equal(t, &end->type) || buffer->version[end->id].extent != 1) return false;
  if (buffer->written < 0 || buffer->written > buffer->more) return false;
  if (buffer->first_read < buffer->written)
    buffer->lags = (int)(buffer->written - buffer->first_read);
  return buffer->written - buffer->first_read <= MOST_LAGS;
}

/* ---- the loop without them ---- */

/* The row that an iteration writes, as far as it has come: pieces over what was there. */
typedef struct {
  IrValue *base;
  int count;
  struct {
    int64_t at, length;
    IrValue *value; /* [length, ...] */
  } piece[MOST_PIECES];
} Row;

typedef struct {
  Buffer *buffer;
  IrValue *before; /* how many rows there are before the first that is written */
  IrValue *lag[MOST_LAGS];
  const Row **row; /* by value id of the body: of versions */
  IrType row_type;
} Rows;

typedef struct {
  Arena *arena;
  const Context *c;
  IrBuilder *outer, *b;
  const IrNode *loop;
  IrValue **map; /* by value id of the body */
  Rows *rows;
  int count;
} Rewrite;

/* The shape that a row has in a version. */
typedef struct {
  int rank;
  int64_t extent; /* of its first axis, or IR_DYNAMIC */
  IrValue *dim[IR_MAX_RANK];
} View;

static IrValue *viewed(IrBuilder *b, IrValue *x, const View *view) {
  return ir_reshape(b, x, view->dim, view->rank);
}

/* Axes of versions are those of rows, counted from the last, unless their sizes are known. */
static View row_view(const Rewrite *w, const Rows *r, const IrValue *version) {
  const Buffer *buffer = r->buffer;
  const IrType *t = &version->type;
  int64_t extent = buffer->version[version->id].extent;
  View view = {.rank = t->rank, .extent = extent};
  view.dim[0] = extent == IR_DYNAMIC ? buffer->row_dim[0] : ir_i64(w->outer, extent);
  for (int k = 1; k < t->rank; k++)
    view.dim[k] = t->dim[k] == IR_DYNAMIC ? buffer->row_dim[k - 1 + buffer->type.rank - t->rank]
                                          : ir_i64(w->outer, t->dim[k]);
  return view;
}

static IrValue *as_row(const Rewrite *w, const Rows *r, IrValue *x) {
  return ir_reshape(w->b, x, r->buffer->row_dim, r->buffer->type.rank - 1);
}

static IrValue *index_tensor(Rewrite *w, const IrType *type, const Affine *index, int64_t shift) {
  IrTensor *t = ir_tensor_new(w->arena, *type);
  for (int64_t k = 0; k < t->count; k++) t->data.i64[k] = index->offset[k] - shift;
  return ir_constant(w->b, t);
}

/* The row as one value of the shape `view`, whose first axis the pieces divide. */
static IrValue *assembled(Rewrite *w, const Row *row, const View *view) {
  IrValue *parts[MOST_PIECES];
  int64_t at = 0;
  int count = 0;
  for (bool found = true; found && at < view->extent;) {
    found = false;
    for (int k = row->count - 1; k >= 0 && !found; k--)
      if (row->piece[k].at == at) {
        parts[count++] = row->piece[k].value;
        at += row->piece[k].length;
        found = true;
      }
  }
  if (row->count && at == view->extent && count == row->count)
    return count == 1 ? parts[0] : ir_concat(w->b, parts, count, 0);
  IrValue *v = viewed(w->b, row->base, view);
  for (int k = 0; k < row->count; k++) {
    IrTensor *t = ir_tensor_new(w->arena, ir_type(IR_I64, 1, &row->piece[k].length));
    for (int64_t j = 0; j < t->count; j++) t->data.i64[j] = row->piece[k].at + j;
    v = ir_scatter(w->b, IR_SCATTER_SET, v, ir_constant(w->b, t), row->piece[k].value, 0, 0);
  }
  return v;
}

static const Row *plain_row(Rewrite *w, IrValue *value) {
  Row *r = ARENA_NEW(w->arena, Row);
  r->base = value;
  return r;
}

/* n writes all of the row, whose size is not known. */
static const Row *whole_row(Rewrite *w, Rows *r, const IrNode *n) {
  View view = row_view(w, r, n->in[0]);
  IrValue *updates = viewed(w->b, w->map[n->in[2]->id], &view);
  if (n->op == IR_SCATTER_SET) return plain_row(w, updates);
  return plain_row(w, ir_binary(w->b, IR_ADD, assembled(w, r->row[n->in[0]->id], &view), updates));
}

/* n writes to the row of a version: a run of its elements becomes a piece. */
static const Row *written_row(Rewrite *w, Rows *r, const IrNode *n) {
  const Row *before = r->row[n->in[0]->id];
  const Affine *index = &w->c->affine[n->in[1]->id];
  View view = row_view(w, r, n->in[0]);
  if (view.extent == IR_DYNAMIC) return whole_row(w, r, n);
  int64_t start = view.extent * r->buffer->written;
  IrValue *updates = w->map[n->in[2]->id];
  if (n->op == IR_SCATTER_SET && affine_consecutive(index) && before->count < MOST_PIECES) {
    Row *row = ARENA_NEW(w->arena, Row);
    View piece = view;
    piece.dim[0] = ir_i64(w->outer, index->count);
    *row = *before;
    row->piece[row->count].at = index->offset[0] - start;
    row->piece[row->count].length = index->count;
    row->piece[row->count++].value = viewed(w->b, updates, &piece);
    return row;
  }
  IrValue *at = index_tensor(w, &n->in[1]->type, index, start);
  return plain_row(w, ir_scatter(w->b, n->op, assembled(w, before, &view), at, updates, 0, 0));
}

/* Pieces divide the first axis of one version: in another they are one value again. */
static const Row *reshaped_row(Rewrite *w, Rows *r, const IrNode *n) {
  const Row *row = r->row[n->in[0]->id];
  const Version *version = r->buffer->version;
  if (!row->count || version[n->in[0]->id].extent == version[n->out[0]->id].extent) return row;
  View view = row_view(w, r, n->in[0]);
  return plain_row(w, assembled(w, row, &view));
}

/* v, the row that n gathers, in the shape of what it gathers. */
static IrValue *gathered(Rewrite *w, const IrNode *n, IrValue *v, const View *view) {
  View to = {.rank = n->out[0]->type.rank};
  const IrType *index = &n->in[1]->type;
  for (int k = 0; k < index->rank; k++)
    to.dim[k] = index->dim[k] == IR_DYNAMIC ? view->dim[0] : ir_i64(w->outer, index->dim[k]);
  for (int k = 1; k < view->rank; k++) to.dim[index->rank + k - 1] = view->dim[k];
  return viewed(w->b, v, &to);
}

/* What comes after the row written is as it was before the loop. */
static IrValue *read_ahead(Rewrite *w, const Rows *r, const IrNode *n, View view) {
  IrValue *rows = ir_dim(w->outer, r->buffer->initial, 0);
  view.dim[0] = ir_binary(w->outer, IR_MUL, rows, view.dim[0]);
  return ir_gather(w->b, viewed(w->outer, r->buffer->initial, &view), w->map[n->in[1]->id], 0, 0);
}

static IrValue *read_row(Rewrite *w, Rows *r, const IrNode *n) {
  const Affine *index = &w->c->affine[n->in[1]->id];
  View view = row_view(w, r, n->in[0]);
  int64_t row = 0, first;
  one_row(w->c, r->buffer, n->in[0], index, &row);
  if (row > r->buffer->written) return read_ahead(w, r, n, view);
  IrValue *v = row == r->buffer->written
                   ? assembled(w, r->row[n->in[0]->id], &view)
                   : viewed(w->b, r->lag[r->buffer->written - row - 1], &view);
  if (view.extent == IR_DYNAMIC) return gathered(w, n, v, &view);
  first = row * view.extent;
  if (index->count == view.extent && index->offset[0] == first && affine_consecutive(index))
    return gathered(w, n, v, &view);
  return ir_gather(w->b, v, index_tensor(w, &n->in[1]->type, index, first), 0, 0);
}

/* The number of rows, or an extent of each. */
static IrValue *size_of_version(const Rewrite *w, const Rows *r, const IrNode *n) {
  View view = row_view(w, r, n->in[0]);
  IrValue *size = view.dim[n->attr.axis];
  if (n->attr.axis) return size;
  return ir_binary(w->outer, IR_MUL, ir_dim(w->outer, r->buffer->initial, 0), size);
}

static Rows *rows_of(Rewrite *w, const IrValue *v) {
  for (int k = 0; k < w->count; k++)
    if (w->rows[k].buffer->version[v->id].is_version) return &w->rows[k];
  return NULL;
}

static void rewrite_node(Rewrite *w, const IrNode *n) {
  Rows *r = n->in_count ? rows_of(w, n->in[0]) : NULL;
  if (!r) {
    repeat_node(w->b, n, w->map);
    return;
  }
  const IrScope *scope = ir_set_scope(w->b, n->scope);
  bool adjoint = ir_set_adjoint(w->b, n->adjoint);
  int id = n->out[0]->id;
  if (n->op == IR_SHAPE)
    w->map[id] = size_of_version(w, r, n);
  else if (n->op == IR_GATHER)
    w->map[id] = read_row(w, r, n);
  else
    r->row[id] = n->op == IR_RESHAPE ? reshaped_row(w, r, n) : written_row(w, r, n);
  ir_set_scope(w->b, scope);
  ir_set_adjoint(w->b, adjoint);
}

/* ---- the rows before the loop and after it ---- */

/* Whether v must have that row because it has been written before. */
static bool has_row(const IrValue *v, int64_t row) {
  for (int step = 0; step < MOST_STEPS && v->node; step++) {
    const IrNode *n = v->node;
    if ((n->op == IR_SCATTER_SET || n->op == IR_SCATTER_ADD) && n->attr.axis == 0) {
      const IrTensor *at = n->in[1]->constant;
      for (int64_t k = 0; at && k < at->count; k++)
        if (at->data.i64[k] >= row) return true;
    }
    Origin o = origin_of(v, 0);
    if (!o.of || o.axis) return false;
    v = o.of;
  }
  return false;
}

/* The first row that is written, as far as there are rows: 0 where `more` is as many. */
static IrValue *rows_before(const Context *c, const Buffer *buffer) {
  IrValue *rows = extent_of(c->b, buffer->initial, 0);
  if (buffer->written == 0) return ir_i64(c->b, 0);
  if (buffer->written == buffer->more) return ir_binary(c->b, IR_SUB, rows, c->count);
  return ir_binary(c->b, IR_MIN, rows, ir_i64(c->b, buffer->written));
}

/* Row `at` before the loop, or zeros where there is neither that row nor an iteration. */
static IrValue *initial_row(Rewrite *w, const Rows *r, int64_t at) {
  IrBuilder *b = w->outer;
  const Buffer *buffer = r->buffer;
  int64_t before;
  IrValue *x = buffer->initial, *dims[IR_MAX_RANK] = {ir_i64(b, buffer->written)};
  if (!is_known_size(r->before, &before) && !has_row(x, at)) {
    for (int k = 1; k < buffer->type.rank; k++) dims[k] = buffer->row_dim[k - 1];
    IrValue *zero = buffer->type.dtype == IR_F64   ? ir_f64(b, 0)
                    : buffer->type.dtype == IR_I64 ? ir_i64(b, 0)
                                                   : ir_bool(b, false);
    IrValue *parts[] = {ir_slice(b, x, 0, ir_i64(b, 0), r->before),
                        ir_broadcast(b, zero, dims, buffer->type.rank)};
    x = ir_concat(b, parts, 2, 0);
  }
  return ir_gather(b, x, ir_i64(b, at), 0, 0);
}

/* The buffer after the loop. */
static IrValue *filled(Rewrite *w, const Rows *r, IrValue *written) {
  IrBuilder *b = w->outer;
  const Buffer *buffer = r->buffer;
  IrValue *parts[3], *dims[IR_MAX_RANK] = {w->c->count};
  int n = 0;
  for (int k = 1; k < buffer->type.rank; k++) dims[k] = buffer->row_dim[k - 1];
  /* where no iteration ran, the stack may have forgotten them */
  if (!w->c->count->constant) written = ir_reshape(b, written, dims, buffer->type.rank);
  if (buffer->written) parts[n++] = ir_slice(b, buffer->initial, 0, ir_i64(b, 0), r->before);
  parts[n++] = written;
  if (buffer->more > buffer->written) {
    IrValue *end = ir_binary(b, IR_ADD, r->before, w->c->count);
    IrValue *rows = extent_of(b, buffer->initial, 0);
    parts[n++] = ir_slice(b, buffer->initial, 0, end, ir_binary(b, IR_SUB, rows, end));
  }
  return n == 1 ? written : ir_concat(b, parts, n, 0);
}

/* ---- the loop ---- */

static IrValue *same_param(IrBuilder *b, const IrValue *param) {
  IrValue *v = ir_param(b, param->type, NULL);
  ir_assume(v, param->facts);
  return v;
}

/* Parameters of the new body: lags in place of buffers; rows that are written over are scanned. */
static void bind_params(Rewrite *w, IrLoop *loop, IrValue **initial, IrValue **inputs) {
  const IrFunction *f = w->loop->body[0];
  LoopLayout l = loop_layout(w->loop);
  IrValue **in = w->c->in;
  w->map[f->params[0]->id] = same_param(w->b, f->params[0]);
  for (int k = 0; k < w->loop->attr.carried; k++) {
    const IrValue *param = f->params[1 + k];
    Rows *r = rows_of(w, param);
    if (!r) {
      w->map[param->id] = same_param(w->b, param);
      initial[loop->carried++] = in[l.initial + k];
      continue;
    }
    for (int j = 0; j < r->buffer->lags; j++) {
      r->lag[j] = ir_param(w->b, r->row_type, NULL);
      initial[loop->carried++] = initial_row(w, r, r->buffer->written - 1 - j);
    }
  }
  for (int k = 0; k < w->loop->attr.scanned; k++) {
    w->map[f->params[l.element + k]->id] = same_param(w->b, f->params[l.element + k]);
    inputs[loop->scanned++] = in[l.scanned + k];
  }
  for (int k = 0; k < w->count; k++) {
    Rows *r = &w->rows[k];
    inputs[loop->scanned++] = ir_slice(w->outer, r->buffer->initial, 0, r->before, w->c->count);
    r->row[f->params[1 + r->buffer->carried]->id] = plain_row(w, ir_param(w->b, r->row_type, NULL));
  }
  for (int k = l.captured; k < f->param_count; k++)
    w->map[f->params[k]->id] = in[l.captures + k - l.captured];
}

static IrValue *new_row(Rewrite *w, Rows *r) {
  const IrValue *end = w->loop->body[0]->results[loop_layout(w->loop).results + r->buffer->carried];
  View view = row_view(w, r, end);
  return as_row(w, r, assembled(w, r->row[end->id], &view));
}

/* Carried values, then the loop's own outs, then the new rows. */
static int new_results(Rewrite *w, IrValue **results) {
  const IrFunction *f = w->loop->body[0];
  LoopLayout l = loop_layout(w->loop);
  int count = 0;
  for (int k = 0; k < w->loop->attr.carried; k++) {
    Rows *r = rows_of(w, f->params[1 + k]);
    for (int j = 0; r && j < r->buffer->lags; j++)
      results[count++] = j ? r->lag[j - 1] : new_row(w, r);
    if (!r) results[count++] = w->map[f->results[l.results + k]->id];
  }
  for (int k = l.outs; k < f->result_count; k++) results[count++] = w->map[f->results[k]->id];
  for (int k = 0; k < w->count; k++) results[count++] = new_row(w, &w->rows[k]);
  return count;
}

static void emit_rewritten(Rewrite *w, IrValue **out) {
  const IrFunction *f = w->loop->body[0];
  int lags = 0, at = 0;
  for (int k = 0; k < w->count; k++) lags += w->rows[k].buffer->lags;
  size_t room = (size_t)(f->param_count + f->result_count + lags + w->count + 1);
  IrValue **initial = ARENA_ARRAY(w->arena, IrValue *, room),
          **inputs = ARENA_ARRAY(w->arena, IrValue *, room),
          **results = ARENA_ARRAY(w->arena, IrValue *, room);
  IrLoop loop = {.count = w->c->in[0], .initial = initial, .inputs = inputs};
  bind_params(w, &loop, initial, inputs);
  for (int i = 0; i < f->node_count; i++) rewrite_node(w, f->nodes[i]);
  int total = new_results(w, results);
  ir_function_end(w->b, results, NULL, total);
  ir_loop(w->outer, loop, w->b, results);
  int rows_at = total - w->count;
  for (int k = 0; k < w->loop->attr.carried; k++) {
    Rows *r = rows_of(w, f->params[1 + k]);
    if (r) out[k] = filled(w, r, results[rows_at + (r - w->rows)]);
    if (!r) out[k] = results[at];
    at += r ? r->buffer->lags : 1;
  }
  for (int k = w->loop->attr.carried; k < w->loop->out_count; k++) out[k] = results[at++];
}

/* The loop's buffers. */
static Rows *find_rows(Arena *a, const Context *c, int *found) {
  const IrFunction *f = c->loop->body[0];
  int carried = c->loop->attr.carried;
  Buffer *buffers = ARENA_ARRAY(a, Buffer, (size_t)carried);
  Rows *rows = ARENA_ARRAY(a, Rows, (size_t)carried);
  *found = 0;
  for (int k = 0; k < carried; k++) {
    Buffer *buffer = &buffers[*found];
    if (!find_buffer(a, c, k, buffer)) continue;
    const IrType *t = &buffer->type;
    rows[(*found)++] = (Rows){.buffer = buffer,
                              .before = rows_before(c, buffer),
                              .row = ARENA_ARRAY(a, const Row *, (size_t)f->value_count + 1),
                              .row_type = ir_row_type(t)};
  }
  return rows;
}

/* Emits the loop without its buffers; false where it has none. */
static bool rewrite_loop(IrBuilder *b, const IrNode *loop, IrValue **map) {
  Arena *a = ir_module_arena(loop->owner->module);
  const IrFunction *f = loop->body[0];
  IrValue *count = map[loop->in[0]->id];
  int64_t trips;
  int found;
  if (loop->attr.has_condition || loop->attr.reverse || loop->attr.carried == 0) return false;
  if (is_known_size(count, &trips) && (trips < 2 || trips > INT32_MAX)) return false;
  IrValue **in = ARENA_ARRAY(a, IrValue *, (size_t)loop->in_count + 1);
  IrValue **out = ARENA_ARRAY(a, IrValue *, (size_t)loop->out_count + 1);
  for (int k = 0; k < loop->in_count; k++) in[k] = map[loop->in[k]->id];
  const IrScope *scope = ir_set_scope(b, loop->scope);
  bool adjoint = ir_set_adjoint(b, loop->adjoint);
  Context c = {.b = b,
               .loop = loop,
               .in = in,
               .count = ir_binary(b, IR_MAX, count, ir_i64(b, 0)),
               .affine = affine_values(a, loop)};
  Rows *rows = find_rows(a, &c, &found);
  Rewrite w = {.arena = a,
               .c = &c,
               .outer = b,
               .loop = loop,
               .map = ARENA_ARRAY(a, IrValue *, (size_t)f->value_count + 1),
               .rows = rows,
               .count = found};
  if (found) {
    in[0] = c.count;
    w.b = ir_function_begin(loop->owner->module, b, f->name);
    emit_rewritten(&w, out);
    for (int k = 0; k < loop->out_count; k++) map[loop->out[k]->id] = out[k];
  }
  ir_set_scope(b, scope);
  ir_set_adjoint(b, adjoint);
  return found > 0;
}

/* ---- functions ---- */

static bool has_loop(const IrFunction *f) {
  for (int i = 0; i < f->node_count; i++) {
    const IrNode *n = f->nodes[i];
    if (n->op == IR_LOOP) return true;
    if (n->op == IR_IF && (has_loop(n->body[0]) || has_loop(n->body[1]))) return true;
  }
  return false;
}

IrFunction *ir_unbuffer(IrFunction *f) {
  if (!has_loop(f)) return f;
  Arena *a = ir_module_arena(f->module);
  IrBuilder *b = ir_function_begin(f->module, NULL, f->name);
  IrValue **map = ARENA_ARRAY(a, IrValue *, (size_t)f->value_count + 1);
  IrValue **results = ARENA_ARRAY(a, IrValue *, (size_t)f->result_count + 1);
  IrValue **params = copy_params(b, f);
  for (int k = 0; k < f->param_count; k++) map[f->params[k]->id] = params[k];
  for (int i = 0; i < f->node_count; i++) {
    IrNode n = *f->nodes[i];
    for (int side = 0; side < 2 && n.op != IR_CALL; side++)
      if (n.body[side]) n.body[side] = ir_unbuffer(n.body[side]);
    if (n.op != IR_LOOP || !rewrite_loop(b, &n, map)) repeat_node(b, &n, map);
  }
  for (int k = 0; k < f->result_count; k++) results[k] = map[f->results[k]->id];
  IrFunction *g = ir_function_end(b, results, f->result_names, f->result_count);
  g->elementwise = f->elementwise;
  g->facts = f->facts;
  return g;
}
