/* Statements: types, what may be assigned to, what is allowed where, whether they return. */
#include "frontend/check.h"

#include <string.h>

/* ---- places to assign to ---- */

static bool check_assignable(Checker *c, const Expr *e) {
  const VarDecl *v = e->variable;
  if (!v && e->function && c->block == BLOCK_FUNCTIONS) return true; /* its type will not fit */
  if (!v) {
    check_error(c, e->span, "'%s' is a function, which cannot be assigned to.", e->name);
    return false;
  }
  if (v->global && v->block != c->block) {
    check_error(c, e->span, "Cannot assign to '%s', which was declared in the %s block.", e->name,
                block_name(v->block));
    return false;
  }
  if (v->is_argument || v->is_loop_variable) {
    check_error(c, e->span, "Cannot assign to '%s': it is %s.", e->name,
                v->is_argument ? "a function's argument" : "a loop variable");
    return false;
  }
  return true;
}

/* The variable, if it may be assigned to. In stanc's order: first whether it may, then its use. */
static const AdLevel *check_variable_place(Checker *c, Expr *e) {
  const Symbol *y = scope_find(c->scope, e->name);
  if (y && y->variable && check_identifier(c, e->span, e->name)) {
    e->variable = y->variable;
    if (!check_assignable(c, e)) {
      e->type = &type_error;
      return NULL;
    }
  }
  const AdLevel *ad = check_expr(c, e);
  if (is_error(e)) return NULL;
  return e->variable || check_assignable(c, e) ? ad : NULL;
}

static const AdLevel *check_place(Checker *c, Expr *e);

static bool is_multi(const Index *i) {
  return i->kind != INDEX_SINGLE || i->a->type->array_dims > 0;
}

static bool has_multi_index(const Expr *e) {
  for (; e->kind == E_INDEX; e = e->args[0])
    for (int k = 0; k < e->index_count; k++)
      if (is_multi(&e->indices[k])) return true;
  return false;
}

static const AdLevel *check_indexed_place(Checker *c, Expr *e) {
  const AdLevel *base = check_place(c, e->args[0]);
  const AdLevel **ads = ARENA_ARRAY(c->arena, const AdLevel *, (size_t)e->index_count + 1);
  bool ok = base != NULL;
  for (int k = 0; k < e->index_count; k++) {
    ads[k] = check_index(c, &e->indices[k]);
    ok &= ads[k] != NULL;
  }
  const StanType *type =
      ok ? indexed_type(c, e->span, e->args[0]->type, e->indices, e->index_count) : NULL;
  if (type && has_multi_index(e->args[0])) {
    check_error(c, e->span,
                "The left hand side of an assignment cannot index what a multi-index selects.");
    type = NULL;
  }
  e->type = type ? type : &type_error;
  return type ? indexed_level(c, base, ads, e->index_count, type) : NULL;
}

static const AdLevel *check_member_place(Checker *c, Expr *e) {
  const AdLevel *ad = check_place(c, e->args[0]);
  const StanType *type = ad ? projected_type(c, e) : NULL;
  e->type = type ? type : &type_error;
  return type ? ad->members[e->integer - 1] : NULL;
}

/* The targets of an unpacking, as a tuple. */
static const AdLevel *check_tuple_place(Checker *c, Expr *e) {
  const AdLevel **ads = ARENA_ARRAY(c->arena, const AdLevel *, (size_t)e->arg_count + 1);
  const StanType **members = ARENA_ARRAY(c->arena, const StanType *, (size_t)e->arg_count + 1);
  bool ok = true;
  for (int k = 0; k < e->arg_count; k++) {
    ads[k] = check_place(c, e->args[k]);
    members[k] = e->args[k]->type;
    ok &= ads[k] != NULL;
  }
  e->type = ok ? type_tuple(c->arena, members, e->arg_count, 0) : &type_error;
  AdLevel own = {.count = e->arg_count, .members = ads};
  return ok ? ad_of_type(c->arena, &own, e->type) : NULL;
}

static const AdLevel *check_place_kind(Checker *c, Expr *e) {
  switch (e->kind) {
  case E_VARIABLE: return check_variable_place(c, e);
  case E_INDEX: return check_indexed_place(c, e);
  case E_PROJECT: return check_member_place(c, e);
  case E_TUPLE: return check_tuple_place(c, e);
  case E_PAREN: {
    const AdLevel *ad = check_place(c, e->args[0]);
    e->type = e->args[0]->type;
    return ad;
  }
  default:
    e->type = &type_error;
    check_error(c, e->span, "This cannot be assigned to.");
    return NULL;
  }
}

/* The level of the place, or NULL (reported); fills the types. */
static const AdLevel *check_place(Checker *c, Expr *e) {
  const AdLevel *ad = check_place_kind(c, e);
  e->data_only = ad && ad->data;
  return ad;
}

/* ---- unpacking: no place may be written twice, none written and read ---- */

typedef struct {
  Checker *c;
  size_t count, capacity;
  const Expr **items;
} Places;

static void collect_places(Places *p, const Expr *e) {
  if (e->kind == E_TUPLE)
    for (int k = 0; k < e->arg_count; k++) collect_places(p, e->args[k]);
  else
    ARENA_PUSH(p->c->arena, p->items, p->count, p->capacity, e);
}

static const Expr *without_indices(const Expr *e) {
  while (e->kind == E_INDEX || e->kind == E_PAREN) e = e->args[0];
  return e;
}

static const Expr *place_root(const Expr *e) {
  while (e->kind != E_VARIABLE) e = e->args[0];
  return e;
}

/* The members on the way from the variable to the place, outermost last; indices do not count. */
static int member_path(const Expr *e, int64_t *path, int limit) {
  int n = 0;
  for (e = without_indices(e); e->kind == E_PROJECT; e = without_indices(e->args[0]))
    if (n++ < limit) path[n - 1] = e->integer;
  return n;
}

/* Whether one place is the other, or within it. */
static bool places_overlap(const Expr *a, const Expr *b) {
  enum { LIMIT = 64 };
  int64_t x[LIMIT], y[LIMIT];
  if (strcmp(place_root(a)->name, place_root(b)->name)) return false;
  int m = member_path(a, x, LIMIT), n = member_path(b, y, LIMIT);
  if (m > LIMIT || n > LIMIT) return true;
  for (int k = 1; k <= m && k <= n; k++)
    if (x[m - k] != y[n - k]) return false;
  return true;
}

static bool reads_variable(const Expr *e, const VarDecl *v) {
  if (!e) return false;
  if (e->kind == E_VARIABLE) return e->variable == v;
  for (int k = 0; k < e->arg_count; k++)
    if (reads_variable(e->args[k], v)) return true;
  for (int k = 0; k < e->index_count; k++)
    if (reads_variable(e->indices[k].a, v) || reads_variable(e->indices[k].b, v)) return true;
  return false;
}

/* Whether an index within the place reads v. */
static bool place_reads(const Expr *e, const VarDecl *v) {
  if (!v) return false;
  for (; e->kind != E_VARIABLE; e = e->args[0])
    for (int k = 0; k < e->index_count; k++)
      if (reads_variable(e->indices[k].a, v) || reads_variable(e->indices[k].b, v)) return true;
  return false;
}

static bool check_places_apart(Checker *c, const Expr *lhs) {
  Places p = {.c = c};
  collect_places(&p, lhs);
  for (size_t j = 0; j < p.count; j++)
    for (size_t k = j + 1; k < p.count; k++)
      if (places_overlap(p.items[j], p.items[k])) {
        check_error(c, lhs->span,
                    "One assignment cannot assign to the same value ('%s') more than once.",
                    place_root(p.items[j])->name);
        return false;
      }
  for (size_t j = 0; j < p.count; j++)
    for (size_t k = 0; k < p.count; k++)
      if (place_reads(p.items[k], place_root(p.items[j])->variable)) {
        check_error(c, lhs->span,
                    "The left hand side of an assignment cannot read '%s', to which it assigns.",
                    place_root(p.items[j])->name);
        return false;
      }
  return true;
}

/* ---- assignments ---- */

static bool refuse_function(Checker *c, const Stmt *s, const Expr *target, const StanType *type) {
  if (type->base == T_FUNCTION) {
    check_error(c, s->span, "A function (of type %s) cannot be assigned to a variable.",
                type_text(c, type));
    return true;
  }
  for (int k = 0; type->base == T_TUPLE && k < type->member_count; k++)
    if (refuse_function(c, s, target, type->members[k])) return true;
  return false;
}

static bool assignment_fits(const Checker *c, const Expr *target, const StanType *type) {
  if (target->kind != E_TUPLE) return type_accepts(c, target->type, type);
  if (type->base != T_TUPLE || type->array_dims || type->member_count != target->arg_count)
    return false;
  for (int k = 0; k < target->arg_count; k++)
    if (!assignment_fits(c, target->args[k], type->members[k])) return false;
  return true;
}

static void warn_of_self_assignment(Checker *c, const Stmt *s) {
  const Expr *a = s->lhs, *b = s->rhs;
  while (b->kind == E_PAREN) b = b->args[0];
  if (a->kind == E_VARIABLE && b->kind == E_VARIABLE && a->variable == b->variable)
    diag(c->diagnostics, DIAG_WARNING, s->span, "'%s' is assigned to itself.", a->name);
}

static void check_assignment(Checker *c, Stmt *s) {
  const AdLevel *place = check_place(c, s->lhs);
  if (place && !check_places_apart(c, s->lhs)) place = NULL;
  const AdLevel *ad = check_expr(c, s->rhs);
  if (!place || is_error(s->rhs)) return;
  const StanType *to = s->lhs->type, *from = s->rhs->type;
  if (s->has_op) {
    Arg a = {s->lhs, to, place}, b = {s->rhs, from, ad};
    if (compound_assignment_fits(c, s->op, &a, &b)) return;
    check_error(c, s->rhs->span,
                "The assignment operator %s= cannot change a value of type %s by one of type %s.",
                operator_spelling(s->op), type_text(c, to), type_text(c, from));
    return;
  }
  warn_of_self_assignment(c, s);
  if (refuse_function(c, s, s->lhs, from)) return;
  if (assignment_fits(c, s->lhs, from)) return;
  check_error(c, s->rhs->span, "A value of type %s cannot be assigned to a variable of type %s.",
              type_text(c, from), type_text(c, to));
}

/* ---- the target ---- */

static void check_increment(Checker *c, Stmt *s, bool allowed, const char *what) {
  check_expr(c, s->rhs);
  if (is_error(s->rhs)) return;
  if (!allowed && !c->options.is_library)
    check_error(c, s->span, "%s", what);
  else if (s->rhs->type->base == T_FUNCTION)
    check_error(c, s->span, "Only numbers and containers of them can be added, not %s.",
                type_text(c, s->rhs->type));
}

/* ---- control ---- */

static Flow check_scoped(Checker *c, Stmt *s) {
  size_t mark = scope_mark(c->scope);
  Flow flow = check_stmt(c, s);
  scope_leave(c->scope, mark);
  return flow;
}

static Flow check_if(Checker *c, Stmt *s) {
  check_int(c, s->cond, "The condition of 'if'");
  Flow yes = check_scoped(c, s->body), no = s->orelse ? check_scoped(c, s->orelse) : FLOW_RUNS_ON;
  if (yes == FLOW_RETURNS && no == FLOW_RETURNS) return FLOW_RETURNS;
  return yes == FLOW_BREAKS || no == FLOW_BREAKS ? FLOW_BREAKS : FLOW_RUNS_ON;
}

static Flow check_loop_body(Checker *c, Stmt *s, VarDecl *variable) {
  size_t mark = scope_mark(c->scope);
  if (variable && check_fresh(c, variable)) scope_declare(c->scope, variable);
  c->loop_depth++;
  Flow flow = check_stmt(c, s->body);
  c->loop_depth--;
  scope_leave(c->scope, mark);
  return flow;
}

static Flow check_while(Checker *c, Stmt *s) {
  check_int(c, s->cond, "The condition of 'while'");
  Flow flow = check_loop_body(c, s, NULL);
  bool forever = s->cond->kind == E_INT && s->cond->integer != 0;
  return flow == FLOW_RETURNS || (flow == FLOW_RUNS_ON && forever) ? FLOW_RETURNS : FLOW_RUNS_ON;
}

static void declare_loop_variable(Checker *c, VarDecl *v, const StanType *type) {
  v->type = type;
  v->data_only = c->block == BLOCK_TRANSFORMED_DATA;
  check_identifier(c, v->name_span, v->name);
}

static Flow check_for(Checker *c, Stmt *s) {
  check_int(c, s->lhs, "The lower bound of a loop");
  check_int(c, s->rhs, "The upper bound of a loop");
  declare_loop_variable(c, s->decl, &type_int);
  return check_loop_body(c, s, s->decl) == FLOW_RETURNS ? FLOW_RETURNS : FLOW_RUNS_ON;
}

static Flow check_foreach(Checker *c, Stmt *s) {
  check_expr(c, s->rhs);
  const StanType *t = s->rhs->type, *element = &type_error;
  if (t->array_dims)
    element = type_array_of(c->arena, t, -1);
  else if (t->base == T_VECTOR || t->base == T_ROW_VECTOR || t->base == T_MATRIX)
    element = &type_real;
  else if (!is_error(s->rhs))
    check_error(c, s->rhs->span,
                "A loop runs over an array, a vector, a row_vector or a matrix, not over %s.",
                type_text(c, t));
  declare_loop_variable(c, s->decl, element);
  return check_loop_body(c, s, s->decl) == FLOW_RETURNS ? FLOW_RETURNS : FLOW_RUNS_ON;
}

static Flow check_escape(Checker *c, const Stmt *s) {
  bool leaves = s->kind == S_BREAK;
  if (c->loop_depth == 0)
    check_error(c, s->span, "'%s' can only be used in a loop.", leaves ? "break" : "continue");
  return leaves ? FLOW_BREAKS : FLOW_RUNS_ON;
}

static Flow check_return(Checker *c, Stmt *s) {
  const StanType *result = c->function ? c->function->type->result : &type_void;
  if (!s->rhs) {
    if (!c->function || result->base != T_VOID)
      check_error(c, s->span, "'return' without a value can only be used in void functions.");
    return FLOW_RETURNS;
  }
  if (result->base == T_VOID) {
    check_error(c, s->span,
                "'return' with a value can only be used in functions that are not void.");
    return FLOW_RETURNS;
  }
  check_expr(c, s->rhs);
  if (is_error(s->rhs) || type_accepts(c, result, s->rhs->type)) return FLOW_RETURNS;
  check_error(c, s->span, "The function returns %s, but this statement returns %s.",
              type_text(c, result), type_text(c, s->rhs->type));
  return FLOW_RETURNS;
}

static Flow check_output(Checker *c, Stmt *s) {
  for (int k = 0; k < s->arg_count; k++) {
    check_expr(c, s->args[k]);
    if (s->args[k]->type->base == T_FUNCTION)
      check_error(c, s->args[k]->span, "A function cannot be printed.");
  }
  return s->kind == S_PRINT ? FLOW_RUNS_ON : FLOW_RETURNS;
}

/* ---- sequences ---- */

static bool ends_block(const Stmt *s) {
  return s->kind == S_BREAK || s->kind == S_CONTINUE || s->kind == S_RETURN ||
         s->kind == S_REJECT || s->kind == S_FATAL_ERROR;
}

Flow check_stmts(Checker *c, Stmt *const *stmts, int count) {
  Flow flow = FLOW_RUNS_ON;
  bool reachable = true;
  for (int k = 0; k < count; k++) {
    Flow next = check_stmt(c, stmts[k]);
    if (!reachable) continue;
    if (flow == FLOW_BREAKS || next == FLOW_BREAKS)
      flow = FLOW_BREAKS;
    else
      flow = next == FLOW_RETURNS ? FLOW_RETURNS : FLOW_RUNS_ON;
    if (!ends_block(stmts[k]) || k + 1 == count) continue;
    reachable = false;
    diag(c->diagnostics, DIAG_WARNING, stmts[k + 1]->span,
         "This statement is never reached: the one in front of it leaves the block.");
  }
  return flow;
}

static Flow check_block(Checker *c, const Stmt *s) {
  size_t mark = scope_mark(c->scope);
  Flow flow = check_stmts(c, s->stmts, s->stmt_count);
  scope_leave(c->scope, mark);
  return flow;
}

Flow check_stmt(Checker *c, Stmt *s) {
  switch (s->kind) {
  case S_ASSIGN:
  case S_UNPACK: check_assignment(c, s); return FLOW_RUNS_ON;
  case S_TARGET:
    check_increment(c, s, target_allowed(c),
                    "The target can only be changed in the model block and in functions whose "
                    "names end in _lp.");
    return FLOW_RUNS_ON;
  case S_JACOBIAN:
    check_increment(c, s, jacobian_allowed(c),
                    "Jacobian terms can only be added in the transformed parameters block and in "
                    "functions whose names end in _jacobian.");
    return FLOW_RUNS_ON;
  case S_TILDE: check_tilde(c, s); return FLOW_RUNS_ON;
  case S_CALL: check_call_statement(c, s); return FLOW_RUNS_ON;
  case S_IF: return check_if(c, s);
  case S_WHILE: return check_while(c, s);
  case S_FOR: return check_for(c, s);
  case S_FOREACH: return check_foreach(c, s);
  case S_BREAK:
  case S_CONTINUE: return check_escape(c, s);
  case S_RETURN: return check_return(c, s);
  case S_BLOCK:
  case S_PROFILE: return check_block(c, s);
  case S_DECL: check_declaration(c, s); return FLOW_RUNS_ON;
  case S_PRINT:
  case S_REJECT:
  case S_FATAL_ERROR: return check_output(c, s);
  case S_SKIP: return FLOW_RUNS_ON;
  }
  return FLOW_RUNS_ON;
}
