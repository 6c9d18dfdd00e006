%code requires {
#include "frontend/syntax.h"
}

%code provides {
/* The scanner, as the grammar calls it. */
int stan_yylex(STAN_YYSTYPE *value, Span *span, Parser *p);
}

%code {
#define YYLLOC_DEFAULT(result, rhs, n)                                                             \
  do {                                                                                             \
    if (n)                                                                                         \
      (result) = span_join(YYRHSLOC(rhs, 1), YYRHSLOC(rhs, n));                                    \
    else                                                                                           \
      (result) = (Span){YYRHSLOC(rhs, 0).file, YYRHSLOC(rhs, 0).end, YYRHSLOC(rhs, 0).end};        \
  } while (0)

/* The stack never moves to the heap, so that leaving a parse by longjmp leaks nothing. */
#define YYINITDEPTH 6000
#define YYMAXDEPTH  YYINITDEPTH

static void stan_yyerror(const Span *span, Parser *p, const char *message);

/* Where a helper has reported an error and returned NULL. */
#define REQUIRE(node)                                                                              \
  do {                                                                                             \
    if (!(node)) YYABORT;                                                                          \
  } while (0)
}

%define api.prefix {stan_yy}
%define api.pure full
%define api.token.raw
%define api.location.type {Span}
%define parse.error custom
%define parse.lac full
%define lr.type ielr
%locations
%param {Parser *p}
%initial-action { @$ = (Span){0}; }
%expect 0

%union {
  const char *text;
  Operator op;
  struct {
    const char *spelling;
    int value;
  } word;
  BaseType base;
  int count;
  bool flag;
  Expr *expr;
  ExprList *exprs;
  Index index;
  IndexList *indices;
  SizedType *type;
  TypeList *types;
  VarDecl *decl;
  DeclList *decls;
  Stmt *stmt;
  StmtList *stmts;
  FunDef *function;
  WordList *words;
  Annotation annotation;
  AnnotationList *annotations;
}

%token END 0 "the end of the file"
/* Sent first, to choose what the file holds. */
%token START_PROGRAM START_FUNCTIONS

%token FUNCTIONS "functions" DATA "data" TRANSFORMED_DATA "transformed data"
%token PARAMETERS "parameters" TRANSFORMED_PARAMETERS "transformed parameters" MODEL "model"
%token GENERATED_QUANTITIES "generated quantities"
%token RETURN "return" IF "if" ELSE "else" WHILE "while" FOR "for" IN "in" BREAK "break"
%token CONTINUE "continue" PROFILE "profile" PRINT "print" REJECT "reject" FATAL_ERROR "fatal_error"
%token TARGET "target"
%token <word> JACOBIAN "jacobian" ARRAY "array" TUPLE "tuple" VOID "void"
%token <word> LOWER "lower" UPPER "upper" OFFSET "offset" MULTIPLIER "multiplier"
%token <word> INT "int" REAL "real" COMPLEX "complex"
%token <word> VECTOR "vector" MATRIX "matrix"
%token <word> VECTOR_KIND "constrained vector" SQUARE_KIND "constrained square matrix"
%token <word> CHOLESKY_FACTOR_COV "cholesky_factor_cov" MATRIX_KIND "constrained matrix"
%token <word> TRUNCATE "T"
%token <text> IDENTIFIER "identifier"
%token <text> INTEGER "integer" REAL_NUMBER "number" DOT_NUMBER "number after a dot"
%token <text> IMAGINARY "imaginary number" STRING "string"
%token LBRACE "{" RBRACE "}" LPAREN "(" RPAREN ")" LBRACKET "[" RBRACKET "]" COMMA "," SEMICOLON ";"
%token LESS "<" GREATER ">" BAR "|" QUESTION "?" COLON ":" NOT "!" MINUS "-" PLUS "+" TRANSPOSE "'"
%token ASSIGN "=" TILDE "~" AT "@" OR "||" AND "&&" ADD_ASSIGN "+="
%token <op> EQUALITY_OP "== or !=" ORDER_OP "<= or >=" MUL_OP "multiplication operator"
%token <op> DIV_OP "%/% or \\" POW_OP "^ or .^" OP_ASSIGN "compound assignment"

/* Never sent: where one of them would be accepted, the message about an error there has a hint. */
%token HINT_ARGUMENT_TYPE HINT_AFTER_ARGUMENT_TYPE HINT_LOCAL_TYPE HINT_AFTER_LOCAL_TYPE
%token HINT_NO_VALUE HINT_BOUND
/* How many tokens there are. */
%token TOKEN_COUNT

%right "?" ":"
%left OR
%left AND
%left EQUALITY_OP
%left ORDER_OP "<" ">"
%left "+" "-"
%left MUL_OP
%left DIV_OP
%precedence UNARY
%right POW_OP
%precedence "'"
%precedence BELOW_ELSE
%precedence ELSE

%type <text> identifier word
%type <word> constrained_kind
%type <base> plain_type
%type <op> prefix
%type <count> commas
%type <flag> data_qualifier
%type <expr> expression bound bound_expression primary optional_bound printable
%type <exprs> expressions optional_expressions printables
%type <index> index truncation
%type <indices> indices
%type <type> result_type argument_type argument_element argument_plain attributes attribute_list
%type <type> local_type local_element local_plain top_type top_element top_plain
%type <type> optional_range optional_constraint range
%type <types> argument_types local_types top_types
%type <decl> argument declarator bare_declarator
%type <decls> arguments optional_arguments declarators bare_declarators
%type <stmt> statement simple_statement nested_statement block body output_statement
%type <stmts> items top_items bare_items local_declaration top_declaration bare_declaration
%type <function> function function_head
%type <words> words optional_words
%type <annotation> annotation
%type <annotations> annotations

%%

input:
  START_PROGRAM functions_block data_block transformed_data_block parameters_block
    transformed_parameters_block model_block generated_quantities_block END
| START_FUNCTIONS library_functions END
;

/* ---- blocks ---- */

functions_block:
  %empty
| functions_begin "{" functions "}" { finish_block(p, BLOCK_FUNCTIONS, @$, NULL); }
;
functions_begin: FUNCTIONS { p->block = BLOCK_FUNCTIONS; } ;

data_block:
  %empty
| data_begin "{" bare_items "}" { finish_block(p, BLOCK_DATA, @$, $3); }
;
data_begin: DATA { p->block = BLOCK_DATA; } ;

transformed_data_block:
  %empty
| transformed_data_begin "{" top_items "}" { finish_block(p, BLOCK_TRANSFORMED_DATA, @$, $3); }
;
transformed_data_begin: TRANSFORMED_DATA { p->block = BLOCK_TRANSFORMED_DATA; } ;

parameters_block:
  %empty
| parameters_begin "{" bare_items "}" { finish_block(p, BLOCK_PARAMETERS, @$, $3); }
;
parameters_begin: PARAMETERS { p->block = BLOCK_PARAMETERS; } ;

transformed_parameters_block:
  %empty
| transformed_parameters_begin "{" top_items "}" {
    finish_block(p, BLOCK_TRANSFORMED_PARAMETERS, @$, $3);
  }
;
transformed_parameters_begin: TRANSFORMED_PARAMETERS { p->block = BLOCK_TRANSFORMED_PARAMETERS; } ;

model_block:
  %empty
| model_begin "{" "}"       { finish_block(p, BLOCK_MODEL, @$, NULL); }
| model_begin "{" items "}" { finish_block(p, BLOCK_MODEL, @$, $3); }
;
model_begin: MODEL { p->block = BLOCK_MODEL; } ;

generated_quantities_block:
  %empty
| generated_quantities_begin "{" top_items "}" {
    finish_block(p, BLOCK_GENERATED_QUANTITIES, @$, $3);
  }
;
generated_quantities_begin: GENERATED_QUANTITIES { p->block = BLOCK_GENERATED_QUANTITIES; } ;

/* data and parameters: declarations without a value */
bare_items:
  %empty                      { $$ = NULL; }
| bare_items bare_declaration { $$ = stmts_join(p, $1, $2); }
| bare_items ";"
;

top_items:
  %empty                    { $$ = NULL; }
| top_items statement       { $$ = stmts_add(p, $1, $2); }
| top_items top_declaration { $$ = stmts_join(p, $1, $2); }
;

/* At least one: in front of an empty list, `{` could begin an array expression, too. */
items:
  statement               { $$ = stmts_add(p, NULL, $1); }
| local_declaration
| items statement         { $$ = stmts_add(p, $1, $2); }
| items local_declaration { $$ = stmts_join(p, $1, $2); }
;

/* ---- functions ---- */

functions:
  %empty
| functions function { finish_function(p, $2, NULL); }
;

library_functions:
  %empty
| library_functions function             { finish_function(p, $2, NULL); }
| library_functions annotations function { finish_function(p, $3, $2); }
;

annotations:
  annotation             { $$ = annotations_add(p, NULL, $1); }
| annotations annotation { $$ = annotations_add(p, $1, $2); }
;
annotation:
  "@" word                        { $$ = build_annotation(@$, $2, NULL); }
| "@" word "(" optional_words ")" { $$ = build_annotation(@$, $2, $4); }
;

optional_words: %empty { $$ = NULL; } | words ;
words:
  word           { $$ = words_add(p, NULL, $1); }
| words "," word { $$ = words_add(p, $1, $3); }
;
word:
  IDENTIFIER
| constrained_kind { $$ = $1.spelling; }
;

function:
  function_head ";"   { $$ = $1; $$->span = @$; }
| function_head block { $$ = $1; $$->span = @$; $$->body = $2; }
;

function_head:
  result_type identifier "(" optional_arguments ")" {
    $$ = build_function(p, @$, $1, $2, @2, $4);
  }
;

result_type:
  VOID { $$ = build_type(p, @$, NULL, T_VOID, NULL, NULL); }
| argument_type
;

optional_arguments: %empty { $$ = NULL; } | arguments ;
arguments:
  argument               { $$ = decls_add(p, NULL, $1); }
| arguments "," argument { $$ = decls_add(p, $1, $3); }
;

argument:
  data_qualifier argument_type identifier { $$ = build_argument(p, @$, $1, $2, $3, @3); }
;
data_qualifier: %empty { $$ = false; } | DATA { $$ = true; } ;

argument_type:
  argument_element
| ARRAY "[" commas "]" argument_element { $$ = build_array_type(p, @$, $5, NULL, $3 + 1); }
;
commas: %empty { $$ = 0; } | commas "," { $$ = $1 + 1; } ;

argument_element:
  argument_plain
| TUPLE "(" argument_type "," ")"                { $$ = build_tuple_type(p, @$, $3, NULL); }
| TUPLE "(" argument_type "," argument_types ")" { $$ = build_tuple_type(p, @$, $3, $5); }
;
argument_types:
  argument_type                    { $$ = types_add(p, NULL, $1); }
| argument_types "," argument_type { $$ = types_add(p, $1, $3); }
;

argument_plain:
  plain_type attributes               { $$ = build_type(p, @$, $2, $1, NULL, NULL); }
| plain_type HINT_AFTER_ARGUMENT_TYPE { $$ = NULL; }
| HINT_ARGUMENT_TYPE                  { $$ = NULL; }
;

plain_type:
  INT     { $$ = (BaseType)$1.value; }
| REAL    { $$ = (BaseType)$1.value; }
| COMPLEX { $$ = (BaseType)$1.value; }
| VECTOR  { $$ = (BaseType)$1.value; }
| MATRIX  { $$ = (BaseType)$1.value; }
;

/* What the library's own sources say of an argument. */
attributes:
  %empty { $$ = NULL; }
| "<" {
    if (!p->options.allow_annotations) {
      syntax_error(p, @1,
                   "Functions do not enforce constraints on their arguments: the type stands "
                   "alone, without \"<...>\".");
      YYABORT;
    }
  } attribute_list ">" { $$ = $3; }
;
attribute_list:
  word                                          { $$ = add_attribute(p, NULL, $1, NULL, NULL); }
| LOWER "=" bound                    { $$ = add_attribute(p, NULL, NULL, $3, NULL); }
| UPPER "=" bound                    { $$ = add_attribute(p, NULL, NULL, NULL, $3); }
| attribute_list "," word                       { $$ = add_attribute(p, $1, $3, NULL, NULL); }
| attribute_list "," LOWER "=" bound { $$ = add_attribute(p, $1, NULL, $5, NULL); }
| attribute_list "," UPPER "=" bound { $$ = add_attribute(p, $1, NULL, NULL, $5); }
;

/* ---- declarations ---- */

/* `T` is a word of its own for truncations, but no reserved one. */
identifier:
  IDENTIFIER
| TRUNCATE { $$ = $1.spelling; }
;

local_declaration:
  local_type declarators ";" { $$ = build_declarations(p, @$, $1, $2); }
| local_type identifier "[" expressions "]" {
    report_old_array(p, @4, $1, $2, $4);
    YYABORT;
  }
;
top_declaration:
  top_type declarators ";" { $$ = build_declarations(p, @$, $1, $2); }
| top_type identifier "[" expressions "]" {
    report_old_array(p, @4, $1, $2, $4);
    YYABORT;
  }
;
bare_declaration:
  top_type bare_declarators ";" { $$ = build_declarations(p, @$, $1, $2); }
| top_type identifier "[" expressions "]" {
    report_old_array(p, @4, $1, $2, $4);
    YYABORT;
  }
;

declarators:
  declarator                 { $$ = decls_add(p, NULL, $1); }
| declarators "," declarator { $$ = decls_add(p, $1, $3); }
;
declarator:
  identifier                { $$ = build_declarator(p, @1, $1, NULL); }
| identifier "=" expression { $$ = build_declarator(p, @1, $1, $3); }
;
bare_declarators:
  bare_declarator                      { $$ = decls_add(p, NULL, $1); }
| bare_declarators "," bare_declarator { $$ = decls_add(p, $1, $3); }
;
bare_declarator:
  identifier               { $$ = build_declarator(p, @1, $1, NULL); }
| identifier HINT_NO_VALUE { $$ = NULL; }
;

/* Types of local variables have sizes and no constraints. */
local_type:
  local_element
| ARRAY "[" expressions "]" local_element { $$ = build_array_type(p, @$, $5, $3, 0); }
;
local_element:
  local_plain
| TUPLE "(" local_type "," ")"             { $$ = build_tuple_type(p, @$, $3, NULL); }
| TUPLE "(" local_type "," local_types ")" { $$ = build_tuple_type(p, @$, $3, $5); }
;
local_types:
  local_type                 { $$ = types_add(p, NULL, $1); }
| local_types "," local_type { $$ = types_add(p, $1, $3); }
;
local_plain:
  INT                       { $$ = build_type(p, @$, NULL, (BaseType)$1.value, NULL, NULL); }
| REAL                      { $$ = build_type(p, @$, NULL, (BaseType)$1.value, NULL, NULL); }
| COMPLEX                   { $$ = build_type(p, @$, NULL, (BaseType)$1.value, NULL, NULL); }
| VECTOR "[" expression "]" { $$ = build_type(p, @$, NULL, (BaseType)$1.value, $3, NULL); }
| MATRIX "[" expression "," expression "]" {
    $$ = build_type(p, @$, NULL, (BaseType)$1.value, $3, $5);
  }
| plain_type_hint { $$ = NULL; }
| HINT_LOCAL_TYPE { $$ = NULL; }
;
plain_type_hint:
  INT HINT_AFTER_LOCAL_TYPE
| REAL HINT_AFTER_LOCAL_TYPE
| COMPLEX HINT_AFTER_LOCAL_TYPE
| VECTOR HINT_AFTER_LOCAL_TYPE
| MATRIX HINT_AFTER_LOCAL_TYPE
;

/* Types of variables at the top level of a block. */
top_type:
  top_element
| ARRAY "[" expressions "]" top_element { $$ = build_array_type(p, @$, $5, $3, 0); }
;
top_element:
  top_plain
| TUPLE "(" top_type "," ")"           { $$ = build_tuple_type(p, @$, $3, NULL); }
| TUPLE "(" top_type "," top_types ")" { $$ = build_tuple_type(p, @$, $3, $5); }
;
top_types:
  top_type               { $$ = types_add(p, NULL, $1); }
| top_types "," top_type { $$ = types_add(p, $1, $3); }
;
top_plain:
  INT optional_range          { $$ = build_type(p, @$, $2, (BaseType)$1.value, NULL, NULL); }
| REAL optional_constraint    { $$ = build_type(p, @$, $2, (BaseType)$1.value, NULL, NULL); }
| COMPLEX optional_constraint { $$ = build_type(p, @$, $2, (BaseType)$1.value, NULL, NULL); }
| VECTOR optional_constraint "[" expression "]" {
    $$ = build_type(p, @$, $2, (BaseType)$1.value, $4, NULL);
  }
| MATRIX optional_constraint "[" expression "," expression "]" {
    $$ = build_type(p, @$, $2, (BaseType)$1.value, $4, $6);
  }
| VECTOR_KIND "[" expression "]" {
    $$ = build_constrained(p, @$, (Constraint)$1.value, T_VECTOR, $3, NULL);
  }
| SQUARE_KIND "[" expression "]" {
    $$ = build_constrained(p, @$, (Constraint)$1.value, T_MATRIX, $3, NULL);
  }
| CHOLESKY_FACTOR_COV "[" expression "]" {
    $$ = build_constrained(p, @$, (Constraint)$1.value, T_MATRIX, $3, NULL);
  }
| CHOLESKY_FACTOR_COV "[" expression "," expression "]" {
    $$ = build_constrained(p, @$, (Constraint)$1.value, T_MATRIX, $3, $5);
  }
| MATRIX_KIND "[" expression "," expression "]" {
    $$ = build_constrained(p, @$, (Constraint)$1.value, T_MATRIX, $3, $5);
  }
;

constrained_kind: VECTOR_KIND | SQUARE_KIND | CHOLESKY_FACTOR_COV | MATRIX_KIND ;

optional_range:
  %empty        { $$ = NULL; }
| "<" range ">" { $$ = $2; }
;
optional_constraint:
  optional_range
| "<" OFFSET "=" bound ">"     { $$ = build_affine(p, $4, NULL); }
| "<" MULTIPLIER "=" bound ">" { $$ = build_affine(p, NULL, $4); }
| "<" OFFSET "=" bound "," MULTIPLIER "=" bound ">" {
    $$ = build_affine(p, $4, $8);
  }
| "<" MULTIPLIER "=" bound "," OFFSET "=" bound ">" {
    $$ = build_affine(p, $8, $4);
  }
;
range:
  LOWER "=" bound                                { $$ = build_bounds(p, $3, NULL); }
| UPPER "=" bound                                { $$ = build_bounds(p, NULL, $3); }
| LOWER "=" bound "," UPPER "=" bound { $$ = build_bounds(p, $3, $7); }
| UPPER "=" bound "," LOWER "=" bound { $$ = build_bounds(p, $7, $3); }
;

/* ---- expressions ---- */

expression:
  expression "?" expression ":" expression {
    REQUIRE($$ = build_ternary(p, @$, $1, $3, $5));
  }
| expression OR expression          { REQUIRE($$ = build_binary(p, @$, OP_OR, $1, $3)); }
| expression AND expression         { REQUIRE($$ = build_binary(p, @$, OP_AND, $1, $3)); }
| expression EQUALITY_OP expression { REQUIRE($$ = build_binary(p, @$, $2, $1, $3)); }
| expression ORDER_OP expression    { REQUIRE($$ = build_binary(p, @$, $2, $1, $3)); }
| expression "<" expression         { REQUIRE($$ = build_binary(p, @$, OP_LT, $1, $3)); }
| expression ">" expression         { REQUIRE($$ = build_binary(p, @$, OP_GT, $1, $3)); }
| expression "+" expression         { REQUIRE($$ = build_binary(p, @$, OP_ADD, $1, $3)); }
| expression "-" expression         { REQUIRE($$ = build_binary(p, @$, OP_SUB, $1, $3)); }
| expression MUL_OP expression      { REQUIRE($$ = build_binary(p, @$, $2, $1, $3)); }
| expression DIV_OP expression      { REQUIRE($$ = build_binary(p, @$, $2, $1, $3)); }
| expression POW_OP expression      { REQUIRE($$ = build_binary(p, @$, $2, $1, $3)); }
| prefix expression %prec UNARY     { REQUIRE($$ = build_unary(p, E_UNARY, @$, $1, $2)); }
| expression "'"                   { REQUIRE($$ = build_unary(p, E_TRANSPOSE, @$, OP_OR, $1)); }
| primary
;

bound:
  bound_expression
| bound_expression HINT_BOUND { $$ = NULL; }
;

prefix:
  "!" { $$ = OP_NOT; }
| "-" { $$ = OP_NEG; }
| "+" { $$ = OP_PLUS; }
;

/* Inside <...>, where `>` ends the constraint: arithmetic alone. */
bound_expression:
  bound_expression "+" bound_expression    { REQUIRE($$ = build_binary(p, @$, OP_ADD, $1, $3)); }
| bound_expression "-" bound_expression    { REQUIRE($$ = build_binary(p, @$, OP_SUB, $1, $3)); }
| bound_expression MUL_OP bound_expression { REQUIRE($$ = build_binary(p, @$, $2, $1, $3)); }
| bound_expression DIV_OP bound_expression { REQUIRE($$ = build_binary(p, @$, $2, $1, $3)); }
| bound_expression POW_OP bound_expression { REQUIRE($$ = build_binary(p, @$, $2, $1, $3)); }
| prefix bound_expression %prec UNARY      { REQUIRE($$ = build_unary(p, E_UNARY, @$, $1, $2)); }
| bound_expression "'" { REQUIRE($$ = build_unary(p, E_TRANSPOSE, @$, OP_OR, $1)); }
| primary
;

primary:
  identifier  { $$ = build_variable(p, @$, $1); }
| INTEGER     { $$ = build_integer(p, @$, $1); }
| REAL_NUMBER { $$ = build_real(p, @$, $1); }
| DOT_NUMBER  { $$ = build_real(p, @$, $1); }
| IMAGINARY   { $$ = build_imaginary(p, @$, $1); }
| "{" expressions "}"          { REQUIRE($$ = build_list(p, E_ARRAY, @$, $2)); }
| "[" optional_expressions "]" { REQUIRE($$ = build_list(p, E_ROW, @$, $2)); }
| identifier "(" optional_expressions ")" {
    REQUIRE($$ = build_call(p, @$, $1, @1, $3, false));
  }
| identifier "(" expression "|" optional_expressions ")" {
    REQUIRE($$ = build_call(p, @$, $1, @1, exprs_prepend(p, $3, $5), true));
  }
| TARGET "(" ")"             { $$ = build_target(p, @$); }
| "(" expression ")"         { REQUIRE($$ = build_unary(p, E_PAREN, @$, OP_OR, $2)); }
| "(" expression "," optional_expressions ")" {
    REQUIRE($$ = build_list(p, E_TUPLE, @$, exprs_prepend(p, $2, $4)));
  }
| primary DOT_NUMBER      { REQUIRE($$ = build_projection(p, @$, $1, $2, @2)); }
| primary "[" indices "]" { REQUIRE($$ = build_index(p, @$, $1, $3)); }
;

optional_expressions: %empty { $$ = NULL; } | expressions ;
expressions:
  expression                 { $$ = exprs_add(p, NULL, $1); }
| expressions "," expression { $$ = exprs_add(p, $1, $3); }
;

indices:
  index             { $$ = indices_add(p, NULL, $1); }
| indices "," index { $$ = indices_add(p, $1, $3); }
;
index:
  %empty                    { $$ = (Index){.kind = INDEX_ALL, .span = @$}; }
| ":"                       { $$ = (Index){.kind = INDEX_ALL, .span = @$}; }
| expression                { $$ = (Index){.kind = INDEX_SINGLE, .a = $1, .span = @$}; }
| expression ":"            { $$ = (Index){.kind = INDEX_FROM, .a = $1, .span = @$}; }
| ":" expression            { $$ = (Index){.kind = INDEX_TO, .b = $2, .span = @$}; }
| expression ":" expression { $$ = (Index){.kind = INDEX_RANGE, .a = $1, .b = $3, .span = @$}; }
;

/* ---- statements ---- */

statement: simple_statement | nested_statement ;

simple_statement:
  primary "=" expression ";" {
    REQUIRE($$ = build_assignment(p, @$, $1, false, OP_ADD, $3));
  }
| primary ADD_ASSIGN expression ";" {
    REQUIRE($$ = build_assignment(p, @$, $1, true, OP_ADD, $3));
  }
| primary OP_ASSIGN expression ";" { REQUIRE($$ = build_assignment(p, @$, $1, true, $2, $3)); }
| identifier "(" optional_expressions ")" ";" {
    $$ = build_statement(p, S_CALL, @$);
    REQUIRE($$->rhs = build_call(p, span_join(@1, @4), $1, @1, $3, false));
  }
| expression "~" identifier "(" optional_expressions ")" truncation ";" {
    $$ = build_tilde(p, @$, $1, $3, @3, $5);
    $$->truncated = $7.a || $7.b;
    $$->lower = $7.a;
    $$->upper = $7.b;
  }
| TARGET ADD_ASSIGN expression ";" {
    $$ = build_statement(p, S_TARGET, @$);
    $$->rhs = $3;
  }
| JACOBIAN ADD_ASSIGN expression ";" {
    $$ = build_statement(p, S_JACOBIAN, @$);
    $$->rhs = $3;
  }
| RETURN expression ";" {
    $$ = build_statement(p, S_RETURN, @$);
    $$->rhs = $2;
  }
| RETURN ";"   { $$ = build_statement(p, S_RETURN, @$); }
| BREAK ";"    { $$ = build_statement(p, S_BREAK, @$); }
| CONTINUE ";" { $$ = build_statement(p, S_CONTINUE, @$); }
| ";"          { $$ = build_statement(p, S_SKIP, @$); }
| output_statement
;

output_statement:
  PRINT "(" printables ")" ";"       { $$ = build_output(p, S_PRINT, @$, $3); }
| REJECT "(" printables ")" ";"      { $$ = build_output(p, S_REJECT, @$, $3); }
| FATAL_ERROR "(" printables ")" ";" { $$ = build_output(p, S_FATAL_ERROR, @$, $3); }
;
printables:
  printable                { $$ = exprs_add(p, NULL, $1); }
| printables "," printable { $$ = exprs_add(p, $1, $3); }
;
printable:
  expression
| STRING { $$ = build_string(p, @$, $1); }
;

truncation:
  %empty                                            { $$ = (Index){.kind = INDEX_ALL}; }
| TRUNCATE "[" optional_bound "," optional_bound "]" {
    $$ = (Index){.kind = INDEX_RANGE, .a = $3, .b = $5, .span = @$};
  }
;
optional_bound: %empty { $$ = NULL; } | expression ;

nested_statement:
  block
| IF "(" expression ")" body %prec BELOW_ELSE {
    $$ = build_statement(p, S_IF, @$);
    $$->cond = $3;
    if (!statement_over(p, $$, $5, NULL)) YYABORT;
  }
| IF "(" expression ")" body ELSE body {
    $$ = build_statement(p, S_IF, @$);
    $$->cond = $3;
    if (!statement_over(p, $$, $5, $7)) YYABORT;
  }
| WHILE "(" expression ")" body {
    $$ = build_statement(p, S_WHILE, @$);
    $$->cond = $3;
    if (!statement_over(p, $$, $5, NULL)) YYABORT;
  }
| FOR "(" identifier IN expression ":" expression ")" body {
    $$ = build_statement(p, S_FOR, @$);
    $$->decl = build_loop_variable(p, @3, $3);
    $$->lhs = $5;
    $$->rhs = $7;
    if (!statement_over(p, $$, $9, NULL)) YYABORT;
  }
| FOR "(" identifier IN expression ")" body {
    $$ = build_statement(p, S_FOREACH, @$);
    $$->decl = build_loop_variable(p, @3, $3);
    $$->rhs = $5;
    if (!statement_over(p, $$, $7, NULL)) YYABORT;
  }
| PROFILE "(" STRING ")" block {
    $$ = $5;
    $$->kind = S_PROFILE;
    $$->span = @$;
    $$->name = build_string(p, @3, $3)->name;
    $$->name_span = @3;
  }
;

body:
  statement
| local_declaration { $$ = statement_of(p, @$, $1); }
;

block:
  "{" "}"       { $$ = build_block(p, @$, NULL); }
| "{" items "}" { REQUIRE($$ = build_block(p, @$, $2)); }
;

%%

/* Hands what an error is made of to unexpected.c. */
static int yyreport_syntax_error(const yypcontext_t *context, Parser *p) {
  yysymbol_kind_t kinds[YYNTOKENS];
  int expected[YYNTOKENS];
  int count = yypcontext_expected_tokens(context, kinds, YYNTOKENS);
  if (count < 0) return count; /* no memory */
  for (int k = 0; k < count; k++) expected[k] = (int)kinds[k];
  report_unexpected(p, *yypcontext_location(context), expected, count);
  return 0;
}

/* Called where the stack is full. */
static void stan_yyerror(const Span *span, Parser *p, const char *message) {
  (void)message;
  syntax_error(p, *span, "This is nested too deeply.");
}

bool parse_tokens(Parser *p, uint32_t file) {
  scanner_begin(p, file);
  bool ok = stan_yyparse(p) == 0;
  scanner_end(p);
  return ok;
}
