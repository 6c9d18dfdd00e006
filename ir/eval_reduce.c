/* Reductions, running sums, and what looks at all elements of an axis. A tensor is taken as outer x
 * n x inner, with the middle one the axis in question. */
#include "ir/eval.h"

#include <math.h>
#include <string.h>

/* ---- sums of reals: by halves, so that errors grow with the logarithm of the length ---- */

enum { RUN = 128, COLUMNS = 128, ROWS = 16 };

static double sum_run(const double *x, int64_t n) {
  double s[8] = {0};
  int64_t i = 0;
  for (; i + 8 <= n; i += 8)
    for (int k = 0; k < 8; k++) s[k] += x[i + k];
  double rest = 0;
  for (; i < n; i++) rest += x[i];
  return ((s[0] + s[1]) + (s[2] + s[3])) + ((s[4] + s[5]) + (s[6] + s[7])) + rest;
}

static double sum_contiguous(const double *x, int64_t n) {
  if (n <= RUN) return sum_run(x, n);
  int64_t half = n / 2 / 8 * 8;
  return sum_contiguous(x, half) + sum_contiguous(x + half, n - half);
}

/* Sums of columns: `width` of them, at most COLUMNS, of rows `stride` apart. */
static void sum_columns(const double *x, int64_t rows, int64_t stride, int width, double *out) {
  double other[COLUMNS];
  if (rows <= ROWS) {
    for (int j = 0; j < width; j++) out[j] = 0;
    for (int64_t i = 0; i < rows; i++)
      for (int j = 0; j < width; j++) out[j] += x[i * stride + j];
    return;
  }
  int64_t half = rows / 2;
  sum_columns(x, half, stride, width, out);
  sum_columns(x + half * stride, rows - half, stride, width, other);
  for (int j = 0; j < width; j++) out[j] += other[j];
}

static void sum_f64(const void *from, void *to, int64_t outer, int64_t n, int64_t inner) {
  const double *x = from;
  double *o = to, columns[COLUMNS];
  for (int64_t i = 0; i < outer; i++, x += n * inner, o += inner) {
    if (inner == 1) {
      *o = sum_contiguous(x, n);
      continue;
    }
    for (int64_t j = 0; j < inner; j += COLUMNS) {
      int width = inner - j < COLUMNS ? (int)(inner - j) : COLUMNS;
      sum_columns(x + j, n, inner, width, columns);
      memcpy(o + j, columns, sizeof *columns * (size_t)width);
    }
  }
}

/* ---- the other reductions ---- */

/* Rows of contiguous elements are reduced as several interleaved ones, which do not wait for each
 * other. */
enum { INTERLEAVED = 8 };

#define REDUCTION(name, element, first, expression)                                                \
  static element name##_row(const element *in, int64_t n) {                                        \
    element part[INTERLEAVED], x = first, y;                                                       \
    int64_t k = 0;                                                                                 \
    for (int j = 0; j < INTERLEAVED; j++) part[j] = first;                                         \
    for (; k + INTERLEAVED <= n; k += INTERLEAVED)                                                 \
      for (int j = 0; j < INTERLEAVED; j++) {                                                      \
        x = part[j];                                                                               \
        y = in[k + j];                                                                             \
        part[j] = (element)(expression);                                                           \
      }                                                                                            \
    x = part[0];                                                                                   \
    for (int j = 1; j < INTERLEAVED; j++) {                                                        \
      y = part[j];                                                                                 \
      x = (element)(expression);                                                                   \
    }                                                                                              \
    for (; k < n; k++) {                                                                           \
      y = in[k];                                                                                   \
      x = (element)(expression);                                                                   \
    }                                                                                              \
    return x;                                                                                      \
  }                                                                                                \
                                                                                                   \
  static void name(const void *from, void *to, int64_t outer, int64_t n, int64_t inner) {          \
    const element *in = from;                                                                      \
    element *o = to;                                                                               \
    for (int64_t i = 0; i < outer; i++, in += n * inner, o += inner) {                             \
      if (inner == 1) {                                                                            \
        *o = name##_row(in, n);                                                                    \
        continue;                                                                                  \
      }                                                                                            \
      for (int64_t j = 0; j < inner; j++) o[j] = first;                                            \
      for (int64_t k = 0; k < n; k++)                                                              \
        for (int64_t j = 0; j < inner; j++) {                                                      \
          element x = o[j], y = in[k * inner + j];                                                 \
          o[j] = (element)(expression);                                                            \
        }                                                                                          \
    }                                                                                              \
  }

REDUCTION(sum_i64, int64_t, 0, (uint64_t)x + (uint64_t)y)
REDUCTION(prod_f64, double, 1, x *y)
REDUCTION(prod_i64, int64_t, 1, (uint64_t)x *(uint64_t)y)
REDUCTION(max_f64, double, -INFINITY, y > x || y != y ? y : x)
REDUCTION(max_i64, int64_t, INT64_MIN, y > x ? y : x)
REDUCTION(min_f64, double, INFINITY, y < x || y != y ? y : x)
REDUCTION(min_i64, int64_t, INT64_MAX, y < x ? y : x)
REDUCTION(any_bool, uint8_t, 0, x | y)
REDUCTION(all_bool, uint8_t, 1, x &y)

typedef void (*Reduction)(const void *from, void *to, int64_t outer, int64_t n, int64_t inner);

/* Axes next to each other that are all reduced. */
typedef struct {
  int first, last;
} AxisGroup;

static int group_axes(const IrAttr *attr, AxisGroup *groups) {
  int count = 0;
  for (int k = 0; k < attr->axis_count; k++) {
    if (count == 0 || groups[count - 1].last != attr->axes[k])
      groups[count++] = (AxisGroup){attr->axes[k], attr->axes[k]};
    groups[count - 1].last++;
  }
  return count;
}

static IrType reduced_type(const IrType *x, const AxisGroup *groups, int count) {
  IrType t = {.dtype = x->dtype};
  for (int k = 0, g = 0; k < x->rank; k++) {
    while (g < count && k >= groups[g].last) g++;
    if (g == count || k < groups[g].first) t.dim[t.rank++] = x->dim[k];
  }
  return t;
}

/* Group by group from the last; all but the first give intermediate results. */
static const char *reduce_groups(Eval *e, Reduction reduce, const AxisGroup *groups, int count) {
  const IrType *x = &e->in[0]->tensor.type;
  const void *from = e->in[0]->tensor.data.bytes;
  int64_t inner = eval_extent(x, groups[count - 1].last, x->rank);
  size_t size = ir_dtype_size(x->dtype), half = 0;
  char *between = NULL;
  if (count > 1) {
    half = (size_t)(eval_extent(x, 0, groups[count - 1].first) * inner);
    between = eval_scratch(e, half * 2, size);
    if (!between) return eval_error(e, "out of memory");
  }
  for (int g = count - 1; g >= 0; g--) {
    int64_t outer = eval_extent(x, 0, groups[g].first);
    int64_t n = eval_extent(x, groups[g].first, groups[g].last);
    void *to = g ? between + (size_t)(g % 2) * half * size : e->out[0]->tensor.data.bytes;
    if (outer && inner) reduce(from, to, outer, n, inner);
    from = to;
    if (g) inner *= eval_extent(x, groups[g - 1].last, groups[g].first);
  }
  return NULL;
}

static const char *reduced(Eval *e, Reduction of_f64, Reduction of_i64, Reduction of_bool) {
  const IrType *x = &e->in[0]->tensor.type;
  Reduction reduce = x->dtype == IR_F64 ? of_f64 : x->dtype == IR_I64 ? of_i64 : of_bool;
  AxisGroup groups[IR_MAX_RANK];
  if (!reduce) return eval_error(e, "not for an operand of this type");
  for (int k = 0; k < e->attr->axis_count; k++)
    if (e->attr->axes[k] < 0 || e->attr->axes[k] >= x->rank)
      return eval_error(e, "no axis %d in a tensor of %d", e->attr->axes[k], x->rank);
  int count = group_axes(e->attr, groups);
  IrType type = reduced_type(x, groups, count);
  if (count == 0) return eval_view(e, &type, 0, 0);
  const char *error = eval_charge_elements(e, (double)e->in[0]->tensor.count);
  if (!error) error = eval_result(e, &type, -1);
  return error ? error : reduce_groups(e, reduce, groups, count);
}

const char *eval_reduce_sum(Eval *e) { return reduced(e, sum_f64, sum_i64, NULL); }
const char *eval_reduce_prod(Eval *e) { return reduced(e, prod_f64, prod_i64, NULL); }
const char *eval_reduce_max(Eval *e) { return reduced(e, max_f64, max_i64, NULL); }
const char *eval_reduce_min(Eval *e) { return reduced(e, min_f64, min_i64, NULL); }
const char *eval_reduce_any(Eval *e) { return reduced(e, NULL, NULL, any_bool); }
const char *eval_reduce_all(Eval *e) { return reduced(e, NULL, NULL, all_bool); }

/* ---- running sums ---- */

/* n rows of `inner` elements, `step` elements from one to the next, added up into `out`, which may
 * be `in` unless exclusive. */
#define RUNNING(name, element, sum)                                                                \
  static void name##_row(const element *in, element *out, int64_t n, int64_t step,                 \
                         bool exclusive) {                                                         \
    element total = 0;                                                                             \
    for (int64_t k = 0; k < n; k++) {                                                              \
      element before = total;                                                                      \
      total = k ? sum(total, in[k * step]) : in[0];                                                \
      out[k * step] = exclusive ? before : total;                                                  \
    }                                                                                              \
  }                                                                                                \
                                                                                                   \
  static void name(const element *in, element *out, int64_t n, int64_t inner, int64_t step,        \
                   bool exclusive) {                                                               \
    if (inner == 1) {                                                                              \
      name##_row(in, out, n, step, exclusive);                                                     \
      return;                                                                                      \
    }                                                                                              \
    for (int64_t j = 0; j < inner; j++) out[j] = exclusive ? 0 : in[j];                            \
    for (int64_t k = 1; k < n; k++, in += step) {                                                  \
      const element *before = out, *term = exclusive ? in : in + step;                             \
      out += step;                                                                                 \
      for (int64_t j = 0; j < inner; j++) out[j] = sum(before[j], term[j]);                        \
    }                                                                                              \
  }

static double plus_f64(double x, double y) { return x + y; }
static int64_t plus_i64(int64_t x, int64_t y) { return (int64_t)((uint64_t)x + (uint64_t)y); }

RUNNING(run_f64, double, plus_f64)
RUNNING(run_i64, int64_t, plus_i64)

const char *eval_cumsum(Eval *e) {
  const IrTensor *x = &e->in[0]->tensor;
  int axis = e->attr->axis;
  if (x->type.dtype == IR_BOOL || axis < 0 || axis >= x->type.rank)
    return eval_error(e, "not for an operand of this type");
  const char *error = eval_charge_elements(e, (double)x->count);
  if (!error) error = eval_result(e, &x->type, !e->attr->exclusive && eval_reusable(e, 0) ? 0 : -1);
  if (error || x->count == 0) return error;
  int64_t n = x->type.dim[axis], inner = eval_extent(&x->type, axis + 1, x->type.rank);
  int64_t first = e->attr->reverse ? (n - 1) * inner : 0, step = e->attr->reverse ? -inner : inner;
  for (int64_t at = first; at < x->count; at += n * inner) {
    if (x->type.dtype == IR_F64)
      run_f64(x->data.f64 + at, e->out[0]->tensor.data.f64 + at, n, inner, step,
              e->attr->exclusive);
    else
      run_i64(x->data.i64 + at, e->out[0]->tensor.data.i64 + at, n, inner, step,
              e->attr->exclusive);
  }
  return NULL;
}

/* ---- order ---- */

/* An element as an unsigned number of the same order, and where it came from. */
typedef struct {
  uint64_t key;
  int64_t place;
} Item;

static const uint64_t SIGN_BIT = (uint64_t)1 << 63;

/* NaN comes last in either direction; both zeros are equal. */
static uint64_t key_of_f64(double x, bool descending) {
  uint64_t bits;
  if (x != x) return UINT64_MAX;
  if (x == 0) x = 0;
  memcpy(&bits, &x, sizeof bits);
  bits = bits & SIGN_BIT ? ~bits : bits | SIGN_BIT;
  return descending ? ~bits : bits;
}

static uint64_t key_of(const IrTensor *t, int64_t at, bool descending) {
  if (t->type.dtype == IR_F64) return key_of_f64(t->data.f64[at], descending);
  uint64_t key = t->type.dtype == IR_I64 ? (uint64_t)t->data.i64[at] ^ SIGN_BIT
                                         : (uint64_t)(t->data.boolean[at] != 0);
  return descending ? ~key : key;
}

enum { SORTED_RUN = 16 };

static void sort_runs(Item *items, int64_t n) {
  for (int64_t first = 0; first < n; first += SORTED_RUN) {
    int64_t end = n - first < SORTED_RUN ? n : first + SORTED_RUN;
    for (int64_t i = first + 1; i < end; i++) {
      Item item = items[i];
      int64_t j = i;
      for (; j > first && items[j - 1].key > item.key; j--) items[j] = items[j - 1];
      items[j] = item;
    }
  }
}

static void merge(const Item *a, const Item *a_end, const Item *b, const Item *b_end, Item *to) {
  while (a < a_end && b < b_end) *to++ = b->key < a->key ? *b++ : *a++;
  while (a < a_end) *to++ = *a++;
  while (b < b_end) *to++ = *b++;
}

/* Sorts stably, with room for as many again; returns where the sorted items are. */
static Item *sort(Item *items, Item *room, int64_t n) {
  sort_runs(items, n);
  for (int64_t run = SORTED_RUN; run < n; run *= 2) {
    for (int64_t first = 0; first < n; first += 2 * run) {
      int64_t middle = n - first < run ? n : first + run;
      int64_t end = n - first < 2 * run ? n : first + 2 * run;
      merge(items + first, items + middle, items + middle, items + end, room + first);
    }
    Item *sorted = room;
    room = items;
    items = sorted;
  }
  return items;
}

const char *eval_argsort(Eval *e) {
  const IrTensor *x = &e->in[0]->tensor;
  IrType type = x->type;
  if (type.rank == 0) return eval_error(e, "a scalar has no order");
  type.dtype = IR_I64;
  const char *error = eval_result(e, &type, -1);
  if (error || x->count == 0) return error;
  int64_t n = type.dim[type.rank - 1];
  Item *items = eval_scratch(e, (size_t)n * 2, sizeof *items);
  if (!items) return eval_error(e, "out of memory");
  for (int64_t row = 0; row < x->count; row += n) {
    for (int64_t i = 0; i < n; i++) items[i] = (Item){key_of(x, row + i, e->attr->reverse), i};
    const Item *sorted = sort(items, items + n, n);
    for (int64_t i = 0; i < n; i++) e->out[0]->tensor.data.i64[row + i] = sorted[i].place;
  }
  return NULL;
}

const char *eval_nonzero(Eval *e) {
  const IrTensor *x = &e->in[0]->tensor;
  IrType type = {.dtype = IR_I64, .rank = 1};
  if (x->type.dtype != IR_BOOL || x->type.rank != 1)
    return eval_error(e, "not for an operand of this type");
  for (int64_t i = 0; i < x->count; i++) type.dim[0] += x->data.boolean[i] != 0;
  const char *error = eval_result(e, &type, -1);
  if (error) return error;
  int64_t *out = e->out[0]->tensor.data.i64;
  for (int64_t i = 0; i < x->count; i++)
    if (x->data.boolean[i]) *out++ = i;
  return NULL;
}
