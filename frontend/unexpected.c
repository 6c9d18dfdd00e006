/* What is said of a token that the grammar does not accept: what was expected, what was found, and
 * for common mistakes what to write instead. */
#include "frontend/syntax.h"
#include "frontend/parser.h"

#include <string.h>

typedef struct {
  Parser *p;
  bool expected[TOKEN_COUNT];
  int found;
  Span span;
} Unexpected;

/* A hint holds where the grammar would accept `wanted` and the token is `found`. */
typedef struct {
  int wanted, found;
  const char *text;
} Hint;

#define NO_SIZES                                                                                   \
  "The types of a function's arguments and result have no sizes: \"vector\" without \"[N]\"; an "  \
  "array of reals is an \"array[] real\"."
#define NO_CONSTRAINT_IN_FUNCTION(type)                                                            \
  "Functions do not enforce constraints on their arguments or results: use \"" type "\" instead."
#define NO_CONSTRAINT_IN_LOCAL(type)                                                               \
  "Only variables at the top level of a block can have a constrained type, and those of the "      \
  "model "                                                                                         \
  "block cannot: use \"" type "\" instead."
#define BOUND_IS_ARITHMETIC                                                                        \
  "A bound is an arithmetic expression: put one with other operators in parentheses."

static const Hint hints[] = {
    {HINT_AFTER_ARGUMENT_TYPE, LBRACKET, NO_SIZES},
    {HINT_ARGUMENT_TYPE, VECTOR_KIND, NO_CONSTRAINT_IN_FUNCTION("vector")},
    {HINT_ARGUMENT_TYPE, SQUARE_KIND, NO_CONSTRAINT_IN_FUNCTION("matrix")},
    {HINT_ARGUMENT_TYPE, CHOLESKY_FACTOR_COV, NO_CONSTRAINT_IN_FUNCTION("matrix")},
    {HINT_ARGUMENT_TYPE, MATRIX_KIND, NO_CONSTRAINT_IN_FUNCTION("matrix")},
    {HINT_LOCAL_TYPE, VECTOR_KIND, NO_CONSTRAINT_IN_LOCAL("vector")},
    {HINT_LOCAL_TYPE, SQUARE_KIND, NO_CONSTRAINT_IN_LOCAL("matrix")},
    {HINT_LOCAL_TYPE, CHOLESKY_FACTOR_COV, NO_CONSTRAINT_IN_LOCAL("matrix")},
    {HINT_LOCAL_TYPE, MATRIX_KIND, NO_CONSTRAINT_IN_LOCAL("matrix")},
    {HINT_AFTER_LOCAL_TYPE, LESS,
     "Only variables at the top level of a block can have constraints, and those of the model "
     "block "
     "cannot."},
    {HINT_NO_VALUE, ASSIGN,
     "Variables of the data and parameters blocks are declared without a value: expected \";\" or "
     "\",\" after the name."},
    {HINT_BOUND, EQUALITY_OP, BOUND_IS_ARITHMETIC},
    {HINT_BOUND, ORDER_OP, BOUND_IS_ARITHMETIC},
    {HINT_BOUND, LESS, BOUND_IS_ARITHMETIC},
    {HINT_BOUND, OR, BOUND_IS_ARITHMETIC},
    {HINT_BOUND, AND, BOUND_IS_ARITHMETIC},
    {HINT_BOUND, QUESTION, BOUND_IS_ARITHMETIC},
    {INTEGER, STRING,
     "A string can stand only in print, reject and fatal_error, and as the name of a profile."},
};

/* ---- classes of expected tokens ---- */

static const int expression_tokens[] = {INTEGER,  REAL_NUMBER, DOT_NUMBER, IMAGINARY, IDENTIFIER,
                                        TRUNCATE, TARGET,      LPAREN,     LBRACKET,  LBRACE,
                                        NOT,      MINUS,       PLUS,       0};
static const int statement_tokens[] = {
    INTEGER, REAL_NUMBER, DOT_NUMBER, IMAGINARY, IDENTIFIER, TRUNCATE, TARGET,
    LPAREN,  LBRACKET,    LBRACE,     NOT,       MINUS,      PLUS,     RETURN,
    IF,      WHILE,       FOR,        BREAK,     CONTINUE,   PROFILE,  PRINT,
    REJECT,  FATAL_ERROR, JACOBIAN,   SEMICOLON, 0};
static const int operator_tokens[] = {OR,       AND,      EQUALITY_OP, ORDER_OP, LESS,   GREATER,
                                      PLUS,     MINUS,    MUL_OP,      DIV_OP,   POW_OP, TRANSPOSE,
                                      QUESTION, LBRACKET, DOT_NUMBER,  LPAREN,   0};
static const int type_tokens[] = {INT,
                                  REAL,
                                  COMPLEX,
                                  VECTOR,
                                  MATRIX,
                                  VECTOR_KIND,
                                  SQUARE_KIND,
                                  MATRIX_KIND,
                                  ARRAY,
                                  TUPLE,
                                  VOID,
                                  DATA,
                                  CHOLESKY_FACTOR_COV,
                                  HINT_ARGUMENT_TYPE,
                                  0};
static const int declaration_tokens[] = {INT,
                                         REAL,
                                         COMPLEX,
                                         VECTOR,
                                         MATRIX,
                                         VECTOR_KIND,
                                         SQUARE_KIND,
                                         MATRIX_KIND,
                                         CHOLESKY_FACTOR_COV,
                                         ARRAY,
                                         TUPLE,
                                         SEMICOLON,
                                         0};
static const int name_tokens[] = {IDENTIFIER, TRUNCATE, 0};
static const int assignment_tokens[] = {ASSIGN, ADD_ASSIGN, OP_ASSIGN, 0};

/* Where `mark` is expected, and every one of its `with`, the `members` go by `name`. */
typedef struct {
  int mark, with;
  const int *members;
  const char *name;
} Class;

static const Class classes[] = {
    {RETURN, 0, statement_tokens, "a statement"},
    {INTEGER, 0, expression_tokens, "an expression"},
    {VOID, 0, type_tokens, "a function"},
    {HINT_ARGUMENT_TYPE, 0, type_tokens, "the type of an argument"},
    {REAL, RBRACE, declaration_tokens, "a declaration"},
    {REAL, 0, type_tokens, "a type"},
    {MUL_OP, 0, operator_tokens, "an operator"},
    {IDENTIFIER, 0, name_tokens, "a name"},
    {OP_ASSIGN, 0, assignment_tokens, "an assignment (\"=\", \"+=\", ...)"},
};

static const struct {
  int token;
  const char *name;
} names[] = {
    {END, "the end of the file"},
    {LBRACE, "\"{\""},
    {RBRACE, "\"}\""},
    {LPAREN, "\"(\""},
    {RPAREN, "\")\""},
    {LBRACKET, "\"[\""},
    {RBRACKET, "\"]\""},
    {COMMA, "\",\""},
    {SEMICOLON, "\";\""},
    {LESS, "\"<\""},
    {GREATER, "\">\""},
    {BAR, "\"|\""},
    {COLON, "\":\""},
    {ASSIGN, "\"=\""},
    {ADD_ASSIGN, "\"+=\""},
    {TILDE, "\"~\""},
    {AT, "\"@\""},
    {FUNCTIONS, "\"functions\""},
    {DATA, "\"data\""},
    {TRANSFORMED_DATA, "\"transformed data\""},
    {PARAMETERS, "\"parameters\""},
    {TRANSFORMED_PARAMETERS, "\"transformed parameters\""},
    {MODEL, "\"model\""},
    {GENERATED_QUANTITIES, "\"generated quantities\""},
    {LOWER, "\"lower\""},
    {UPPER, "\"upper\""},
    {OFFSET, "\"offset\""},
    {MULTIPLIER, "\"multiplier\""},
    {IN, "\"in\""},
    {ELSE, "\"else\""},
    {STRING, "a string"},
    {TRUNCATE, "a truncation \"T[lower, upper]\""},
    {DOT_NUMBER, "a member \".1\""},
};

/* ---- what was found ---- */

enum { QUOTED_BYTES = 40 };

/* The token as it stands in the source, in quotes. */
static const char *quote(const Unexpected *u, int token, Span span) {
  size_t length;
  const char *text = sources_text(u->p->sources, span.file, &length);
  if (token == END) return "the end of the file";
  size_t n = span.end - span.begin;
  if (token == STRING)
    return n <= QUOTED_BYTES ? arena_strndup(u->p->arena, text + span.begin, n) : "a string";
  return arena_printf(u->p->arena, "\"%.*s\"%s", (int)(n < QUOTED_BYTES ? n : QUOTED_BYTES),
                      text + span.begin, n <= QUOTED_BYTES ? "" : "...");
}

static bool is_block_name(int token) {
  return token == FUNCTIONS || token == DATA || token == TRANSFORMED_DATA || token == PARAMETERS ||
         token == TRANSFORMED_PARAMETERS || token == MODEL || token == GENERATED_QUANTITIES;
}

/* A word of the language, which therefore cannot be a name. */
static bool is_reserved(const Unexpected *u) {
  size_t length;
  const char *text = sources_text(u->p->sources, u->span.file, &length) + u->span.begin;
  char c = u->span.begin < length ? text[0] : '\0';
  bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  return letter && u->found != IDENTIFIER && u->found != TRUNCATE;
}

static bool on_later_line(const Unexpected *u) {
  const Span last = u->p->last.span;
  if (last.file != u->span.file) return false;
  int line, last_line, column;
  sources_locate(u->p->sources, u->span.file, u->span.begin, &line, &column);
  sources_locate(u->p->sources, last.file, last.end, &last_line, &column);
  return line > last_line;
}

/* ---- the message ---- */

static bool is_type(int token) {
  for (const int *t = declaration_tokens; *t; t++)
    if (*t == token && token != SEMICOLON) return true;
  return false;
}

/* Hints that hang on more than one expected token. */
static const char *find_special_hint(const Unexpected *u) {
  const Parser *p = u->p;
  const bool *expected = u->expected;
  if (p->arrow && u->found == SEMICOLON) return "Assignment is written \"=\", not \"<-\".";
  if (p->options.functions_only && is_block_name(u->found))
    return "A file of functions holds their definitions alone, without blocks.";
  if (is_block_name(u->found) && expected[END])
    return "Each block may stand once, in the order functions, data, transformed data, parameters, "
           "transformed parameters, model, generated quantities.";
  if (u->found == DATA && expected[REAL] && expected[RBRACE])
    return "The word \"data\" qualifies arguments of functions, not variables.";
  if (u->found == SEMICOLON && expected[TILDE] && expected[ASSIGN])
    return "An expression alone is no statement: an assignment or \"~\" is missing.";
  if (u->found == RPAREN && expected[COMMA] && !expected[RPAREN] && !expected[MUL_OP])
    return "A tuple of one member has a comma behind it: \"tuple(real,)\".";
  if (is_type(u->found) && p->last.kind == COMMA && expected[IDENTIFIER] && !expected[INTEGER])
    return "Expected a name, found a type: the variables of one declaration are all of the type at "
           "its front.";
  return NULL;
}

static const char *find_hint(const Unexpected *u) {
  for (size_t k = 0; k < sizeof hints / sizeof *hints; k++)
    if (hints[k].found == u->found && u->expected[hints[k].wanted]) return hints[k].text;
  return NULL;
}

/* Names of what was expected, from which the members of classes are taken out. */
static int list_expected(Unexpected *u, const char **list) {
  int count = 0;
  if (u->expected[SEMICOLON] && !u->expected[MUL_OP] && !u->expected[INTEGER])
    u->expected[LBRACKET] = false; /* after a variable's name, it is there for the sake of a hint */
  for (size_t k = 0; k < sizeof classes / sizeof *classes; k++) {
    const Class *c = &classes[k];
    if (!u->expected[c->mark] || (c->with && !u->expected[c->with])) continue;
    list[count++] = c->name;
    for (const int *member = c->members; *member; member++) u->expected[*member] = false;
    u->expected[c->mark] = false;
  }
  for (size_t k = 0; k < sizeof names / sizeof *names; k++)
    if (u->expected[names[k].token]) list[count++] = names[k].name;
  return count;
}

static bool lacks_semicolon(const Unexpected *u) {
  return u->expected[SEMICOLON] && !u->expected[REAL] && u->p->last.kind != RETURN &&
         (u->found == RBRACE || on_later_line(u));
}

static const char *describe(Unexpected *u) {
  Text out = text_new(u->p->arena);
  const Token *last = &u->p->last;
  bool name = u->expected[IDENTIFIER] && !u->expected[INTEGER] && is_reserved(u);
  bool semicolon = lacks_semicolon(u);
  const char *list[TOKEN_COUNT];
  int count = list_expected(u, list);
  text_add(&out, "Expected ");
  if (name) count = 1; /* it is the name that is wrong */
  for (int k = 0; k < count; k++)
    text_printf(&out, "%s%s", k == 0 ? "" : k + 1 < count ? ", " : " or ", list[k]);
  if (last->kind) text_printf(&out, " after %s", quote(u, last->kind, last->span));
  text_printf(&out, ", found %s%s.", name ? "the reserved word " : "", quote(u, u->found, u->span));
  if (semicolon)
    text_printf(&out, " Is a \";\" missing after %s?", quote(u, last->kind, last->span));
  return out.data;
}

void report_unexpected(Parser *p, Span span, const int *expected, int count) {
  Unexpected u = {.p = p, .found = p->found.kind, .span = span};
  for (int k = 0; k < count; k++) u.expected[expected[k]] = true;
  u.expected[AT] &= p->options.allow_annotations;
  const char *message = find_special_hint(&u);
  if (!message) message = find_hint(&u);
  if (!message) message = describe(&u);
  syntax_error(p, span, "%s", message);
}
