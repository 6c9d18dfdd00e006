/* Loops that fill a tensor row by row, as `for (t in 2:T) x[t] = f(x[t - 1])` does.
 *
 * Such a loop carries all of x and copies or walks it in every iteration. Where iteration i writes
 * row i + w of x alone, and reads none but rows beside it, the loop can do without x: it carries
 * the rows that were written last, and returns the new ones stacked. So its derivative needs no
 * tape of x, and its cotangent is no tensor that is scattered into. */
#include "ir/builder.h"
#include "ir/grad.h"

#include <string.h>

enum { MOST_LAGS = 16, MOST_INDICES = 1024, MOST_PIECES = 64 };

/* ---- indices that move with the iteration ---- */

/* Indices slope * i + offset[k]; offset NULL: they are not of this kind. */
typedef struct {
  int64_t slope;
  int64_t *offset;
  int64_t count;
} Affine;

static Affine affine_new(Arena *a, int64_t slope, int64_t count) {
  return (Affine){slope, ARENA_ARRAY(a, int64_t, (size_t)count + 1), count};
}

static bool far(int64_t x) { return x > INT32_MAX || x < -INT32_MAX; }

/* x + sign * y, where one of them may be a scalar. */
static Affine affine_sum(Arena *a, const Affine *x, const Affine *y, int sign) {
  if (!x->offset || !y->offset || (x->count != y->count && x->count != 1 && y->count != 1))
    return (Affine){0};
  Affine r = affine_new(a, x->slope + sign * y->slope, x->count > y->count ? x->count : y->count);
  for (int64_t k = 0; k < r.count; k++)
    r.offset[k] = x->offset[x->count == 1 ? 0 : k] + sign * y->offset[y->count == 1 ? 0 : k];
  return r;
}

static Affine affine_multiple(Arena *a, const Affine *x, const Affine *y) {
  if (!x->offset || !y->offset || y->slope || y->count != 1) return (Affine){0};
  Affine r = affine_new(a, x->slope * y->offset[0], x->count);
  for (int64_t k = 0; k < r.count; k++) r.offset[k] = x->offset[k] * y->offset[0];
  return r;
}

static Affine affine_of(Arena *a, const IrNode *n, const Affine *known) {
  const IrType *t = &n->out[0]->type;
  int64_t count = ir_type_count(t);
  if (t->dtype != IR_I64 || count < 0 || count > MOST_INDICES) return (Affine){0};
  const Affine *x = n->in_count > 0 ? &known[n->in[0]->id] : NULL,
               *y = n->in_count > 1 ? &known[n->in[1]->id] : NULL;
  Affine r = {0};
  switch (n->op) {
  case IR_CONST:
    r = affine_new(a, 0, count);
    memcpy(r.offset, n->out[0]->constant->data.i64, sizeof(int64_t) * (size_t)count);
    break;
  case IR_ADD: r = affine_sum(a, x, y, 1); break;
  case IR_SUB: r = affine_sum(a, x, y, -1); break;
  case IR_MUL: r = affine_multiple(a, x, y); break;
  case IR_RESHAPE: r = *x; break;
  case IR_BROADCAST:
    if (x->count == 1 || x->count == count)
      r = affine_sum(a, x, &(Affine){0, (int64_t[]){0}, 1}, 1);
    break;
  default: break;
  }
  if (r.offset && r.count == 1 && count > 1) { /* one for all */
    Affine all = affine_new(a, r.slope, count);
    for (int64_t k = 0; k < count; k++) all.offset[k] = r.offset[0];
    r = all;
  }
  bool fits = r.offset && r.count == count && !far(r.slope);
  for (int64_t k = 0; k < count && fits; k++) fits = !far(r.offset[k]);
  return fits ? r : (Affine){0};
}

/* Rows of a known tensor, scanned, where each differs from the one before by the same number. */
static Affine affine_rows(Arena *a, const IrTensor *t) {
  int64_t rows = t && t->type.dtype == IR_I64 ? t->type.dim[0] : 0;
  int64_t count = rows ? t->count / rows : 0;
  if (rows < 2 || count == 0 || count > MOST_INDICES) return (Affine){0};
  const int64_t *x = t->data.i64;
  Affine r = affine_new(a, x[count] - x[0], count);
  memcpy(r.offset, x, sizeof *x * (size_t)count);
  bool fits = !far(r.slope);
  for (int64_t k = 0; k < t->count && fits; k++)
    fits = !far(x[k]) && (k < count || x[k] - x[k - count] == r.slope);
  return fits ? r : (Affine){0};
}

/* For the values of a loop's body, by id. */
static Affine *find_affine(Arena *a, const IrNode *loop) {
  const IrFunction *f = loop->body[0];
  LoopLayout l = loop_layout(loop);
  Affine *known = ARENA_ARRAY(a, Affine, (size_t)f->value_count + 1);
  Affine i = affine_new(a, 1, 1);
  known[f->params[0]->id] = i;
  for (int k = l.element; k < l.captured; k++)
    known[f->params[k]->id] = affine_rows(a, loop->in[l.scanned + k - l.element]->constant);
  for (int k = 0; k < f->node_count; k++)
    if (f->nodes[k]->out_count == 1)
      known[f->nodes[k]->out[0]->id] = affine_of(a, f->nodes[k], known);
  return known;
}

/* ---- buffers ---- */

/* A carried value that is filled row by row. Its versions are what the body makes of it: itself
 * reshaped or written to, with all rows but those of the iteration as they were. */
typedef struct {
  int carried;
  int64_t rows;
  int64_t written, first_read; /* row of iteration 0 */
  int lags;                    /* rows before the one written that are read */
  bool *version;               /* by value id of the body */
} Buffer;

/* Elements of a version's first axis that make a row. */
static int64_t row_extent(const Buffer *buffer, const IrType *version) {
  return version->dim[0] / buffer->rows;
}

static int64_t floor_divide(int64_t x, int64_t y) { return x / y - (x % y < 0 ? 1 : 0); }

/* The row that indices into a version stay in, as seen in iteration 0; false where there is none.
 */
static bool one_row(const Buffer *buffer, const IrType *version, const Affine *index,
                    int64_t *row) {
  int64_t extent = row_extent(buffer, version);
  if (!index->offset || index->count == 0 || index->slope != extent) return false;
  *row = floor_divide(index->offset[0], extent);
  for (int64_t k = 1; k < index->count; k++)
    if (floor_divide(index->offset[k], extent) != *row) return false;
  return true;
}

static bool accept_version(Buffer *buffer, const IrNode *n) {
  const IrType *t = &n->out[0]->type;
  bool whole_rows = ir_type_count(t) >= 0 && t->rank > 0 && t->dim[0] >= buffer->rows &&
                    t->dim[0] % buffer->rows == 0;
  buffer->version[n->out[0]->id] = whole_rows;
  return whole_rows;
}

/* Whether n does with the buffer only what a row allows. */
static bool accept_node(Buffer *buffer, const IrNode *n, const Affine *affine) {
  int uses = 0;
  for (int k = 0; k < n->in_count; k++) uses += buffer->version[n->in[k]->id];
  if (uses == 0) return true;
  if (uses > 1 || !buffer->version[n->in[0]->id]) return false;
  if (n->op == IR_RESHAPE) return accept_version(buffer, n);
  bool writes = n->op == IR_SCATTER_SET || n->op == IR_SCATTER_ADD;
  int64_t row;
  if ((!writes && n->op != IR_GATHER) || n->attr.axis || n->attr.batch ||
      !one_row(buffer, &n->in[0]->type, &affine[n->in[1]->id], &row))
    return false;
  if (writes) {
    if (buffer->written >= 0 && buffer->written != row) return false;
    buffer->written = row;
    return accept_version(buffer, n);
  }
  if (row < buffer->first_read) buffer->first_read = row;
  return row >= 0;
}

static bool find_buffer(Arena *a, const IrNode *loop, int carried, int64_t count,
                        const Affine *affine, Buffer *buffer) {
  const IrFunction *f = loop->body[0];
  LoopLayout l = loop_layout(loop);
  const IrType *t = &f->params[1 + carried]->type;
  *buffer = (Buffer){.carried = carried, .written = -1, .first_read = INT32_MAX};
  if (ir_type_count(t) <= 0) return false;
  buffer->rows = t->dim[0];
  buffer->version = ARENA_ARRAY(a, bool, (size_t)f->value_count + 1);
  if (t->rank == 0) return false;
  buffer->version[f->params[1 + carried]->id] = true;
  for (int i = 0; i < f->node_count; i++)
    if (!accept_node(buffer, f->nodes[i], affine)) return false;
  for (int k = 0; k < f->result_count; k++)
    if (buffer->version[f->results[k]->id] != (k == l.results + carried)) return false;
  if (!ir_types_equal(t, &f->results[l.results + carried]->type)) return false;
  if (buffer->written < 0 || buffer->written + count > buffer->rows) return false;
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
  IrValue *initial; /* all of it, outside */
  IrValue *lag[MOST_LAGS];
  const Row **row; /* by value id of the body: of versions */
  IrType row_type;
} Rows;

typedef struct {
  Arena *arena;
  IrBuilder *outer, *b;
  const IrNode *loop;
  const Affine *affine;
  IrValue **map; /* by value id of the body */
  Rows *rows;
  int count;
} Rewrite;

static IrValue *static_reshape(IrBuilder *b, IrValue *x, const IrType *to) {
  IrValue *dims[IR_MAX_RANK];
  for (int k = 0; k < to->rank; k++) dims[k] = ir_i64(b, to->dim[k]);
  return ir_reshape(b, x, dims, to->rank);
}

/* A row in the shape that it has in a version. */
static IrType row_view(const Rows *r, const IrType *version) {
  IrType t = *version;
  t.dim[0] = row_extent(r->buffer, version);
  return t;
}

static IrValue *index_tensor(Rewrite *w, const IrType *type, const Affine *index, int64_t shift) {
  IrTensor *t = ir_tensor_new(w->arena, *type);
  for (int64_t k = 0; k < t->count; k++) t->data.i64[k] = index->offset[k] - shift;
  return ir_constant(w->b, t);
}

/* Whether indices are start, start + 1, ... */
static bool consecutive(const Affine *index) {
  for (int64_t k = 1; k < index->count; k++)
    if (index->offset[k] != index->offset[0] + k) return false;
  return true;
}

/* The row as one value of the shape `view`, whose first axis the pieces divide. */
static IrValue *assembled(Rewrite *w, const Row *row, const IrType *view) {
  IrValue *parts[MOST_PIECES];
  int64_t at = 0;
  int count = 0;
  for (bool found = true; found && at < view->dim[0];) {
    found = false;
    for (int k = row->count - 1; k >= 0 && !found; k--)
      if (row->piece[k].at == at) {
        parts[count++] = row->piece[k].value;
        at += row->piece[k].length;
        found = true;
      }
  }
  if (row->count && at == view->dim[0] && count == row->count)
    return count == 1 ? parts[0] : ir_concat(w->b, parts, count, 0);
  IrValue *v = static_reshape(w->b, row->base, view);
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

/* n writes to the row of a version: a run of its elements becomes a piece. */
static const Row *written_row(Rewrite *w, Rows *r, const IrNode *n) {
  const IrType *version = &n->in[0]->type;
  const Row *before = r->row[n->in[0]->id];
  const Affine *index = &w->affine[n->in[1]->id];
  IrType view = row_view(r, version);
  int64_t start = view.dim[0] * r->buffer->written;
  IrValue *updates = w->map[n->in[2]->id];
  if (n->op == IR_SCATTER_SET && consecutive(index) && before->count < MOST_PIECES) {
    Row *row = ARENA_NEW(w->arena, Row);
    IrType piece = view;
    piece.dim[0] = index->count;
    *row = *before;
    row->piece[row->count].at = index->offset[0] - start;
    row->piece[row->count].length = index->count;
    row->piece[row->count++].value = static_reshape(w->b, updates, &piece);
    return row;
  }
  IrValue *at = index_tensor(w, &n->in[1]->type, index, start);
  return plain_row(w, ir_scatter(w->b, n->op, assembled(w, before, &view), at, updates, 0, 0));
}

/* Pieces divide the first axis of one version: in another they are one value again. */
static const Row *reshaped_row(Rewrite *w, Rows *r, const IrNode *n) {
  const Row *row = r->row[n->in[0]->id];
  if (!row->count || n->in[0]->type.dim[0] == n->out[0]->type.dim[0]) return row;
  IrType view = row_view(r, &n->in[0]->type);
  return plain_row(w, assembled(w, row, &view));
}

static IrValue *read_row(Rewrite *w, Rows *r, const IrNode *n) {
  const IrType *version = &n->in[0]->type;
  const Affine *index = &w->affine[n->in[1]->id];
  IrType view = row_view(r, version);
  int64_t row = 0;
  one_row(r->buffer, version, index, &row);
  if (row > r->buffer->written) {
    IrValue *all = static_reshape(w->outer, r->initial, version);
    return ir_gather(w->b, all, w->map[n->in[1]->id], 0, 0);
  }
  IrValue *v = row == r->buffer->written
                   ? assembled(w, r->row[n->in[0]->id], &view)
                   : static_reshape(w->b, r->lag[r->buffer->written - row - 1], &view);
  if (index->count == view.dim[0] && index->offset[0] == row * view.dim[0] && consecutive(index))
    return static_reshape(w->b, v, &n->out[0]->type);
  return ir_gather(w->b, v, index_tensor(w, &n->in[1]->type, index, row * view.dim[0]), 0, 0);
}

static Rows *rows_of(Rewrite *w, const IrValue *v) {
  for (int k = 0; k < w->count; k++)
    if (w->rows[k].buffer->version[v->id]) return &w->rows[k];
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
  if (n->op == IR_GATHER)
    w->map[n->out[0]->id] = read_row(w, r, n);
  else
    r->row[n->out[0]->id] = n->op == IR_RESHAPE ? reshaped_row(w, r, n) : written_row(w, r, n);
  ir_set_scope(w->b, scope);
  ir_set_adjoint(w->b, adjoint);
}

/* Row `at` of the buffer before the loop. */
static IrValue *initial_row(Rewrite *w, const Rows *r, int64_t at) {
  return ir_gather(w->outer, r->initial, ir_i64(w->outer, at), 0, 0);
}

static IrValue *same_param(IrBuilder *b, const IrValue *param) {
  IrValue *v = ir_param(b, param->type, NULL);
  ir_assume(v, param->facts);
  return v;
}

/* Parameters of the new body: lags in place of buffers; rows that are written over are scanned. */
static void bind_params(Rewrite *w, IrValue *const *in, IrLoop *loop, IrValue **initial,
                        IrValue **inputs, int64_t count) {
  const IrFunction *f = w->loop->body[0];
  LoopLayout l = loop_layout(w->loop);
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
    inputs[loop->scanned++] = ir_slice(
        w->outer, r->initial, 0, ir_i64(w->outer, r->buffer->written), ir_i64(w->outer, count));
    r->row[f->params[1 + r->buffer->carried]->id] = plain_row(w, ir_param(w->b, r->row_type, NULL));
  }
  for (int k = l.captured; k < f->param_count; k++)
    w->map[f->params[k]->id] = in[l.captures + k - l.captured];
}

static IrValue *new_row(Rewrite *w, Rows *r) {
  const IrValue *end = w->loop->body[0]->results[loop_layout(w->loop).results + r->buffer->carried];
  IrType view = row_view(r, &end->type);
  return static_reshape(w->b, assembled(w, r->row[end->id], &view), &r->row_type);
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

/* The buffer after the loop. */
static IrValue *filled(Rewrite *w, const Rows *r, IrValue *written, int64_t count) {
  IrBuilder *b = w->outer;
  int64_t before = r->buffer->written, after = r->buffer->rows - before - count;
  IrValue *parts[3];
  int n = 0;
  if (before) parts[n++] = ir_slice(b, r->initial, 0, ir_i64(b, 0), ir_i64(b, before));
  parts[n++] = written;
  if (after) parts[n++] = ir_slice(b, r->initial, 0, ir_i64(b, before + count), ir_i64(b, after));
  return n == 1 ? written : ir_concat(b, parts, n, 0);
}

static void emit_rewritten(Rewrite *w, IrValue *const *in, IrValue **out, int64_t count) {
  const IrFunction *f = w->loop->body[0];
  int lags = 0, at = 0;
  for (int k = 0; k < w->count; k++) lags += w->rows[k].buffer->lags;
  size_t room = (size_t)(f->param_count + f->result_count + lags + w->count + 1);
  IrValue **initial = ARENA_ARRAY(w->arena, IrValue *, room),
          **inputs = ARENA_ARRAY(w->arena, IrValue *, room),
          **results = ARENA_ARRAY(w->arena, IrValue *, room);
  IrLoop loop = {.count = in[0], .initial = initial, .inputs = inputs};
  bind_params(w, in, &loop, initial, inputs, count);
  for (int i = 0; i < f->node_count; i++) rewrite_node(w, f->nodes[i]);
  int total = new_results(w, results);
  ir_function_end(w->b, results, NULL, total);
  ir_loop(w->outer, loop, w->b, results);
  int rows_at = total - w->count;
  for (int k = 0; k < w->loop->attr.carried; k++) {
    Rows *r = rows_of(w, f->params[1 + k]);
    if (r) out[k] = filled(w, r, results[rows_at + (r - w->rows)], count);
    if (!r) out[k] = results[at];
    at += r ? r->buffer->lags : 1;
  }
  for (int k = w->loop->attr.carried; k < w->loop->out_count; k++) out[k] = results[at++];
}

/* Emits the loop without its buffers; false where it has none. */
static bool rewrite_loop(IrBuilder *b, const IrNode *loop, IrValue **map) {
  Arena *a = ir_module_arena(loop->owner->module);
  const IrFunction *f = loop->body[0];
  IrValue *count = map[loop->in[0]->id];
  int carried = loop->attr.carried;
  if (loop->attr.has_condition || loop->attr.reverse || !count->constant) return false;
  int64_t trips = count->constant->data.i64[0];
  if (trips < 2 || trips > INT32_MAX || carried == 0) return false;
  Affine *affine = find_affine(a, loop);
  Buffer *buffers = ARENA_ARRAY(a, Buffer, (size_t)carried);
  Rows *rows = ARENA_ARRAY(a, Rows, (size_t)carried);
  int found = 0;
  for (int k = 0; k < carried; k++) {
    if (!find_buffer(a, loop, k, trips, affine, &buffers[found])) continue;
    const IrType *t = &f->params[1 + k]->type;
    rows[found] = (Rows){.buffer = &buffers[found],
                         .initial = map[loop->in[loop_layout(loop).initial + k]->id],
                         .row = ARENA_ARRAY(a, const Row *, (size_t)f->value_count + 1),
                         .row_type = ir_type(t->dtype, t->rank - 1, t->dim + 1)};
    found++;
  }
  if (!found) return false;
  IrValue **in = ARENA_ARRAY(a, IrValue *, (size_t)loop->in_count + 1);
  IrValue **out = ARENA_ARRAY(a, IrValue *, (size_t)loop->out_count + 1);
  for (int k = 0; k < loop->in_count; k++) in[k] = map[loop->in[k]->id];
  const IrScope *scope = ir_set_scope(b, loop->scope);
  bool adjoint = ir_set_adjoint(b, loop->adjoint);
  Rewrite w = {.arena = a,
               .outer = b,
               .b = ir_function_begin(loop->owner->module, b, f->name),
               .loop = loop,
               .affine = affine,
               .map = ARENA_ARRAY(a, IrValue *, (size_t)f->value_count + 1),
               .rows = rows,
               .count = found};
  emit_rewritten(&w, in, out, trips);
  for (int k = 0; k < loop->out_count; k++) map[loop->out[k]->id] = out[k];
  ir_set_scope(b, scope);
  ir_set_adjoint(b, adjoint);
  return true;
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
