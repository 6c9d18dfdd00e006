/* The programs of testdata/: what they compute, in ONNX Runtime and in the IR evaluator, against
 * real Stan. */
#include "emit/emit.h"
#include "lower/lower.h"
#include "runtime/values.h"
#include "stan2onnx.h"

#include <check.h>
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_MODELS = 200, SKIPPED = 77 };

static const double DENSITY_TOLERANCE = 1e-10, VALUE_TOLERANCE = 1e-12;

static char *names[MAX_MODELS];
static int name_count;
static Ort *ort;

/* ---- a model and what Stan says of it ---- */

typedef struct {
  Arena *arena;
  const char *name, *source, *data_text;
  json_t *data, *expected;
  int points;
  bool old_simplex; /* x belongs to another transform than ours */
} Model;

static const char *text_of(Arena *a, const char *path) {
  Text text = text_new(a);
  const char *error = read_text(a, path, &text);
  ck_assert_msg(!error, "%s", error);
  return text.data;
}

static json_t *read_object(Arena *a, const char *path) {
  json_t *object = NULL;
  const char *error = read_json_object(a, path, &object);
  ck_assert_msg(!error, "%s: %s", path, error);
  return object;
}

static Model open_model(int number) {
  Arena *a = arena_new();
  Model m = {.arena = a, .name = names[number]};
  const char *folder = arena_printf(a, STAN2ONNX_SOURCE_DIR "/testdata/%s", m.name);
  m.source = text_of(a, arena_printf(a, "%s/model.stan", folder));
  m.data_text = text_of(a, arena_printf(a, "%s/data.json", folder));
  m.data = read_object(a, arena_printf(a, "%s/data.json", folder));
  m.expected = read_object(a, arena_printf(a, "%s/expected.json", folder));
  m.points = (int)json_array_size(json_object_get(m.expected, "points"));
  m.old_simplex = json_is_true(json_object_get(m.expected, "old_simplex"));
  ck_assert_int_ge(m.points, 5);
  return m;
}

static void close_model(Model *m) {
  json_decref(m->data);
  json_decref(m->expected);
  arena_free(m->arena);
}

static double number(const json_t *v) {
  if (!json_is_string(v)) return json_number_value(v);
  const char *s = json_string_value(v);
  return !strcmp(s, "NaN") ? NAN : s[0] == '-' ? -INFINITY : INFINITY;
}

static json_t *point(const Model *m, int k) {
  return json_array_get(json_object_get(m->expected, "points"), (size_t)(k % m->points));
}

static double expected_number(const Model *m, int k, const char *key, size_t i) {
  return number(json_array_get(json_object_get(point(m, k), key), i));
}

/* The place of a Stan variable among the values of a point: offset and dims. */
typedef struct {
  size_t offset;
  int rank;
  int64_t dims[IR_MAX_RANK], count;
} Slot;

static bool find_slot(const Model *m, const char *variable, Slot *out) {
  json_t *all = json_object_get(m->expected, "dims"), *entry;
  size_t k, offset = 0;
  json_array_foreach(all, k, entry) {
    json_t *dims = json_array_get(entry, 1);
    *out = (Slot){.offset = offset, .rank = (int)json_array_size(dims), .count = 1};
    for (int i = 0; i < out->rank; i++) {
      out->dims[i] = json_integer_value(json_array_get(dims, (size_t)i));
      out->count *= out->dims[i];
    }
    if (!strcmp(json_string_value(json_array_get(entry, 0)), variable)) return true;
    offset += (size_t)out->count;
  }
  return false;
}

/* Row-major position `i` as a position in Stan's column-major order. */
static size_t column_major(const Slot *s, int64_t i) {
  int64_t index[IR_MAX_RANK], at = 0;
  for (int k = s->rank - 1; k >= 0; k--) {
    index[k] = i % s->dims[k];
    i /= s->dims[k];
  }
  for (int k = s->rank - 1; k >= 0; k--) at = at * s->dims[k] + index[k];
  return (size_t)at;
}

/* ---- one compilation, run on two engines ---- */

typedef struct {
  Stan2onnxEntry entry;
  bool baked, prob, reproducible, keep_constants, no_jacobian;
  int chains;
} Trial;

typedef struct {
  size_t count;
  const char *names[64];
  OrtTensor tensors[64];
} Outputs;

static const char *describe(Arena *a, const Model *m, const Trial *t, const char *engine) {
  static const char *const entries[] = {"log-density", "constrain", "unconstrain", "generate"};
  return arena_printf(a, "%s, %s, %s data, %s%s%s%s, %d chains, %s", m->name, entries[t->entry],
                      t->baked ? "baked" : "runtime", t->prob ? "prob" : "onnx",
                      t->reproducible ? ", reproducible" : "",
                      t->keep_constants ? ", all constants" : "",
                      t->no_jacobian ? ", no Jacobian" : "", t->chains, engine);
}

static OrtTensor *points_input(const Model *m, const Trial *t, json_t *override) {
  OrtTensor *x = ARENA_NEW(m->arena, OrtTensor);
  int64_t d = json_integer_value(json_object_get(m->expected, "unconstrained"));
  double *values = ARENA_ARRAY(m->arena, double, (size_t)(t->chains * d) + 1);
  for (int c = 0; c < t->chains; c++)
    for (int64_t i = 0; i < d; i++)
      values[c * d + i] =
          override
              ? number(json_array_get(json_array_get(override, (size_t)(c % m->points)), (size_t)i))
              : expected_number(m, c, "x", (size_t)i);
  *x = (OrtTensor){ORT_F64, 2, {t->chains, d}, values};
  return x;
}

static OrtTensor *parameter_input(const Model *m, const Trial *t, const char *name,
                                  OrtElement element) {
  Slot s;
  if (!find_slot(m, name, &s)) return NULL;
  OrtTensor *x = ARENA_NEW(m->arena, OrtTensor);
  double *values = ARENA_ARRAY(m->arena, double, (size_t)(t->chains * s.count) + 1);
  for (int c = 0; c < t->chains; c++)
    for (int64_t i = 0; i < s.count; i++)
      values[c * s.count + i] = expected_number(m, c, "values", s.offset + column_major(&s, i));
  *x = (OrtTensor){.element = element, .rank = s.rank + 1, .dims = {t->chains}, .data = values};
  memcpy(x->dims + 1, s.dims, sizeof(int64_t) * (size_t)s.rank);
  return x;
}

/* The value of an input: a data variable, the points, or a parameter. */
static OrtTensor *input_value(const Model *m, const Trial *t, const OrtPort *port,
                              json_t *override) {
  const char *rest;
  if (!strcmp(port->name, "unconstrained")) return points_input(m, t, override);
  json_t *value = find_value(m->data, port->name, &rest);
  if (!value) return parameter_input(m, t, port->name, port->element);
  OrtTensor *x = ARENA_NEW(m->arena, OrtTensor);
  const char *error = tensor_from_json(m->arena, value, rest, port, false, x);
  ck_assert_msg(!error, "%s: %s", m->name, error);
  return x;
}

static void run_in_runtime(const Model *m, const Trial *t, json_t *override, const char *what,
                           Outputs *out) {
  Arena *a = m->arena;
  Stan2onnxOptions o = {.struct_size = sizeof o,
                        .name = "model.stan",
                        .source = m->source,
                        .source_length = strlen(m->source),
                        .entry = t->entry,
                        .keep_constants = t->keep_constants,
                        .no_jacobian = t->no_jacobian,
                        .reproducible = t->reproducible,
                        .prob_dialect = t->prob};
  if (t->baked) o.data = m->data_text, o.data_length = strlen(m->data_text);
  Stan2onnxResult *r = stan2onnx_compile(&o);
  ck_assert_msg(stan2onnx_status(r) == STAN2ONNX_OK, "%s: %s", what, stan2onnx_diagnostics(r));
  size_t size, inputs, outputs;
  const void *bytes = stan2onnx_output(r, &size);
  OrtModel *session;
  OrtCall *call;
  const char *error = ort_load_bytes(ort, a, bytes, size, 1, &session);
  ck_assert_msg(!error, "%s: %s", what, error);
  const OrtPort *ports = ort_inputs(session, &inputs);
  OrtTensor *bound = ARENA_ARRAY(a, OrtTensor, inputs + 1);
  for (size_t k = 0; k < inputs; k++) {
    OrtTensor *x = input_value(m, t, &ports[k], override);
    ck_assert_msg(x != NULL, "%s: no value for the input %s", what, ports[k].name);
    bound[k] = *x;
  }
  error = ort_bind(session, a, bound, &call);
  if (!error) error = ort_call(call, a);
  ck_assert_msg(!error, "%s: %s", what, error);
  ports = ort_outputs(session, &outputs);
  out->count = outputs;
  for (size_t k = 0; k < outputs; k++) {
    OrtTensor got;
    error = ort_result(call, a, k, &got);
    ck_assert_msg(!error, "%s: %s", what, error);
    size_t n = (size_t)ort_count(&got) * ort_element_size(got.element);
    void *copy = arena_alloc(a, n + 1);
    if (n) memcpy(copy, got.data, n);
    got.data = copy;
    out->names[k] = arena_strdup(a, ports[k].name);
    out->tensors[k] = got;
  }
  ort_release(call);
  ort_unload(session);
  stan2onnx_free(r);
}

static Lowered *lower(const Model *m, const Trial *t, DataSet **data) {
  Arena *a = m->arena;
  Diagnostics *d = diagnostics_new(a);
  Sources *sources = sources_new(a);
  jmp_buf fatal;
  diag_on_fatal(d, &fatal);
  ck_assert_msg(!setjmp(fatal), "%s cannot be lowered", m->name);
  uint32_t file = sources_add(sources, "model.stan", m->source, strlen(m->source));
  Program *program = parse_program(a, sources, file, (ParseOptions){0}, d);
  ck_assert(program && check_program(a, program, (CheckOptions){0}, d));
  LowerOptions o = {.entry = (EntryPoint)t->entry,
                    .keep_constants = t->keep_constants,
                    .no_jacobian = t->no_jacobian,
                    .reproducible = t->reproducible};
  if (t->baked) o.data = *data = data_parse(a, m->data_text, strlen(m->data_text), "data.json", d);
  return lower_program(a, program, &o, sources, d);
}

static const OrtElement elements[] = {[IR_F64] = ORT_F64, [IR_I64] = ORT_I64, [IR_BOOL] = ORT_BOOL};
static const IrDtype dtypes[] = {[ORT_F64] = IR_F64, [ORT_I64] = IR_I64, [ORT_BOOL] = IR_BOOL};

static void run_in_evaluator(const Model *m, const Trial *t, json_t *override, const char *what,
                             Outputs *out) {
  Arena *a = m->arena;
  DataSet *data = NULL;
  Lowered *l = lower(m, t, &data);
  const IrTensor **args = ARENA_ARRAY(a, const IrTensor *, (size_t)l->input_count + 1);
  for (int k = 0; k < l->input_count; k++) {
    const IrType *type = &l->function->params[k]->type;
    OrtPort port = {
        .name = l->inputs[k].name, .element = elements[type->dtype], .rank = type->rank};
    memcpy(port.dims, type->dim, sizeof(int64_t) * (size_t)type->rank);
    OrtTensor *x = input_value(m, t, &port, override);
    ck_assert_msg(x != NULL, "%s: no value for the input %s", what, port.name);
    IrTensor *arg = ir_tensor_new(a, ir_type(dtypes[x->element], x->rank, x->dims));
    if (arg->count)
      memcpy(arg->data.bytes, x->data, (size_t)arg->count * ir_dtype_size(arg->type.dtype));
    args[k] = arg;
  }
  const IrTensor **results = ARENA_ARRAY(a, const IrTensor *, (size_t)l->output_count + 1);
  const char *wrong = ir_verify(l->function);
  ck_assert_msg(!wrong, "%s: %s", what, wrong);
  IrPlan *plan = ir_plan_new(l->function);
  const char *error = ir_plan_run(plan, args, results);
  ck_assert_msg(!error, "%s: %s", what, error);
  out->count = (size_t)l->output_count;
  for (int k = 0; k < l->output_count; k++) {
    const IrTensor *r = results[k];
    size_t n = (size_t)r->count * ir_dtype_size(r->type.dtype);
    void *copy = arena_alloc(a, n + 1);
    if (n) memcpy(copy, r->data.bytes, n);
    out->names[k] = l->outputs[k].name;
    out->tensors[k] =
        (OrtTensor){.element = elements[r->type.dtype], .rank = r->type.rank, .data = copy};
    memcpy(out->tensors[k].dims, r->type.dim, sizeof(int64_t) * (size_t)r->type.rank);
  }
  ir_plan_free(plan);
  data_free(data);
}

/* ---- comparing ---- */

static const OrtTensor *output(const Outputs *out, const char *name) {
  for (size_t k = 0; k < out->count; k++)
    if (!strcmp(out->names[k], name)) return &out->tensors[k];
  return NULL;
}

static double element(const OrtTensor *t, int64_t i) {
  return t->element == ORT_F64 ? ((const double *)t->data)[i]
                               : (double)((const int64_t *)t->data)[i];
}

static void same(const char *what, const char *name, int64_t i, double got, double want,
                 double tolerance) {
  if (isnan(want) && isnan(got)) return;
  ck_assert_msg(got == want || fabs(got - want) <= tolerance * fmax(1, fabs(want)),
                "%s: %s[%lld] is %.17g, Stan has %.17g", what, name, (long long)i, got, want);
}

/* How good Stan's numbers are, where that is said, or else the usual. */
static double tolerance_of(const Model *m, const char *key, double usual) {
  const json_t *own = json_object_get(m->expected, key);
  return own ? json_number_value(own) : usual;
}

static void compare_density(const Model *m, const Trial *t, const Outputs *out, const char *what) {
  const OrtTensor *lp = output(out, "log_density"), *g = output(out, "gradient");
  ck_assert_msg(lp && g, "%s: an output is missing", what);
  size_t which = t->no_jacobian ? 1 : t->keep_constants ? 0 : 2;
  double tolerance = tolerance_of(m, "tolerance", DENSITY_TOLERANCE),
         gradient_tolerance = tolerance_of(m, "gradient_tolerance", tolerance);
  int64_t d = g->dims[1];
  for (int c = 0; c < t->chains; c++) {
    same(what, "log_density", c, element(lp, c), expected_number(m, c, "lp", which), tolerance);
    for (int64_t i = 0; i < d && !t->no_jacobian; i++)
      same(what, "gradient", i, element(g, c * d + i), expected_number(m, c, "gradient", (size_t)i),
           gradient_tolerance);
  }
}

static void compare_values(const Model *m, const Trial *t, const Outputs *out, const char *what) {
  double tolerance = tolerance_of(m, "tolerance", VALUE_TOLERANCE);
  for (size_t k = 0; k < out->count; k++) {
    Slot s;
    const OrtTensor *v = &out->tensors[k];
    ck_assert_msg(find_slot(m, out->names[k], &s), "%s: Stan has no %s", what, out->names[k]);
    ck_assert_int_eq(v->rank, s.rank + 1);
    for (int c = 0; c < t->chains; c++)
      for (int64_t i = 0; i < s.count; i++)
        same(what, out->names[k], i, element(v, c * s.count + i),
             expected_number(m, c, "values", s.offset + column_major(&s, i)), tolerance);
  }
}

typedef void (*Compare)(const Model *m, const Trial *t, const Outputs *out, const char *what);

static void check_trial(const Model *m, Trial t, json_t *override, Compare compare) {
  const char *what = describe(m->arena, m, &t, "ONNX Runtime");
  Outputs out;
  run_in_runtime(m, &t, override, what, &out);
  compare(m, &t, &out, what);
  if (t.prob) return; /* dialects differ in emission only */
  what = describe(m->arena, m, &t, "evaluator");
  run_in_evaluator(m, &t, override, what, &out);
  compare(m, &t, &out, what);
}

/* Stan's points in our coordinates, where the transforms differ. */
static json_t *our_points(const Model *m) {
  Trial t = {.entry = STAN2ONNX_UNCONSTRAIN, .baked = true, .chains = m->points};
  Outputs out;
  run_in_runtime(m, &t, NULL, describe(m->arena, m, &t, "ONNX Runtime"), &out);
  const OrtTensor *x = output(&out, "unconstrained");
  json_t *all = json_array();
  for (int c = 0; c < m->points; c++) {
    json_t *one = json_array();
    for (int64_t i = 0; i < x->dims[1]; i++)
      json_array_append_new(one, json_real(element(x, c * x->dims[1] + i)));
    json_array_append_new(all, one);
  }
  return all;
}

/* What parameters are unconstrained to is constrained to them again. (The points need not be
 * Stan's: those of unit vectors are not unique.) */
static void check_round_trip(const Model *m) {
  json_t *points = our_points(m);
  Trial t = {.entry = STAN2ONNX_CONSTRAIN, .baked = true, .chains = m->points};
  check_trial(m, t, points, compare_values);
  json_decref(points);
}

/* Both data modes, both dialects, one chain and seven, and arithmetic that is the same everywhere.
 */
static void check_modes(const Model *m, Trial t, json_t *override, Compare compare) {
  static const struct {
    bool baked, prob, reproducible;
    int chains;
  } modes[] = {{true, false, false, 1}, {true, false, false, 7}, {false, false, false, 7},
               {true, true, false, 7},  {false, true, false, 1}, {false, false, true, 7}};
  for (size_t k = 0; k < sizeof modes / sizeof *modes; k++) {
    t.baked = modes[k].baked;
    t.prob = modes[k].prob;
    t.reproducible = modes[k].reproducible;
    t.chains = modes[k].chains;
    check_trial(m, t, override, compare);
  }
}

/* Where Stan's gradients are of another transform: ours against differences of our densities. */
static void check_differences(const Model *m, json_t *points) {
  const double step = 1e-5;
  json_t *start = json_array_get(points, 0), *around = json_array();
  int64_t d = (int64_t)json_array_size(start);
  Model at = *m;
  at.points = (int)(1 + 2 * d);
  for (int64_t k = -1; k < 2 * d; k++) {
    json_t *moved = json_deep_copy(start);
    size_t i = k < 0 ? 0 : (size_t)k / 2;
    double by = k < 0 ? 0 : k % 2 ? -step : step;
    json_array_set_new(moved, i, json_real(number(json_array_get(start, i)) + by));
    json_array_append_new(around, moved);
  }
  for (int baked = 0; baked < 2; baked++) {
    Trial t = {.entry = STAN2ONNX_LOG_DENSITY, .baked = baked, .chains = at.points};
    const char *what = describe(m->arena, &at, &t, "ONNX Runtime");
    Outputs out;
    run_in_runtime(&at, &t, around, what, &out);
    const OrtTensor *lp = output(&out, "log_density"), *g = output(&out, "gradient");
    for (int64_t i = 0; i < d; i++) {
      double want = (element(lp, 1 + 2 * i) - element(lp, 2 + 2 * i)) / (2 * step);
      ck_assert_msg(fabs(element(g, i) - want) <= 1e-6 * fmax(1, fabs(want)),
                    "%s: gradient[%lld] is %.17g, differences say %.17g", what, (long long)i,
                    element(g, i), want);
    }
  }
  json_decref(around);
}

START_TEST(density) {
  Model m = open_model(_i);
  json_t *points = m.old_simplex ? our_points(&m) : NULL;
  Trial t = {.entry = STAN2ONNX_LOG_DENSITY};
  if (!points) check_modes(&m, t, NULL, compare_density);
  t.baked = true;
  t.chains = m.points;
  t.keep_constants = true;
  if (!points) check_trial(&m, t, NULL, compare_density);
  t.no_jacobian = true;
  check_trial(&m, t, points, compare_density);
  if (points) check_differences(&m, points);
  json_decref(points);
  close_model(&m);
}
END_TEST

START_TEST(constrained_values) {
  Model m = open_model(_i);
  json_t *points = m.old_simplex ? our_points(&m) : NULL;
  check_modes(&m, (Trial){.entry = STAN2ONNX_CONSTRAIN}, points, compare_values);
  check_round_trip(&m);
  json_decref(points);
  close_model(&m);
}
END_TEST

/* Stan's points themselves, in every mode, where they are unique and our transforms Stan's. */
static void compare_points(const Model *m, const Trial *t, const Outputs *out, const char *what) {
  const OrtTensor *x = output(out, "unconstrained");
  ck_assert_msg(x != NULL, "%s: an output is missing", what);
  int64_t d = x->dims[1];
  for (int c = 0; c < t->chains; c++)
    for (int64_t i = 0; i < d; i++)
      same(what, "unconstrained", i, element(x, c * d + i), expected_number(m, c, "x", (size_t)i),
           1e-8);
}

START_TEST(unconstrained_values) {
  Model m = open_model(_i);
  if (!m.old_simplex && !strstr(m.source, "unit_vector"))
    check_modes(&m, (Trial){.entry = STAN2ONNX_UNCONSTRAIN}, NULL, compare_points);
  close_model(&m);
}
END_TEST

static bool has_generated_quantities(const Model *m) {
  json_int_t before = json_integer_value(json_object_get(m->expected, "parameters")) +
                      json_integer_value(json_object_get(m->expected, "transformed"));
  return (json_int_t)json_array_size(json_object_get(point(m, 0), "values")) > before;
}

START_TEST(generated_quantities) {
  Model m = open_model(_i);
  if (has_generated_quantities(&m))
    check_modes(&m, (Trial){.entry = STAN2ONNX_GENERATE}, NULL, compare_values);
  close_model(&m);
}
END_TEST

static int by_name(const void *a, const void *b) {
  return strcmp(*(char *const *)a, *(char *const *)b);
}

static void find_models(Arena *a) {
  const char *only = getenv("STAN2ONNX_TEST_MODEL");
  DIR *dir = opendir(STAN2ONNX_SOURCE_DIR "/testdata");
  for (struct dirent *e; dir && (e = readdir(dir)) && name_count < MAX_MODELS;) {
    FILE *f =
        fopen(arena_printf(a, STAN2ONNX_SOURCE_DIR "/testdata/%s/model.stan", e->d_name), "r");
    if (!f) continue;
    fclose(f);
    if (!only || !strcmp(only, e->d_name)) names[name_count++] = arena_strdup(a, e->d_name);
  }
  if (dir) closedir(dir);
  qsort(names, (size_t)name_count, sizeof *names, by_name);
}

int main(void) {
  Arena *a = arena_new();
  find_models(a);
  const char *error = ort_open(a, ort_find(a, NULL, NULL), &ort);
  if (error) {
    fprintf(stderr, "SKIPPED, for want of ONNX Runtime: %s\n", error);
    return SKIPPED;
  }
  Suite *s = suite_create("models");
  TCase *c = tcase_create("models");
  tcase_add_loop_test(c, density, 0, name_count);
  tcase_add_loop_test(c, constrained_values, 0, name_count);
  tcase_add_loop_test(c, unconstrained_values, 0, name_count);
  tcase_add_loop_test(c, generated_quantities, 0, name_count);
  suite_add_tcase(s, c);
  SRunner *r = srunner_create(s);
  srunner_set_fork_status(r, CK_NOFORK); /* ONNX Runtime's threads do not survive a fork */
  srunner_run_all(r, CK_NORMAL);
  int failed = srunner_ntests_failed(r);
  srunner_free(r);
  ort_close(ort);
  arena_free(a);
  return failed || !name_count ? EXIT_FAILURE : EXIT_SUCCESS;
}
