#include "ir/builder.h"
IrValue *algebra_apply(IrBuilder *b, IrOp op, const IrAttr *attr, IrValue *const *in, int count,
                       const IrType *type) {
  (void)b, (void)op, (void)attr, (void)in, (void)count, (void)type;
  return NULL;
}
void elementwise_dims(IrBuilder *b, IrValue *const *in, int count, const IrType *type,
                      IrValue **dims) {
  for (int k = 0; k < type->rank; k++) {
    dims[k] = NULL;
    if (type->dim[k] != IR_DYNAMIC) {
      dims[k] = ir_i64(b, type->dim[k]);
      continue;
    }
    for (int j = 0; j < count && !dims[k]; j++) {
      int axis = k - (type->rank - in[j]->type.rank);
      if (axis >= 0 && in[j]->type.dim[axis] != 1) dims[k] = ir_dim(b, in[j], axis);
    }
  }
}
IrValue *elementwise_fit(IrBuilder *b, IrValue *v, IrValue *const *in, int count,
                         const IrType *type) {
  bool covers = v->type.rank == type->rank;
  for (int k = 0; k < type->rank && covers; k++) covers = v->type.dim[k] != 1 || type->dim[k] == 1;
  if (covers) return v;
  IrValue *dims[IR_MAX_RANK];
  elementwise_dims(b, in, count, type, dims);
  return ir_broadcast(b, v, dims, type->rank);
}
