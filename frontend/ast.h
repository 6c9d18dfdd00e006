/* The syntax tree of a Stan program. The parser builds it with exact spans; the checker fills the
 * fields marked [checked]. Everything lives in the compilation's arena. */
#ifndef STAN2ONNX_FRONTEND_AST_H
#define STAN2ONNX_FRONTEND_AST_H

#include "base/diagnostics.h"
#include "frontend/types.h"

typedef struct Expr Expr;
typedef struct Stmt Stmt;
typedef struct VarDecl VarDecl;
typedef struct FunDef FunDef;

/* ---- expressions ---- */

typedef enum {
  E_INT,       /* 42; value in `integer` */
  E_REAL,      /* 1.5; value in `real`, text in `name` */
  E_IMAGINARY, /* 3i; value in `real` */
  E_STRING,    /* "..."; `name` without its quotes */
  E_VARIABLE,  /* x; `name` */
  E_UNARY,     /* op a: OP_NEG, OP_PLUS, OP_NOT */
  E_TRANSPOSE, /* a' */
  E_BINARY,    /* a op b */
  E_TERNARY,   /* a ? b : c; operands in args[0..2] */
  E_INDEX,     /* args[0] [indices] */
  E_PROJECT,   /* args[0] . integer */
  E_CALL,      /* name(args); `bar` when the first argument is followed by `|` */
  E_ARRAY,     /* {args} */
  E_ROW,       /* [args]: row_vector, or matrix of row_vectors */
  E_TUPLE,     /* (args) */
  E_PAREN,     /* (args[0]) */
  E_TARGET     /* target() */
} ExprKind;

/* Operators, as (enumerator, spelling). */
/* clang-format off */
#define STAN_OPERATORS(X)                                                                          \
  X(OP_OR, "||") X(OP_AND, "&&")                                                                   \
  X(OP_EQ, "==") X(OP_NE, "!=") X(OP_LT, "<") X(OP_LE, "<=") X(OP_GT, ">") X(OP_GE, ">=")          \
  X(OP_ADD, "+") X(OP_SUB, "-") X(OP_MUL, "*") X(OP_DIV, "/") X(OP_MOD, "%")                       \
  X(OP_ELT_MUL, ".*") X(OP_ELT_DIV, "./") X(OP_INT_DIV, "%/%") X(OP_LEFT_DIV, "\\")               \
  X(OP_POW, "^") X(OP_ELT_POW, ".^") X(OP_NEG, "-") X(OP_PLUS, "+") X(OP_NOT, "!")
/* clang-format on */

typedef enum {
#define X(name, spelling) name,
  STAN_OPERATORS(X)
#undef X
} Operator;

typedef enum {
  INDEX_ALL,    /* x[:] or x[] */
  INDEX_SINGLE, /* x[e]; [checked] e is an int, or an array of int for a multi-index */
  INDEX_FROM,   /* x[a:] */
  INDEX_TO,     /* x[:b] */
  INDEX_RANGE   /* x[a:b] */
} IndexKind;

typedef struct {
  IndexKind kind;
  Expr *a, *b; /* INDEX_SINGLE, INDEX_FROM: a; INDEX_TO: b; INDEX_RANGE: both */
  Span span;
} Index;

struct Expr {
  ExprKind kind;
  Span span;
  Operator op;
  int64_t integer;
  double real;
  const char *name;
  Span name_span;
  int arg_count;
  Expr **args;
  bool bar;
  int index_count;
  Index *indices;
  int height; /* levels of the tree, itself included; at most 5000, so that walks may recurse */
  /* [checked] */
  const StanType *type;
  bool data_only;    /* holds no parameter: Stan's ad level "data" (literals, data, int) */
  VarDecl *variable; /* E_VARIABLE: its declaration; NULL for a function's name as an argument */
  FunDef
      *function; /* E_CALL of a user's function, or E_VARIABLE naming one; NULL for the library's */
  const StanType *const
      *promoted; /* E_CALL: the types the arguments are promoted to, arg_count of them */
};

/* ---- declarations ---- */

typedef enum {
  C_NONE,
  C_LOWER,
  C_UPPER,
  C_LOWER_UPPER,
  C_OFFSET,
  C_MULTIPLIER,
  C_OFFSET_MULTIPLIER,
  C_ORDERED,
  C_POSITIVE_ORDERED,
  C_SIMPLEX,
  C_UNIT_VECTOR,
  C_SUM_TO_ZERO_VECTOR,
  C_SUM_TO_ZERO_MATRIX,
  C_CHOLESKY_FACTOR_CORR,
  C_CHOLESKY_FACTOR_COV,
  C_CORR_MATRIX,
  C_COV_MATRIX,
  C_COLUMN_STOCHASTIC_MATRIX,
  C_ROW_STOCHASTIC_MATRIX
} Constraint;

/* A type as it is declared: sizes and constraint. `array[A,B] matrix<lower=0>[R,C]` has
 * base T_MATRIX, array sizes {A, B}, sizes {R, C}. Constrained kinds have the base of what they
 * hold (simplex: T_VECTOR, cov_matrix: T_MATRIX). */
typedef struct SizedType SizedType;
struct SizedType {
  BaseType base;
  Span span;
  int array_dims;
  Expr **array_sizes; /* entries NULL in function arguments (unsized) */
  Expr *sizes[2];     /* vector: 1; matrix: 2; cholesky_factor_cov[K], corr_matrix[K]...: 1 given */
  Constraint constraint;
  Expr *lower, *upper, *offset, *multiplier; /* NULL where not given */
  int member_count;                          /* tuple */
  SizedType **members;
  int attribute_count; /* the library's own sources: bare words in <...>, such as <positive, finite>
                        */
  const char **attributes;
};

typedef enum {
  BLOCK_FUNCTIONS,
  BLOCK_DATA,
  BLOCK_TRANSFORMED_DATA,
  BLOCK_PARAMETERS,
  BLOCK_TRANSFORMED_PARAMETERS,
  BLOCK_MODEL,
  BLOCK_GENERATED_QUANTITIES,
  BLOCK_COUNT
} BlockKind;

/* One declared variable: `array[N] real x = e`; `T a, b = 1` makes two. Function arguments and loop
 * variables have one too. */
struct VarDecl {
  const char *name;
  Span span, name_span;
  SizedType *sized; /* NULL for loop variables */
  Expr *init;       /* NULL if none */
  BlockKind block;  /* block it is declared in */
  bool global;      /* declared at the top level of its block: an input or output of the program */
  bool data_qualified; /* a `data` argument of a function */
  bool is_argument, is_loop_variable;
  /* [checked] */
  const StanType *type;
  bool data_only; /* cannot hold a parameter-dependent value (for locals and arguments of
                     functions false: it depends on the call) */
};

/* ---- statements ---- */

typedef enum {
  S_ASSIGN,   /* lhs op= rhs; `has_op` for compound assignment with `op` */
  S_UNPACK,   /* (targets) = rhs: tuple unpacking; lhs is an E_TUPLE of lvalues */
  S_TARGET,   /* target += rhs */
  S_JACOBIAN, /* jacobian += rhs */
  S_TILDE,    /* lhs ~ name(args) T[lower, upper] */
  S_CALL,     /* void function call; rhs is an E_CALL */
  S_IF,       /* if (cond) body else orelse */
  S_WHILE,    /* while (cond) body */
  S_FOR,      /* for (variable in lhs:rhs) body */
  S_FOREACH,  /* for (variable in rhs) body */
  S_BREAK,
  S_CONTINUE,
  S_RETURN,  /* return rhs; rhs NULL for void */
  S_BLOCK,   /* { stmts } */
  S_PROFILE, /* profile("name") { stmts } */
  S_DECL,    /* one declaration */
  S_PRINT,
  S_REJECT,
  S_FATAL_ERROR, /* args */
  S_SKIP         /* ; */
} StmtKind;

struct Stmt {
  StmtKind kind;
  Span span;
  int height; /* levels of statements, itself included; at most 1000 */
  Expr *lhs, *rhs, *cond;
  bool has_op;
  Operator op;
  /* S_TILDE */
  const char *name;
  Span name_span;
  int arg_count;
  Expr **args; /* S_TILDE, S_PRINT, S_REJECT, S_FATAL_ERROR */
  bool truncated;
  Expr *lower, *upper; /* truncation bounds; NULL where open */
  /* blocks */
  VarDecl *decl; /* S_DECL; loop variable of S_FOR, S_FOREACH */
  Stmt *body, *orelse;
  int stmt_count;
  Stmt **stmts;
  /* [checked] S_TILDE: the density as a call `name_lpdf(lhs | args)` (or _lpmf), types and function
   * resolved, to be evaluated with dropped constants; and where `truncated` the calls of its
   * distribution functions, NULL where not needed. `cdf_lower`: ..._lcdf at lower, ... */
  Expr *density;
};

/* An annotation of the library's sources (stdlib_map): @name or @name(args). User programs may not
 * have any. */
typedef struct {
  const char *name;
  int arg_count;
  const char **args;
  Span span;
} Annotation;

struct FunDef {
  const char *name;
  Span span, name_span;
  SizedType *result; /* base T_VOID for void */
  int arg_count;
  VarDecl **args;
  Stmt *body; /* NULL for a forward declaration */
  int annotation_count;
  Annotation *annotations;
  /* [checked] */
  const StanType *type; /* T_FUNCTION */
  FunDef *definition;   /* of a forward declaration: its definition, where there is one */
};

typedef struct {
  bool present;
  Span span;
  int stmt_count;
  Stmt **stmts; /* data and parameters: only S_DECL */
} Block;

typedef struct {
  int function_count;
  FunDef **functions;
  Block blocks[BLOCK_COUNT]; /* BLOCK_FUNCTIONS: presence only */
} Program;

/* The spelling of an operator. */
const char *operator_spelling(Operator op);
/* Appends the tree as indented text (for --dump-ast). */
void ast_print(Text *out, const Program *program);
/* Appends an expression or declared type as canonical Stan source. */
void expr_print(Text *out, const Expr *e);
void sized_type_print(Text *out, const SizedType *t);

#endif
