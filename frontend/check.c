/* The checker: the blocks in their order; messages; names. */
#include "frontend/check.h"

#include "stdlib_map/signatures.h"

#include <limits.h>
#include <string.h>

enum { MAX_ERRORS = 50 }; /* reported in one program */

/* ---- messages ---- */

bool enough_errors(const Checker *c) { return c->error_count >= MAX_ERRORS; }

void check_error(Checker *c, Span span, const char *format, ...) {
  bool enough = enough_errors(c);
  if (c->error_count < INT_MAX) c->error_count++;
  if (enough) return;
  va_list args;
  va_start(args, format);
  const char *message = arena_vprintf(c->arena, format, args);
  va_end(args);
  diag(c->diagnostics, DIAG_SEMANTIC, span, "%s", message);
}

const char *type_text(Checker *c, const StanType *t) {
  if (t == &type_library_function) return "<library function>";
  Text text = text_new(c->arena);
  type_print(&text, t);
  return text.data;
}

const char *types_text(Checker *c, const Arg *args, int count) {
  Text text = text_new(c->arena);
  text_add(&text, "(");
  for (int k = 0; k < count; k++) {
    if (k) text_add(&text, ", ");
    text_add(&text, type_text(c, args[k].type));
  }
  text_add(&text, ")");
  return text.data;
}

/* ---- names ---- */

const char *block_name(BlockKind block) {
  static const char *const names[] = {[BLOCK_FUNCTIONS] = "functions",
                                      [BLOCK_DATA] = "data",
                                      [BLOCK_TRANSFORMED_DATA] = "transformed data",
                                      [BLOCK_PARAMETERS] = "parameters",
                                      [BLOCK_TRANSFORMED_PARAMETERS] = "transformed parameters",
                                      [BLOCK_MODEL] = "model",
                                      [BLOCK_GENERATED_QUANTITIES] = "generated quantities"};
  return names[block];
}

/* Words that no syntax uses (yet), but that cannot be names. */
static const char *const reserved[] = {
    "generated", "quantities", "transformed", "repeat", "until",  "then",   "true", "false",
    "typedef",   "struct",     "var",         "export", "extern", "static", "auto"};

bool check_identifier(Checker *c, Span span, const char *name) {
  bool taken = name_ends(name, "__");
  for (size_t k = 0; k < sizeof reserved / sizeof *reserved; k++)
    taken |= !strcmp(reserved[k], name);
  if (taken) check_error(c, span, "'%s' is a reserved word and cannot be a name.", name);
  return !taken;
}

bool check_fresh(Checker *c, const VarDecl *v) {
  if (name_is_unnormalised(v->name)) {
    check_error(c, v->name_span,
                "The name '%s' ends in _lupdf or _lupmf, which only functions' names may.",
                v->name);
    return false;
  }
  const Symbol *y = scope_find(c->scope, v->name);
  if (!y || !y->variable) return true;
  check_error(c, v->name_span, "There is a variable '%s' already.", v->name);
  return false;
}

/* ---- suggestions ---- */

enum { LONGEST_NAME = 64 }; /* for which a suggestion is looked for */

static int least(int a, int b) { return a < b ? a : b; }

/* Changes (insertions, deletions, replacements, swaps of neighbours) between two names, of lengths
 * up to LONGEST_NAME. */
static int edit_distance(const char *a, int m, const char *b, int n) {
  int rows[3][LONGEST_NAME + 1];
  int *two = rows[0], *one = rows[1], *now = rows[2];
  for (int k = 0; k <= n; k++) one[k] = k;
  for (int j = 1; j <= m; j++) {
    now[0] = j;
    for (int k = 1; k <= n; k++) {
      now[k] = least(one[k - 1] + (a[j - 1] != b[k - 1]), least(one[k], now[k - 1]) + 1);
      if (j > 1 && k > 1 && a[j - 1] == b[k - 2] && a[j - 2] == b[k - 1])
        now[k] = least(now[k], two[k - 2] + 1);
    }
    int *free = two;
    two = one;
    one = now;
    now = free;
  }
  return one[n];
}

typedef struct {
  const char *name, *best;
  int length, distance; /* of the best so far, or one more than what is allowed */
} Suggestion;

static void suggest(Suggestion *s, const char *name) {
  size_t n = strlen(name);
  if (n > LONGEST_NAME || !strcmp(name, s->name)) return;
  int difference = (int)n - s->length;
  if (difference >= s->distance || -difference >= s->distance) return;
  int distance = edit_distance(s->name, s->length, name, (int)n);
  if (distance >= s->distance) return;
  s->distance = distance;
  s->best = name;
}

static bool in_scope(const Symbol *y) { return y->variable || y->function_count; }

/* The name of a function for one that lacks its ending. */
static const char *complete_name(Checker *c, const char *name) {
  static const char *const endings[] = {"_lpmf", "_lpdf", "_cdf", "_lcdf", "_lccdf", "_rng"};
  for (size_t k = 0; k < sizeof endings / sizeof *endings; k++) {
    const char *longer = arena_printf(c->arena, "%s%s", name, endings[k]);
    const Symbol *y = scope_find(c->scope, longer);
    if (signatures_know(longer) || (y && in_scope(y))) return longer;
  }
  return NULL;
}

const char *did_you_mean(Checker *c, const char *name) {
  Suggestion s = {.name = name, .length = (int)strlen(name)};
  if (s.length > LONGEST_NAME || enough_errors(c)) return "";
  const char *last = name_suffix(name) == SUFFIX_NONE ? NULL : strrchr(name, '_');
  s.distance = least((last ? (int)(last - name) : s.length) / 2, 5) + 1;
  for (size_t k = 0; k < scope_symbol_count(c->scope); k++) {
    const Symbol *y = scope_symbol(c->scope, k);
    if (in_scope(y)) suggest(&s, y->name);
  }
  for (int k = 0; k < signatures_count(); k++) suggest(&s, signatures_name(k));
  if (!s.best) s.best = complete_name(c, name);
  return s.best ? arena_printf(c->arena, " Did you mean '%s'?", s.best) : "";
}

/* ---- the program ---- */

static void check_program_block(Checker *c, BlockKind kind) {
  const Block *b = &c->program->blocks[kind];
  size_t mark = scope_mark(c->scope);
  c->block = kind;
  check_stmts(c, b->stmts, b->stmt_count);
  if (kind == BLOCK_MODEL) scope_leave(c->scope, mark);
}

bool check_program(Arena *arena, Program *program, CheckOptions options, Diagnostics *d) {
  Checker c = {.arena = arena,
               .diagnostics = d,
               .program = program,
               .options = options,
               .scope = scope_new(arena),
               .block = BLOCK_FUNCTIONS};
  declare_functions(&c);
  check_functions(&c);
  for (int kind = BLOCK_DATA; kind < BLOCK_COUNT; kind++) check_program_block(&c, (BlockKind)kind);
  check_second_order(&c);
  return c.error_count == 0;
}
