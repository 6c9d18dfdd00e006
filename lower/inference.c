#include "lower/inference.h"

SVal trace_target_call(Tracer *t, SVal point, const StanType *type) {
  const Target *target = t->target;
  if (!target || t->level)
    trace_unsupported(t, t->span, "the log density as a function of the library here");
  IrValue **args = ARENA_ARRAY(t->arena, IrValue *, (size_t)target->rest_count + 1), *results[2];
  args[0] = point.tr.value;
  for (int k = 0; k < target->rest_count; k++) args[1 + k] = target->rest[k];
  if (target->density->role)
    ir_call(t->b, target->density, args, target->rest_count + 1, results);
  else
    ir_inline(t->b, target->density, args, results);
  SVal *members = ARENA_ARRAY(t->arena, SVal, 2);
  for (int k = 0; k < 2; k++)
    members[k] = sval(type->members[k], (Tr){results[k], NULL, true}, true);
  return (SVal){.type = type, .autodiff = true, .members = members};
}

/* The key of number k is k steps of this odd constant (2^64 over the golden ratio) away. */
static const uint64_t STEP = 0x9e3779b97f4a7c15;

Tr draw_numbered(Tracer *t, Tr number, Tr n) {
  Tr step = tr_binary(t, IR_MUL, as_int(t, number), tr_int(t, (int64_t)STEP));
  Tr key = tr_binary(t, IR_ADD, t->key, step);
  Tr bits = tr_binary(t, IR_THREEFRY, key, tr_const(ir_iota(t->b, n.value)));
  return tr_binary(t, IR_ADD, tr_unary(t, IR_UNIFORM, bits), tr_real(t, 0x1p-53));
}
