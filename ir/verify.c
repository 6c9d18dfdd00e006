/* Checks that a function is well formed, and counts its nodes. */
#include "ir/builder.h"

typedef struct {
  Arena *arena;
  const IrFunction **seen; /* functions already checked */
  int seen_count, seen_capacity;
} Verifier;

static const char *verify_function(Verifier *v, const IrFunction *f);

static const char *at_node(Verifier *v, const IrNode *n, const char *what) {
  return arena_printf(v->arena, "%s: %%%d = %s: %s", n->owner->name ? n->owner->name : "function",
                      n->out_count ? n->out[0]->id : -1, ir_op_name(n->op), what);
}

static const char *wrong_type(Verifier *v, const IrNode *n, const IrType *have,
                              const IrType *want) {
  return at_node(v, n,
                 arena_printf(v->arena, "%s where %s is expected", ir_type_text(v->arena, have),
                              ir_type_text(v->arena, want)));
}

/* ---- ops with bodies ---- */

static const char *verify_param(Verifier *v, const IrNode *n, const IrType *have,
                                const IrValue *param) {
  return ir_type_fits(have, &param->type) ? NULL : wrong_type(v, n, have, &param->type);
}

static const char *verify_result(Verifier *v, const IrNode *n, int k, const IrType *want) {
  return ir_type_fits(&n->out[k]->type, want) ? NULL : wrong_type(v, n, &n->out[k]->type, want);
}

static const char *verify_call(Verifier *v, const IrNode *n) {
  const IrFunction *f = n->body[0];
  const char *error = NULL;
  if (n->in_count != f->param_count || n->out_count != f->result_count)
    return at_node(v, n, "the callee has other parameters or results");
  for (int k = 0; k < n->in_count && !error; k++) {
    IrType have = f->elementwise ? ir_scalar(n->in[k]->type.dtype) : n->in[k]->type;
    error = verify_param(v, n, &have, f->params[k]);
  }
  for (int k = 0; k < n->out_count && !error; k++) {
    IrType want = f->results[k]->type;
    if (f->elementwise) {
      error = ir_infer_elementwise(v->arena, want.dtype, n->in, n->in_count, &want);
      if (error) return at_node(v, n, error);
    }
    error = verify_result(v, n, k, &want);
  }
  return error;
}

static const char *verify_if(Verifier *v, const IrNode *n) {
  IrType condition = ir_scalar(IR_BOOL);
  const char *error = NULL;
  if (n->in_count < 1 || !ir_type_fits(&n->in[0]->type, &condition))
    return at_node(v, n, "the condition is not a bool");
  for (int side = 0; side < 2 && !error; side++) {
    const IrFunction *f = n->body[side];
    if (f->param_count != n->in_count - 1 || f->result_count != n->out_count)
      return at_node(v, n, "a branch has other parameters or results");
    for (int k = 0; k < f->param_count && !error; k++)
      error = verify_param(v, n, &n->in[1 + k]->type, f->params[k]);
    for (int k = 0; k < n->out_count && !error; k++)
      error = verify_result(v, n, k, &f->results[k]->type);
  }
  return error;
}

static IrType stacked(const IrType *t) {
  int64_t dims[IR_MAX_RANK] = {IR_DYNAMIC};
  int rank = t->rank < IR_MAX_RANK ? t->rank + 1 : IR_MAX_RANK;
  for (int k = 1; k < rank; k++) dims[k] = t->dim[k - 1];
  return ir_type(t->dtype, rank, dims);
}

static const char *verify_loop(Verifier *v, const IrNode *n) {
  const IrFunction *f = n->body[0];
  int flags = n->attr.has_condition ? 1 : 0, carried = n->attr.carried;
  int captures = n->in_count - 1 - flags - carried - n->attr.scanned;
  const char *error = NULL;
  if (captures < 0 || f->param_count != 1 + carried + n->attr.scanned + captures ||
      f->result_count != flags + n->out_count || n->out_count < carried)
    return at_node(v, n, "the body has other parameters or results");
  IrType number = ir_scalar(IR_I64), truth = ir_scalar(IR_BOOL);
  if (!ir_type_fits(&n->in[0]->type, &number)) return at_node(v, n, "the count is not an i64");
  if (flags &&
      (!ir_type_fits(&n->in[1]->type, &truth) || !ir_type_fits(&f->results[0]->type, &truth)))
    return at_node(v, n, "the condition is not a bool");
  error = verify_param(v, n, &number, f->params[0]);
  for (int k = 1; k < f->param_count && !error; k++) {
    const IrType *have = &n->in[flags + k]->type;
    bool scanned = k > carried && k <= carried + n->attr.scanned;
    if (scanned && have->rank == 0) return at_node(v, n, "a scalar is scanned");
    IrType element = scanned ? ir_row_type(have) : *have;
    error = verify_param(v, n, &element, f->params[k]);
  }
  for (int k = 0; k < n->out_count && !error; k++) {
    const IrType *result = &f->results[flags + k]->type;
    IrType want = k < carried ? f->params[1 + k]->type : stacked(result);
    if (k < carried) error = verify_param(v, n, result, f->params[1 + k]);
    if (!error) error = verify_result(v, n, k, &want);
  }
  return error;
}

static const char *verify_region(Verifier *v, const IrNode *n) {
  for (int k = 0; k < (n->op == IR_IF ? 2 : 1); k++) {
    if (!n->body[k]) return at_node(v, n, "a body is missing");
    const char *error = verify_function(v, n->body[k]);
    if (error) return error;
  }
  return n->op == IR_CALL ? verify_call(v, n)
         : n->op == IR_IF ? verify_if(v, n)
                          : verify_loop(v, n);
}

/* ---- nodes ---- */

static const char *verify_op(Verifier *v, const IrNode *n) {
  if (n->out_count != 1) return at_node(v, n, "not one result");
  if (n->op == IR_CONST) {
    const IrTensor *t = n->out[0]->constant;
    return t && ir_types_equal(&t->type, &n->out[0]->type)
               ? NULL
               : at_node(v, n, "the constant has another type");
  }
  IrType type;
  const char *error = ir_infer_type(v->arena, n->op, &n->attr, n->in, n->in_count, &type);
  if (error) return at_node(v, n, error);
  return verify_result(v, n, 0, &type);
}

static const char *verify_node(Verifier *v, const IrNode *n, const IrFunction *f, int *next_id) {
  if (n->owner != f) return at_node(v, n, "the node belongs to another function");
  for (int k = 0; k < n->in_count; k++) {
    if (!n->in[k] || n->in[k]->owner != f)
      return at_node(v, n, "an operand belongs to another function");
    if (n->in[k]->id >= *next_id) return at_node(v, n, "an operand is not defined yet");
  }
  for (int k = 0; k < n->out_count; k++) {
    const IrValue *r = n->out[k];
    if (r->node != n || r->index != k || r->owner != f || r->id != (*next_id)++)
      return at_node(v, n, "a result does not know its node");
  }
  bool region = n->op == IR_CALL || n->op == IR_IF || n->op == IR_LOOP;
  return region ? verify_region(v, n) : verify_op(v, n);
}

static bool is_seen(Verifier *v, const IrFunction *f) {
  for (int k = 0; k < v->seen_count; k++)
    if (v->seen[k] == f) return true;
  return false;
}

static const char *verify_function(Verifier *v, const IrFunction *f) {
  const char *name = f->name ? f->name : "function", *error = NULL;
  int next_id = 0;
  if (is_seen(v, f)) return NULL;
  ARENA_PUSH(v->arena, v->seen, v->seen_count, v->seen_capacity, f);
  for (int k = 0; k < f->param_count; k++) {
    const IrValue *p = f->params[k];
    if (p->owner != f || p->node || p->index != k || p->id != next_id++)
      return arena_printf(v->arena, "%s: parameter %d is not one", name, k);
  }
  for (int i = 0; i < f->node_count && !error; i++)
    error = verify_node(v, f->nodes[i], f, &next_id);
  if (error) return error;
  if (f->value_count != next_id)
    return arena_printf(v->arena, "%s: %d values, not %d", name, next_id, f->value_count);
  for (int k = 0; k < f->result_count; k++)
    if (!f->results[k] || f->results[k]->owner != f)
      return arena_printf(v->arena, "%s: result %d belongs to another function", name, k);
  return NULL;
}

const char *ir_verify(const IrFunction *f) {
  Verifier v = {.arena = f->module->arena};
  return verify_function(&v, f);
}

int ir_node_total(const IrFunction *f) {
  int total = f->node_count;
  for (int i = 0; i < f->node_count; i++) {
    const IrNode *n = f->nodes[i];
    for (int k = 0; k < 2; k++)
      if (n->op != IR_CALL && n->body[k]) total += ir_node_total(n->body[k]);
  }
  return total;
}
