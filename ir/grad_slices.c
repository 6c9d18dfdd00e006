/* Cotangents that are gathered slice by slice: pieces that lie side by side are put together, and a
 * piece that contains others is cut where they begin and end and added to them, so that no zeros
 * are needed to make them as large as it. */
#include "ir/grad.h"

typedef struct {
  Contribution *part;
  IrValue *end;
  bool placed;
} Piece;

static bool known_int(const IrValue *v, int64_t *x) {
  if (!v->constant) return false;
  *x = v->constant->data.i64[0];
  return true;
}

static IrValue *axis_like(IrBuilder *b, IrValue *x, IrValue *like, int axis, IrValue *length) {
  IrValue *dims[IR_MAX_RANK];
  int rank = like->type.rank;
  for (int k = 0; k < rank; k++) dims[k] = k == axis ? length : ir_dim(b, like, k);
  return ir_broadcast(b, x, dims, rank);
}

/* ---- pieces that contain others ---- */

typedef struct {
  Piece *items;
  size_t count, capacity;
} Pieces;

static void add_piece(Reverse *r, Pieces *p, Contribution part) {
  Contribution *c = ARENA_NEW(r->arena, Contribution);
  *c = part;
  Piece piece = {c, ir_binary(r->b, IR_ADD, c->at, c->length), false};
  ARENA_PUSH(r->arena, p->items, p->count, p->capacity, piece);
}

/* A piece whose place is known. */
typedef struct {
  size_t number;
  int64_t start, end;
} Place;

static bool place_of(const Pieces *p, size_t number, Place *out) {
  *out = (Place){.number = number};
  const Piece *piece = &p->items[number];
  return !piece->placed && known_int(piece->part->at, &out->start) &&
         known_int(piece->end, &out->end);
}

/* The pieces within another one, in order; 0 where two of them overlap. */
static int find_within(const Pieces *p, const Place *around, Place *within) {
  int axis = p->items[around->number].part->axis, n = 0;
  Place q;
  for (size_t k = 0; k < p->count; k++) {
    if (k == around->number || !place_of(p, k, &q) || p->items[k].part->axis != axis ||
        q.start < around->start || q.end > around->end || q.start == q.end)
      continue;
    int at = n++;
    for (; at > 0 && within[at - 1].start > q.start; at--) within[at] = within[at - 1];
    within[at] = q;
  }
  for (int k = 1; k < n; k++)
    if (within[k].start < within[k - 1].end) return 0;
  return n;
}

/* What the piece has from `start` to `end`, with pieces that lie there side by side. */
static void add_part(Reverse *r, Pieces *p, const Place *around, const Place *others, int count,
                     int64_t start, int64_t end, IrValue *v) {
  IrBuilder *b = r->b;
  Contribution c = *p->items[around->number].part;
  IrValue *whole = axis_like(b, c.value, v, c.axis, c.length);
  IrValue **row = ARENA_ARRAY(r->arena, IrValue *, (size_t)count + 1);
  for (int k = 0; k < count; k++) {
    Piece *q = &p->items[others[k].number];
    row[k] = axis_like(b, scaled(b, q->part->scale, q->part->value), v, c.axis, q->part->length);
    q->placed = true;
  }
  c.at = ir_i64(b, start);
  c.length = ir_i64(b, end - start);
  c.value = ir_slice(b, whole, c.axis, ir_i64(b, start - around->start), c.length);
  if (count) {
    double scale = 1;
    IrValue *side = count == 1 ? row[0] : ir_concat(b, row, count, c.axis);
    c.value = add_scaled(b, side, &scale, c.value, c.scale);
    c.scale = scale;
  }
  add_piece(r, p, c);
}

/* Cuts a piece at those within it. */
static void cut(Reverse *r, Pieces *p, const Place *around, const Place *within, int n,
                IrValue *v) {
  int64_t at = around->start;
  for (int k = 0; k < n;) {
    int first = k++;
    while (k < n && within[k].start == within[k - 1].end) k++;
    int64_t start = within[first].start, end = within[k - 1].end;
    if (at < start) add_part(r, p, around, NULL, 0, at, start, v);
    add_part(r, p, around, within + first, k - first, start, end, v);
    at = end;
  }
  if (at < around->end) add_part(r, p, around, NULL, 0, at, around->end, v);
  p->items[around->number].placed = true;
}

/* The smallest piece that contains others. */
static bool find_container(const Reverse *r, const Pieces *p, Place *best, Place **within, int *n) {
  Place q;
  *n = 0;
  for (size_t k = 0; k < p->count; k++) {
    if (!place_of(p, k, &q) || (*n && q.end - q.start >= best->end - best->start)) continue;
    Place *inside = ARENA_ARRAY(r->arena, Place, p->count);
    int found = find_within(p, &q, inside);
    if (!found) continue;
    *best = q;
    *within = inside;
    *n = found;
  }
  return *n > 0;
}

/* ---- pieces side by side ---- */

/* The piece of the axis that comes next at or after `at`: where positions are known the nearest,
 * else one that begins exactly there. */
static Piece *next_piece(Piece *pieces, int count, int axis, IrValue *at) {
  Piece *best = NULL;
  int64_t here, start, nearest;
  for (int k = 0; k < count; k++) {
    Piece *p = &pieces[k];
    if (p->placed || p->part->axis != axis) continue;
    if (p->part->at == at) return p;
    if (!known_int(at, &here) || !known_int(p->part->at, &start) || start < here) continue;
    if (best && known_int(best->part->at, &nearest) && nearest <= start) continue;
    best = p;
  }
  return best;
}

static Piece *first_piece(Piece *pieces, int count) {
  Piece *first = NULL;
  int64_t start, least;
  for (int k = 0; k < count; k++) {
    Piece *p = &pieces[k];
    if (p->placed) continue;
    if (!first) first = p;
    if (p->part->axis != first->part->axis || !known_int(p->part->at, &start)) continue;
    if (!known_int(first->part->at, &least) || start < least) first = p;
  }
  return first;
}

/* One layer of slices that do not overlap, with zeros between, in the shape of v. */
static IrValue *lay_pieces(Reverse *r, Piece *pieces, int count, IrValue *v) {
  IrBuilder *b = r->b;
  Piece *p = first_piece(pieces, count);
  if (!p) return NULL;
  int axis = p->part->axis, n = 0;
  IrValue **row = ARENA_ARRAY(r->arena, IrValue *, (size_t)count * 2 + 2);
  IrValue *at = ir_i64(b, 0), *size = ir_dim(b, v, axis), *zero = ir_f64(b, 0);
  for (; p; p = next_piece(pieces, count, axis, at)) {
    p->placed = true;
    if (p->part->at != at)
      row[n++] = axis_like(b, zero, v, axis, ir_binary(b, IR_SUB, p->part->at, at));
    row[n++] = axis_like(b, scaled(b, p->part->scale, p->part->value), v, axis, p->part->length);
    at = p->end;
  }
  if (at != size) row[n++] = axis_like(b, zero, v, axis, ir_binary(b, IR_SUB, size, at));
  return n == 1 ? row[0] : ir_concat(b, row, n, axis);
}

IrValue *add_slices(Reverse *r, Contribution *slices, IrValue *v, IrValue *sum, double *scale) {
  Pieces p = {0};
  Place around, *within;
  int n;
  for (const Contribution *c = slices; c; c = c->next) add_piece(r, &p, *c);
  while (find_container(r, &p, &around, &within, &n)) cut(r, &p, &around, within, n, v);
  for (IrValue *layer; (layer = lay_pieces(r, p.items, (int)p.count, v));)
    sum = add_scaled(r->b, sum, scale, layer, 1);
  return sum;
}
