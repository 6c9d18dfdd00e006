/* The ops table: what the rows of ops.def say about names, operands, shapes and guards. */
#include "ir/builder.h"
#include "ir/shape.h"

#include <string.h>

typedef enum { GUARD_none, GUARD_zero, GUARD_one, GUARD_divisor } Guard;

static const IrOpInfo infos[IR_OP_COUNT] = {
#define OP(NAME, text, count, rule, evaluate, vjp, batch, guard, onnx)                             \
  [IR_##NAME] = {                                                                                  \
      .name = text, .operands = count, .elementwise = ELEMENTWISE_##rule, .shape = shape_##rule},
#include "ir/ops.def"
#undef OP
};

static const Guard guards[IR_OP_COUNT] = {
#define OP(name, text, operands, shape, evaluate, vjp, batch, guard, onnx)                         \
  [IR_##name] = GUARD_##guard,
#include "ir/ops.def"
#undef OP
};

const IrOpInfo *ir_op_info(IrOp op) { return &infos[op]; }
const char *ir_op_name(IrOp op) { return infos[op].name; }
bool ir_op_elementwise(IrOp op) { return infos[op].elementwise; }

bool ir_op_reduction(IrOp op) { return op >= IR_REDUCE_SUM && op <= IR_REDUCE_ALL; }

bool ir_reduces_something(const IrAttr *attr, const IrType *t) {
  if (attr->nonempty) return true;
  for (int k = 0; k < attr->axis_count; k++)
    if (t->dim[attr->axes[k]] <= 0) return false;
  return true;
}

bool ir_op_guard(IrOp op, int operand, double *safe) {
  static const struct {
    int operand;
    double safe;
  } values[] = {[GUARD_none] = {-1, 0},
                [GUARD_zero] = {0, 0},
                [GUARD_one] = {0, 1},
                [GUARD_divisor] = {1, 1}};
  *safe = values[guards[op]].safe;
  return values[guards[op]].operand == operand;
}

bool ir_op_commutative(IrOp op) {
  switch (op) {
  case IR_ADD:
  case IR_MUL:
  case IR_MIN:
  case IR_MAX:
  case IR_EQ:
  case IR_NE:
  case IR_AND:
  case IR_OR: return true;
  default: return false;
  }
}

bool ir_attr_equal(const IrAttr *a, const IrAttr *b) {
  return a->axis == b->axis && a->batch == b->batch && a->axis_count == b->axis_count &&
         memcmp(a->axes, b->axes, sizeof a->axes) == 0 && a->reverse == b->reverse &&
         a->exclusive == b->exclusive && a->has_condition == b->has_condition &&
         a->carried == b->carried && a->scanned == b->scanned && a->dtype == b->dtype;
}
