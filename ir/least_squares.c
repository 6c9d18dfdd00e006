/* Sums of squares of many linear forms with constant factors, as a normal likelihood has with data
 * that are given, become those of a few: |A x|^2 = |R x|^2 for the triangular factor R of A. It is
 * as exact as the sum over the data, unlike sums of products of the data. */
#include "ir/elimination.h"
#include "ir/grad.h"
#include "ir/copy.h"

/* Factors that a sum has to have, as the few nodes that the reduced one has more of cost what the
 * products with so many do; and of the forms, how many may be left for each one before. */
enum { MANY = 200 };
static const double MOST_LEFT = 0.6;

/* ---- what a sum of squares looks like ---- */

/* What multiplies or divides all elements. */
typedef struct {
  IrOp op; /* MUL or DIV */
  const IrValue *by;
  bool squared;
} Factor;

enum { MOST_FACTORS = 8 };

/* sum = factors * sum of the squares of `form` */
typedef struct {
  const IrValue *form;
  Factor factors[MOST_FACTORS];
  int factor_count;
} Squares;

static bool is_number(const IrValue *v) { return ir_type_count(&v->type) == 1; }

/* Takes the factors off v, which may be squared in the sum. */
static const IrValue *without_factors(Squares *s, const IrValue *v, bool squared) {
  for (const IrNode *n; (n = v->node) && (n->op == IR_MUL || n->op == IR_DIV);) {
    int by = is_number(n->in[1]) || n->op == IR_DIV ? 1 : 0;
    if (!is_number(n->in[by]) || is_number(n->in[1 - by]) || s->factor_count == MOST_FACTORS) break;
    s->factors[s->factor_count++] = (Factor){n->op, n->in[by], squared};
    v = n->in[1 - by];
  }
  return v;
}

/* Whether v is the square of something. */
static const IrValue *squared(const IrValue *v) {
  const IrNode *n = v->node;
  if (!n || n->in_count != 2) return NULL;
  if (n->op == IR_MUL && n->in[0] == n->in[1]) return n->in[0];
  const IrValue *power = n->in[1];
  bool two = n->op == IR_POW && power->uniform && power->constant->data.f64[0] == 2;
  return two && !is_number(n->in[0]) ? n->in[0] : NULL;
}

static bool sums_all(const IrNode *n) {
  return n->op == IR_REDUCE_SUM && n->out[0]->type.dtype == IR_F64 && is_number(n->out[0]) &&
         ir_type_count(&n->in[0]->type) > 1;
}

static bool is_sum_of_squares(const IrNode *n, Squares *s) {
  *s = (Squares){0};
  if (!sums_all(n)) return false;
  const IrValue *v = squared(without_factors(s, n->in[0], false));
  if (v) s->form = without_factors(s, v, true);
  return v && ir_type_count(&s->form->type) == ir_type_count(&n->in[0]->type);
}

/* ---- what is left of it ---- */

typedef struct {
  IrBuilder *b;
  const Columns *columns;
} Rebuild;

static IrValue *flat(IrBuilder *b, IrValue *x) {
  if (x->type.rank == 1) return x;
  return ir_reshape(b, x, (IrValue *[]){ir_i64(b, ir_type_count(&x->type))}, 1);
}

/* Whether places go up by one. */
static bool in_sequence(const int64_t *place, int64_t count) {
  for (int64_t k = 1; k < count; k++)
    if (place[k] != place[0] + k) return false;
  return true;
}

/* Elements of a table. */
static IrValue *elements(IrBuilder *b, IrValue *table, const int64_t *place, int64_t count) {
  IrValue *x = flat(b, table);
  if (in_sequence(place, count)) {
    if (count == x->type.dim[0]) return x;
    return ir_slice(b, x, 0, ir_i64(b, place[0]), ir_i64(b, count));
  }
  IrTensor *index = ir_tensor_new(b->module->arena, ir_type(IR_I64, 1, &count));
  for (int64_t k = 0; k < count; k++) index->data.i64[k] = place[k];
  return ir_gather(b, x, ir_constant(b, index), 0, 0);
}

/* What a column of a partition is for each tuple. */
static IrValue *column_values(const Rebuild *r, const Block *block, const Column *c) {
  int64_t *place = ARENA_ARRAY(r->b->module->arena, int64_t, (size_t)block->tuples + 1);
  for (int64_t t = 0; t < block->tuples; t++) place[t] = c->place[block->label[c->partition][t]];
  return elements(r->b, c->table, place, block->tuples);
}

/* The shape of a block's forms: a row of tuples for each form, or a vector where there is but one
 * of either. */
static IrType block_type(const Block *block) {
  int64_t dims[2] = {block->forms, block->tuples};
  if (block->forms > 1 && block->tuples > 1) return ir_type(IR_F64, 2, dims);
  return ir_type(IR_F64, 1, block->forms > 1 ? dims : dims + 1);
}

static IrValue *column_factors(const Rebuild *r, const Block *block, int column) {
  IrTensor *t = ir_tensor_new(r->b->module->arena, block_type(block));
  double sign = column == r->columns->column_count - 1 ? 1 : -1;
  for (int64_t k = 0; k < t->count; k++) t->data.f64[k] = sign * block->factor[column][k];
  return ir_constant(r->b, t);
}

static IrValue *shaped_as(const Rebuild *r, const Block *block, IrValue *x) {
  IrType t = block_type(block);
  IrValue *dims[2];
  for (int k = 0; k < t.rank; k++) dims[k] = ir_i64(r->b, t.dim[k]);
  return ir_reshape(r->b, x, dims, t.rank);
}

/* The values of the common columns, one after the other. */
static IrValue *common_values(const Rebuild *r) {
  const Columns *c = r->columns;
  int first = c->first[c->partition_count], end = c->column_count - 1, parts = 0;
  IrValue **part = ARENA_ARRAY(r->b->module->arena, IrValue *, (size_t)(end - first) + 1);
  int64_t *place = ARENA_ARRAY(r->b->module->arena, int64_t, (size_t)(end - first) + 1);
  for (int k = first; k < end;) {
    int count = 0;
    IrValue *table = c->columns[k].table;
    for (; k < end && c->columns[k].table == table; k++) place[count++] = c->columns[k].at;
    part[parts++] = elements(r->b, table, place, count);
  }
  return parts == 1 ? part[0] : ir_concat(r->b, part, parts, 0);
}

/* The sums over the common columns: a product with a matrix. */
static IrValue *common_part(const Rebuild *r, const Block *block) {
  const Columns *c = r->columns;
  int first = c->first[c->partition_count];
  int64_t dims[2] = {block->forms * block->tuples, c->column_count - 1 - first};
  IrTensor *matrix = ir_tensor_new(r->b->module->arena, ir_type(IR_F64, 2, dims));
  for (int64_t k = 0; k < dims[0]; k++)
    for (int64_t j = 0; j < dims[1]; j++)
      matrix->data.f64[k * dims[1] + j] = -block->factor[first + j][k];
  IrValue *x = common_values(r);
  if (dims[1] == 1)
    return ir_binary(r->b, IR_MUL, ir_reshape(r->b, x, NULL, 0), column_factors(r, block, first));
  x = ir_reshape(r->b, x, (IrValue *[]){ir_i64(r->b, dims[1]), ir_i64(r->b, 1)}, 2);
  return shaped_as(r, block, ir_matmul(r->b, ir_constant(r->b, matrix), x));
}

static IrValue *plus(const Rebuild *r, IrValue *x, IrValue *y) {
  return x ? ir_binary(r->b, IR_ADD, x, y) : y;
}

/* The number less the rest, whose factors are negated, so that the derivative of minus the square
 * has no minus. */
static IrValue *block_forms(const Rebuild *r, const Block *block) {
  const Columns *c = r->columns;
  int common = c->first[c->partition_count], number = c->column_count - 1;
  IrValue *sum = NULL;
  for (int k = c->first[block->partition]; k < common; k++)
    sum = plus(r, sum,
               ir_binary(r->b, IR_MUL, column_values(r, block, &c->columns[k]),
                         column_factors(r, block, k)));
  if (common < number) sum = plus(r, sum, common_part(r, block));
  return ir_binary(r->b, IR_SUB, column_factors(r, block, number), sum);
}

static IrValue *sum_of_squares(const Rebuild *r, const Elimination *e) {
  IrValue *sum = NULL;
  for (int k = 0; k < e->block_count; k++) {
    IrValue *x = block_forms(r, &e->blocks[k]);
    sum = plus(r, sum, ir_reduce_all(r->b, IR_REDUCE_SUM, ir_binary(r->b, IR_MUL, x, x)));
  }
  return e->rest != 0 || !sum ? plus(r, sum, ir_f64(r->b, e->rest)) : sum;
}

/* ---- the pass ---- */

/* The sum by fewer squares, or NULL. */
static IrValue *fewer_squares(FormSource *source, const Squares *s) {
  IrBuilder *b = source->b;
  int64_t count = ir_type_count(&s->form->type), most = (int64_t)(MOST_LEFT * (double)count);
  DesignForm form;
  Columns columns;
  Elimination e;
  source->leaf = count / 2;
  source->largest = most;
  if (!form_of(source, s->form, &form) || !form_columns(b->module->arena, &form, &columns) ||
      count * columns.column_count < MANY ||
      !eliminate(b->module->arena, &columns, count, most, &e))
    return NULL;
  IrValue *sum = sum_of_squares(&(Rebuild){b, &columns}, &e);
  for (int k = s->factor_count - 1; k >= 0; k--) {
    const Factor *f = &s->factors[k];
    IrValue *by = ir_reshape(b, source->map[f->by->id], NULL, 0);
    sum = ir_binary(b, f->op, sum, f->squared ? ir_binary(b, IR_MUL, by, by) : by);
  }
  return sum;
}

static bool has_candidate(const IrFunction *f) {
  Squares s;
  for (int i = 0; i < f->node_count; i++)
    if (is_sum_of_squares(f->nodes[i], &s)) return true;
  return false;
}

static bool any_of(const bool *set, const IrNode *n) {
  for (int k = 0; k < n->out_count; k++)
    if (set[n->out[k]->id]) return true;
  return false;
}

/* What is computed even if no sum of squares reads its form: by value id. */
static bool *needed_otherwise(const IrFunction *f) {
  bool *needed = ARENA_ARRAY(f->module->arena, bool, (size_t)f->value_count + 1);
  Squares s;
  for (int k = 0; k < f->result_count; k++) needed[f->results[k]->id] = true;
  for (int i = f->node_count - 1; i >= 0; i--) {
    const IrNode *n = f->nodes[i];
    if (!any_of(needed, n)) continue;
    bool squares = is_sum_of_squares(n, &s);
    for (int k = 0; k < n->in_count && !squares; k++) needed[n->in[k]->id] = true;
    for (int k = 0; k < s.factor_count && squares; k++) needed[s.factors[k].by->id] = true;
  }
  return needed;
}

/* A form that something else needs, too, is squared for less than what its reduced one costs. */
static void rewrite(FormSource *source, const IrNode *n, const bool *needed, IrValue **map) {
  Squares s;
  ir_set_scope(source->b, n->scope);
  ir_set_adjoint(source->b, n->adjoint);
  bool reduce = is_sum_of_squares(n, &s) && !needed[s.form->id];
  IrValue *v = reduce ? fewer_squares(source, &s) : NULL;
  if (!v) {
    repeat_node(source->b, n, map);
    for (int k = 0; k < n->out_count; k++) keep_knowledge(map[n->out[k]->id], n->out[k]);
    return;
  }
  IrValue *ones[IR_MAX_RANK];
  for (int k = 0; k < n->out[0]->type.rank; k++) ones[k] = ir_i64(source->b, 1);
  map[n->out[0]->id] = ir_reshape(source->b, v, ones, n->out[0]->type.rank);
  keep_knowledge(map[n->out[0]->id], n->out[0]);
}

IrFunction *ir_reduce_squares(IrFunction *f) {
  IrModule *m = f->module;
  if (m->options.no_economy || m->options.no_squares || !has_candidate(f)) return f;
  IrBuilder *b = ir_function_begin(m, NULL, f->name);
  IrValue **map = ARENA_ARRAY(m->arena, IrValue *, (size_t)f->value_count + 1),
          **params = copy_params(b, f),
          **results = ARENA_ARRAY(m->arena, IrValue *, (size_t)f->result_count + 1);
  FormSource source = form_source(b, f, map);
  const bool *needed = needed_otherwise(f);
  for (int k = 0; k < f->param_count; k++) map[f->params[k]->id] = params[k];
  for (int i = 0; i < f->node_count; i++) rewrite(&source, f->nodes[i], needed, map);
  for (int k = 0; k < f->result_count; k++) results[k] = map[f->results[k]->id];
  return ir_function_end(b, results, f->result_names, f->result_count);
}
