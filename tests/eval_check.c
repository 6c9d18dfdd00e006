#include "eval_check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

Arena *arena;

void eval_set_up(void) { arena = arena_new(); }
void eval_tear_down(void) { arena_free(arena); }

IrTensor *tensor_of_value(const Value *v) {
  IrTensor *t = ir_tensor_new(arena, ir_type(v->dtype, v->rank, v->dims));
  for (int64_t i = 0; i < t->count; i++) {
    if (v->dtype == F)
      t->data.f64[i] = v->values[i];
    else if (v->dtype == I)
      t->data.i64[i] = (int64_t)v->values[i];
    else
      t->data.boolean[i] = v->values[i] != 0;
  }
  return t;
}

static bool same_element(const IrTensor *x, const IrTensor *y, int64_t i) {
  if (x->type.dtype == I) return x->data.i64[i] == y->data.i64[i];
  if (x->type.dtype == B) return x->data.boolean[i] == y->data.boolean[i];
  double a = x->data.f64[i], b = y->data.f64[i];
  return (isnan(a) && isnan(b)) || (a == b && signbit(a) == signbit(b));
}

void check_same(const char *name, const IrTensor *got, const IrTensor *expected) {
  ck_assert_msg(ir_types_equal(&got->type, &expected->type), "%s: another type or shape", name);
  ck_assert_msg(got->count == expected->count, "%s: another count", name);
  for (int64_t i = 0; i < got->count; i++)
    ck_assert_msg(same_element(got, expected, i), "%s: element %lld differs", name, (long long)i);
}

IrBuilder *begin_plain(const char *name) {
  IrOptions o = {.no_fold = true, .no_cse = true, .no_algebra = true};
  return ir_function_begin(ir_module_new(arena, o), NULL, name);
}

static IrTensor *copy_of(const IrTensor *t) {
  IrTensor *copy = ir_tensor_new(arena, t->type);
  if (t->count)
    memcpy(copy->data.bytes, t->data.bytes, (size_t)t->count * ir_dtype_size(t->type.dtype));
  return copy;
}

const char *run_twice(const IrFunction *f, const IrTensor *const *args, IrTensor **results) {
  const IrTensor **owned = ARENA_ARRAY(arena, const IrTensor *, (size_t)f->result_count);
  const char *wrong = ir_verify(f);
  ck_assert_msg(!wrong, "%s: %s", f->name, wrong);
  IrPlan *p = ir_plan_new(f);
  ck_assert_ptr_nonnull(p);
  ir_plan_limit_steps(p, 100000);
  const char *error = ir_plan_run(p, args, owned);
  int64_t allocations = ir_plan_allocations(p);
  if (!error) {
    error = ir_plan_run(p, args, owned);
    ck_assert_ptr_null(error);
    ck_assert_int_eq(ir_plan_allocations(p), allocations);
  }
  if (error) error = arena_strdup(arena, error);
  for (int k = 0; k < f->result_count && !error; k++) results[k] = copy_of(owned[k]);
  ir_plan_free(p);
  return error;
}

int run_suite(Suite *s) {
  SRunner *runner = srunner_create(s);
  srunner_set_fork_status(runner, CK_NOFORK);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
