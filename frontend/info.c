#include "frontend/info.h"

#include "frontend/suffix.h"

#include <stdlib.h>
#include <string.h>

/* ---- variables ---- */

static const char *number_word(BaseType b) {
  switch (b) {
  case T_INT: return "int";
  case T_COMPLEX:
  case T_COMPLEX_VECTOR:
  case T_COMPLEX_ROW_VECTOR:
  case T_COMPLEX_MATRIX: return "complex";
  default: return "real";
  }
}

static void add_type(Text *out, const StanType *t) {
  text_add(out, "{\"type\": ");
  if (t->base == T_TUPLE) {
    text_add(out, "[");
    for (int k = 0; k < t->member_count; k++) {
      if (k) text_add(out, ", ");
      add_type(out, t->members[k]);
    }
    text_add(out, "]");
  } else {
    text_printf(out, "\"%s\"", number_word(t->base));
  }
  text_printf(out, ", \"dimensions\": %d}", t->base == T_TUPLE ? t->array_dims : type_rank(t));
}

static void add_block(Text *out, const Program *program, BlockKind kind, const char *key) {
  const Block *b = &program->blocks[kind];
  int n = 0;
  text_printf(out, "  \"%s\": {", key);
  for (int k = 0; k < b->stmt_count; k++) {
    if (b->stmts[k]->kind != S_DECL) continue;
    text_add(out, n++ ? ",\n    " : "\n    ");
    text_add_json_string(out, b->stmts[k]->decl->name);
    text_add(out, ": ");
    add_type(out, b->stmts[k]->decl->type);
  }
  text_add(out, n ? "\n  },\n" : "},\n");
}

/* ---- calls of the library ---- */

typedef struct {
  size_t count, capacity;
  const char **items;
} Names;

typedef struct {
  Arena *arena;
  Names functions, distributions;
} Calls;

static void add_name(Calls *c, Names *names, const char *name) {
  ARENA_PUSH(c->arena, names->items, names->count, names->capacity, name);
}

static void collect_expr(Calls *c, const Expr *e) {
  if (!e) return;
  if (e->kind == E_CALL && !e->function)
    add_name(c, e->bar ? &c->distributions : &c->functions, e->name);
  for (int k = 0; k < e->arg_count; k++) collect_expr(c, e->args[k]);
  for (int k = 0; k < e->index_count; k++) {
    collect_expr(c, e->indices[k].a);
    collect_expr(c, e->indices[k].b);
  }
}

static void collect_sizes(Calls *c, const SizedType *s) {
  for (int k = 0; k < s->array_dims; k++) collect_expr(c, s->array_sizes[k]);
  for (int k = 0; k < s->member_count; k++) collect_sizes(c, s->members[k]);
  const Expr *parts[] = {s->sizes[0], s->sizes[1], s->lower, s->upper, s->offset, s->multiplier};
  for (size_t k = 0; k < sizeof parts / sizeof *parts; k++) collect_expr(c, parts[k]);
}

/* The density of a distribution statement, which drops its constants: normal_lupdf. */
static const char *unnormalised(Calls *c, const Stmt *s) {
  bool mass = name_suffix(s->density->name) == SUFFIX_LPMF;
  return arena_printf(c->arena, "%s%s", s->name, mass ? "_lupmf" : "_lupdf");
}

static void collect_stmt(Calls *c, const Stmt *s) {
  if (!s) return;
  const Expr *parts[] = {s->lhs, s->rhs, s->cond, s->lower, s->upper};
  for (size_t k = 0; k < sizeof parts / sizeof *parts; k++) collect_expr(c, parts[k]);
  for (int k = 0; k < s->arg_count; k++) collect_expr(c, s->args[k]);
  if (s->kind == S_PRINT) add_name(c, &c->functions, "print");
  if (s->kind == S_REJECT) add_name(c, &c->functions, "reject");
  if (s->kind == S_FATAL_ERROR) add_name(c, &c->functions, "fatal_error");
  if (s->kind == S_TILDE && s->density && !s->density->function)
    add_name(c, &c->distributions, unnormalised(c, s));
  if (s->kind == S_DECL) {
    collect_sizes(c, s->decl->sized);
    collect_expr(c, s->decl->init);
  }
  collect_stmt(c, s->body);
  collect_stmt(c, s->orelse);
  for (int k = 0; k < s->stmt_count; k++) collect_stmt(c, s->stmts[k]);
}

static int by_name(const void *a, const void *b) {
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void add_names(Text *out, Names *names, const char *key, const char *end) {
  if (names->count) qsort(names->items, names->count, sizeof *names->items, by_name);
  const char *last = NULL;
  text_printf(out, "  \"%s\": [", key);
  for (size_t k = 0; k < names->count; k++) {
    if (last && !strcmp(last, names->items[k])) continue;
    if (last) text_add(out, ", ");
    last = names->items[k];
    text_add_json_string(out, last);
  }
  text_printf(out, "]%s\n", end);
}

void program_info(Text *out, const Program *program) {
  Calls calls = {.arena = out->arena};
  for (int k = 0; k < program->function_count; k++)
    collect_stmt(&calls, program->functions[k]->body);
  for (int kind = 0; kind < BLOCK_COUNT; kind++)
    for (int k = 0; k < program->blocks[kind].stmt_count; k++)
      collect_stmt(&calls, program->blocks[kind].stmts[k]);
  text_add(out, "{\n");
  add_block(out, program, BLOCK_DATA, "inputs");
  add_block(out, program, BLOCK_PARAMETERS, "parameters");
  add_block(out, program, BLOCK_TRANSFORMED_PARAMETERS, "transformed parameters");
  add_block(out, program, BLOCK_GENERATED_QUANTITIES, "generated quantities");
  add_names(out, &calls.functions, "functions", ",");
  add_names(out, &calls.distributions, "distributions", "");
  text_add(out, "}\n");
}
