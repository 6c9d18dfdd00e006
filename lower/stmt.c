/* Statements other than assignments and loops. */
#include "lower/call.h"
#include "lower/random.h"

#include <string.h>

Binding *lookup(Tracer *t, const VarDecl *decl) {
  for (size_t k = t->frame->count; k-- > 0;)
    if (t->frame->bindings[k]->decl == decl) {
      Binding *b = t->frame->bindings[k];
      if (b->missing)
        diag_fatal(t->diagnostics, b->missing->kind, b->missing->span, "%s", b->missing->message);
      return b;
    }
  trace_unsupported(t, decl->span, "the variable '%s' here", decl->name);
}

Binding *bind(Tracer *t, const VarDecl *decl, SVal v) {
  Binding *b = ARENA_NEW(t->arena, Binding);
  *b = (Binding){.decl = decl, .home = t->level, .mask = t->mask, .value = v};
  ARENA_PUSH(t->arena, t->frame->bindings, t->frame->count, t->frame->capacity, b);
  return b;
}

void accumulate_target(Tracer *t, Tr v) {
  v = tr_reduce_all(t, IR_REDUCE_SUM, as_real(t, v));
  if (t->mask.value) v = tr_select(t, t->mask, v, tr_real(t, 0));
  Tr *target = &t->accumulators[ACC_TARGET];
  *target = tr_binary(t, IR_ADD, *target, tr_fold(t, IR_REDUCE_SUM, v, t->level, NULL));
}

/* ---- leaving early ---- */

static void add_flag(Tracer *t, Tr *flag) {
  Tr now = t->mask.value ? t->mask : tr_const(ir_bool(t->b, true));
  *flag = flag->value ? tr_binary(t, IR_OR, *flag, now) : now;
  t->escapes++;
}

static Tr not_escaped(Tracer *t, Tr mask) {
  const Tr flags[3] = {t->frame->returned, t->broken, t->continued};
  for (int k = 0; k < 3; k++)
    if (flags[k].value) mask = tr_and(t, mask, tr_not(t, flags[k]));
  return mask;
}

/* Whether every iteration has left already. */
static bool all_escaped(Tracer *t) {
  const Tr flags[3] = {t->frame->returned, t->broken, t->continued};
  for (int k = 0; k < 3; k++) {
    bool known;
    if (flags[k].value && tr_known_bool(flags[k], &known) && known) return true;
  }
  return t->frame->done;
}

void trace_block(Tracer *t, Stmt *const *stmts, int count) {
  Tr entry = t->mask;
  size_t scope = t->frame->count;
  int escapes = t->escapes;
  for (int k = 0; k < count && !all_escaped(t); k++) {
    if (t->escapes != escapes) t->mask = not_escaped(t, entry);
    trace_stmt(t, stmts[k]);
  }
  t->mask = entry;
  t->frame->count = scope;
}

static void store_result(Tracer *t, SVal v) {
  Frame *f = t->frame;
  if (f->has_result && t->mask.value) v = select_value(t, t->mask, v, f->result);
  f->result = v;
  f->has_result = true;
}

/* A term: another density drops its own constants; a ternary on known data is the branch taken. */
static SVal trace_term(Tracer *t, const Expr *e) {
  if (e->kind == E_CALL && is_density_name(e->name))
    return trace_density_call(t, e, t->frame->drop_constants);
  return trace_expr(t, e);
}

static void trace_terms(Tracer *t, const Expr *e, bool negative);

static int count_terms(const Expr *e) {
  if (e->kind == E_TERNARY) return count_terms(e->args[1]) + count_terms(e->args[2]);
  if (e->kind == E_BINARY && (e->op == OP_ADD || e->op == OP_SUB))
    return count_terms(e->args[0]) + count_terms(e->args[1]);
  return e->kind == E_UNARY && e->op == OP_NEG ? count_terms(e->args[0]) : 1;
}

static bool is_log_zero(const Expr *e) {
  return e->kind == E_CALL && !strcmp(e->name, "negative_infinity");
}

/* The sum of the terms of one branch that are kept; *kept tells whether there are any. A branch
 * outside the support is. */
static Tr trace_branch_terms(Tracer *t, const Expr *e, Tr condition, bool *kept) {
  Frame *f = t->frame, saved = *f;
  Tr mask = t->mask, sum = tr_real(t, 0);
  if (is_log_zero(e)) {
    *kept |= f->autodiff || !f->drop_constants;
    return tr_real(t, -1.0 / 0.0);
  }
  f->terms = ARENA_ARRAY(t->arena, Tr, (size_t)count_terms(e));
  f->term_count = 0;
  t->mask = tr_and(t, mask, condition);
  trace_terms(t, e, false);
  for (int k = 0; k < f->term_count; k++) sum = tr_binary(t, IR_ADD, sum, f->terms[k]);
  *kept |= f->term_count > 0;
  t->mask = mask;
  f->terms = saved.terms;
  f->term_count = saved.term_count;
  return sum;
}

/* A condition that is known leaves the terms of the branch taken; else each branch drops its own
 * constants. */
static void trace_ternary_term(Tracer *t, const Expr *e, bool negative) {
  Tr c = trace_condition(t, e->args[0]);
  bool known, kept = false;
  if (tr_known_bool(c, &known)) {
    trace_terms(t, e->args[known ? 1 : 2], negative);
    return;
  }
  Tr a = trace_branch_terms(t, e->args[1], c, &kept);
  Tr b = trace_branch_terms(t, e->args[2], tr_not(t, c), &kept);
  if (!kept) return;
  Frame *f = t->frame;
  const StanType *real = type_simple(t->arena, T_REAL, 0);
  Tr term = select_value(t, c, sval(real, a, true), sval(real, b, true)).tr;
  f->terms[f->term_count++] = negative ? tr_unary(t, IR_NEG, term) : term;
}

/* The additive terms of a density's return expression, each on its own so that those without a
 * parameter can be dropped and those that do not vary over a level are counted instead of summed.
 */
static void trace_terms(Tracer *t, const Expr *e, bool negative) {
  if (e->kind == E_BINARY && (e->op == OP_ADD || e->op == OP_SUB)) {
    trace_terms(t, e->args[0], negative);
    trace_terms(t, e->args[1], negative ^ (e->op == OP_SUB));
    return;
  }
  if (e->kind == E_UNARY && e->op == OP_NEG) {
    trace_terms(t, e->args[0], !negative);
    return;
  }
  if (e->kind == E_TERNARY) {
    trace_ternary_term(t, e, negative);
    return;
  }
  Frame *f = t->frame;
  SVal v = trace_term(t, e);
  if (f->drop_constants && !v.autodiff) return;
  Tr term = as_real(t, v.tr);
  f->terms[f->term_count++] = negative ? tr_unary(t, IR_NEG, term) : term;
}

static void trace_return(Tracer *t, const Stmt *s) {
  Frame *f = t->frame;
  bool partial = t->mask.value && t->mask.value != f->entry.value;
  if (s->rhs && f->is_density) {
    f->terms = ARENA_ARRAY(t->arena, Tr, (size_t)count_terms(s->rhs));
    f->term_count = 0;
    trace_terms(t, s->rhs, false);
    if (f->has_result || partial) { /* one of several returns: a value like any other */
      Tr sum = tr_real(t, 0);
      for (int k = 0; k < f->term_count; k++) sum = tr_binary(t, IR_ADD, sum, f->terms[k]);
      f->terms = NULL;
      store_result(t, sval(type_simple(t->arena, T_REAL, 0), sum, true));
    }
  } else if (s->rhs) {
    store_result(t, promote(t, trace_expr(t, s->rhs), f->function->type->result));
  }
  if (partial)
    add_flag(t, &f->returned);
  else
    f->done = true;
}

/* ---- branches ---- */

void trace_masked(Tracer *t, Tr condition, const Stmt *stmt) {
  if (!stmt) return;
  Tr mask = t->mask;
  t->mask = not_escaped(t, tr_and(t, mask, condition));
  trace_stmt(t, stmt);
  t->mask = mask;
}

static void add_slot(Tracer *t, Slots *s, Tr *slot) {
  ARENA_PUSH(t->arena, s->slots, s->count, s->capacity, slot);
}

static void add_value_slots(Tracer *t, Slots *s, SVal *v, Level *home) {
  if (v->type->base == T_TUPLE) {
    for (int k = 0; k < v->type->member_count; k++) add_value_slots(t, s, &v->members[k], home);
    return;
  }
  if (v->tr.value->type.dtype == IR_BOOL) v->tr = as_int(t, v->tr);
  if (home) v->tr = tr_spread(t, v->tr, home);
  add_slot(t, s, &v->tr);
}

static void copy_members(Tracer *t, SVal *v) {
  if (v->type->base != T_TUPLE) return;
  SVal *members = ARENA_ARRAY(t->arena, SVal, (size_t)v->type->member_count);
  memcpy(members, v->members, sizeof *members * (size_t)v->type->member_count);
  v->members = members;
  for (int k = 0; k < v->type->member_count; k++) copy_members(t, &members[k]);
}

Slots changed_slots(Tracer *t, const Stmt *stmt) {
  Slots s = {0};
  VarSet assigned = assigned_variables(t->arena, stmt);
  for (size_t k = 0; k < assigned.count; k++) {
    Binding *b = lookup(t, assigned.items[k]);
    copy_members(t, &b->value);
    add_value_slots(t, &s, &b->value, b->home);
  }
  for (int k = 0; k < ACC_COUNT; k++) add_slot(t, &s, &t->accumulators[k]);
  return s;
}

static bool value_varies(const SVal *v) {
  if (v->type->base != T_TUPLE) return v->tr.varying;
  bool any = false;
  for (int k = 0; k < v->type->member_count; k++) any |= value_varies(&v->members[k]);
  return any;
}

bool stmt_varies(Tracer *t, const Stmt *stmt) {
  VarSet sets[2] = {read_variables(t->arena, stmt), assigned_variables(t->arena, stmt)};
  for (int s = 0; s < 2; s++)
    for (size_t k = 0; k < sets[s].count; k++)
      if (value_varies(&lookup(t, sets[s].items[k])->value)) return true;
  if (t->key.value && t->key.varying && stmt_draws(stmt)) return true;
  return t->mask.value && t->mask.varying;
}

/* One branch as a region: a builder whose results are the slots' values. */
static IrBuilder *trace_branch(Tracer *t, const Stmt *stmt, const Slots *slots, const Tr *before,
                               IrValue **results, bool *varying) {
  IrBuilder *outer = t->b, *b = ir_function_begin(t->module, outer, "branch");
  t->b = b;
  if (stmt) trace_stmt(t, stmt);
  for (int k = 0; k < slots->count; k++) {
    Tr now = *slots->slots[k];
    if (now.level != before[k].level) now = tr_spread(t, now, before[k].level);
    if (now.value->type.dtype != before[k].value->type.dtype)
      now = tr_cast(t, now, before[k].value->type.dtype);
    results[k] = now.value;
    varying[k] |= now.varying;
    *slots->slots[k] = before[k];
  }
  ir_function_end(b, results, NULL, slots->count);
  t->b = outer;
  return b;
}

/* A condition that the graph decides, the same for every chain. */
static void trace_if_region(Tracer *t, Tr condition, const Stmt *s) {
  Slots slots = changed_slots(t, s);
  size_t n = (size_t)slots.count;
  Tr *before = ARENA_ARRAY(t->arena, Tr, n);
  IrValue **results = ARENA_ARRAY(t->arena, IrValue *, n);
  bool *varying = ARENA_ARRAY(t->arena, bool, n);
  for (size_t k = 0; k < n; k++) {
    before[k] = *slots.slots[k];
    varying[k] = before[k].varying;
  }
  IrBuilder *then = trace_branch(t, s->body, &slots, before, results, varying);
  IrBuilder *orelse = trace_branch(t, s->orelse, &slots, before, results, varying);
  ir_if(t->b, condition.value, then, orelse, results);
  for (size_t k = 0; k < n; k++) *slots.slots[k] = (Tr){results[k], before[k].level, varying[k]};
}

/* Whether the branches of s only add to accumulators and to variables from outside the current
 * level. */
static bool only_contributes(Tracer *t, const Stmt *s) {
  VarSet assigned = assigned_variables(t->arena, s);
  for (size_t k = 0; k < assigned.count; k++)
    if (lookup(t, assigned.items[k])->home == t->level) return false;
  return true;
}

/* The iterations where `condition` holds, as a level of their own. */
static void trace_selected(Tracer *t, Tr condition, const Stmt *stmt) {
  if (!stmt) return;
  Level *outer = t->level, *level = level_where(t, outer, condition);
  const IrTensor *size = level->size->constant;
  if (size && size->data.i64[0] == 0) return;
  Tr mask = t->mask;
  t->level = level;
  if (mask.value) t->mask = tr_lift(t, mask, level);
  trace_stmt(t, stmt);
  t->mask = mask;
  t->level = outer;
}

/* The terms of a density's return, as one value. */
static void sum_terms(Tracer *t, Frame *f) {
  if (!f->terms) return;
  Tr sum = tr_real(t, 0);
  for (int k = 0; k < f->term_count; k++) sum = tr_binary(t, IR_ADD, sum, f->terms[k]);
  f->terms = NULL;
  f->result = sval(type_simple(t->arena, T_REAL, 0), sum, true);
  f->has_result = true;
}

/* What a selection of the iterations returned, among what the others have returned before. */
static void merge_result(Tracer *t, Frame *f, const Frame *before, Level *level, Level *outer) {
  Tr v = f->result.tr, old = before->result.tr;
  if (!before->has_result) { /* nothing yet: any value will do for the others */
    Tr dims[IR_MAX_RANK], zero = v.value->type.dtype == IR_F64 ? tr_real(t, 0) : tr_int(t, 0);
    for (int k = 0; k < tr_rank(v); k++) dims[k] = tr_dim_value(t, v, k);
    old = tr_broadcast(t, zero, tr_rank(v), dims);
  }
  if (v.value->type.dtype == IR_BOOL) v = as_int(t, v);
  if (f->returned.value)
    v = select_value(t, f->returned, sval(f->result.type, v, true),
                     sval(f->result.type, tr_lift(t, old, level), true))
            .tr;
  f->result.tr = merge_selection(t, old, v, level, outer);
  f->result.autodiff |= before->result.autodiff;
}

/* A branch that returns, for the iterations where `condition` (of the data) holds: their results
 * and no others are computed. */
static void trace_selected_return(Tracer *t, Tr condition, const Stmt *stmt) {
  if (!stmt) return;
  Level *outer = t->level;
  Frame *f = t->frame, before = *f;
  Tr mask = t->mask;
  bool joined = mask.value && !mask.varying;
  Tr chosen = not_escaped(t, joined ? tr_and(t, mask, condition) : condition);
  Level *level = level_where(t, outer, chosen);
  const IrTensor *size = level->size->constant;
  if (size && size->data.i64[0] == 0) return;
  t->level = level;
  t->mask = joined || !mask.value ? (Tr){0} : tr_lift(t, mask, level);
  f->entry = t->mask;
  f->has_result = f->done = false;
  f->returned = (Tr){0};
  f->terms = NULL;
  trace_stmt(t, stmt);
  sum_terms(t, f);
  Tr returned = f->done ? chosen : f->returned;
  if (f->has_result && f->result.type->base == T_TUPLE)
    trace_unsupported(t, stmt->span, "returning a tuple from a branch inside a vectorised loop");
  if (f->has_result) merge_result(t, f, &before, level, outer);
  if (!f->done && returned.value) {
    Tr none = tr_int(t, 0);
    returned = as_bool(
        t, merge_selection(t, none, as_int(t, tr_spread(t, returned, level)), level, outer));
  }
  t->level = outer;
  t->mask = mask;
  if (!f->has_result) f->result = before.result;
  f->has_result |= before.has_result;
  f->entry = before.entry;
  f->done = before.done;
  f->returned = before.returned;
  if (returned.value) {
    f->returned = f->returned.value ? tr_binary(t, IR_OR, f->returned, returned) : returned;
    t->escapes++;
  }
}

void trace_if(Tracer *t, const Stmt *s) {
  Tr c = trace_condition(t, s->cond);
  bool known;
  if (tr_known_bool(c, &known)) {
    const Stmt *taken = known ? s->body : s->orelse;
    if (taken) trace_stmt(t, taken);
    return;
  }
  Escapes e = find_escapes(s);
  bool escapes = e.returns || e.breaks || e.continues, selects = !c.varying && !t->parting;
  if (!escapes && !c.varying && !c.level) {
    trace_if_region(t, c, s);
  } else if (!escapes && selects && only_contributes(t, s)) {
    trace_selected(t, c, s->body);
    trace_selected(t, tr_not(t, c), s->orelse);
  } else if (e.returns && !e.breaks && !e.continues && selects && c.level &&
             only_contributes(t, s)) {
    trace_selected_return(t, c, s->body);
    trace_selected_return(t, tr_not(t, c), s->orelse);
  } else {
    trace_masked(t, c, s->body);
    trace_masked(t, tr_not(t, c), s->orelse);
  }
}

/* ---- the rest ---- */

static void trace_void_call(Tracer *t, const Stmt *s) { trace_call(t, s->rhs); }

static void trace_scoped(Tracer *t, const Stmt *s) { trace_block(t, s->stmts, s->stmt_count); }

void trace_stmt(Tracer *t, const Stmt *s) {
  Span outer = t->span;
  if (!t->in_library) t->span = s->span;
  switch (s->kind) {
  case S_ASSIGN:
  case S_UNPACK: trace_assign(t, s); break;
  case S_TARGET: accumulate_target(t, trace_expr(t, s->rhs).tr); break;
  case S_JACOBIAN:
    if (t->jacobian) accumulate_target(t, trace_expr(t, s->rhs).tr);
    break;
  case S_TILDE: trace_tilde(t, s); break;
  case S_CALL: trace_void_call(t, s); break;
  case S_IF: trace_if(t, s); break;
  case S_WHILE: trace_while(t, s); break;
  case S_FOR: trace_for(t, s); break;
  case S_FOREACH: trace_foreach(t, s); break;
  case S_BREAK: add_flag(t, &t->broken); break;
  case S_CONTINUE: add_flag(t, &t->continued); break;
  case S_RETURN: trace_return(t, s); break;
  case S_BLOCK:
  case S_PROFILE: trace_scoped(t, s); break;
  case S_DECL: trace_declaration(t, s); break;
  case S_PRINT:
    diag(t->diagnostics, DIAG_NOTE, s->span,
         "print statements are dropped: a model has no output stream");
    break;
  case S_REJECT:
  case S_FATAL_ERROR: trace_throw(t, tr_const(ir_bool(t->b, true))); break;
  case S_SKIP: break;
  }
  t->span = outer;
}
