/* Calls of the library's functions: choosing the overload, checking domains, mapping over
 * containers, keeping special functions as IR calls. */
#include "lower/call.h"
#include "lower/inference.h"
#include "lower/ode.h"
#include "lower/random.h"

#include <string.h>

bool is_density_name(const char *name) {
  static const char *const suffixes[] = {"_lpdf", "_lpmf",  "_lcdf", "_lccdf",
                                         "_cdf",  "_lupdf", "_lupmf"};
  size_t n = strlen(name);
  for (size_t k = 0; k < sizeof suffixes / sizeof *suffixes; k++) {
    size_t m = strlen(suffixes[k]);
    if (n > m && !strcmp(name + n - m, suffixes[k])) return true;
  }
  return false;
}

static int value_rank(const SVal *v) {
  return v->type->base == T_TUPLE ? v->type->array_dims : tr_rank(v->tr);
}

static bool is_number(BaseType b) { return b == T_INT || b == T_REAL; }
static bool is_vector(BaseType b) { return b == T_VECTOR || b == T_ROW_VECTOR; }

/* Whether elements of a can be what p asks for: vectors, row vectors and arrays of numbers stand
 * for one another. */
static bool kinds_fit(const StanType *p, const StanType *a) {
  if (p->base == T_TUPLE || a->base == T_TUPLE) return p->base == a->base;
  if (p->base == T_INT && a->base != T_INT) return false;
  if (p->base == T_MATRIX) return a->base == T_MATRIX;
  if (is_vector(p->base))
    return is_vector(a->base) || (is_number(a->base) && a->array_dims > p->array_dims);
  return p->array_dims == 0 || is_number(a->base) || (p->array_dims == 1 && is_vector(a->base));
}

/* How many axes f would be mapped over for these arguments, or -1 if it does not fit them. */
static int mapped_axes(const FunDef *f, const SVal *args, int count) {
  int extra = 0;
  if (f->arg_count != count) return -1;
  for (int k = 0; k < count; k++) {
    const StanType *p = f->args[k]->type, *a = args[k].type;
    if (!kinds_fit(p, a)) return -1;
    if (f->args[k]->data_qualified && a->base != T_TUPLE && args[k].tr.varying) return -1;
    int more = value_rank(&args[k]) - (p->base == T_TUPLE ? p->array_dims : type_rank(p));
    if (more < 0) return -1;
    if (more > extra) extra = more;
  }
  for (int k = 0; k < count; k++) { /* each argument is mapped over all of these axes, or none */
    int more =
        value_rank(&args[k]) - (f->args[k]->type->base == T_TUPLE ? f->args[k]->type->array_dims
                                                                  : type_rank(f->args[k]->type));
    if (more != 0 && more != extra) return -1;
  }
  for (int k = 0; extra && k < count; k++) /* what takes arrays is called as it stands */
    if (f->args[k]->type->array_dims) return -1;
  return extra;
}

/* How many kinds of container differ between the parameters and the arguments: row_vector for
 * vector and so on. */
static int kind_distance(const FunDef *f, const SVal *args, int count) {
  int n = 0;
  for (int k = 0; k < count; k++) n += !types_equal(f->args[k]->type, args[k].type);
  return n;
}

const FunDef *choose_overload(Tracer *t, const char *name, const SVal *args, int count,
                              int *extra) {
  int n, best = -1, best_distance = 0;
  const FunDef *found = NULL;
  FunDef *const *all = prelude_find(t->prelude, name, &n, t->diagnostics);
  for (int k = 0; k < n; k++) {
    int axes = mapped_axes(all[k], args, count);
    if (axes < 0) continue;
    int distance = kind_distance(all[k], args, count);
    if (!found || axes < best || (axes == best && distance < best_distance)) {
      found = all[k];
      best = axes;
      best_distance = distance;
    }
  }
  *extra = best;
  return found;
}

/* ---- mapping over containers ---- */

static SVal enter_value(Tracer *t, SVal v, Level *level, const StanType *type) {
  if (type->base == T_TUPLE) {
    SVal *members = ARENA_ARRAY(t->arena, SVal, (size_t)type->member_count);
    for (int k = 0; k < type->member_count; k++)
      members[k] = enter_value(t, v.members[k], level, type->members[k]);
    v.members = members;
  } else {
    v.tr = tr_enter(t, v.tr, level);
  }
  return v;
}

static int64_t known_size(Level *level) {
  return level->size->constant ? level->size->constant->data.i64[0] : IR_DYNAMIC;
}

/* Makes the first `extra` axes of the arguments that have them levels, and moves there. False where
 * their sizes are known not to agree, which Stan throws on. */
bool enter_mapped(Tracer *t, const FunDef *f, SVal *args, int count, int extra) {
  for (int axis = 0; axis < extra; axis++) {
    Level *level = NULL;
    for (int k = 0; k < count; k++) {
      const StanType *p = f->args[k]->type;
      if (value_rank(&args[k]) == (p->base == T_TUPLE ? p->array_dims : type_rank(p))) continue;
      SVal *shape = &args[k];
      while (shape->type->base == T_TUPLE) shape = &shape->members[0];
      int64_t n = tr_static_dim(shape->tr, 0);
      if (!level)
        level = level_product(t, t->level, tr_dim(t, shape->tr, 0));
      else if (n != IR_DYNAMIC && known_size(level) != IR_DYNAMIC && n != known_size(level))
        return false;
      args[k] = enter_value(t, args[k], level, p);
    }
    if (t->mask.value) t->mask = tr_lift(t, t->mask, level);
    t->level = level;
    if (is_random_name(f->name))
      enter_iteration(t, tr_enter(t, tr_const(ir_iota(t->b, level->size)), level));
  }
  return true;
}

/* The result of a mapped function: the levels' axes become its own again. */
SVal leave_mapped(Tracer *t, SVal v, Level *outer, const StanType *type) {
  if (v.type->base == T_TUPLE) {
    SVal r = {.type = type,
              .autodiff = v.autodiff,
              .members = ARENA_ARRAY(t->arena, SVal, (size_t)v.type->member_count)};
    for (int k = 0; k < v.type->member_count; k++)
      r.members[k] = leave_mapped(t, v.members[k], outer, type->members[k]);
    return r;
  }
  int axes, own = tr_rank(v.tr);
  Level *level = t->level;
  Tr x = tr_leave(t, v.tr, level, outer, &axes), dims[IR_MAX_RANK];
  for (int k = axes - 1; k >= 0; k--, level = level->parent) dims[k] = tr_const(level->size);
  for (int k = 0; k < own; k++) dims[axes + k] = tr_dim_value(t, x, axes + k);
  return sval(type, tr_broadcast(t, x, axes + own, dims), v.autodiff);
}

/* What a function that draws would throw on spoils its result alone. */
static SVal poisoned(Tracer *t, SVal v, Tr thrown) {
  if (!thrown.value) return v;
  Tr nothing = tr_nothing(t, v.type->base == T_INT);
  for (int k = 0; k < tr_rank(v.tr) && thrown.level; k++) thrown = tr_unsqueeze(t, thrown, k);
  v.tr = tr_select(t, thrown, nothing, v.tr);
  return v;
}

/* ---- IR calls ---- */

enum { MAX_RESULTS = 16 }; /* of a function of the library, members of tuples counted */

typedef struct Callee Callee;
struct Callee {
  Callee *next;
  Tracer *tracer;
  const FunDef *function;
  int param_count;
  IrType *params;
  IrFunction *ir;
  bool throws; /* for arguments of these shapes, whatever their values */
};

/* Whether Stan throws before this point whatever the parameters. */
static bool doomed(const Tracer *t) {
  bool valid;
  return tr_known_bool(t->accumulators[ACC_VALID], &valid) && !valid;
}

/* What stands for the result of a call that is not made because Stan throws: zeros, one along each
 * axis. */
static SVal stand_in(Tracer *t, const StanType *type) {
  if (type->base == T_TUPLE) {
    SVal r = {.type = type, .members = ARENA_ARRAY(t->arena, SVal, (size_t)type->member_count)};
    for (int k = 0; k < type->member_count; k++) r.members[k] = stand_in(t, type->members[k]);
    return r;
  }
  Tr dims[IR_MAX_RANK];
  int rank = type_rank(type);
  for (int k = 0; k < rank; k++) dims[k] = tr_int(t, 1);
  Tr zero = type->base == T_INT ? tr_int(t, 0) : tr_real(t, 0);
  return sval(type, tr_broadcast(t, zero, rank, dims), false);
}

struct CallCache {
  Callee *first;
};

static unsigned declared_facts(const FunDef *f) {
  static const struct {
    const char *word;
    unsigned facts;
  } words[] = {{"positive", IR_POSITIVE | IR_NONNEGATIVE | IR_NOT_NAN},
               {"nonnegative", IR_NONNEGATIVE | IR_NOT_NAN},
               {"at_most_one", IR_AT_MOST_ONE | IR_NOT_NAN},
               {"finite", IR_FINITE | IR_NOT_NAN},
               {"not_nan", IR_NOT_NAN}};
  const Annotation *a = prelude_annotation(f, "facts");
  unsigned facts = 0;
  for (int k = 0; a && k < a->arg_count; k++)
    for (size_t j = 0; j < sizeof words / sizeof *words; j++)
      if (!strcmp(a->args[k], words[j].word)) facts |= words[j].facts;
  return facts;
}

static void add_results(const SVal *v, IrValue **out, int *count) {
  if (v->type->base == T_TUPLE)
    for (int k = 0; k < v->type->member_count; k++) add_results(&v->members[k], out, count);
  else
    out[(*count)++] = v->tr.value;
}

static IrFunction *derive_callee(IrFunction *ir, int k, void *context);

/* Traces f by itself, as a closed IR function of its arguments. */
static Callee *trace_callee(Tracer *t, const FunDef *f, const IrType *params, bool elementwise) {
  for (Callee *c = t->calls->first; c; c = c->next) {
    bool same = c->function == f;
    for (int k = 0; same && k < c->param_count; k++)
      same = ir_types_equal(&c->params[k], &params[k]);
    if (same) return c;
  }
  Callee *c = ARENA_NEW(t->arena, Callee);
  *c = (Callee){.next = t->calls->first,
                .tracer = t,
                .function = f,
                .param_count = f->arg_count,
                .params = ARENA_ARRAY(t->arena, IrType, (size_t)f->arg_count)};
  memcpy(c->params, params, sizeof *params * (size_t)f->arg_count);
  Frame frame = {.function = f, .is_library = true};
  Tracer before = trace_apart(t, ir_function_begin(t->module, NULL, f->name), &frame);
  ir_set_exact(t->b, elementwise);
  t->in_library = t->unchecked = true;
  for (int k = 0; k < f->arg_count; k++) {
    IrValue *v = ir_param(t->b, params[k], f->args[k]->name);
    bind(t, f->args[k], sval(f->args[k]->type, tr_const(v), true));
    frame.bindings[k]->value.tr.varying = v->type.dtype == IR_F64;
  }
  trace_stmt(t, f->body);
  c->throws = doomed(t);
  IrValue *results[MAX_RESULTS];
  int count = 0;
  add_results(&frame.result, results, &count);
  c->ir = trace_apart_end(t, before, results, count);
  c->ir->elementwise = elementwise;
  c->ir->facts = declared_facts(f);
  c->ir->derivative = derive_callee;
  c->ir->context = c;
  c->next = t->calls->first;
  t->calls->first = c;
  return c;
}

/* IrFunction.derivative: the hand-written derivative that the library has for it, if any. */
static IrFunction *derive_callee(IrFunction *ir, int k, void *context) {
  Callee *c = context;
  Tracer *t = c->tracer;
  const FunDef *f = c->function;
  const FunDef *g =
      prelude_derivative(t->prelude, f, k >= 0 ? f->args[k]->name : NULL, t->diagnostics);
  if (!g) return NULL;
  if (k >= 0) return trace_callee(t, g, c->params, true)->ir;
  int n = 0;
  IrType *params = ARENA_ARRAY(t->arena, IrType, (size_t)(c->param_count + 2 * ir->result_count));
  for (int j = 0; j < c->param_count; j++) params[n++] = c->params[j];
  for (int pass = 0; pass < 2; pass++)
    for (int j = 0; j < ir->result_count; j++) params[n++] = ir->results[j]->type;
  return n == g->arg_count ? trace_callee(t, g, params, false)->ir : NULL;
}

/* A number in the domain that an argument is declared to have, different for each argument, at
 * which functions and their derivatives are finite. */
static double harmless(const FunDef *f, int k) {
  const SizedType *s = f->args[k]->sized;
  double x = 0.5 / (k + 1);
  const Expr *lower = s->lower, *upper = s->upper;
  if (lower && lower->kind == E_INT && (double)lower->integer >= x) x += (double)lower->integer;
  if (upper && upper->kind == E_INT && (double)upper->integer <= x)
    x = (double)upper->integer - 0.2;
  return x;
}

/* Where all arguments are known to have no axis of their own, or all the same: one call for all
 * elements. */
static SVal call_elementwise(Tracer *t, const FunDef *f, SVal *args, int count,
                             const StanType *type) {
  IrType params[IR_MAX_RANK];
  Level *level = NULL;
  Tr result = {0};
  bool autodiff = false;
  for (int k = 0; k < count; k++) {
    args[k] = promote(t, args[k],
                      type_simple(t->arena, f->args[k]->type->base, args[k].type->base == T_TUPLE));
    args[k].tr = tr_guard(t, args[k].tr, harmless(f, k));
    params[k] = ir_scalar(f->args[k]->type->base == T_INT ? IR_I64 : IR_F64);
    level = level_deeper(level, args[k].tr.level);
    result.varying |= args[k].tr.varying;
    autodiff |= args[k].autodiff;
  }
  IrFunction *callee = trace_callee(t, f, params, true)->ir;
  IrValue *in[IR_MAX_RANK], *out;
  bool batched[IR_MAX_RANK];
  for (int k = 0; k < count; k++) {
    Tr v = tr_lift(t, args[k].tr, level);
    in[k] = v.value;
    batched[k] = v.level != NULL;
  }
  bool out_batched;
  if (level)
    ir_call_batched(t->b, callee, in, count, batched, level->depth, &out, &out_batched);
  else
    ir_call(t->b, callee, in, count, &out);
  result.value = out;
  result.level = level;
  return sval(type, result, autodiff);
}

/* The results of a call, in the order of add_results, as a value. Those that are the same for all
 * iterations of the level are not batched. */
static SVal call_result(Tracer *t, const StanType *type, const Tr *out, int *next, bool autodiff) {
  if (type->base != T_TUPLE) return sval(type, out[(*next)++], autodiff);
  SVal r = {.type = type,
            .autodiff = autodiff,
            .members = ARENA_ARRAY(t->arena, SVal, (size_t)type->member_count)};
  for (int k = 0; k < type->member_count; k++)
    r.members[k] = call_result(t, type->members[k], out, next, autodiff);
  return r;
}

static SVal call_opaque(Tracer *t, const FunDef *f, SVal *args, int count) {
  IrType params[IR_MAX_RANK];
  Level *level = NULL;
  bool varying = false, autodiff = false, batched[IR_MAX_RANK], result_batched[MAX_RESULTS];
  IrValue *in[IR_MAX_RANK], *out[MAX_RESULTS];
  for (int k = 0; k < count; k++) {
    args[k] = promote(t, args[k], f->args[k]->type);
    level = level_deeper(level, args[k].tr.level);
    varying |= args[k].tr.varying;
    autodiff |= args[k].autodiff;
  }
  for (int k = 0; k < count; k++) {
    Tr v = tr_lift(t, args[k].tr, level);
    in[k] = v.value;
    batched[k] = v.level != NULL;
    params[k] = v.value->type;
    int depth = v.level ? level->depth : 0;
    params[k].rank -= depth;
    for (int a = 0; a < IR_MAX_RANK; a++)
      params[k].dim[a] = a < params[k].rank ? v.value->type.dim[a + depth] : 0;
  }
  const Callee *traced = trace_callee(t, f, params, false);
  if (traced->throws) {
    trace_throw(t, tr_const(ir_bool(t->b, true)));
    return stand_in(t, f->type->result);
  }
  IrFunction *callee = traced->ir;
  if (level)
    ir_call_batched(t->b, callee, in, count, batched, level->depth, out, result_batched);
  else
    ir_call(t->b, callee, in, count, out);
  Tr results[MAX_RESULTS];
  for (int k = 0; k < callee->result_count; k++)
    results[k] = (Tr){out[k], level && result_batched[k] ? level : NULL, varying};
  int next = 0;
  return call_result(t, f->type->result, results, &next, autodiff);
}

struct CallCache *call_cache_new(Arena *a) {
  return ARENA_NEW(a, struct CallCache);
}

/* ---- inlined calls ---- */

static bool has_target(const FunDef *f) {
  size_t n = strlen(f->name);
  return n > 3 && !strcmp(f->name + n - 3, "_lp");
}

static SVal trace_body(Tracer *t, Frame *frame, SVal *args, int count) {
  const FunDef *f = frame->function;
  Tracer saved = *t;
  frame->caller = t->frame;
  frame->entry = t->mask;
  for (int k = 0; k < count; k++) frame->autodiff |= args[k].autodiff;
  t->frame = frame;
  if (has_target(f)) t->discrete = false; /* even where the result is */
  t->broken = t->continued = (Tr){0};
  t->escapes = 0;
  for (int k = 0; k < count; k++) bind(t, f->args[k], promote(t, args[k], f->args[k]->type));
  if (frame->is_library && !t->unchecked) {
    if (is_random_name(f->name)) t->thrown = &frame->thrown;
    check_domains(t, f);
    t->thrown = saved.thrown;
  }
  if (frame->is_library && f->type->result->base != T_VOID && doomed(t)) {
    frame->result = stand_in(t, f->type->result);
    frame->has_result = frame->done = true;
  } else {
    trace_stmt(t, f->body);
  }
  t->frame = saved.frame;
  t->mask = saved.mask;
  t->discrete = saved.discrete;
  t->broken = saved.broken;
  t->continued = saved.continued;
  t->escapes = saved.escapes;
  return frame->result;
}

void enter_call(Tracer *t, Span span) {
  enum { MAX_DEPTH = 100, MAX_CALLS = 200000 };
  if (++t->call_depth > MAX_DEPTH || ++t->call_count > MAX_CALLS)
    trace_unsupported(t, span,
                      "recursion whose depth is not decided by the data alone, or is very deep");
}

const IrScope *enter_library_scope(Tracer *t, const char *name) {
  IrScope *s = ARENA_NEW(t->arena, IrScope);
  *s = (IrScope){name, t->scope_count++, NULL};
  return ir_set_scope(t->b, s);
}

SVal call_user(Tracer *t, const FunDef *f, SVal *args, int count, bool drop_constants) {
  if (f->definition) f = f->definition;
  if (!f->body)
    trace_unsupported(t, t->span, "the function '%s', which has no definition in the program",
                      f->name);
  enter_call(t, t->span);
  Frame frame = {.function = f, .drop_constants = drop_constants};
  SVal v = trace_body(t, &frame, args, count);
  t->call_depth--;
  if (f->type->result->base != T_VOID && !frame.has_result)
    trace_unsupported(t, t->span, "the function '%s', which may end without returning a value",
                      f->name);
  v.autodiff = frame.autodiff;
  return v;
}

/* f with the given arguments at the current level, its own rank each. */
static void trace_library(Tracer *t, Frame *frame, SVal *args, int count) {
  bool outermost = !t->in_library;
  const IrScope *scope = outermost ? enter_library_scope(t, frame->function->name) : NULL;
  enter_call(t, t->span);
  t->in_library = true;
  trace_body(t, frame, args, count);
  if (frame->has_result) frame->result = poisoned(t, frame->result, frame->thrown);
  t->in_library = !outermost;
  t->call_depth--;
  if (outermost) ir_set_scope(t->b, scope);
}

SVal call_library(Tracer *t, const char *name, SVal *args, int count, const StanType *type,
                  Span span) {
  SVal r;
  if (t->target && !strcmp(name, "log_density_gradient"))
    return trace_target_call(t, args[0], type);
  if (t->system && trace_system_call(t, name, args, type, &r)) return r;
  if (call_intrinsic(t, name, args, count, type, &r)) {
    r.type = type;
    return r;
  }
  int extra;
  const FunDef *f = choose_overload(t, name, args, count, &extra);
  if (!f) trace_unsupported(t, span, "the function '%s' for these arguments", name);
  if (prelude_annotation(f, "elementwise")) {
    check_elementwise_domains(t, f, args, count);
    bool outermost = !t->in_library;
    const IrScope *scope = outermost ? enter_library_scope(t, name) : NULL;
    r = call_elementwise(t, f, args, count, type);
    if (outermost) ir_set_scope(t->b, scope);
    return r;
  }
  Level *outer = t->level;
  Tr mask = t->mask, place = t->place;
  int loops = t->loops;
  bool fits = enter_mapped(t, f, args, count, extra);
  if (!fits) {
    trace_throw(t, tr_const(ir_bool(t->b, true)));
    r = stand_in(t, type);
    extra = 0;
  } else if (prelude_annotation(f, "call")) {
    Frame frame = {.function = f, .is_library = true};
    if (!t->unchecked) check_call_domains(t, &frame, args, count);
    r = doomed(t) ? stand_in(t, f->type->result) : call_opaque(t, f, args, count);
  } else {
    Frame frame = {.function = f, .is_library = true};
    trace_library(t, &frame, args, count);
    if (frame.is_density || !frame.has_result)
      trace_unsupported(t, span, "the function '%s' for these arguments", name);
    r = frame.result;
    r.autodiff = frame.autodiff;
  }
  r = extra ? leave_mapped(t, r, outer, type) : r;
  r.type = type;
  t->level = outer;
  t->mask = mask;
  t->place = place;
  t->loops = loops;
  return r;
}

Tr trace_density(Tracer *t, const char *name, SVal *args, int count, bool drop_constants,
                 Span span) {
  int extra;
  const FunDef *f = choose_overload(t, name, args, count, &extra);
  if (!f) trace_unsupported(t, span, "the distribution function '%s' for these arguments", name);
  Level *outer = t->level;
  Tr mask = t->mask, r = tr_real(t, 0);
  size_t n = strlen(name);
  bool product = n > 4 && !strcmp(name + n - 4, "_cdf");
  Frame frame = {
      .function = f, .is_library = true, .is_density = !product, .drop_constants = drop_constants};
  if (!enter_mapped(t, f, args, count, extra)) {
    t->level = outer;
    t->mask = mask;
    trace_throw(t, tr_const(ir_bool(t->b, true)));
    return r;
  }
  trace_library(t, &frame, args, count);
  Level *level = t->level;
  IrOp fold = product ? IR_REDUCE_PROD : IR_REDUCE_SUM;
  if (frame.terms) {
    for (int k = 0; k < frame.term_count; k++)
      r = tr_binary(t, IR_ADD, r, tr_fold(t, fold, frame.terms[k], level, outer));
  } else if (!drop_constants || frame.autodiff) {
    Tr value = as_real(t, frame.result.tr);
    r = tr_fold(t, fold, value, level, outer);
  }
  t->level = outer;
  t->mask = mask;
  return r;
}
