#include "lower/describe.h"
#include "lower/ports.h"

#include <string.h>

static const char *const constraint_names[] = {[C_LOWER] = "lower",
                                               [C_UPPER] = "upper",
                                               [C_LOWER_UPPER] = "lower,upper",
                                               [C_OFFSET] = "offset",
                                               [C_MULTIPLIER] = "multiplier",
                                               [C_OFFSET_MULTIPLIER] = "offset,multiplier",
                                               [C_ORDERED] = "ordered",
                                               [C_POSITIVE_ORDERED] = "positive_ordered",
                                               [C_SIMPLEX] = "simplex",
                                               [C_UNIT_VECTOR] = "unit_vector",
                                               [C_SUM_TO_ZERO_VECTOR] = "sum_to_zero_vector",
                                               [C_SUM_TO_ZERO_MATRIX] = "sum_to_zero_matrix",
                                               [C_CHOLESKY_FACTOR_CORR] = "cholesky_factor_corr",
                                               [C_CHOLESKY_FACTOR_COV] = "cholesky_factor_cov",
                                               [C_CORR_MATRIX] = "corr_matrix",
                                               [C_COV_MATRIX] = "cov_matrix",
                                               [C_COLUMN_STOCHASTIC_MATRIX] =
                                                   "column_stochastic_matrix",
                                               [C_ROW_STOCHASTIC_MATRIX] = "row_stochastic_matrix"};

/* Where an expression is not known, or is not supported, it is described as it is written. */
static bool evaluates_to(Tracer *t, const Expr *e, int64_t *value) {
  size_t reported;
  diag_list(t->diagnostics, &reported);
  Tracer saved = *t;
  jmp_buf escape, *outer = diag_on_fatal(t->diagnostics, &escape);
  bool known = false;
  if (setjmp(escape) == 0) {
    known = tr_known_int(trace_int(t, e), value);
  } else {
    diag_rewind(t->diagnostics, reported);
    *t = saved;
  }
  diag_on_fatal(t->diagnostics, outer);
  return known;
}

static void describe_size(Tracer *t, Text *out, const Expr *e, bool *first) {
  int64_t n;
  text_add(out, *first ? "" : ",");
  *first = false;
  if (evaluates_to(t, e, &n)) {
    text_printf(out, "%lld", (long long)n);
  } else {
    Text written = text_new(t->arena);
    expr_print(&written, e);
    text_add_json_string(out, written.data);
  }
}

static void describe_dims(Tracer *t, Text *out, const SizedType *s, const StanType *type) {
  bool first = true;
  text_add(out, "\"dims\":[");
  for (int k = 0; k < s->array_dims; k++) describe_size(t, out, s->array_sizes[k], &first);
  int own = s->base == T_TUPLE ? 0 : type_rank(type) - type->array_dims;
  for (int k = 0; k < own; k++) describe_size(t, out, s->sizes[s->sizes[k] ? k : 0], &first);
  text_add(out, "]");
}

static void describe_bound(Tracer *t, Text *out, const char *key, const Expr *e) {
  if (!e) return;
  Text written = text_new(t->arena);
  expr_print(&written, e);
  text_printf(out, ",\"%s\":", key);
  text_add_json_string(out, written.data);
}

static void describe_variable(Tracer *t, Text *out, const VarDecl *d, int64_t *offset) {
  const SizedType *s = d->sized;
  Text type = text_new(t->arena);
  type_print(&type, d->type);
  text_add(out, "{\"name\":");
  text_add_json_string(out, d->name);
  text_add(out, ",\"tensor\":");
  text_add_json_string(out, tensor_name(t, d->name));
  text_printf(out, ",\"type\":\"%s\",", type.data);
  describe_dims(t, out, s, d->type);
  if (s->constraint != C_NONE)
    text_printf(out, ",\"constraint\":\"%s\"", constraint_names[s->constraint]);
  describe_bound(t, out, "lower", s->lower);
  describe_bound(t, out, "upper", s->upper);
  describe_bound(t, out, "offset", s->offset);
  describe_bound(t, out, "multiplier", s->multiplier);
  int64_t n;
  if (offset && *offset >= 0) {
    if (tr_known_int(free_size(t, s), &n)) {
      text_printf(out, ",\"unconstrained_offset\":%lld,\"unconstrained_size\":%lld",
                  (long long)*offset, (long long)n);
      *offset += n;
    } else {
      *offset = -1; /* sizes come with the data */
    }
  }
  text_add(out, "}");
}

const char *describe_model(Tracer *t, const Program *program) {
  static const struct {
    BlockKind block;
    const char *key;
  } lists[] = {{BLOCK_DATA, "data"},
               {BLOCK_PARAMETERS, "parameters"},
               {BLOCK_TRANSFORMED_PARAMETERS, "transformed_parameters"},
               {BLOCK_GENERATED_QUANTITIES, "generated_quantities"}};
  Text out = text_new(t->arena);
  text_add(&out, "{");
  for (size_t k = 0; k < sizeof lists / sizeof *lists; k++) {
    const Block *block = &program->blocks[lists[k].block];
    int64_t offset = 0;
    bool first = true;
    text_printf(&out, "%s\"%s\":[", k ? "," : "", lists[k].key);
    for (int j = 0; j < block->stmt_count; j++) {
      if (block->stmts[j]->kind != S_DECL) continue;
      if (!first) text_add(&out, ",");
      first = false;
      describe_variable(t, &out, block->stmts[j]->decl,
                        lists[k].block == BLOCK_PARAMETERS ? &offset : NULL);
    }
    text_add(&out, "]");
  }
  text_add(&out, "}");
  return out.data;
}
