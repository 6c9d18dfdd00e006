/* What the scanner, the grammar and the tree builder share: the state of one parse. Private to the
 * files of the parser. */
#ifndef STAN2ONNX_FRONTEND_SYNTAX_H
#define STAN2ONNX_FRONTEND_SYNTAX_H

#include "frontend/frontend.h"

enum {
  MAX_INCLUDE_DEPTH = 64,    /* files open at once */
  MAX_INCLUDES = 10000,      /* #include directives followed in all */
  MAX_BRACKETS = 1000,       /* brackets open at once */
  MAX_EXPR_HEIGHT = 5000,    /* of an expression's tree: a + a + ... has one level per operator */
  MAX_STMT_HEIGHT = 1000,    /* of a statement's tree */
  MAX_SOURCE_BYTES = 1 << 28 /* of one file */
};

/* Lists while they grow. */
typedef struct {
  Expr **items;
  size_t count, capacity;
} ExprList;
typedef struct {
  Stmt **items;
  size_t count, capacity;
} StmtList;
typedef struct {
  Index *items;
  size_t count, capacity;
} IndexList;
typedef struct {
  VarDecl **items;
  size_t count, capacity;
} DeclList;
typedef struct {
  SizedType **items;
  size_t count, capacity;
} TypeList;
typedef struct {
  const char **items;
  size_t count, capacity;
} WordList;
typedef struct {
  Annotation *items;
  size_t count, capacity;
} AnnotationList;

/* A file that is being read: the main one, then those in it through #include. */
typedef struct {
  uint32_t file, offset;
  void *buffer; /* flex's */
} OpenFile;

typedef struct {
  int kind; /* the grammar's token number; 0 before the first */
  Span span;
} Token;

typedef struct {
  Arena *arena;
  Sources *sources;
  Diagnostics *diagnostics;
  ParseOptions options;
  /* scanner */
  void *scanner;
  OpenFile open[MAX_INCLUDE_DEPTH];
  int open_count, include_count;
  int brackets;      /* open ones */
  Token last, found; /* the last two tokens: `found` is the newest */
  bool arrow;        /* a `<` with a `-` right behind it was seen in this statement */
  bool started;
  /* tree */
  BlockKind block; /* the one being read */
  Program *program;
  size_t function_capacity;
  bool literal_too_large;
  Span large_literal; /* the first integer literal beyond Stan's int */
} Parser;

/* ---- lexer.l ---- */

/* Starts reading file number `file`. */
void scanner_begin(Parser *p, uint32_t file);
void scanner_end(Parser *p);

/* ---- parser.y ---- */

/* Reads the whole of file number `file`. False when there was an error (reported). */
bool parse_tokens(Parser *p, uint32_t file);

/* ---- build.c: nodes of the tree ---- */

/* Reports a syntax error. */
void syntax_error(Parser *p, Span span, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The smallest span that covers both; `first` itself where they lie in two files. */
Span span_join(Span first, Span last);

/* Literals, from their source text. */
Expr *build_integer(Parser *p, Span span, const char *text);
Expr *build_real(Parser *p, Span span, const char *text);
Expr *build_imaginary(Parser *p, Span span, const char *text);
Expr *build_string(Parser *p, Span span, const char *text);
Expr *build_variable(Parser *p, Span span, const char *name);
Expr *build_target(Parser *p, Span span);
/* Operators. NULL, as from all builders below, where the tree becomes too high (reported). `kind`
 * of a unary one: E_UNARY, E_TRANSPOSE, E_PAREN. */
Expr *build_unary(Parser *p, ExprKind kind, Span span, Operator op, Expr *a);
Expr *build_binary(Parser *p, Span span, Operator op, Expr *a, Expr *b);
Expr *build_ternary(Parser *p, Span span, Expr *condition, Expr *a, Expr *b);
/* A node over a list: E_ARRAY, E_ROW, E_TUPLE. */
Expr *build_list(Parser *p, ExprKind kind, Span span, const ExprList *items);
Expr *build_call(Parser *p, Span span, const char *name, Span name_span, const ExprList *args,
                 bool bar);
Expr *build_index(Parser *p, Span span, Expr *base, const IndexList *indices);
/* `slot` is the text with its dot: ".2". NULL when it is no number that fits (reported). */
Expr *build_projection(Parser *p, Span span, Expr *base, const char *slot, Span slot_span);

ExprList *exprs_add(Parser *p, ExprList *list, Expr *e);
/* e in front of the list, which may be NULL. */
ExprList *exprs_prepend(Parser *p, Expr *e, const ExprList *list);
StmtList *stmts_add(Parser *p, StmtList *list, Stmt *s);
StmtList *stmts_join(Parser *p, StmtList *list, const StmtList *more);
IndexList *indices_add(Parser *p, IndexList *list, Index index);
DeclList *decls_add(Parser *p, DeclList *list, VarDecl *d);
TypeList *types_add(Parser *p, TypeList *list, SizedType *t);
WordList *words_add(Parser *p, WordList *list, const char *word);
AnnotationList *annotations_add(Parser *p, AnnotationList *list, Annotation a);

/* Types. `t` carries what stood in <...>; NULL for nothing. */
SizedType *build_type(Parser *p, Span span, SizedType *t, BaseType base, Expr *rows, Expr *columns);
SizedType *build_constrained(Parser *p, Span span, Constraint constraint, BaseType base, Expr *rows,
                             Expr *columns);
SizedType *build_tuple_type(Parser *p, Span span, SizedType *first, const TypeList *rest);
/* t (not an array yet) as the element of an array. sizes NULL: `dims` unsized dimensions. */
SizedType *build_array_type(Parser *p, Span span, SizedType *t, const ExprList *sizes, int dims);
SizedType *build_bounds(Parser *p, Expr *lower, Expr *upper);
SizedType *build_affine(Parser *p, Expr *offset, Expr *multiplier);
/* Adds a bound, or a word, to the <...> of an argument in the library's sources. */
SizedType *add_attribute(Parser *p, SizedType *t, const char *word, Expr *lower, Expr *upper);

/* Declarations and statements. */
VarDecl *build_declarator(Parser *p, Span name_span, const char *name, Expr *init);
VarDecl *build_argument(Parser *p, Span span, bool data, SizedType *t, const char *name,
                        Span name_span);
VarDecl *build_loop_variable(Parser *p, Span name_span, const char *name);
/* One S_DECL for each declarator. */
StmtList *build_declarations(Parser *p, Span span, SizedType *t, const DeclList *declarators);
Stmt *build_statement(Parser *p, StmtKind kind, Span span);
/* One level above its parts (NULL for none); checks the height. False when that is too much
 * (reported). */
bool statement_over(Parser *p, Stmt *s, Stmt *body, Stmt *orelse);
Stmt *build_block(Parser *p, Span span, const StmtList *stmts);
/* The single statement that stands for a list: itself, or a block of it. */
Stmt *statement_of(Parser *p, Span span, const StmtList *stmts);
/* NULL when lhs cannot be assigned to (reported). */
Stmt *build_assignment(Parser *p, Span span, Expr *lhs, bool has_op, Operator op, Expr *rhs);
Stmt *build_tilde(Parser *p, Span span, Expr *lhs, const char *name, Span name_span,
                  const ExprList *args);
Stmt *build_output(Parser *p, StmtKind kind, Span span, const ExprList *args);
void finish_block(Parser *p, BlockKind kind, Span span, const StmtList *stmts);
/* The body, if any, is for the caller to add. */
FunDef *build_function(Parser *p, Span span, SizedType *result, const char *name, Span name_span,
                       const DeclList *args);
/* args NULL for none. */
Annotation build_annotation(Span span, const char *name, const WordList *args);
void finish_function(Parser *p, FunDef *f, const AnnotationList *annotations);
/* Reports T x[sizes]; as the array syntax of old. */
void report_old_array(Parser *p, Span sizes_span, SizedType *t, const char *name,
                      const ExprList *sizes);

/* ---- unexpected.c ---- */

/* Reports the token at `span`, which the grammar does not accept; it would accept the `count`
 * tokens of `expected`. */
void report_unexpected(Parser *p, Span span, const int *expected, int count);

/* ---- source.c ---- */

typedef enum {
  INCLUDE_OK,
  INCLUDE_SKIPPED,
  INCLUDE_NOT_FOUND,
  INCLUDE_RECURSIVE,
  INCLUDE_TOO_LARGE
} IncludeResult;
/* Finds and reads the file that a directive at `directive` asks for. INCLUDE_SKIPPED: a
 * .stanfunctions file that was included before. */
IncludeResult sources_include(Sources *s, Span directive, const char *name, uint32_t *file);

#endif
