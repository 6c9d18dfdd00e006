#include "lower/prng.h"

static const int64_t WORD = INT64_C(1) << 32;

/* ---- words ---- */

static IrValue *add_where(IrBuilder *b, IrValue *condition, IrValue *x, int64_t more) {
  return ir_binary(b, IR_ADD, x, ir_select(b, condition, ir_i64(b, more), ir_i64(b, 0)));
}

static IrValue *is_negative(IrBuilder *b, IrValue *x) {
  return ir_binary(b, IR_LT, x, ir_i64(b, 0));
}

/* x as unsigned is high * 2^32 + low. Division and remainder round towards 0, for which x below 0
 * has to be made up for. */
IrValue *prng_state(IrBuilder *b, IrValue *x) {
  IrValue *rest = ir_binary(b, IR_MOD, x, ir_i64(b, WORD));
  IrValue *low = add_where(b, is_negative(b, rest), rest, WORD);
  IrValue *high = ir_binary(b, IR_DIV, ir_binary(b, IR_SUB, x, rest), ir_i64(b, WORD));
  high = add_where(b, is_negative(b, rest), high, -1);
  high = add_where(b, is_negative(b, high), high, WORD);
  int axis = x->type.rank;
  IrValue *words[2] = {ir_unsqueeze(b, high, axis), ir_unsqueeze(b, low, axis)};
  return ir_concat(b, words, 2, axis);
}

/* The high word is taken for a signed one, so that nothing overflows. */
IrValue *prng_key(IrBuilder *b, IrValue *state) {
  int axis = state->type.rank - 1;
  IrValue *high = ir_gather(b, state, ir_i64(b, 0), axis, 0);
  IrValue *low = ir_gather(b, state, ir_i64(b, 1), axis, 0);
  high = add_where(b, ir_binary(b, IR_GE, high, ir_i64(b, WORD / 2)), high, -WORD);
  return ir_binary(b, IR_ADD, ir_binary(b, IR_MUL, high, ir_i64(b, WORD)), low);
}

/* ---- functions of the prob domain ---- */

/* Starts a call of `name`; returns the scope to go back to. */
static const IrScope *begin_call(IrBuilder *b, const char *name) {
  IrScope *s = ARENA_NEW(ir_module_arena(ir_builder_module(b)), IrScope);
  s->name = name;
  const IrScope *outer = ir_set_scope(b, s);
  s->parent = outer;
  return outer;
}

static IrValue *end_call(IrBuilder *b, const IrScope *outer, IrValue *result) {
  ir_set_scope(b, outer);
  return result;
}

static IrValue *bits(IrBuilder *b, IrValue *state, IrValue *count) {
  return ir_binary(b, IR_THREEFRY, prng_key(b, state), ir_iota(b, count));
}

IrValue *prng_init(IrBuilder *b, IrValue *seed) {
  const IrScope *outer = begin_call(b, "init_prng");
  return end_call(b, outer, prng_state(b, seed));
}

IrValue *prng_split(IrBuilder *b, IrValue *state, IrValue *count) {
  const IrScope *outer = begin_call(b, "split_prng");
  return end_call(b, outer, prng_state(b, bits(b, state, count)));
}

IrValue *prng_split_at(IrBuilder *b, IrValue *state, IrValue *number) {
  const IrScope *outer = begin_call(b, "split_prng");
  return end_call(b, outer, prng_state(b, ir_binary(b, IR_THREEFRY, prng_key(b, state), number)));
}

IrValue *prng_uniform(IrBuilder *b, IrValue *state, IrValue *count) {
  const IrScope *outer = begin_call(b, "random_uniform");
  return end_call(b, outer, ir_unary(b, IR_UNIFORM, bits(b, state, count)));
}

IrValue *prng_uniform_at(IrBuilder *b, IrValue *state, IrValue *offsets, IrValue *counters) {
  const IrScope *outer = begin_call(b, "random_uniform");
  IrValue *key = ir_binary(b, IR_ADD, prng_key(b, state), offsets);
  return end_call(b, outer, ir_unary(b, IR_UNIFORM, ir_binary(b, IR_THREEFRY, key, counters)));
}

/* Box and Muller's transform, as std_normal_rng of the library. */
IrValue *prng_normal(IrBuilder *b, IrValue *state, IrValue *count) {
  const IrScope *outer = begin_call(b, "random_normal");
  IrValue *twice = ir_binary(b, IR_ADD, count, count);
  IrValue *u = ir_unary(b, IR_UNIFORM, bits(b, state, twice));
  u = ir_binary(b, IR_ADD, u, ir_f64(b, 0x1p-53));
  IrValue *first = ir_slice(b, u, 0, ir_i64(b, 0), count);
  IrValue *second = ir_slice(b, u, 0, count, count);
  IrValue *size = ir_binary(b, IR_MUL, ir_f64(b, -2), ir_unary(b, IR_LOG, first));
  IrValue *angle = ir_binary(b, IR_MUL, ir_f64(b, 6.28318530717958647693), second);
  return end_call(b, outer,
                  ir_binary(b, IR_MUL, ir_unary(b, IR_SQRT, size), ir_unary(b, IR_COS, angle)));
}
