/* The syntax tree as indented text: a line for each statement, expressions in prefix form. */
#include "frontend/ast.h"

#include <string.h>

static const char *const operator_spellings[] = {
#define X(name, spelling) spelling,
    STAN_OPERATORS(X)
#undef X
};

const char *operator_spelling(Operator op) { return operator_spellings[op]; }

static void print_expr(Text *out, const Expr *e);

static void print_exprs(Text *out, Expr *const *items, int count) {
  for (int k = 0; k < count; k++) {
    text_add(out, " ");
    print_expr(out, items[k]);
  }
}

static void print_bound(Text *out, const Expr *e) {
  if (e)
    print_expr(out, e);
  else
    text_add(out, "_");
}

static void print_index(Text *out, const Index *i) {
  if (i->kind == INDEX_ALL)
    text_add(out, ":");
  else if (i->kind == INDEX_SINGLE)
    print_expr(out, i->a);
  else {
    text_add(out, "(: ");
    print_bound(out, i->a);
    text_add(out, " ");
    print_bound(out, i->b);
    text_add(out, ")");
  }
}

static void print_call(Text *out, const Expr *e) {
  text_printf(out, "(call %s", e->name);
  if (e->bar) {
    print_exprs(out, e->args, 1);
    text_add(out, " |");
  }
  print_exprs(out, e->args + e->bar, e->arg_count - e->bar);
  text_add(out, ")");
}

static const char *const heads[] = {
    [E_TRANSPOSE] = "transpose", [E_TERNARY] = "?", [E_INDEX] = "index", [E_PROJECT] = "member",
    [E_ARRAY] = "array",         [E_ROW] = "row",   [E_TUPLE] = "tuple", [E_PAREN] = "paren",
};

static void print_expr(Text *out, const Expr *e) {
  switch (e->kind) {
  case E_INT: text_printf(out, "%lld", (long long)e->integer); return;
  case E_REAL:
  case E_VARIABLE: text_add(out, e->name); return;
  case E_IMAGINARY: text_printf(out, "%si", e->name); return;
  case E_STRING: text_printf(out, "\"%s\"", e->name); return;
  case E_TARGET: text_add(out, "(target)"); return;
  case E_CALL: print_call(out, e); return;
  case E_UNARY:
  case E_BINARY: text_printf(out, "(%s", operator_spelling(e->op)); break;
  default: text_printf(out, "(%s", heads[e->kind]); break;
  }
  print_exprs(out, e->args, e->arg_count);
  for (int k = 0; k < e->index_count; k++) {
    text_add(out, " ");
    print_index(out, &e->indices[k]);
  }
  if (e->kind == E_PROJECT) text_printf(out, " %lld", (long long)e->integer);
  text_add(out, ")");
}

static void indent(Text *out, int depth) {
  for (int k = 0; k < depth; k++) text_add(out, "  ");
}

static void print_decl(Text *out, const VarDecl *d) {
  if (d->data_qualified) text_add(out, "data ");
  if (d->sized) {
    sized_type_print(out, d->sized);
    text_add(out, " ");
  }
  text_add(out, d->name);
  if (!d->init) return;
  text_add(out, " = ");
  print_expr(out, d->init);
}

static void print_stmt(Text *out, const Stmt *s, int depth);

static void print_stmts(Text *out, Stmt *const *stmts, int count, int depth) {
  for (int k = 0; k < count; k++) print_stmt(out, stmts[k], depth);
}

/* The statements under a header; a block shows as its statements alone. */
static void print_body(Text *out, const Stmt *s, int depth) {
  if (s->kind == S_BLOCK)
    print_stmts(out, s->stmts, s->stmt_count, depth);
  else
    print_stmt(out, s, depth);
}

static void print_tilde(Text *out, const Stmt *s) {
  print_expr(out, s->lhs);
  text_printf(out, " ~ (%s", s->name);
  print_exprs(out, s->args, s->arg_count);
  text_add(out, ")");
  if (!s->truncated) return;
  text_add(out, " T[");
  print_bound(out, s->lower);
  text_add(out, ", ");
  print_bound(out, s->upper);
  text_add(out, "]");
}

static const char *const keywords[] = {
    [S_TARGET] = "target +=",  [S_JACOBIAN] = "jacobian +=",
    [S_CALL] = "do",           [S_IF] = "if",
    [S_WHILE] = "while",       [S_FOR] = "for",
    [S_FOREACH] = "for",       [S_BREAK] = "break",
    [S_CONTINUE] = "continue", [S_RETURN] = "return",
    [S_BLOCK] = "block",       [S_PROFILE] = "profile",
    [S_DECL] = "declare",      [S_PRINT] = "print",
    [S_REJECT] = "reject",     [S_FATAL_ERROR] = "fatal_error",
    [S_SKIP] = "skip",
};

/* The line of a statement, without the statements below it. */
static void print_header(Text *out, const Stmt *s) {
  if (keywords[s->kind]) text_add(out, keywords[s->kind]);
  switch (s->kind) {
  case S_ASSIGN:
  case S_UNPACK:
    print_expr(out, s->lhs);
    text_printf(out, " %s= ", s->has_op ? operator_spelling(s->op) : "");
    print_expr(out, s->rhs);
    break;
  case S_TILDE: print_tilde(out, s); break;
  case S_IF:
  case S_WHILE: print_exprs(out, &s->cond, 1); break;
  case S_FOR:
    text_printf(out, " %s in (:", s->decl->name);
    print_exprs(out, &s->lhs, 1);
    print_exprs(out, &s->rhs, 1);
    text_add(out, ")");
    break;
  case S_FOREACH:
    text_printf(out, " %s in", s->decl->name);
    print_exprs(out, &s->rhs, 1);
    break;
  case S_PROFILE: text_printf(out, " \"%s\"", s->name); break;
  case S_DECL:
    text_add(out, " ");
    print_decl(out, s->decl);
    break;
  default:
    if (s->rhs) print_exprs(out, &s->rhs, 1);
    print_exprs(out, s->args, s->arg_count);
  }
  text_add(out, "\n");
}

static void print_stmt(Text *out, const Stmt *s, int depth) {
  indent(out, depth);
  print_header(out, s);
  print_stmts(out, s->stmts, s->stmt_count, depth + 1);
  if (s->body) print_body(out, s->body, depth + 1);
  if (!s->orelse) return;
  indent(out, depth);
  text_add(out, "else\n");
  print_body(out, s->orelse, depth + 1);
}

static void print_annotations(Text *out, const FunDef *f, int depth) {
  for (int k = 0; k < f->annotation_count; k++) {
    const Annotation *a = &f->annotations[k];
    indent(out, depth);
    text_printf(out, "@%s", a->name);
    for (int j = 0; j < a->arg_count; j++) text_printf(out, " %s", a->args[j]);
    text_add(out, "\n");
  }
}

static void print_function(Text *out, const FunDef *f, int depth) {
  print_annotations(out, f, depth);
  indent(out, depth);
  text_add(out, f->body ? "function " : "forward ");
  sized_type_print(out, f->result);
  text_printf(out, " %s(", f->name);
  for (int k = 0; k < f->arg_count; k++) {
    if (k) text_add(out, ", ");
    print_decl(out, f->args[k]);
  }
  text_add(out, ")\n");
  if (f->body) print_body(out, f->body, depth + 1);
}

static const char *const block_names[] = {
    [BLOCK_FUNCTIONS] = "functions",
    [BLOCK_DATA] = "data",
    [BLOCK_TRANSFORMED_DATA] = "transformed data",
    [BLOCK_PARAMETERS] = "parameters",
    [BLOCK_TRANSFORMED_PARAMETERS] = "transformed parameters",
    [BLOCK_MODEL] = "model",
    [BLOCK_GENERATED_QUANTITIES] = "generated quantities",
};

void ast_print(Text *out, const Program *program) {
  for (int kind = 0; kind < BLOCK_COUNT; kind++) {
    const Block *b = &program->blocks[kind];
    if (!b->present) continue;
    text_printf(out, "%s\n", block_names[kind]);
    for (int k = 0; kind == BLOCK_FUNCTIONS && k < program->function_count; k++)
      print_function(out, program->functions[k], 1);
    print_stmts(out, b->stmts, b->stmt_count, 1);
  }
}
