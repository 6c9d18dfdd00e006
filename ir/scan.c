/* Scans. Maps are composed in segments of SEGMENT, side by side: after a few steps each segment has
 * the compositions of its first, first two, ... maps. Those of whole segments are a shorter
 * recurrence of the same kind, which gives what enters each segment; applying the compositions to
 * it gives the rest. That is a number of nodes for each SEGMENTth part of the logarithm of the
 * number of maps, and about three operations for one of the loop. */
#include "ir/scan.h"

#include "ir/builder.h"

#include <math.h>

enum {
  SEGMENT = 5,
  MOST_STEPS = 10, /* maps that are applied one after the other */
  OPEN_LEVELS = 3  /* of segments of segments, where the number of maps is not known */
};

/* Sums of exponentials that are larger have lost nothing that counts to what is too small. */
static const double LEAST_SUM = 1e-290;

/* The axis of the maps' numbers, and of that in states. */
static int map_axis(const Scan *s) { return s->kind == SCAN_NUMBERS ? 0 : 2; }
static int state_axis(const Scan *s) { return s->kind == SCAN_NUMBERS ? 0 : 1; }
/* That of the maps' b. */
static int offset_axis(const Scan *s) { return s->kind == SCAN_LOGARITHMS ? 1 : 0; }

static IrValue *times(const Scan *s, IrValue *x, IrValue *y) {
  return ir_binary(s->b, IR_MUL, x, y);
}
static IrValue *plus(const Scan *s, IrValue *x, IrValue *y) {
  return ir_binary(s->b, IR_ADD, x, y);
}

static IrValue *part(const Scan *s, IrValue *v, int axis, int64_t start, int64_t length) {
  return ir_slice(s->b, v, axis, ir_i64(s->b, start), ir_i64(s->b, length));
}

/* ---- maps ---- */

/* Matrices times what has rows like them. */
static IrValue *product(const Scan *s, IrValue *matrices, IrValue *rows) {
  IrValue *terms = times(s, ir_unsqueeze(s->b, matrices, 2), ir_unsqueeze(s->b, rows, 0));
  return ir_reduce(s->b, IR_REDUCE_SUM, terms, (int8_t[]){1}, 1);
}

static IrValue *matrices_of(const Scan *s, AffineMaps m) { return part(s, m.a, 1, 0, s->size); }

static AffineMaps compose(const Scan *s, AffineMaps later, AffineMaps earlier) {
  switch (s->kind) {
  case SCAN_NUMBERS:
    return (AffineMaps){times(s, later.a, earlier.a),
                        plus(s, times(s, later.a, earlier.b), later.b)};
  case SCAN_VECTORS: /* later.b: the vectors, beside matrices of zeros */
    return (AffineMaps){plus(s, product(s, later.a, earlier.a), later.b), NULL};
  default: return (AffineMaps){product(s, later.a, earlier.a), plus(s, later.b, earlier.b)};
  }
}

/* Matrices times vectors. */
static IrValue *transformed(const Scan *s, IrValue *matrices, IrValue *x) {
  IrValue *terms = times(s, matrices, ir_unsqueeze(s->b, x, 0));
  return ir_reduce(s->b, IR_REDUCE_SUM, terms, (int8_t[]){1}, 1);
}

/* m applied to x; *sums, of logarithms: what they were taken of, 0 for what is impossible. */
static IrValue *apply_maps(const Scan *s, AffineMaps m, IrValue *x, IrValue **sums) {
  IrBuilder *b = s->b;
  if (s->kind == SCAN_NUMBERS) return plus(s, times(s, m.a, x), m.b);
  if (s->kind == SCAN_VECTORS)
    return plus(s, transformed(s, matrices_of(s, m), x),
                ir_squeeze(b, part(s, m.a, 1, s->size, 1), 1));
  IrValue *max = ir_unsqueeze(b, ir_reduce(b, IR_REDUCE_MAX, x, (int8_t[]){0}, 1), 0);
  *sums = transformed(s, m.a, ir_unary(b, IR_EXP, ir_binary(b, IR_SUB, x, max)));
  return plus(s, ir_unary(b, IR_LOG, *sums), plus(s, m.b, max));
}

/* Maps whose matrices have 1 as their largest element, where they are of logarithms. */
static AffineMaps normalised(const Scan *s, AffineMaps m) {
  IrBuilder *b = s->b;
  if (s->kind != SCAN_LOGARITHMS) return m;
  IrValue *max = ir_unsqueeze(b, ir_reduce(b, IR_REDUCE_MAX, m.a, (int8_t[]){0, 1}, 2), 0);
  return (AffineMaps){ir_binary(b, IR_DIV, m.a, ir_unsqueeze(b, max, 0)),
                      plus(s, m.b, ir_unary(b, IR_LOG, max))};
}

/* Matrices with a column, and the column alone: 1 where it is. */
static IrValue *column_mask(const Scan *s, int rank) {
  int64_t dim[IR_MAX_RANK] = {1, s->size + 1};
  for (int k = 2; k < rank; k++) dim[k] = 1;
  IrTensor *t = ir_tensor_new(s->b->module->arena, ir_type(IR_F64, rank, dim));
  t->data.f64[s->size] = 1;
  return ir_constant(s->b, t);
}

/* ---- segments ---- */

/* v with axis `axis` as two, the second of that size. */
static IrValue *in_segments(const Scan *s, IrValue *v, int axis, IrValue *segments, int size) {
  IrValue *dims[IR_MAX_RANK];
  int rank = 0;
  for (int k = 0; k < v->type.rank; k++) {
    dims[rank++] = k == axis ? segments : ir_dim(s->b, v, k);
    if (k == axis) dims[rank++] = ir_i64(s->b, size);
  }
  return ir_reshape(s->b, v, dims, rank);
}

static IrValue *in_a_row(const Scan *s, IrValue *v, int axis, IrValue *count) {
  IrValue *dims[IR_MAX_RANK];
  int rank = 0;
  for (int k = 0; k < v->type.rank; k++)
    if (k != axis + 1) dims[rank++] = k == axis ? count : ir_dim(s->b, v, k);
  return ir_reshape(s->b, v, dims, rank);
}

/* v with more behind, in the order of the maps: what is computed there is dropped. */
static IrValue *padded(const Scan *s, IrValue *v, int axis, IrValue *rows) {
  double filling = s->kind == SCAN_LOGARITHMS ? 1 : 0;
  IrValue *dims[IR_MAX_RANK];
  int64_t none;
  if (rows->constant && (none = rows->constant->data.i64[0]) == 0) return v;
  for (int k = 0; k < v->type.rank; k++) dims[k] = k == axis ? rows : ir_dim(s->b, v, k);
  IrValue *more = ir_broadcast(s->b, ir_f64(s->b, filling), dims, v->type.rank);
  return ir_concat(s->b, s->reverse ? (IrValue *[]){more, v} : (IrValue *[]){v, more}, 2, axis);
}

static bool varies(const IrValue *v, int axis) { return v->type.dim[axis] != 1; }

/* The maps at one place of each segment, and those of all places again. */
static IrValue *at_place(const Scan *s, IrValue *v, int axis, int place) {
  return part(s, v, axis + 1, place, 1);
}

static IrValue *all_places(const Scan *s, IrValue *const *places, int axis) {
  return ir_concat(s->b, places, SEGMENT, axis + 1);
}

static IrValue *states_before(const Scan *s, IrValue *ends, IrValue *x0, IrValue *count) {
  int axis = state_axis(s);
  IrValue *all =
      ir_concat(s->b, s->reverse ? (IrValue *[]){ends, x0} : (IrValue *[]){x0, ends}, 2, axis);
  return ir_slice(s->b, all, axis, ir_i64(s->b, s->reverse ? 1 : 0), count);
}

IrValue *scan_before(const Scan *s, IrValue *states, IrValue *x0) {
  return states_before(s, states, x0, s->count);
}

/* ---- few maps ---- */

static AffineMaps map_at(const Scan *s, AffineMaps m, int k) {
  int axis = map_axis(s);
  AffineMaps one = {varies(m.a, axis) ? part(s, m.a, axis, k, 1) : m.a, NULL};
  if (m.b) one.b = part(s, m.b, offset_axis(s), k, 1);
  return one;
}

static IrValue *one_by_one(const Scan *s, AffineMaps m, IrValue *x, int count, ScanSums *sums) {
  IrValue *ends[MOST_STEPS], *last[MOST_STEPS];
  for (int k = 0; k < count; k++) {
    int at = s->reverse ? count - 1 - k : k;
    ends[at] = x = apply_maps(s, map_at(s, m, at), x, &last[at]);
  }
  if (s->kind == SCAN_LOGARITHMS) sums->last = ir_concat(s->b, last, count, state_axis(s));
  return ir_concat(s->b, ends, count, state_axis(s));
}

/* As a loop, where there may be any number of maps. */
static IrValue *by_loop(const Scan *s, AffineMaps m, IrValue *x0, IrValue *count, ScanSums *sums) {
  IrBuilder *inner = ir_function_begin(s->b->module, s->b, "recurrence");
  Scan body = {.b = inner, .kind = s->kind, .size = s->size, .reverse = s->reverse};
  IrValue *inputs[2], *results[3], *outs[3], *last;
  IrLoop loop = {.count = count, .carried = 1, .initial = &x0, .inputs = inputs};
  AffineMaps one = {NULL, NULL};
  loop.reverse = s->reverse;
  ir_param(inner, ir_scalar(IR_I64), "i");
  IrValue *x = ir_param(inner, x0->type, NULL);
  if (varies(m.a, map_axis(s))) {
    inputs[loop.scanned++] = ir_move_axis(s->b, m.a, map_axis(s), 0);
    IrType row = ir_row_type(&inputs[loop.scanned - 1]->type);
    one.a = ir_unsqueeze(inner, ir_param(inner, row, NULL), map_axis(s));
  }
  if (m.b) {
    inputs[loop.scanned++] = ir_move_axis(s->b, m.b, offset_axis(s), 0);
    IrType row = ir_row_type(&inputs[loop.scanned - 1]->type);
    one.b = ir_unsqueeze(inner, ir_param(inner, row, NULL), offset_axis(s));
  }
  if (!one.a) one.a = m.a;
  outs[0] = apply_maps(&body, one, x, &last);
  outs[1] = ir_squeeze(inner, outs[0], state_axis(s));
  if (s->kind == SCAN_LOGARITHMS) outs[2] = ir_squeeze(inner, last, state_axis(s));
  ir_function_end(inner, outs, NULL, s->kind == SCAN_LOGARITHMS ? 3 : 2);
  ir_loop(s->b, loop, inner, results);
  if (s->kind == SCAN_LOGARITHMS) sums->last = ir_move_axis(s->b, results[2], 0, state_axis(s));
  return ir_move_axis(s->b, results[1], 0, state_axis(s));
}

/* ---- many maps ---- */

static IrValue *scan_level(const Scan *s, AffineMaps m, IrValue *x0, IrValue *count, int level,
                           ScanSums *sums);

/* The compositions of the first maps of each segment, by place. */
static void compose_segments(const Scan *s, AffineMaps m, IrValue *segments, AffineMaps *prefix) {
  int axis = map_axis(s);
  bool varied = varies(m.a, axis), vectors = s->kind == SCAN_VECTORS;
  IrValue *whole =
      varied ? in_segments(s, m.a, axis, segments, SEGMENT) : ir_unsqueeze(s->b, m.a, axis + 1);
  IrValue *a = vectors ? part(s, whole, 1, 0, s->size) : whole;
  IrValue *b = vectors ? times(s, whole, column_mask(s, whole->type.rank))
                       : in_segments(s, m.b, offset_axis(s), segments, SEGMENT);
  for (int k = 0; k < SEGMENT; k++) {
    int place = s->reverse ? SEGMENT - 1 - k : k, before = s->reverse ? place + 1 : place - 1;
    if (k == 0 && vectors) {
      prefix[place] = (AffineMaps){at_place(s, whole, axis, place), NULL};
      continue;
    }
    AffineMaps step = {varied ? at_place(s, a, axis, place) : a,
                       at_place(s, b, vectors ? axis : offset_axis(s), place)};
    prefix[place] = k ? compose(s, step, prefix[before]) : step;
  }
}

/* Maps without the axis of places. */
static AffineMaps whole_segments(const Scan *s, AffineMaps m) {
  AffineMaps whole = {ir_squeeze(s->b, m.a, map_axis(s) + 1), NULL};
  if (m.b) whole.b = ir_squeeze(s->b, m.b, offset_axis(s) + 1);
  return normalised(s, whole);
}

IrValue *scan_lost(IrBuilder *b, IrValue *sums, IrValue *impossible) {
  IrValue *fine = ir_binary(b, IR_GT, sums, ir_f64(b, LEAST_SUM));
  IrValue *wrong = ir_unary(b, IR_NOT, ir_binary(b, IR_OR, fine, impossible));
  return ir_reduce_all(b, IR_REDUCE_SUM, ir_cast(b, wrong, IR_F64));
}

/* The sums on the way to states [size, segments, SEGMENT, ...], whose last ones are those on the
 * way as well: these tell what is impossible. */
static IrValue *lost_before(const Scan *s, const ScanSums *before, IrValue *states) {
  IrBuilder *b = s->b;
  int axis = state_axis(s);
  IrValue *ends = ir_squeeze(b, at_place(s, states, axis, s->reverse ? 0 : SEGMENT - 1), axis + 1);
  IrValue *impossible = ir_binary(b, IR_EQ, ends, ir_f64(b, -INFINITY));
  IrValue *lost = scan_lost(b, before->last, impossible);
  return before->lost ? ir_binary(b, IR_ADD, lost, before->lost) : lost;
}

/* How many maps there are with those that fill the last segments; where their number is not known,
 * those of all levels. */
static IrValue *whole_count(const Scan *s, IrValue *count, int level) {
  IrBuilder *b = s->b;
  int64_t multiple = SEGMENT;
  if (!count->constant && level < OPEN_LEVELS) return count;
  for (int k = 1; k < level && !count->constant; k++) multiple *= SEGMENT;
  IrValue *up =
      ir_binary(b, IR_ADD, ir_binary(b, IR_MAX, count, ir_i64(b, 1)), ir_i64(b, multiple - 1));
  return ir_binary(b, IR_MUL, ir_binary(b, IR_DIV, up, ir_i64(b, multiple)), ir_i64(b, multiple));
}

static IrValue *by_segments(const Scan *s, AffineMaps m, IrValue *x0, IrValue *count, int level,
                            ScanSums *sums) {
  IrBuilder *b = s->b;
  IrValue *whole = whole_count(s, count, level);
  IrValue *rows = whole == count ? ir_i64(b, 0) : ir_binary(b, IR_SUB, whole, count);
  IrValue *segments = ir_binary(b, IR_DIV, whole, ir_i64(b, SEGMENT));
  AffineMaps prefix[SEGMENT], all;
  IrValue *a[SEGMENT], *offset[SEGMENT], *last;
  ScanSums before = {NULL, NULL};
  if (varies(m.a, map_axis(s))) m.a = padded(s, m.a, map_axis(s), rows);
  if (m.b) m.b = padded(s, m.b, offset_axis(s), rows);
  compose_segments(s, m, segments, prefix);
  int final = s->reverse ? 0 : SEGMENT - 1;
  IrValue *ends = scan_level(s, whole_segments(s, prefix[final]), x0, segments, level - 1, &before);
  IrValue *x = in_segments(s, states_before(s, ends, x0, segments), state_axis(s), segments, 1);
  for (int k = 0; k < SEGMENT; k++) {
    a[k] = prefix[k].a;
    offset[k] = prefix[k].b;
  }
  all.a = all_places(s, a, map_axis(s));
  all.b = m.b ? all_places(s, offset, offset_axis(s)) : NULL;
  int axis = state_axis(s);
  IrValue *first = s->reverse ? rows : ir_i64(b, 0);
  IrValue *states = apply_maps(s, all, x, &last);
  if (s->kind == SCAN_LOGARITHMS) {
    sums->last = ir_slice(b, in_a_row(s, last, axis, whole), axis, first, count);
    sums->lost = lost_before(s, &before, states);
  }
  return ir_slice(b, in_a_row(s, states, axis, whole), axis, first, count);
}

/* level: how often maps that are more than a few are put in segments. */
static IrValue *scan_level(const Scan *s, AffineMaps m, IrValue *x0, IrValue *count, int level,
                           ScanSums *sums) {
  if (count->constant && count->constant->data.i64[0] <= MOST_STEPS)
    return one_by_one(s, m, x0, (int)count->constant->data.i64[0], sums);
  if (!count->constant && !level) return by_loop(s, m, x0, count, sums);
  return by_segments(s, m, x0, count, level, sums);
}

IrValue *scan_affine(const Scan *s, AffineMaps maps, IrValue *x0, ScanSums *sums) {
  *sums = (ScanSums){NULL, NULL};
  return scan_level(s, maps, x0, s->count, OPEN_LEVELS, sums);
}
