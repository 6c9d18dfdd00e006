/* Broken input: cut off or altered programs, data and models end in a diagnostic or a valid result,
 * never in a crash or a hang. What a sanitizer would say counts, so this is for builds with
 * sanitizers above all. */
#include "base/text.h"
#include "data/data.h"
#include "runtime/ort.h"
#include "stan2onnx.h"

#include <check.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MAX_MODELS = 200, PROGRAM_MUTATIONS = 12, DATA_MUTATIONS = 12, MODEL_MUTATIONS = 25 };

static const double SECONDS_FOR_ONE = 30;

static char *names[MAX_MODELS];
static int name_count;
static Arena *all;
static Ort *ort; /* NULL where there is no ONNX Runtime */

/* A generator of our own, so that a failure can be had again: Marsaglia's xorshift64. */
static uint64_t next(uint64_t *state) {
  *state ^= *state << 13;
  *state ^= *state >> 7;
  return *state ^= *state << 17;
}

static char *read_text(Arena *a, const char *model, const char *file, size_t *length) {
  FILE *f = fopen(arena_printf(a, STAN2ONNX_SOURCE_DIR "/testdata/%s/%s", model, file), "rb");
  ck_assert_msg(f != NULL, "%s has no %s", model, file);
  Text text = text_new(a);
  char buffer[4096];
  for (size_t n; (n = fread(buffer, 1, sizeof buffer, f)) > 0;) text_add_bytes(&text, buffer, n);
  fclose(f);
  *length = text.length;
  return text.data;
}

/* A copy with one to four bytes changed, swapped for bytes from elsewhere in it, removed or
 * doubled. */
static char *mutate(Arena *a, const char *text, size_t length, uint64_t *state, size_t *out) {
  char *copy = arena_alloc(a, 2 * length + 8);
  memcpy(copy, text, length);
  size_t n = length;
  for (uint64_t changes = 1 + next(state) % 4; changes > 0 && n > 1; changes--) {
    size_t at = next(state) % n, from = next(state) % n, run = 1 + next(state) % 8;
    if (run > n - at) run = n - at;
    switch (next(state) % 4) {
    case 0: copy[at] = (char)next(state); break;
    case 1: copy[at] = copy[from]; break;
    case 2:
      memmove(copy + at, copy + at + run, n - at - run);
      n -= run;
      break;
    default:
      if (n + run > 2 * length) break;
      memmove(copy + at + run, copy + at, n - at);
      n += run;
    }
  }
  *out = n;
  return copy;
}

/* A compilation ends in time, and in one of the two ways. */
static void compile(const char *what, const char *source, size_t source_length, const char *data,
                    size_t data_length, Stan2onnxOutput output) {
  Stan2onnxOptions o = {.struct_size = sizeof o,
                        .name = "model.stan",
                        .source = source,
                        .source_length = source_length,
                        .data = data,
                        .data_length = data_length,
                        .output = output};
  clock_t start = clock();
  Stan2onnxResult *r = stan2onnx_compile(&o);
  double seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
  ck_assert_msg(seconds < SECONDS_FOR_ONE, "%s: %.0f s", what, seconds);
  Stan2onnxStatus status = stan2onnx_status(r);
  size_t size;
  if (status == STAN2ONNX_OK)
    ck_assert_msg(output == STAN2ONNX_CHECK || stan2onnx_output(r, &size), "%s: no output", what);
  else
    ck_assert_msg(*stan2onnx_diagnostics(r) && !stan2onnx_output(r, &size), "%s: no diagnostic",
                  what);
  ck_assert_msg(status != STAN2ONNX_FAILED, "%s: %s\n%.*s", what, stan2onnx_diagnostics(r),
                (int)source_length, source);
  stan2onnx_free(r);
}

START_TEST(truncated_programs) {
  Arena *a = arena_new();
  size_t length;
  const char *source = read_text(a, names[_i], "model.stan", &length);
  for (size_t n = 0; n < length; n++) compile(names[_i], source, n, NULL, 0, STAN2ONNX_CHECK);
  arena_free(a);
}
END_TEST

START_TEST(truncated_data) {
  Arena *a = arena_new();
  size_t length;
  const char *data = read_text(a, names[_i], "data.json", &length);
  while (length > 0 && data[length - 1] != '}') length--;
  for (size_t n = 0; n < length; n++) {
    Arena *one = arena_new();
    Diagnostics *d = diagnostics_new(one);
    ck_assert_msg(!data_parse(one, data, n, "data.json", d), "%s: accepted after %zu bytes",
                  names[_i], n);
    ck_assert(diag_errors(d) > 0);
    arena_free(one);
  }
  arena_free(a);
}
END_TEST

START_TEST(mutated_programs) {
  uint64_t state = 88172645463325252u + (uint64_t)_i;
  for (int k = 0; k < PROGRAM_MUTATIONS; k++) {
    Arena *a = arena_new();
    size_t length, data_length, n;
    const char *source = read_text(a, names[_i], "model.stan", &length),
               *data = read_text(a, names[_i], "data.json", &data_length);
    const char *broken = mutate(a, source, length, &state, &n);
    compile(names[_i], broken, n, k % 2 ? data : NULL, k % 2 ? data_length : 0, STAN2ONNX_MODEL);
    arena_free(a);
  }
}
END_TEST

START_TEST(mutated_data) {
  uint64_t state = 362436069u + (uint64_t)_i;
  for (int k = 0; k < DATA_MUTATIONS; k++) {
    Arena *a = arena_new();
    size_t length, data_length, n;
    const char *source = read_text(a, names[_i], "model.stan", &length),
               *data = read_text(a, names[_i], "data.json", &data_length);
    const char *broken = mutate(a, data, data_length, &state, &n);
    compile(names[_i], source, length, broken, n, STAN2ONNX_MODEL);
    arena_free(a);
  }
}
END_TEST

/* ONNX Runtime refuses a broken file, or what it loads has ports that we can read. */
START_TEST(mutated_models) {
  if (!ort) return;
  uint64_t state = 521288629u + (uint64_t)_i;
  Arena *a = arena_new();
  size_t length, data_length, size;
  Stan2onnxOptions o = {.struct_size = sizeof o, .name = "model.stan"};
  o.source = read_text(a, names[_i], "model.stan", &length);
  o.data = read_text(a, names[_i], "data.json", &data_length);
  o.source_length = length;
  o.data_length = data_length;
  Stan2onnxResult *r = stan2onnx_compile(&o);
  const char *model = stan2onnx_output(r, &size);
  ck_assert_msg(model != NULL, "%s: %s", names[_i], stan2onnx_diagnostics(r));
  for (int k = 0; k < MODEL_MUTATIONS; k++) {
    Arena *one = arena_new();
    size_t n = k ? 0 : next(&state) % size, count;
    const char *broken =
        k ? mutate(one, model, size, &state, &n) : model; /* the first one is cut off */
    OrtModel *session;
    const char *error = ort_load_bytes(ort, one, broken, n, 1, &session);
    if (!error) {
      ort_inputs(session, &count);
      ort_outputs(session, &count);
      ort_unload(session);
    }
    arena_free(one);
  }
  stan2onnx_free(r);
  arena_free(a);
}
END_TEST

static int by_name(const void *a, const void *b) {
  return strcmp(*(char *const *)a, *(char *const *)b);
}

static void find_models(void) {
  DIR *dir = opendir(STAN2ONNX_SOURCE_DIR "/testdata");
  for (struct dirent *e; dir && (e = readdir(dir)) && name_count < MAX_MODELS;) {
    FILE *f =
        fopen(arena_printf(all, STAN2ONNX_SOURCE_DIR "/testdata/%s/model.stan", e->d_name), "r");
    if (!f) continue;
    fclose(f);
    names[name_count++] = arena_strdup(all, e->d_name);
  }
  if (dir) closedir(dir);
  qsort(names, (size_t)name_count, sizeof *names, by_name);
}

int main(void) {
  all = arena_new();
  find_models();
  if (ort_open(all, ort_find(all, NULL, NULL), &ort)) ort = NULL;
  Suite *s = suite_create("broken input");
  TCase *c = tcase_create("broken input");
  tcase_add_loop_test(c, truncated_programs, 0, name_count);
  tcase_add_loop_test(c, truncated_data, 0, name_count);
  tcase_add_loop_test(c, mutated_programs, 0, name_count);
  tcase_add_loop_test(c, mutated_data, 0, name_count);
  tcase_add_loop_test(c, mutated_models, 0, name_count);
  suite_add_tcase(s, c);
  SRunner *r = srunner_create(s);
  srunner_set_fork_status(r, CK_NOFORK);
  srunner_run_all(r, CK_NORMAL);
  int failed = srunner_ntests_failed(r);
  srunner_free(r);
  if (ort) ort_close(ort);
  arena_free(all);
  return failed || !name_count ? EXIT_FAILURE : EXIT_SUCCESS;
}
