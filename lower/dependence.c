/* What the iterations of a loop share: the analysis that decides whether a loop becomes tensor ops
 * or stays a loop. */
#include "lower/trace.h"

#include <string.h>

bool varset_has(const VarSet *set, const VarDecl *v) {
  for (size_t k = 0; k < set->count; k++)
    if (set->items[k] == v) return true;
  return false;
}

static void varset_add(Arena *a, VarSet *set, const VarDecl *v) {
  if (!varset_has(set, v)) ARENA_PUSH(a, set->items, set->count, set->capacity, v);
}

/* ---- walking ---- */

/* One appearance of a variable: whole or with the indices that follow it. */
typedef struct {
  const VarDecl *variable;
  const Expr *expr;      /* the outermost index expression on it, or the variable itself */
  bool write, op_assign; /* op_assign: a write that also reads its place */
  const Stmt *statement;
  int order;        /* in the text */
  bool conditional; /* inside a branch or a while loop within the walked statement */
} Access;

typedef struct {
  Arena *arena;
  size_t count, capacity;
  Access *items;
  VarSet declared; /* inside the walked statement */
  size_t loop_count, loop_capacity;
  const Stmt **loops; /* S_FOR, inside the walked statement */
  const Stmt *statement;
  int order, conditions;
} Walk;

static void walk_expr(Walk *w, const Expr *e);

static void add_access(Walk *w, const VarDecl *v, const Expr *e, bool write, bool op_assign) {
  Access a = {v, e, write, op_assign, w->statement, w->order++, w->conditions > 0};
  ARENA_PUSH(w->arena, w->items, w->count, w->capacity, a);
}

static void walk_indices(Walk *w, const Expr *e) {
  for (int k = 0; k < e->index_count; k++) {
    if (e->indices[k].a) walk_expr(w, e->indices[k].a);
    if (e->indices[k].b) walk_expr(w, e->indices[k].b);
  }
}

/* The variable under a chain of indices and projections, or NULL. */
static const Expr *chain_root(const Expr *e) {
  while (e->kind == E_INDEX || e->kind == E_PROJECT || e->kind == E_PAREN) e = e->args[0];
  return e->kind == E_VARIABLE && e->variable ? e : NULL;
}

static void walk_chain(Walk *w, const Expr *e) {
  for (; e->kind != E_VARIABLE; e = e->args[0]) walk_indices(w, e);
}

/* Functions that read a part of their first argument, as the indices that would: one letter an
 * axis. 's': single, of the next argument that is a position; 'r': a range. Which argument the
 * single indices are, in order. */
static const struct {
  const char *name, *indices;
  int single[2];
} parts[] = {{"row", "s", {1, 0}},      {"col", "rs", {1, 0}},    {"sub_row", "sr", {1, 0}},
             {"sub_col", "rs", {2, 0}}, {"segment", "r", {0, 0}}, {"head", "r", {0, 0}},
             {"tail", "r", {0, 0}},     {"block", "rr", {0, 0}}};

/* sub_col(x, i, j, n) as x[:, j], and so on: what matters here are the single indices. NULL for
 * other calls. */
static const Expr *part_access(Walk *w, const Expr *e) {
  if (e->kind != E_CALL || e->function || e->arg_count < 2 || !chain_root(e->args[0])) return NULL;
  for (size_t k = 0; k < sizeof parts / sizeof *parts; k++) {
    if (strcmp(e->name, parts[k].name) != 0) continue;
    Expr *access = ARENA_NEW(w->arena, Expr);
    int count = (int)strlen(parts[k].indices), single = 0;
    *access = (Expr){
        .kind = E_INDEX, .span = e->span, .arg_count = 1, .args = e->args, .index_count = count};
    access->indices = ARENA_ARRAY(w->arena, Index, (size_t)count);
    for (int j = 0; j < count; j++) {
      bool is_single = parts[k].indices[j] == 's';
      access->indices[j].kind = is_single ? INDEX_SINGLE : INDEX_ALL;
      if (is_single) access->indices[j].a = e->args[parts[k].single[single++]];
    }
    return access;
  }
  return NULL;
}

static void walk_expr(Walk *w, const Expr *e) {
  const Expr *part = part_access(w, e);
  if (part) {
    for (int k = 1; k < e->arg_count; k++) walk_expr(w, e->args[k]);
    e = part;
  }
  const Expr *root = chain_root(e);
  if (root) {
    walk_chain(w, e);
    add_access(w, root->variable, e, false, false);
    return;
  }
  walk_indices(w, e);
  for (int k = 0; k < e->arg_count; k++) walk_expr(w, e->args[k]);
}

static void walk_lvalue(Walk *w, const Expr *e, bool op_assign) {
  if (e->kind == E_TUPLE) {
    for (int k = 0; k < e->arg_count; k++) walk_lvalue(w, e->args[k], op_assign);
    return;
  }
  const Expr *root = chain_root(e);
  if (!root) return;
  walk_chain(w, e);
  add_access(w, root->variable, e, true, op_assign);
}

static void walk_stmt(Walk *w, const Stmt *s);

static void walk_declaration(Walk *w, const VarDecl *d) {
  varset_add(w->arena, &w->declared, d);
  const SizedType *s = d->sized;
  for (int k = 0; s && k < s->array_dims; k++)
    if (s->array_sizes[k]) walk_expr(w, s->array_sizes[k]);
  for (int k = 0; s && k < 2; k++)
    if (s->sizes[k]) walk_expr(w, s->sizes[k]);
  if (d->init) {
    walk_expr(w, d->init);
    Expr *self = ARENA_NEW(w->arena, Expr);
    *self = (Expr){.kind = E_VARIABLE, .variable = (VarDecl *)d, .name = d->name};
    add_access(w, d, self, true, false);
  }
}

static void walk_children(Walk *w, const Stmt *s) {
  bool conditional = s->kind == S_IF || s->kind == S_WHILE;
  const Expr *exprs[] = {s->cond, s->kind == S_ASSIGN || s->kind == S_UNPACK ? NULL : s->lhs,
                         s->rhs, s->lower, s->upper};
  for (size_t k = 0; k < sizeof exprs / sizeof *exprs; k++)
    if (exprs[k]) walk_expr(w, exprs[k]);
  for (int k = 0; k < s->arg_count; k++) walk_expr(w, s->args[k]);
  if ((s->kind == S_FOR || s->kind == S_FOREACH) && s->decl)
    varset_add(w->arena, &w->declared, s->decl);
  if (s->kind == S_FOR) ARENA_PUSH(w->arena, w->loops, w->loop_count, w->loop_capacity, s);
  if (s->kind == S_DECL) walk_declaration(w, s->decl);
  w->conditions += conditional;
  if (s->body) walk_stmt(w, s->body);
  if (s->orelse) walk_stmt(w, s->orelse);
  for (int k = 0; k < s->stmt_count; k++) walk_stmt(w, s->stmts[k]);
  w->conditions -= conditional;
}

static void walk_stmt(Walk *w, const Stmt *s) {
  const Stmt *outer = w->statement;
  w->statement = s;
  walk_children(w, s);
  w->statement = s;
  if (s->kind == S_ASSIGN || s->kind == S_UNPACK) walk_lvalue(w, s->lhs, s->has_op);
  w->statement = outer;
}

VarSet assigned_variables(Arena *a, const Stmt *s) {
  Walk w = {.arena = a};
  VarSet set = {0};
  walk_stmt(&w, s);
  for (size_t k = 0; k < w.count; k++)
    if (w.items[k].write && !varset_has(&w.declared, w.items[k].variable))
      varset_add(a, &set, w.items[k].variable);
  return set;
}

VarSet read_variables(Arena *a, const Stmt *s) {
  Walk w = {.arena = a};
  VarSet set = {0};
  walk_stmt(&w, s);
  for (size_t k = 0; k < w.count; k++)
    if (!w.items[k].write && !varset_has(&w.declared, w.items[k].variable))
      varset_add(a, &set, w.items[k].variable);
  return set;
}

static void add_escapes(const Stmt *s, bool in_loop, Escapes *e) {
  if (s->kind == S_RETURN) e->returns = true;
  if (s->kind == S_BREAK && !in_loop) e->breaks = true;
  if (s->kind == S_CONTINUE && !in_loop) e->continues = true;
  in_loop |= s->kind == S_FOR || s->kind == S_FOREACH || s->kind == S_WHILE;
  if (s->body) add_escapes(s->body, in_loop, e);
  if (s->orelse) add_escapes(s->orelse, in_loop, e);
  for (int k = 0; k < s->stmt_count; k++) add_escapes(s->stmts[k], in_loop, e);
}

Escapes find_escapes(const Stmt *s) {
  Escapes e = {0};
  add_escapes(s, false, &e);
  return e;
}

const VarDecl *lvalue_variable(const Expr *lvalue) {
  const Expr *root = chain_root(lvalue);
  return root ? root->variable : NULL;
}

/* ---- comparing expressions ---- */

static bool same_expr(const Expr *a, const Expr *b) {
  while (a->kind == E_PAREN) a = a->args[0];
  while (b->kind == E_PAREN) b = b->args[0];
  if (a->kind != b->kind || a->arg_count != b->arg_count || a->index_count != b->index_count)
    return false;
  switch (a->kind) {
  case E_VARIABLE: return a->variable && a->variable == b->variable;
  case E_INT:
  case E_PROJECT:
    if (a->integer != b->integer) return false;
    break;
  case E_UNARY:
  case E_BINARY:
    if (a->op != b->op) return false;
    break;
  case E_INDEX: break;
  case E_CALL:
    if (strcmp(a->name, b->name) != 0) return false;
    break;
  default: return false;
  }
  for (int k = 0; k < a->arg_count; k++)
    if (!same_expr(a->args[k], b->args[k])) return false;
  for (int k = 0; k < a->index_count; k++) {
    const Index *x = &a->indices[k], *y = &b->indices[k];
    if (x->kind != y->kind || !x->a != !y->a || !x->b != !y->b) return false;
    if ((x->a && !same_expr(x->a, y->a)) || (x->b && !same_expr(x->b, y->b))) return false;
  }
  return true;
}

static bool mentions(Arena *a, const Expr *e, const VarDecl *v, const VarSet *assigned) {
  Walk w = {.arena = a};
  walk_expr(&w, e);
  for (size_t k = 0; k < w.count; k++)
    if (w.items[k].variable == v || (assigned && varset_has(assigned, w.items[k].variable)))
      return true;
  return false;
}

/* i, i + c, c + i, i - c, c - i with c the same in every iteration: different in each. */
static bool injective(Arena *a, const Expr *e, const VarDecl *i, const VarSet *assigned) {
  while (e->kind == E_PAREN) e = e->args[0];
  if (e->kind == E_VARIABLE) return e->variable == i;
  if (e->kind != E_BINARY || (e->op != OP_ADD && e->op != OP_SUB)) return false;
  const Expr *x = e->args[0], *y = e->args[1];
  return (injective(a, x, i, assigned) && !mentions(a, y, i, assigned)) ||
         (injective(a, y, i, assigned) && !mentions(a, x, i, assigned));
}

const Expr *as_increment(const Stmt *s, bool *negative) {
  *negative = false;
  if (s->kind != S_ASSIGN) return NULL;
  if (s->has_op) {
    *negative = s->op == OP_SUB;
    return s->op == OP_ADD || s->op == OP_SUB ? s->rhs : NULL;
  }
  const Expr *e = s->rhs;
  while (e->kind == E_PAREN) e = e->args[0];
  if (e->kind != E_BINARY || (e->op != OP_ADD && e->op != OP_SUB)) return NULL;
  *negative = e->op == OP_SUB;
  if (same_expr(e->args[0], s->lhs)) return e->args[1];
  return e->op == OP_ADD && same_expr(e->args[1], s->lhs) ? e->args[0] : NULL;
}

/* ---- dependence ---- */

enum { MAX_CHAIN = 16 };

/* The index expressions on an access, from the variable outwards; all must be single for a position
 * to count. */
static int chain_indices(const Expr *e, const Index **out) {
  int n = 0;
  const Expr *stack[MAX_CHAIN];
  int depth = 0;
  for (; e->kind != E_VARIABLE; e = e->args[0])
    if (e->kind == E_INDEX) {
      if (depth == MAX_CHAIN) return 0;
      stack[depth++] = e;
    }
  while (depth-- > 0)
    for (int k = 0; k < stack[depth]->index_count; k++) {
      if (n == MAX_CHAIN) return n;
      out[n++] = &stack[depth]->indices[k];
    }
  return n;
}

static const Expr *index_at(const Expr *e, int position) {
  const Index *indices[MAX_CHAIN];
  int n = chain_indices(e, indices);
  if (position >= n || indices[position]->kind != INDEX_SINGLE) return NULL;
  return indices[position]->a->type && indices[position]->a->type->array_dims
             ? NULL
             : indices[position]->a;
}

/* e = base + *shift, with a literal shift. */
static const Expr *without_shift(const Expr *e, int64_t *shift) {
  *shift = 0;
  for (;;) {
    while (e->kind == E_PAREN) e = e->args[0];
    if (e->kind != E_BINARY || (e->op != OP_ADD && e->op != OP_SUB) || e->args[1]->kind != E_INT)
      return e;
    *shift += e->op == OP_ADD ? e->args[1]->integer : -e->args[1]->integer;
    e = e->args[0];
  }
}

/* Whether two accesses are to different elements in all iterations: some index of theirs is the
 * same in all but a literal. */
static bool never_meet(Arena *a, const Access *x, const Access *y, const VarDecl *i,
                       const VarSet *assigned) {
  for (int p = 0; p < MAX_CHAIN; p++) {
    const Expr *e = index_at(x->expr, p), *f = index_at(y->expr, p);
    int64_t m, n;
    if (!e || !f) continue;
    e = without_shift(e, &m);
    f = without_shift(f, &n);
    if (m != n && same_expr(e, f) && !mentions(a, e, i, assigned)) return true;
  }
  return false;
}

/* A read of elements that no iteration writes: gamma[t - 1, j] where gamma[t, k] is written. */
static bool reads_others(Arena *a, const Walk *w, const Access *x, const VarDecl *i,
                         const VarSet *assigned) {
  if (x->write) return false;
  for (size_t k = 0; k < w->count; k++)
    if (w->items[k].variable == x->variable && w->items[k].write &&
        !never_meet(a, x, &w->items[k], i, assigned))
      return false;
  return true;
}

/* Whether some index position holds one and the same injective expression of the loop variable in
 * every access to elements that are written. */
static bool own_elements(Arena *a, const Walk *w, const VarDecl *v, const VarDecl *i,
                         const VarSet *assigned) {
  bool *apart = ARENA_ARRAY(a, bool, w->count);
  for (size_t k = 0; k < w->count; k++)
    apart[k] = w->items[k].variable == v && reads_others(a, w, &w->items[k], i, assigned);
  for (int p = 0; p < MAX_CHAIN; p++) {
    const Expr *common = NULL;
    bool ok = true;
    for (size_t k = 0; ok && k < w->count; k++) {
      if (w->items[k].variable != v || apart[k]) continue;
      const Expr *e = index_at(w->items[k].expr, p);
      if (!e || (common && !same_expr(common, e)))
        ok = false;
      else
        common = e;
    }
    if (ok && common && injective(a, common, i, assigned)) return true;
  }
  return false;
}

static bool only_increments(const Walk *w, const VarDecl *v) {
  for (size_t k = 0; k < w->count; k++) {
    const Access *x = &w->items[k];
    if (x->variable != v) continue;
    bool negative;
    const Expr *e = as_increment(x->statement, &negative);
    if (!e || lvalue_variable(x->statement->lhs) != v) return false;
    if (x->write) continue;
    /* a read: only the one that the increment itself makes */
    if (x->statement->has_op || !same_expr(x->expr, x->statement->lhs)) return false;
    int reads = 0;
    for (size_t j = 0; j < w->count; j++)
      reads +=
          w->items[j].variable == v && !w->items[j].write && w->items[j].statement == x->statement;
    if (reads != 1) return false;
  }
  return true;
}

/* Whether v is the variable of an inner loop that runs over the same range in every iteration of
 * the outer one. */
static bool runs_alike(Arena *a, const Walk *w, const VarDecl *v, const VarDecl *i,
                       const VarSet *assigned) {
  for (size_t k = 0; k < w->loop_count; k++) {
    const Stmt *s = w->loops[k];
    if (s->decl == v) return !mentions(a, s->lhs, i, assigned) && !mentions(a, s->rhs, i, assigned);
  }
  return false;
}

/* Written at the same places in every iteration, before anything is read. */
static bool private_to_iteration(Arena *a, const Walk *w, const VarDecl *v, const VarDecl *i,
                                 const VarSet *assigned) {
  int first_write = -1, first_read = -1;
  const Access *definition = NULL;
  for (size_t k = 0; k < w->count; k++) {
    const Access *x = &w->items[k];
    if (x->variable != v) continue;
    if (x->write && first_write < 0) {
      if (x->op_assign || x->conditional) return false;
      first_write = x->order;
      definition = x;
    }
    if (!x->write && first_read < 0) first_read = x->order;
  }
  if (!definition || (first_read >= 0 && first_read < first_write)) return false;
  if (definition->expr->kind == E_VARIABLE) return true;
  /* elements: only when every write goes to places that do not depend on the iteration */
  VarSet others = {0};
  for (size_t k = 0; k < assigned->count; k++)
    if (assigned->items[k] != v && !runs_alike(a, w, assigned->items[k], i, assigned))
      varset_add(a, &others, assigned->items[k]);
  for (size_t k = 0; k < w->count; k++) {
    const Access *x = &w->items[k];
    if (x->variable != v || !x->write) continue;
    if (x->op_assign || x->conditional) return false;
    const Index *indices[MAX_CHAIN];
    int n = chain_indices(x->expr, indices);
    for (int p = 0; p < n; p++)
      if ((indices[p]->a && mentions(a, indices[p]->a, i, &others)) ||
          (indices[p]->b && mentions(a, indices[p]->b, i, &others)))
        return false;
  }
  /* reads inside the loops that fill it must be of the element just written */
  int last_write = first_write;
  for (size_t k = 0; k < w->count; k++)
    if (w->items[k].variable == v && w->items[k].write) last_write = w->items[k].order;
  for (size_t k = 0; k < w->count; k++) {
    const Access *x = &w->items[k];
    if (x->variable == v && !x->write && x->order < last_write &&
        !same_expr(x->expr, definition->expr))
      return false;
  }
  return true;
}

/* Written but never read: the last write to a place wins, as in the loop, if one statement writes.
 */
static bool only_written_once(const Walk *w, const VarDecl *v) {
  int writes = 0;
  for (size_t k = 0; k < w->count; k++) {
    if (w->items[k].variable != v) continue;
    if (!w->items[k].write || w->items[k].op_assign || w->items[k].conditional) return false;
    if (w->items[k].expr->kind == E_VARIABLE) return false;
    writes++;
  }
  return writes == 1;
}

Dependence loop_dependence(Arena *a, const VarDecl *loop_variable, const Stmt *body,
                           const VarDecl *v) {
  Walk w = {.arena = a};
  walk_stmt(&w, body);
  VarSet assigned = {0};
  for (size_t k = 0; k < w.count; k++)
    if (w.items[k].write) varset_add(a, &assigned, w.items[k].variable);
  for (size_t k = 0; k < w.declared.count; k++) varset_add(a, &assigned, w.declared.items[k]);
  if (only_increments(&w, v)) return DEP_REDUCTION;
  if (own_elements(a, &w, v, loop_variable, &assigned)) return DEP_NONE;
  if (private_to_iteration(a, &w, v, loop_variable, &assigned)) return DEP_PRIVATE;
  if (only_written_once(&w, v)) return DEP_NONE;
  return DEP_SEQUENTIAL;
}
