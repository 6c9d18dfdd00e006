/* The pass that makes a function give the same bits everywhere. */
#include "ir/reproducible.h"

static RewriteRule *const by_op[IR_OP_COUNT] = {
    [IR_EXP] = reproducible_exp,
    [IR_LOG] = reproducible_log,
    [IR_POW] = reproducible_pow,
    [IR_TANH] = reproducible_tanh,
    [IR_SIN] = reproducible_sin,
    [IR_COS] = reproducible_cos,
    [IR_MUL] = reproducible_quotient,
    [IR_REDUCE_SUM] = reproducible_sum,
    [IR_REDUCE_PROD] = reproducible_product,
    [IR_MATMUL] = reproducible_matmul,
};

/* The formulas are written for their rounding. */
static IrValue *by_formula(const Rewriting *w, const IrNode *n) {
  if (!by_op[n->op] || n->out[0]->type.dtype != IR_F64) return NULL;
  bool exact = ir_set_exact(w->b, true);
  IrValue *v = by_op[n->op](w, n);
  ir_set_exact(w->b, exact);
  return v;
}

IrFunction *ir_make_reproducible(IrFunction *f) {
  static RewriteRule *const rules[] = {by_formula, NULL};
  return rewrite_function(f, rules);
}
