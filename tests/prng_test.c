/* The generator: known answers of Random123 for Threefry-2x32, and JAX's streams, in the evaluator
 * and in ONNX Runtime. */
#include "emit_check.h"

#include "lower/prng.h"
#include "runtime/values.h"

#include <math.h>
#include <string.h>

/* ---- one function, evaluated and emitted ---- */

typedef IrValue *(*Compute)(IrBuilder *b, IrValue *const *in);

static IrFunction *function_of_operands(Arena *a, Compute compute, int count,
                                        const IrTensor *const *args) {
  IrModule *m = ir_module_new(a, (IrOptions){0});
  IrBuilder *b = ir_function_begin(m, NULL, "prng");
  IrValue *in[MAX_INPUTS], *out;
  for (int k = 0; k < count; k++) in[k] = ir_param(b, args[k]->type, NULL);
  out = compute(b, in);
  ck_assert_msg(!ir_module_error(m), "%s", ir_module_error(m));
  return ir_function_end(b, &out, NULL, 1);
}

static const IrTensor *evaluated(Arena *a, const IrFunction *f, const IrTensor *const *args) {
  const IrTensor *result;
  IrPlan *plan = ir_plan_new(f);
  const char *error = ir_plan_run(plan, args, &result);
  ck_assert_msg(!error, "%s", error);
  IrTensor *copy = ir_tensor_new(a, result->type);
  memcpy(copy->data.bytes, result->data.bytes,
         (size_t)result->count * ir_dtype_size(result->type.dtype));
  ir_plan_free(plan);
  return copy;
}

/* What `compute` gives for the operands, the same in ONNX Runtime in both dialects. */
static const IrTensor *result_of(Arena *a, Compute compute, int count,
                                 const IrTensor *const *args) {
  IrFunction *f = function_of_operands(a, compute, count, args);
  for (int prob = 0; prob < 2; prob++) check_function(a, f, args, prob);
  return evaluated(a, f, args);
}

static IrTensor *integers(Arena *a, const json_t *list) {
  int64_t n = (int64_t)json_array_size(list);
  IrTensor *t = ir_tensor_new(a, ir_type(IR_I64, 1, &n));
  for (int64_t i = 0; i < n; i++)
    t->data.i64[i] = json_integer_value(json_array_get(list, (size_t)i));
  return t;
}

/* ---- Random123 ---- */

static const struct {
  uint64_t key, counter, bits;
} answers[] = {
    {0, 0, 0x6b20015999ba4efe},
    {UINT64_MAX, UINT64_MAX, 0x1cb996fcbb002be7},
    {0x13198a2e03707344, 0x243f6a8885a308d3, 0xc4923a9c483df7a0},
};
enum { ANSWERS = sizeof answers / sizeof *answers };

static IrValue *threefry(IrBuilder *b, IrValue *const *in) {
  return ir_binary(b, IR_THREEFRY, in[0], in[1]);
}

START_TEST(known_answers) {
  Arena *a = arena_new();
  const int64_t n = ANSWERS;
  IrTensor *keys = ir_tensor_new(a, ir_type(IR_I64, 1, &n));
  IrTensor *counters = ir_tensor_new(a, ir_type(IR_I64, 1, &n));
  for (int k = 0; k < ANSWERS; k++) {
    keys->data.i64[k] = (int64_t)answers[k].key;
    counters->data.i64[k] = (int64_t)answers[k].counter;
  }
  const IrTensor *bits = result_of(a, threefry, 2, (const IrTensor *[]){keys, counters});
  for (int k = 0; k < ANSWERS; k++) ck_assert_uint_eq((uint64_t)bits->data.i64[k], answers[k].bits);
  arena_free(a);
}
END_TEST

/* One key with many counters, and the other way. */
START_TEST(operands_broadcast) {
  Arena *a = arena_new();
  const int64_t n = ANSWERS, shape[2] = {ANSWERS, 1};
  IrTensor *keys = ir_tensor_new(a, ir_type(IR_I64, 2, shape));
  IrTensor *counters = ir_tensor_new(a, ir_type(IR_I64, 1, &n));
  for (int k = 0; k < ANSWERS; k++) {
    keys->data.i64[k] = (int64_t)answers[k].key;
    counters->data.i64[k] = (int64_t)answers[k].counter;
  }
  const IrTensor *bits = result_of(a, threefry, 2, (const IrTensor *[]){keys, counters});
  ck_assert_int_eq(bits->count, (int64_t)ANSWERS * ANSWERS);
  for (int k = 0; k < ANSWERS; k++)
    ck_assert_uint_eq((uint64_t)bits->data.i64[k * ANSWERS + k], answers[k].bits);
  for (int k = 1; k < ANSWERS; k++) ck_assert_int_ne(bits->data.i64[0], bits->data.i64[k]);
  arena_free(a);
}
END_TEST

/* The ends of the range, and what is cut off. */
START_TEST(uniform_of_bits) {
  static const struct {
    int64_t bits;
    double number;
  } cases[] = {{0, 0},
               {0xfff, 0},
               {0x1000, 0x1p-52},
               {-1, 1 - 0x1p-52},
               {INT64_MIN, 0.5},
               {INT64_MAX, 0.5 - 0x1p-52}};
  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
    Arena *a = arena_new();
    IrModule *m = ir_module_new(a, (IrOptions){.no_fold = true});
    IrBuilder *b = ir_function_begin(m, NULL, "uniform");
    IrValue *u = ir_unary(b, IR_UNIFORM, ir_param(b, ir_scalar(IR_I64), NULL));
    IrFunction *f = ir_function_end(b, &u, NULL, 1);
    const IrTensor *bits = ir_tensor_i64(a, cases[k].bits), *number;
    check_function(a, f, &bits, false);
    IrPlan *plan = ir_plan_new(f);
    ck_assert(!ir_plan_run(plan, &bits, &number));
    ck_assert_double_eq(number->data.f64[0], cases[k].number);
    ir_plan_free(plan);
    arena_free(a);
  }
}
END_TEST

/* ---- JAX ---- */

static json_t *jax(void) {
  static json_t *table; /* read once */
  Arena *a = arena_new();
  if (!table) {
    const char *error =
        read_json_object(a, STAN2ONNX_SOURCE_DIR "/testdata/random/jax.json", &table);
    ck_assert_msg(!error, "%s", error);
  }
  arena_free(a);
  return json_object_get(table, "streams");
}

static IrValue *init(IrBuilder *b, IrValue *const *in) { return prng_init(b, in[0]); }
static IrValue *split(IrBuilder *b, IrValue *const *in) { return prng_split(b, in[0], in[1]); }
static IrValue *split_at(IrBuilder *b, IrValue *const *in) {
  return prng_split_at(b, in[0], in[1]);
}
static IrValue *uniform(IrBuilder *b, IrValue *const *in) { return prng_uniform(b, in[0], in[1]); }
static IrValue *normal(IrBuilder *b, IrValue *const *in) { return prng_normal(b, in[0], in[1]); }
static IrValue *there_and_back(IrBuilder *b, IrValue *const *in) {
  return prng_key(b, prng_state(b, in[0]));
}

static void check_words(const IrTensor *got, const json_t *pairs) {
  ck_assert_int_eq(got->count, 2 * (int64_t)json_array_size(pairs));
  for (int64_t i = 0; i < got->count; i++)
    ck_assert_int_eq(got->data.i64[i], json_integer_value(json_array_get(
                                           json_array_get(pairs, (size_t)i / 2), (size_t)i % 2)));
}

START_TEST(jax_streams) {
  Arena *a = arena_new();
  json_t *stream;
  size_t k, seeds = 0;
  json_array_foreach(jax(), k, stream) {
    const json_t *splits = json_object_get(stream, "split");
    const IrTensor *count = ir_tensor_i64(a, (int64_t)json_array_size(splits));
    const IrTensor *seed = ir_tensor_i64(a, json_integer_value(json_object_get(stream, "seed")));
    const IrTensor *state = result_of(a, init, 1, &seed);
    const IrTensor *key = integers(a, json_object_get(stream, "key"));
    ck_assert_mem_eq(state->data.i64, key->data.i64, 2 * sizeof(int64_t));
    check_words(result_of(a, split, 2, (const IrTensor *[]){state, count}), splits);
    /* the numbers of a split are the bits that JAX draws: state and bits are two words each */
    check_words(result_of(a, split, 2, (const IrTensor *[]){state, count}),
                json_object_get(stream, "bits"));
    const IrTensor *u = result_of(a, uniform, 2, (const IrTensor *[]){state, count});
    for (int64_t i = 0; i < u->count; i++)
      ck_assert_double_eq(u->data.f64[i], json_real_value(json_array_get(
                                              json_object_get(stream, "uniform"), (size_t)i)));
    seeds++;
  }
  ck_assert_uint_ge(seeds, 5);
  arena_free(a);
}
END_TEST

START_TEST(split_by_number) {
  Arena *a = arena_new();
  const json_t *stream = json_array_get(jax(), 2);
  const IrTensor *state = integers(a, json_object_get(stream, "key"));
  const json_t *third = json_array_get(json_object_get(stream, "split"), 3);
  const IrTensor *number = ir_tensor_i64(a, 3);
  const IrTensor *got = result_of(a, split_at, 2, (const IrTensor *[]){state, number});
  ck_assert_mem_eq(got->data.i64, integers(a, third)->data.i64, 2 * sizeof(int64_t));
  arena_free(a);
}
END_TEST

START_TEST(keys_and_states) {
  Arena *a = arena_new();
  static const int64_t keys[] = {0,
                                 1,
                                 -1,
                                 INT64_MIN,
                                 INT64_MAX,
                                 INT64_C(1) << 32,
                                 -(INT64_C(1) << 32),
                                 0xffffffff,
                                 -5,
                                 1234567890123456789};
  for (size_t k = 0; k < sizeof keys / sizeof *keys; k++) {
    const IrTensor *key = ir_tensor_i64(a, keys[k]);
    ck_assert_int_eq(result_of(a, there_and_back, 1, &key)->data.i64[0], keys[k]);
    const IrTensor *state = result_of(a, init, 1, &key);
    ck_assert_int_eq(state->data.i64[0], (int64_t)((uint64_t)keys[k] >> 32));
    ck_assert_int_eq(state->data.i64[1], (int64_t)((uint64_t)keys[k] & 0xffffffff));
  }
  arena_free(a);
}
END_TEST

/* Mean, variance and fourth moment of a standard normal number, within five of their own standard
 * deviations. */
START_TEST(normal_moments) {
  Arena *a = arena_new();
  const IrTensor *state = integers(a, json_object_get(json_array_get(jax(), 0), "key"));
  const IrTensor *count = ir_tensor_i64(a, 20000);
  const IrTensor *const args[] = {state, count};
  const IrTensor *z = evaluated(a, function_of_operands(a, normal, 2, args), args);
  double sums[3] = {0}, n = (double)z->count;
  for (int64_t i = 0; i < z->count; i++) {
    double x = z->data.f64[i];
    sums[0] += x / n;
    sums[1] += x * x / n;
    sums[2] += x * x * x * x / n;
  }
  ck_assert_double_le(fabs(sums[0]), 5 / sqrt(n));
  ck_assert_double_le(fabs(sums[1] - 1), 5 * sqrt(2 / n));
  ck_assert_double_le(fabs(sums[2] - 3), 5 * sqrt(96 / n));
  arena_free(a);
}
END_TEST

static bool holds(const EmittedModel *model, const char *text) {
  size_t n = strlen(text);
  const char *bytes = (const char *)model->bytes;
  for (size_t i = 0; i + n <= model->size; i++)
    if (!memcmp(bytes + i, text, n)) return true;
  return false;
}

/* In the prob dialect each is one call of a function of that name; the other is flat. */
START_TEST(functions_of_the_prob_domain) {
  static const struct {
    const char *name;
    Compute compute;
    int operands;
  } functions[] = {{"InitPRNG", init, 1},
                   {"SplitPRNG", split, 2},
                   {"RandomUniform", uniform, 2},
                   {"RandomNormal", normal, 2}};
  Arena *a = arena_new();
  const IrTensor *seed = ir_tensor_i64(a, 42);
  const IrTensor *state = integers(a, json_object_get(json_array_get(jax(), 0), "key"));
  const IrTensor *const init_args[] = {seed}, *const args[] = {state, ir_tensor_i64(a, 4)};
  for (size_t k = 0; k < sizeof functions / sizeof *functions; k++) {
    IrFunction *f = function_of_operands(a, functions[k].compute, functions[k].operands,
                                         functions[k].operands == 1 ? init_args : args);
    EmittedModel prob = emitted(a, f, true), onnx = emitted(a, f, false);
    ck_assert_msg(holds(&prob, functions[k].name), "no function %s", functions[k].name);
    ck_assert(!holds(&onnx, functions[k].name));
  }
  arena_free(a);
}
END_TEST

int main(void) {
  Suite *s = suite_create("prng");
  TCase *c = tcase_create("prng");
  tcase_set_timeout(c, 120);
  tcase_add_test(c, known_answers);
  tcase_add_test(c, operands_broadcast);
  tcase_add_test(c, uniform_of_bits);
  tcase_add_test(c, jax_streams);
  tcase_add_test(c, split_by_number);
  tcase_add_test(c, keys_and_states);
  tcase_add_test(c, normal_moments);
  tcase_add_test(c, functions_of_the_prob_domain);
  suite_add_tcase(s, c);
  return run_with_runtime(s);
}
