/* Which terms of a form are one column, and which columns divide the elements alike. */
#include "ir/elimination.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_COLUMNS = 160, MOST_EXPONENT = 256 };

/* Partitions while they are found: with the label of each place of the column they were found by.
 */
typedef struct {
  Arena *arena;
  const DesignForm *form;
  Partition partitions[MOST_COLUMNS];
  Column columns[MOST_COLUMNS];
  int partition_count, column_count;
} Finder;

static bool one_place(const DesignTerm *t, int64_t count) {
  for (int64_t n = 1; t->place && n < count; n++)
    if (t->place[n] != t->place[0]) return false;
  return true;
}

static int64_t first_place(const DesignTerm *t) { return t->place ? t->place[0] : t->at; }

/* Labels by place, in order of the places. */
static Partition divide(const Finder *f, const DesignTerm *t) {
  int64_t places = ir_type_count(&t->table->type), count = f->form->count, labels = 0;
  int64_t *number = ARENA_ARRAY(f->arena, int64_t, (size_t)places + 1);
  Partition p = {.label = ARENA_ARRAY(f->arena, int64_t, (size_t)count + 1)};
  for (int64_t n = 0; n < count; n++) number[t->place[n]] = 1;
  for (int64_t k = 0; k < places; k++) number[k] = number[k] ? labels++ : 0;
  for (int64_t n = 0; n < count; n++) p.label[n] = number[t->place[n]];
  p.labels = labels;
  return p;
}

/* The place of each label of p in t; NULL where t does not have one and the same for its elements.
 */
static int64_t *places_of(const Finder *f, const Partition *p, const DesignTerm *t) {
  int64_t *place = ARENA_ARRAY(f->arena, int64_t, (size_t)p->labels + 1);
  for (int64_t k = 0; k < p->labels; k++) place[k] = -1;
  for (int64_t n = 0; n < f->form->count; n++) {
    int64_t *at = &place[p->label[n]];
    if (*at >= 0 && *at != t->place[n]) return NULL;
    *at = t->place[n];
  }
  return place;
}

/* The partition that divides the elements as term t does, a new one if there is none. */
static int partition_of(Finder *f, const DesignTerm *t, int64_t **place) {
  Partition p = divide(f, t);
  for (int k = 0; k < f->partition_count; k++)
    if (f->partitions[k].labels == p.labels && (*place = places_of(f, &f->partitions[k], t)))
      return k;
  f->partitions[f->partition_count] = p;
  *place = places_of(f, &p, t);
  return f->partition_count++;
}

static bool same_places(const Finder *f, const Column *c, const Column *d) {
  if (c->partition == COMMON) return c->at == d->at;
  size_t labels = (size_t)f->partitions[c->partition].labels;
  return memcmp(c->place, d->place, labels * sizeof *c->place) == 0;
}

static bool add_term(Finder *f, const DesignTerm *t) {
  Column c = {.table = t->table, .partition = COMMON, .at = first_place(t)};
  if (!one_place(t, f->form->count)) c.partition = partition_of(f, t, &c.place);
  Column *to = f->columns, *end = to + f->column_count;
  while (to < end &&
         (to->table != c.table || to->partition != c.partition || !same_places(f, to, &c)))
    to++;
  if (to == end) {
    if (f->column_count == MOST_COLUMNS) return false;
    c.factor = ARENA_ARRAY(f->arena, double, (size_t)f->form->count + 1);
    *to = c;
    f->column_count++;
  }
  for (int64_t n = 0; n < f->form->count; n++) to->factor[n] += t->factor[n];
  return true;
}

/* Takes out the power of two of the largest factor, so that squares neither overflow nor vanish.
 * False where those of the sums would. */
static bool balance(Column *c, int64_t count) {
  double most = 0;
  for (int64_t n = 0; n < count; n++) most = fmax(most, fabs(c->factor[n]));
  frexp(most, &c->exponent);
  if (!isfinite(most) || abs(c->exponent) > MOST_EXPONENT) return false;
  for (int64_t n = 0; n < count; n++) c->factor[n] = ldexp(c->factor[n], -c->exponent);
  return true;
}

/* Partitions by number of labels, the most first, so that those that others divide further come
 * after these. */
static void order_partitions(const Finder *f, int *order) {
  for (int k = 0; k < f->partition_count; k++) {
    int at = k;
    for (; at > 0 && f->partitions[order[at - 1]].labels < f->partitions[k].labels; at--)
      order[at] = order[at - 1];
    order[at] = k;
  }
}

/* The columns of old partition `from`, in the order of tables and places, get number `to`. */
static void append(const Finder *f, Columns *out, int from, int to) {
  int first = out->column_count;
  for (int k = 0; k < f->column_count; k++) {
    if (!f->columns[k].table || f->columns[k].partition != from) continue;
    int at = out->column_count++;
    for (; from == COMMON && at > first && out->columns[at - 1].table == f->columns[k].table &&
           out->columns[at - 1].at > f->columns[k].at;
         at--)
      out->columns[at] = out->columns[at - 1];
    out->columns[at] = f->columns[k];
    out->columns[at].partition = to;
  }
}

bool form_columns(Arena *a, const DesignForm *form, Columns *out) {
  Finder *f = ARENA_NEW(a, Finder);
  *f = (Finder){.arena = a, .form = form};
  DesignTerm one = {.factor = ARENA_ARRAY(a, double, (size_t)form->count + 1)};
  if (!add_term(f, &one)) return false;
  for (int k = 0; k < form->term_count; k++)
    if (!add_term(f, &form->terms[k])) return false;
  int order[MOST_COLUMNS];
  order_partitions(f, order);
  *out = (Columns){.partitions = ARENA_ARRAY(a, Partition, (size_t)f->partition_count + 1),
                   .partition_count = f->partition_count,
                   .columns = ARENA_ARRAY(a, Column, (size_t)f->column_count + 1),
                   .first = ARENA_ARRAY(a, int, (size_t)f->partition_count + 2)};
  for (int k = 0; k < f->partition_count; k++) {
    out->partitions[k] = f->partitions[order[k]];
    out->first[k] = out->column_count;
    append(f, out, order[k], k);
  }
  out->first[f->partition_count] = out->column_count;
  append(f, out, COMMON, COMMON);
  out->first[f->partition_count + 1] = out->column_count;
  out->columns[out->column_count++] = f->columns[0];
  for (int k = 0; k < out->column_count; k++)
    if (!balance(&out->columns[k], form->count)) return false;
  return true;
}
