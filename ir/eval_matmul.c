/* Products of matrices. */
#include "ir/eval.h"

#include <string.h>

/* Registers hold a tile of the product while a panel of the inner dimension goes by; the panels'
 * sums are added up, which also keeps errors small where the inner dimension is long. */
enum { TILE = 4, PANEL = 256 };

#define MATRIX_PRODUCT(prefix, element, multiply_add)                                              \
  static void prefix##_tile(const element *a, const element *b, element *c, int64_t inner,         \
                            int64_t a_stride, int64_t stride) {                                    \
    element sum[TILE][TILE] = {{0}};                                                               \
    for (int64_t k = 0; k < inner; k++)                                                            \
      for (int i = 0; i < TILE; i++)                                                               \
        for (int j = 0; j < TILE; j++)                                                             \
          sum[i][j] = multiply_add(sum[i][j], a[i * a_stride + k], b[k * stride + j]);             \
    for (int i = 0; i < TILE; i++)                                                                 \
      for (int j = 0; j < TILE; j++)                                                               \
        c[i * stride + j] = plus_##prefix(c[i * stride + j], sum[i][j]);                           \
  }                                                                                                \
                                                                                                   \
  /* The same for what is left at the edges, row by row of b. */                                   \
  static void prefix##_edge(const element *a, const element *b, element *c, int64_t inner,         \
                            int64_t a_stride, int64_t stride, int64_t rows, int64_t columns) {     \
    for (int64_t i = 0; i < rows; i++) {                                                           \
      element sum[TILE] = {0};                                                                     \
      for (int64_t k = 0; k < inner; k++)                                                          \
        for (int64_t j = 0; j < columns; j++)                                                      \
          sum[j] = multiply_add(sum[j], a[i * a_stride + k], b[k * stride + j]);                   \
      for (int64_t j = 0; j < columns; j++)                                                        \
        c[i * stride + j] = plus_##prefix(c[i * stride + j], sum[j]);                              \
    }                                                                                              \
  }                                                                                                \
                                                                                                   \
  /* A matrix of one column: sums of products, several interleaved. */                             \
  static element prefix##_dot(const element *x, const element *y, int64_t n) {                     \
    element sum[2 * TILE] = {0}, total = 0;                                                        \
    int64_t k = 0;                                                                                 \
    for (; k + 2 * TILE <= n; k += 2 * TILE)                                                       \
      for (int j = 0; j < 2 * TILE; j++) sum[j] = multiply_add(sum[j], x[k + j], y[k + j]);        \
    for (; k < n; k++) total = multiply_add(total, x[k], y[k]);                                    \
    for (int j = 0; j < 2 * TILE; j++) total = plus_##prefix(total, sum[j]);                       \
    return total;                                                                                  \
  }                                                                                                \
                                                                                                   \
  static void prefix##_column(const element *x, const element *y, element *z, int64_t rows,        \
                              int64_t inner) {                                                     \
    for (int64_t i = 0; i < rows; i++, x += inner) {                                               \
      z[i] = 0;                                                                                    \
      for (int64_t k = 0; k < inner; k += PANEL)                                                   \
        z[i] = plus_##prefix(z[i],                                                                 \
                             prefix##_dot(x + k, y + k, inner - k < PANEL ? inner - k : PANEL));   \
    }                                                                                              \
  }                                                                                                \
                                                                                                   \
  /* A matrix of one row: its elements times the rows of y, of which memory has whole ones. */     \
  static void prefix##_row(const element *x, const element *y, element *z, int64_t inner,          \
                           int64_t columns) {                                                      \
    for (int64_t k = 0; k < inner; k++)                                                            \
      for (int64_t j = 0; j < columns; j++) z[j] = multiply_add(z[j], x[k], y[k * columns + j]);   \
  }                                                                                                \
                                                                                                   \
  static void prefix##_product(const void *x, const void *y, void *z, int64_t rows, int64_t inner, \
                               int64_t columns) {                                                  \
    if (columns == 1) {                                                                            \
      prefix##_column(x, y, z, rows, inner);                                                       \
      return;                                                                                      \
    }                                                                                              \
    memset(z, 0, (size_t)(rows * columns) * sizeof(element));                                      \
    if (rows == 1) {                                                                               \
      prefix##_row(x, y, z, inner, columns);                                                       \
      return;                                                                                      \
    }                                                                                              \
    for (int64_t first = 0; first < inner; first += PANEL) {                                       \
      int64_t depth = inner - first < PANEL ? inner - first : PANEL;                               \
      for (int64_t j = 0; j < columns; j += TILE)                                                  \
        for (int64_t i = 0; i < rows; i += TILE) {                                                 \
          const element *a = (const element *)x + i * inner + first;                               \
          const element *b = (const element *)y + first * columns + j;                             \
          element *c = (element *)z + i * columns + j;                                             \
          int64_t high = rows - i, wide = columns - j;                                             \
          if (high >= TILE && wide >= TILE)                                                        \
            prefix##_tile(a, b, c, depth, inner, columns);                                         \
          else                                                                                     \
            prefix##_edge(a, b, c, depth, inner, columns, high < TILE ? high : TILE,               \
                          wide < TILE ? wide : TILE);                                              \
        }                                                                                          \
    }                                                                                              \
  }

static double plus_f64(double x, double y) { return x + y; }
static double multiply_add_f64(double s, double x, double y) { return s + x * y; }
static int64_t plus_i64(int64_t x, int64_t y) { return (int64_t)((uint64_t)x + (uint64_t)y); }
static int64_t multiply_add_i64(int64_t s, int64_t x, int64_t y) {
  return (int64_t)((uint64_t)s + (uint64_t)x * (uint64_t)y);
}

MATRIX_PRODUCT(f64, double, multiply_add_f64)
MATRIX_PRODUCT(i64, int64_t, multiply_add_i64)

/* Leading axes broadcast as elementwise operands do, the last two are the matrices'. */
static const char *product_type(Eval *e, IrType *type) {
  const IrType *x = &e->in[0]->tensor.type, *y = &e->in[1]->tensor.type;
  EvalValue left = *e->in[0], right = *e->in[1];
  EvalValue *leading[] = {&left, &right};
  Eval batch = *e;
  if (x->rank < 2 || y->rank < 2 || x->dtype != y->dtype || x->dtype == IR_BOOL)
    return eval_error(e, "operands of types that do not fit");
  if (x->dim[x->rank - 1] != y->dim[y->rank - 2])
    return eval_error(e, "%lld columns by %lld rows", (long long)x->dim[x->rank - 1],
                      (long long)y->dim[y->rank - 2]);
  left.tensor.type.rank -= 2;
  right.tensor.type.rank -= 2;
  batch.in = leading;
  const char *error = eval_broadcast_type(&batch, x->dtype, type);
  type->dim[type->rank++] = x->dim[x->rank - 2];
  type->dim[type->rank++] = y->dim[y->rank - 1];
  return error;
}

/* Walks the matrices of an operand, one for each matrix of the product. */
static EvalWalk matrices_of(const IrType *product, const EvalValue *operand) {
  IrType over = *product;
  EvalValue leading = *operand;
  over.rank -= 2;
  leading.tensor.type.rank -= 2;
  return eval_walk(&over, &leading);
}

const char *eval_matmul(Eval *e) {
  const IrTensor *x = &e->in[0]->tensor, *y = &e->in[1]->tensor, *z = &e->out[0]->tensor;
  IrType type;
  const char *error = product_type(e, &type);
  if (!error) error = eval_result(e, &type, -1);
  if (error || z->count == 0) return error;
  int64_t rows = type.dim[type.rank - 2], columns = type.dim[type.rank - 1];
  int64_t inner = x->type.dim[x->type.rank - 1];
  error = eval_charge_elements(e, (double)z->count * (double)inner);
  if (error) return error;
  EvalWalk a = matrices_of(&type, e->in[0]), b = matrices_of(&type, e->in[1]);
  for (int64_t done = 0; done < z->count; done += rows * columns) {
    if (type.dtype == IR_F64)
      f64_product(x->data.f64 + a.offset * rows * inner, y->data.f64 + b.offset * inner * columns,
                  z->data.f64 + done, rows, inner, columns);
    else
      i64_product(x->data.i64 + a.offset * rows * inner, y->data.i64 + b.offset * inner * columns,
                  z->data.i64 + done, rows, inner, columns);
    eval_walk_on(&a);
    eval_walk_on(&b);
  }
  return NULL;
}
