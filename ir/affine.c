/* Indices that move with a loop's iterations: sums and multiples of the iteration's number. */
#include "ir/affine.h"

#include "ir/algebra.h"
#include "ir/grad.h"

#include <string.h>

enum { MOST_INDICES = 1024, MOST_STEPS = 64 };

static Affine affine_new(Arena *a, int64_t slope, int64_t count) {
  return (Affine){
      .slope = slope, .offset = ARENA_ARRAY(a, int64_t, (size_t)count + 1), .count = count};
}

static bool far(int64_t x) { return x > INT32_MAX || x < -INT32_MAX; }

static bool is_plain(const Affine *x) { return x->offset && !x->width; }

/* x + sign * y, where one of them may be a scalar. */
static Affine affine_sum(Arena *a, const Affine *x, const Affine *y, int sign) {
  if (!is_plain(x) || !is_plain(y) || (x->count != y->count && x->count != 1 && y->count != 1))
    return (Affine){0};
  Affine r = affine_new(a, x->slope + sign * y->slope, x->count > y->count ? x->count : y->count);
  for (int64_t k = 0; k < r.count; k++)
    r.offset[k] = x->offset[x->count == 1 ? 0 : k] + sign * y->offset[y->count == 1 ? 0 : k];
  return r;
}

static Affine affine_multiple(Arena *a, const Affine *x, const Affine *y) {
  if (!is_plain(x) || !is_plain(y) || y->slope || y->count != 1) return (Affine){0};
  Affine r = affine_new(a, x->slope * y->offset[0], x->count);
  for (int64_t k = 0; k < r.count; k++) r.offset[k] = x->offset[k] * y->offset[0];
  return r;
}

/* Of indices whose number is known. */
static Affine known_indices(Arena *a, const IrNode *n, const Affine *known) {
  int64_t count = ir_type_count(&n->out[0]->type);
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
  case IR_RESHAPE: r = is_plain(x) ? *x : r; break;
  case IR_BROADCAST:
    if (x->count == 1 || x->count == count)
      r = affine_sum(a, x, &(Affine){.offset = (int64_t[]){0}, .count = 1}, 1);
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

/* The size that v counts up to, in whatever shape; NULL where it does not. */
static const IrValue *counted(const IrValue *v) {
  while (made_by(v, IR_RESHAPE)) v = v->node->in[0];
  const IrNode *n = made_by(v, IR_IOTA);
  return n ? n->in[0] : NULL;
}

/* Of a row whose width is not known. */
static Affine row_indices(const IrNode *n, const Affine *known) {
  if (n->op == IR_RESHAPE && known[n->in[0]->id].width) return known[n->in[0]->id];
  if (n->op != IR_MUL && n->op != IR_ADD) return (Affine){0};
  for (int k = 0; k < 2; k++) {
    Affine r = known[n->in[k]->id];
    const IrValue *other = n->in[1 - k];
    if (!r.offset || r.count != 1 || r.length) continue;
    if (n->op == IR_MUL && !r.width && r.slope == 1 && other->type.rank == 0 &&
        !known[other->id].offset) {
      r.width = other;
      return r;
    }
    r.length = counted(other);
    if (n->op == IR_ADD && r.width && r.length) return r;
  }
  return (Affine){0};
}

static Affine affine_of(Arena *a, const IrNode *n, const Affine *known) {
  const IrType *t = &n->out[0]->type;
  int64_t count = ir_type_count(t);
  Affine r = {0};
  if (t->dtype != IR_I64) return r;
  if (count >= 0 && count <= MOST_INDICES) r = known_indices(a, n, known);
  return r.offset ? r : row_indices(n, known);
}

bool affine_numbers(const IrValue *v, int64_t *offset) {
  int64_t more;
  *offset = 0;
  for (int step = 0; step < MOST_STEPS && v->node; step++) {
    const IrNode *n = v->node;
    if (n->op == IR_IOTA) return true;
    bool adds = n->op == IR_ADD && n->in[1]->uniform && n->in[1]->type.rank <= v->type.rank;
    if (n->op != IR_RESHAPE && !adds) return false;
    more = adds ? n->in[1]->constant->data.i64[0] : 0;
    if (far(more) || far(*offset)) return false;
    *offset += more;
    v = n->in[0];
  }
  return false;
}

/* Rows of a tensor, scanned, where each differs from the one before by the same number. */
static Affine affine_rows(Arena *a, const IrValue *v) {
  const IrTensor *t = v->constant;
  if (v->type.dtype != IR_I64) return (Affine){0};
  if (!t) {
    Affine r = affine_new(a, 1, 1);
    IrType row = ir_row_type(&v->type);
    return ir_type_count(&row) == 1 && affine_numbers(v, r.offset) ? r : (Affine){0};
  }
  int64_t rows = t->type.dim[0], count = rows ? t->count / rows : 0;
  if (rows < 2 || count == 0 || count > MOST_INDICES) return (Affine){0};
  const int64_t *x = t->data.i64;
  Affine r = affine_new(a, x[count] - x[0], count);
  memcpy(r.offset, x, sizeof *x * (size_t)count);
  bool fits = !far(r.slope);
  for (int64_t k = 0; k < t->count && fits; k++)
    fits = !far(x[k]) && (k < count || x[k] - x[k - count] == r.slope);
  return fits ? r : (Affine){0};
}

Affine *affine_values(Arena *a, const IrNode *loop) {
  const IrFunction *f = loop->body[0];
  LoopLayout l = loop_layout(loop);
  Affine *known = ARENA_ARRAY(a, Affine, (size_t)f->value_count + 1);
  Affine i = affine_new(a, 1, 1);
  known[f->params[0]->id] = i;
  for (int k = l.element; k < l.captured; k++)
    known[f->params[k]->id] = affine_rows(a, loop->in[l.scanned + k - l.element]);
  for (int k = 0; k < f->node_count; k++)
    if (f->nodes[k]->out_count == 1)
      known[f->nodes[k]->out[0]->id] = affine_of(a, f->nodes[k], known);
  return known;
}

bool affine_consecutive(const Affine *index) {
  for (int64_t k = 1; k < index->count; k++)
    if (index->offset[k] != index->offset[0] + k) return false;
  return true;
}
