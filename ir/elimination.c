/* Forms that read the same places are reduced together, by an orthogonal transformation: the
 * triangular factor of their factors. Its first rows, which alone have the columns of a partition,
 * are left as they are; the others do not have these columns any more, and are reduced further
 * together with those of other places. So goes one partition after the other, and at last what only
 * has columns that all forms have in common. */
#include "ir/elimination.h"

#include "ir/householder.h"

#include <math.h>

/* Forms by columns squared beyond which it would take too long. */
static const double MOST_WORK = 5e8;

/* Forms on their way: those of the beginning, or rows of factors. */
typedef struct {
  int64_t count;
  const int64_t **label;     /* by partition */
  const long double *factor; /* row by row; NULL: those of the columns */
} Forms;

typedef struct {
  Arena *arena;
  const Columns *columns;
  int64_t most; /* forms that may be left */
  Elimination *out;
} Eliminator;

/* ---- forms that read the same places ---- */

/* `order` stably sorted by label. */
static void sort_by(Arena *a, int64_t *order, int64_t count, const int64_t *label, int64_t labels) {
  int64_t *start = ARENA_ARRAY(a, int64_t, (size_t)labels + 1),
          *sorted = ARENA_ARRAY(a, int64_t, (size_t)count + 1);
  for (int64_t n = 0; n < count; n++) start[label[n] + 1]++;
  for (int64_t k = 1; k <= labels; k++) start[k] += start[k - 1];
  for (int64_t n = 0; n < count; n++) sorted[start[label[order[n]]]++] = order[n];
  for (int64_t n = 0; n < count; n++) order[n] = sorted[n];
}

/* The forms ordered by their labels of the partitions from `partition` on. */
static int64_t *in_order(const Eliminator *e, const Forms *f, int partition) {
  int64_t *order = ARENA_ARRAY(e->arena, int64_t, (size_t)f->count + 1);
  for (int64_t n = 0; n < f->count; n++) order[n] = n;
  for (int k = e->columns->partition_count - 1; k >= partition; k--)
    sort_by(e->arena, order, f->count, f->label[k], e->columns->partitions[k].labels);
  return order;
}

static bool alike(const Eliminator *e, const Forms *f, int partition, int64_t m, int64_t n) {
  for (int k = partition; k < e->columns->partition_count; k++)
    if (f->label[k][m] != f->label[k][n]) return false;
  return true;
}

/* Where the tuples of labels start in that order; their number. */
static int64_t find_tuples(const Eliminator *e, const Forms *f, int partition, const int64_t *order,
                           int64_t *start) {
  int64_t tuples = 0;
  for (int64_t n = 0; n < f->count; n++)
    if (n == 0 || !alike(e, f, partition, order[n - 1], order[n])) start[tuples++] = n;
  start[tuples] = f->count;
  return tuples;
}

/* ---- one partition ---- */

static void load(const Columns *c, const Forms *f, int first, int64_t n, long double *row) {
  for (int k = first; k < c->column_count; k++)
    row[k - first] = f->factor ? f->factor[n * c->column_count + k] : c->columns[k].factor[n];
}

/* A block that is still empty. */
static Block *new_block(const Eliminator *e, int partition, int64_t tuples, int forms) {
  const Columns *c = e->columns;
  Block *b = &e->out->blocks[e->out->block_count++];
  *b = (Block){.partition = partition,
               .tuples = tuples,
               .forms = forms,
               .label = ARENA_ARRAY(e->arena, const int64_t *, (size_t)c->partition_count + 1),
               .factor = ARENA_ARRAY(e->arena, double *, (size_t)c->column_count)};
  for (int k = c->first[partition]; k < c->column_count; k++)
    b->factor[k] = ARENA_ARRAY(e->arena, double, (size_t)tuples *(size_t)forms + 1);
  return b;
}

/* The labels of the tuples. */
static void set_labels(const Eliminator *e, Block *b, const Forms *f, const int64_t *order,
                       const int64_t *start) {
  for (int k = b->partition; k < e->columns->partition_count; k++) {
    int64_t *label = ARENA_ARRAY(e->arena, int64_t, (size_t)b->tuples + 1);
    for (int64_t t = 0; t < b->tuples; t++) label[t] = f->label[k][order[start[t]]];
    b->label[k] = label;
  }
}

static void keep_row(const Eliminator *e, const Block *b, const Triangle *t, int64_t row,
                     int64_t tuple) {
  const Columns *c = e->columns;
  int first = c->first[b->partition];
  for (int k = first; k < c->column_count; k++)
    b->factor[k][row * b->tuples + tuple] =
        (double)ldexpl(triangle_get(t, row, k - first), c->columns[k].exponent);
}

/* Forms that are passed on to the next partition. */
typedef struct {
  size_t count, capacity, factor_count, factor_capacity;
  long double *factor;
  int64_t *from; /* the form that has the same labels */
} Passed;

static void pass_row(const Eliminator *e, Passed *p, const Triangle *t, int64_t row, int64_t from) {
  int width = e->columns->column_count, first = width - t->columns;
  for (int k = 0; k < width; k++)
    ARENA_PUSH(e->arena, p->factor, p->factor_count, p->factor_capacity,
               k < first ? 0 : triangle_get(t, row, k - first));
  ARENA_PUSH(e->arena, p->from, p->count, p->capacity, from);
}

static Forms passed_forms(const Eliminator *e, const Passed *p, const Forms *f) {
  int partitions = e->columns->partition_count;
  Forms next = {(int64_t)p->count, ARENA_ARRAY(e->arena, const int64_t *, (size_t)partitions + 1),
                p->factor};
  for (int k = 0; k < partitions; k++) {
    int64_t *label = ARENA_ARRAY(e->arena, int64_t, p->count + 1);
    for (size_t n = 0; n < p->count; n++) label[n] = f->label[k][p->from[n]];
    next.label[k] = label;
  }
  return next;
}

static int columns_of(const Columns *c, int partition) {
  return c->first[partition + 1] - c->first[partition];
}

/* What the forms of one tuple leave. The first row stays even where it is empty: a NaN or an
 * infinity that it reads is to show. */
static void reduce_tuple(const Eliminator *e, Triangle *t, const Block *b, int64_t tuple,
                         int64_t from, Passed *passed) {
  triangle_finish(t);
  for (int64_t row = 0; row < t->rows; row++)
    if (row < b->forms)
      keep_row(e, b, t, row, tuple);
    else if (!triangle_row_empty(t, row))
      pass_row(e, passed, t, row, from);
}

/* Reduces the forms as far as they read the partition; the rest takes their place. */
static bool reduce_partition(Eliminator *e, int partition, Forms *f) {
  const Columns *c = e->columns;
  int first = c->first[partition], forms = columns_of(c, partition);
  int64_t *order = in_order(e, f, partition),
          *start = ARENA_ARRAY(e->arena, int64_t, (size_t)f->count + 1);
  int64_t tuples = find_tuples(e, f, partition, order, start);
  e->most -= tuples * forms;
  if (e->most < 0) return false;
  Block *b = new_block(e, partition, tuples, forms);
  set_labels(e, b, f, order, start);
  Triangle t = triangle_new(e->arena, c->column_count - first);
  long double *row = ARENA_ARRAY(e->arena, long double, (size_t)t.columns);
  Passed passed = {0};
  for (int64_t k = 0; k < tuples; k++) {
    triangle_clear(&t);
    for (int64_t n = start[k]; n < start[k + 1]; n++) {
      load(c, f, first, order[n], row);
      triangle_add(&t, row);
    }
    reduce_tuple(e, &t, b, k, order[start[k]], &passed);
  }
  *f = passed_forms(e, &passed, f);
  return true;
}

/* The last row has the number 1 alone. */
static void set_rest(const Eliminator *e, const Triangle *t) {
  int width = e->columns->column_count;
  if (t->rows < t->columns) return;
  long double x = triangle_get(t, t->columns - 1, t->columns - 1);
  x = ldexpl(x, e->columns->columns[width - 1].exponent);
  e->out->rest = (double)(x * x);
}

/* Reduces forms of common columns. */
static bool reduce_common(Eliminator *e, const Forms *f) {
  const Columns *c = e->columns;
  int first = c->first[c->partition_count], width = c->column_count - first;
  Triangle t = triangle_new(e->arena, width);
  long double *row = ARENA_ARRAY(e->arena, long double, (size_t)width);
  for (int64_t n = 0; n < f->count; n++) {
    load(c, f, first, n, row);
    triangle_add(&t, row);
  }
  triangle_finish(&t);
  set_rest(e, &t);
  int64_t rows = t.rows < width - 1 ? t.rows : width - 1;
  e->most -= rows;
  if (rows == 0) return true;
  Block *b = new_block(e, c->partition_count, 1, (int)rows);
  for (int64_t k = 0; k < rows; k++) keep_row(e, b, &t, k, 0);
  return e->most >= 0;
}

bool eliminate(Arena *a, Columns *c, int64_t count, int64_t most, Elimination *out) {
  *out = (Elimination){.blocks = ARENA_ARRAY(a, Block, (size_t)c->partition_count + 1)};
  Eliminator e = {a, c, most, out};
  if ((double)count * c->column_count * c->column_count > MOST_WORK) return false;
  Forms f = {count, ARENA_ARRAY(a, const int64_t *, (size_t)c->partition_count + 1), NULL};
  for (int k = 0; k < c->partition_count; k++) f.label[k] = c->partitions[k].label;
  for (int k = 0; k < c->partition_count; k++)
    if (!reduce_partition(&e, k, &f)) return false;
  return reduce_common(&e, &f) && isfinite(out->rest);
}
