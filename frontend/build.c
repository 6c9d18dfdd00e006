/* Nodes of the syntax tree, as the grammar's actions make them. */
#include "frontend/syntax.h"

#include <errno.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_INT = 2147483647 };

void syntax_error(Parser *p, Span span, const char *format, ...) {
  va_list args;
  va_start(args, format);
  const char *message = arena_vprintf(p->arena, format, args);
  va_end(args);
  diag(p->diagnostics, DIAG_SYNTAX, span, "%s", message);
}

Span span_join(Span first, Span last) {
  if (first.file == last.file && last.end > first.end) first.end = last.end;
  return first;
}

/* ---- lists ---- */

#define DEFINE_ADD(function, List, Item)                                                           \
  List *function(Parser *p, List *list, Item item) {                                               \
    if (!list) list = ARENA_NEW(p->arena, List);                                                   \
    ARENA_PUSH(p->arena, list->items, list->count, list->capacity, item);                          \
    return list;                                                                                   \
  }

DEFINE_ADD(exprs_add, ExprList, Expr *)
DEFINE_ADD(stmts_add, StmtList, Stmt *)
DEFINE_ADD(indices_add, IndexList, Index)
DEFINE_ADD(decls_add, DeclList, VarDecl *)
DEFINE_ADD(types_add, TypeList, SizedType *)
DEFINE_ADD(words_add, WordList, const char *)
DEFINE_ADD(annotations_add, AnnotationList, Annotation)

ExprList *exprs_prepend(Parser *p, Expr *e, const ExprList *list) {
  ExprList *all = exprs_add(p, NULL, e);
  for (size_t k = 0; list && k < list->count; k++) exprs_add(p, all, list->items[k]);
  return all;
}

StmtList *stmts_join(Parser *p, StmtList *list, const StmtList *more) {
  for (size_t k = 0; k < more->count; k++) list = stmts_add(p, list, more->items[k]);
  return list;
}

/* ---- expressions ---- */

static Expr *new_expr(Parser *p, ExprKind kind, Span span) {
  Expr *e = ARENA_NEW(p->arena, Expr);
  e->kind = kind;
  e->span = span;
  e->height = 1;
  return e;
}

/* e raised over its part; NULL when the tree becomes too high. */
static Expr *raise_over(Parser *p, Expr *e, const Expr *part) {
  if (part && part->height >= e->height) e->height = part->height + 1;
  if (e->height <= MAX_EXPR_HEIGHT) return e;
  syntax_error(p, e->span, "This expression is nested more than %d levels deep.", MAX_EXPR_HEIGHT);
  return NULL;
}

static Expr *with_args(Parser *p, Expr *e, Expr **args, size_t count) {
  e->args = args;
  e->arg_count = (int)count;
  for (size_t k = 0; k < count; k++)
    if (!raise_over(p, e, args[k])) return NULL;
  return e;
}

/* The text of a number without its underscores. */
static char *digits(Parser *p, const char *text) {
  char *plain = arena_strdup(p->arena, text), *to = plain;
  for (const char *from = text; *from; from++)
    if (*from != '_') *to++ = *from;
  *to = '\0';
  return plain;
}

/* strtod, whatever decimal point the host's locale has. */
static double to_double(Parser *p, const char *plain) {
  const char *point = strchr(plain, '.');
  if (!point) return strtod(plain, NULL);
  const char *local = arena_printf(p->arena, "%.*s%s%s", (int)(point - plain), plain,
                                   localeconv()->decimal_point, point + 1);
  return strtod(local, NULL);
}

Expr *build_integer(Parser *p, Span span, const char *text) {
  Expr *e = new_expr(p, E_INT, span);
  e->name = digits(p, text);
  errno = 0;
  e->integer = strtoll(e->name, NULL, 10); /* INT64_MAX where it does not fit */
  if (e->integer > MAX_INT && !p->literal_too_large) {
    p->literal_too_large = true;
    p->large_literal = span;
  }
  return e;
}

Expr *build_real(Parser *p, Span span, const char *text) {
  Expr *e = new_expr(p, E_REAL, span);
  e->name = digits(p, text);
  e->real = to_double(p, e->name);
  return e;
}

Expr *build_imaginary(Parser *p, Span span, const char *text) {
  Expr *e = new_expr(p, E_IMAGINARY, span);
  char *plain = digits(p, text);
  plain[strlen(plain) - 1] = '\0'; /* the i */
  e->name = plain;
  e->real = to_double(p, plain);
  return e;
}

Expr *build_string(Parser *p, Span span, const char *text) {
  Expr *e = new_expr(p, E_STRING, span);
  e->name = arena_strndup(p->arena, text + 1, strlen(text) - 2);
  return e;
}

Expr *build_variable(Parser *p, Span span, const char *name) {
  Expr *e = new_expr(p, E_VARIABLE, span);
  e->name = name;
  e->name_span = span;
  return e;
}

Expr *build_target(Parser *p, Span span) { return new_expr(p, E_TARGET, span); }

static Expr *build_operation(Parser *p, ExprKind kind, Span span, Operator op,
                             Expr *const *operands, size_t count) {
  Expr *e = new_expr(p, kind, span);
  Expr **args = ARENA_ARRAY(p->arena, Expr *, count);
  memcpy(args, operands, count * sizeof *args);
  e->op = op;
  return with_args(p, e, args, count);
}

Expr *build_unary(Parser *p, ExprKind kind, Span span, Operator op, Expr *a) {
  return build_operation(p, kind, span, op, &a, 1);
}

Expr *build_binary(Parser *p, Span span, Operator op, Expr *a, Expr *b) {
  return build_operation(p, E_BINARY, span, op, (Expr *[]){a, b}, 2);
}

Expr *build_ternary(Parser *p, Span span, Expr *condition, Expr *a, Expr *b) {
  return build_operation(p, E_TERNARY, span, OP_OR, (Expr *[]){condition, a, b}, 3);
}

Expr *build_list(Parser *p, ExprKind kind, Span span, const ExprList *items) {
  Expr *e = new_expr(p, kind, span);
  return items ? with_args(p, e, items->items, items->count) : e;
}

Expr *build_call(Parser *p, Span span, const char *name, Span name_span, const ExprList *args,
                 bool bar) {
  Expr *e = new_expr(p, E_CALL, span);
  e->name = name;
  e->name_span = name_span;
  e->bar = bar;
  return args ? with_args(p, e, args->items, args->count) : e;
}

Expr *build_index(Parser *p, Span span, Expr *base, const IndexList *indices) {
  Expr *e = build_unary(p, E_INDEX, span, OP_OR, base);
  if (!e) return NULL;
  e->indices = indices->items;
  e->index_count = (int)indices->count;
  for (int k = 0; k < e->index_count; k++)
    if (!raise_over(p, e, e->indices[k].a) || !raise_over(p, e, e->indices[k].b)) return NULL;
  return e;
}

Expr *build_projection(Parser *p, Span span, Expr *base, const char *slot, Span slot_span) {
  const char *number = digits(p, slot + 1);
  errno = 0;
  long long slot_number = strtoll(number, NULL, 10);
  if (errno || slot_number > INT64_MAX / 2) {
    slot_span.begin++; /* past the dot */
    syntax_error(p, slot_span, "The number %s of a tuple's member is too large.", number);
    return NULL;
  }
  Expr *e = build_unary(p, E_PROJECT, span, OP_OR, base);
  if (e) e->integer = slot_number;
  return e;
}

/* ---- types ---- */

static SizedType *type_or_new(Parser *p, SizedType *t) {
  return t ? t : ARENA_NEW(p->arena, SizedType);
}

SizedType *build_type(Parser *p, Span span, SizedType *t, BaseType base, Expr *rows,
                      Expr *columns) {
  t = type_or_new(p, t);
  t->base = base;
  t->span = span;
  t->sizes[0] = rows;
  t->sizes[1] = columns;
  return t;
}

SizedType *build_constrained(Parser *p, Span span, Constraint constraint, BaseType base, Expr *rows,
                             Expr *columns) {
  SizedType *t = build_type(p, span, NULL, base, rows, columns);
  t->constraint = constraint;
  return t;
}

SizedType *build_tuple_type(Parser *p, Span span, SizedType *first, const TypeList *rest) {
  SizedType *t = build_type(p, span, NULL, T_TUPLE, NULL, NULL);
  TypeList *members = types_add(p, NULL, first);
  for (size_t k = 0; rest && k < rest->count; k++) types_add(p, members, rest->items[k]);
  t->members = members->items;
  t->member_count = (int)members->count;
  return t;
}

SizedType *build_array_type(Parser *p, Span span, SizedType *t, const ExprList *sizes, int dims) {
  t->span = span;
  t->array_dims = sizes ? (int)sizes->count : dims;
  t->array_sizes = sizes ? sizes->items : ARENA_ARRAY(p->arena, Expr *, (size_t)dims);
  return t;
}

SizedType *build_bounds(Parser *p, Expr *lower, Expr *upper) {
  SizedType *t = ARENA_NEW(p->arena, SizedType);
  t->constraint = lower && upper ? C_LOWER_UPPER : lower ? C_LOWER : C_UPPER;
  t->lower = lower;
  t->upper = upper;
  return t;
}

SizedType *build_affine(Parser *p, Expr *offset, Expr *multiplier) {
  SizedType *t = ARENA_NEW(p->arena, SizedType);
  t->constraint = offset && multiplier ? C_OFFSET_MULTIPLIER : offset ? C_OFFSET : C_MULTIPLIER;
  t->offset = offset;
  t->multiplier = multiplier;
  return t;
}

SizedType *add_attribute(Parser *p, SizedType *t, const char *word, Expr *lower, Expr *upper) {
  t = type_or_new(p, t);
  if (lower) t->lower = lower;
  if (upper) t->upper = upper;
  if (t->lower || t->upper)
    t->constraint = t->lower && t->upper ? C_LOWER_UPPER : t->lower ? C_LOWER : C_UPPER;
  if (word) {
    size_t count = (size_t)t->attribute_count;
    t->attributes = arena_regrow(p->arena, t->attributes, count, count + 1, sizeof *t->attributes);
    t->attributes[t->attribute_count++] = word;
  }
  return t;
}

/* ---- declarations ---- */

VarDecl *build_declarator(Parser *p, Span name_span, const char *name, Expr *init) {
  VarDecl *d = ARENA_NEW(p->arena, VarDecl);
  d->name = name;
  d->name_span = name_span;
  d->span = name_span;
  d->init = init;
  d->block = p->block;
  return d;
}

VarDecl *build_argument(Parser *p, Span span, bool data, SizedType *t, const char *name,
                        Span name_span) {
  VarDecl *d = build_declarator(p, name_span, name, NULL);
  /* an empty qualifier in front of the type makes the span begin where the last token ends */
  d->span = data ? span : span_join(t->span, name_span);
  d->sized = t;
  d->data_qualified = data;
  d->is_argument = true;
  return d;
}

VarDecl *build_loop_variable(Parser *p, Span name_span, const char *name) {
  VarDecl *d = build_declarator(p, name_span, name, NULL);
  d->is_loop_variable = true;
  return d;
}

StmtList *build_declarations(Parser *p, Span span, SizedType *t, const DeclList *declarators) {
  StmtList *list = NULL;
  for (size_t k = 0; k < declarators->count; k++) {
    Stmt *s = build_statement(p, S_DECL, span);
    s->decl = declarators->items[k];
    s->decl->sized = t;
    s->decl->span = span;
    list = stmts_add(p, list, s);
  }
  return list;
}

void report_old_array(Parser *p, Span sizes_span, SizedType *t, const char *name,
                      const ExprList *sizes) {
  Text declaration = text_new(p->arena);
  if (!t->array_dims) build_array_type(p, t->span, t, sizes, 0);
  sized_type_print(&declaration, t);
  syntax_error(
      p, sizes_span,
      "Expected \";\" after the name of the variable. The sizes of an array stand in front "
      "of the type of its elements:\n  %s %s;",
      declaration.data, name);
}

/* ---- statements ---- */

Stmt *build_statement(Parser *p, StmtKind kind, Span span) {
  Stmt *s = ARENA_NEW(p->arena, Stmt);
  s->kind = kind;
  s->span = span;
  s->height = 1;
  return s;
}

/* s raised over its part; false when the tree becomes too high. */
static bool raise_statement(Parser *p, Stmt *s, const Stmt *part) {
  if (part && part->height >= s->height) s->height = part->height + 1;
  if (s->height <= MAX_STMT_HEIGHT) return true;
  syntax_error(p, s->span, "Statements are nested more than %d levels deep.", MAX_STMT_HEIGHT);
  return false;
}

bool statement_over(Parser *p, Stmt *s, Stmt *body, Stmt *orelse) {
  s->body = body;
  s->orelse = orelse;
  return raise_statement(p, s, body) && raise_statement(p, s, orelse);
}

Stmt *build_block(Parser *p, Span span, const StmtList *stmts) {
  Stmt *s = build_statement(p, S_BLOCK, span);
  if (!stmts) return s;
  s->stmts = stmts->items;
  s->stmt_count = (int)stmts->count;
  for (int k = 0; k < s->stmt_count; k++)
    if (!raise_statement(p, s, s->stmts[k])) return NULL;
  return s;
}

Stmt *statement_of(Parser *p, Span span, const StmtList *stmts) {
  return stmts->count == 1 ? stmts->items[0] : build_block(p, span, stmts);
}

/* A variable, or a part of one. */
static bool is_place(const Expr *e) {
  while (e->kind == E_INDEX || e->kind == E_PROJECT) e = e->args[0];
  return e->kind == E_VARIABLE;
}

static bool is_assignable(const Expr *e) {
  if (e->kind != E_TUPLE) return is_place(e);
  for (int k = 0; k < e->arg_count; k++)
    if (!is_assignable(e->args[k])) return false;
  return true;
}

Stmt *build_assignment(Parser *p, Span span, Expr *lhs, bool has_op, Operator op, Expr *rhs) {
  if (!is_assignable(lhs)) {
    syntax_error(
        p, lhs->span,
        "Only a variable, an indexed part of one, a member of a tuple, or a tuple of these "
        "can be assigned to.");
    return NULL;
  }
  Stmt *s = build_statement(p, lhs->kind == E_TUPLE ? S_UNPACK : S_ASSIGN, span);
  s->lhs = lhs;
  s->rhs = rhs;
  s->has_op = has_op;
  s->op = op;
  return s;
}

Stmt *build_tilde(Parser *p, Span span, Expr *lhs, const char *name, Span name_span,
                  const ExprList *args) {
  Stmt *s = build_statement(p, S_TILDE, span);
  s->lhs = lhs;
  s->name = name;
  s->name_span = name_span;
  if (args) {
    s->args = args->items;
    s->arg_count = (int)args->count;
  }
  return s;
}

Stmt *build_output(Parser *p, StmtKind kind, Span span, const ExprList *args) {
  Stmt *s = build_statement(p, kind, span);
  s->args = args->items;
  s->arg_count = (int)args->count;
  return s;
}

/* ---- blocks and functions ---- */

void finish_block(Parser *p, BlockKind kind, Span span, const StmtList *stmts) {
  Block *b = &p->program->blocks[kind];
  b->present = true;
  b->span = span;
  if (!stmts) return;
  b->stmts = stmts->items;
  b->stmt_count = (int)stmts->count;
  for (int k = 0; k < b->stmt_count && kind != BLOCK_MODEL; k++)
    if (b->stmts[k]->kind == S_DECL) b->stmts[k]->decl->global = true;
}

FunDef *build_function(Parser *p, Span span, SizedType *result, const char *name, Span name_span,
                       const DeclList *args) {
  FunDef *f = ARENA_NEW(p->arena, FunDef);
  f->name = name;
  f->span = span;
  f->name_span = name_span;
  f->result = result;
  if (args) {
    f->args = args->items;
    f->arg_count = (int)args->count;
  }
  return f;
}

Annotation build_annotation(Span span, const char *name, const WordList *args) {
  Annotation a = {.name = name, .span = span};
  if (!args) return a;
  a.arg_count = (int)args->count;
  a.args = args->items;
  return a;
}

void finish_function(Parser *p, FunDef *f, const AnnotationList *annotations) {
  if (annotations) {
    f->annotations = annotations->items;
    f->annotation_count = (int)annotations->count;
  }
  Program *program = p->program;
  size_t count = (size_t)program->function_count;
  ARENA_PUSH(p->arena, program->functions, count, p->function_capacity, f);
  program->function_count = (int)count;
}

/* ---- the parse ---- */

static bool is_empty(const Program *program) {
  for (int k = 0; k < BLOCK_COUNT; k++)
    if (program->blocks[k].present) return false;
  return true;
}

Program *parse_program(Arena *arena, Sources *sources, uint32_t file, ParseOptions options,
                       Diagnostics *d) {
  size_t length;
  sources_text(sources, file, &length);
  if (length > MAX_SOURCE_BYTES) {
    diag_nowhere(d, DIAG_SYNTAX, "%s is too large: a program may have %d bytes.",
                 sources_name(sources, file), MAX_SOURCE_BYTES);
    return NULL;
  }
  Parser *p = ARENA_NEW(arena, Parser);
  *p = (Parser){.arena = arena,
                .sources = sources,
                .diagnostics = d,
                .options = options,
                .program = ARENA_NEW(arena, Program)};
  if (options.functions_only) p->program->blocks[BLOCK_FUNCTIONS].present = true;
  bool ok = parse_tokens(p, file);
  if (ok && p->literal_too_large)
    diag(d, DIAG_SEMANTIC, p->large_literal, "An integer literal cannot be larger than %d.",
         MAX_INT);
  if (ok && is_empty(p->program))
    diag(d, DIAG_WARNING, (Span){file, 0, 0}, "The program is empty: it has no block.");
  return ok && !p->literal_too_large ? p->program : NULL;
}
