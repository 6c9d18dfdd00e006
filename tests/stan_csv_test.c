/* Columns of variables, CSV files written and read, the command lines of sample and its kin. */
#include "runtime/columns.h"
#include "runtime/options.h"
#include "runtime/stan_csv.h"
#include "runtime/threefry.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static Arena *arena;
static char path[] = "/tmp/stan2onnx-csv-XXXXXX";

static void set_up(void) {
  arena = arena_new();
  strcpy(path + sizeof path - 7, "XXXXXX");
  int fd = mkstemp(path);
  ck_assert_int_ge(fd, 0);
  close(fd);
}

static void tear_down(void) {
  unlink(path);
  arena_free(arena);
}

/* ---- columns ---- */

static const char description[] =
    "{\"parameters\":["
    "{\"name\":\"m\",\"tensor\":\"m\",\"type\":\"matrix\"},"
    "{\"name\":\"a\",\"tensor\":\"a.stan\",\"type\":\"array[] row_vector\"},"
    "{\"name\":\"none\",\"tensor\":\"none\",\"type\":\"vector\"},"
    "{\"name\":\"t\",\"tensor\":\"t\","
    "\"type\":\"array[] tuple(int, array[,] tuple(real, vector), real)\"}]}";

static const OrtPort ports[] = {{.name = "t:1"}, {.name = "t:2:1"}, {.name = "t:2:2"},
                                {.name = "t:3"}, {.name = "m"},     {.name = "a.stan"},
                                {.name = "none"}};
static const OrtTensor tensors[] = {
    {.rank = 3, .dims = {4, 9, 2}},          {.rank = 5, .dims = {4, 9, 2, 1, 2}},
    {.rank = 6, .dims = {4, 9, 2, 1, 2, 2}}, {.rank = 3, .dims = {4, 9, 2}},
    {.rank = 4, .dims = {4, 9, 2, 3}},       {.rank = 4, .dims = {4, 9, 1, 2}},
    {.rank = 3, .dims = {4, 9, 0}}};

static const struct {
  const char *name;
  size_t tensor;
  int64_t offset;
} expected_columns[] = {{"m.1.1", 4, 0},         {"m.2.1", 4, 3},         {"m.1.2", 4, 1},
                        {"m.2.2", 4, 4},         {"m.1.3", 4, 2},         {"m.2.3", 4, 5},
                        {"a.1.1", 5, 0},         {"a.1.2", 5, 1},         {"t.1:1", 0, 0},
                        {"t.1:2.1.1:1", 1, 0},   {"t.1:2.1.1:2.1", 2, 0}, {"t.1:2.1.1:2.2", 2, 1},
                        {"t.1:2.1.2:1", 1, 1},   {"t.1:2.1.2:2.1", 2, 2}, {"t.1:2.1.2:2.2", 2, 3},
                        {"t.1:3", 3, 0},         {"t.2:1", 0, 1},         {"t.2:2.1.1:1", 1, 2},
                        {"t.2:2.1.1:2.1", 2, 4}, {"t.2:2.1.1:2.2", 2, 5}, {"t.2:2.1.2:1", 1, 3},
                        {"t.2:2.1.2:2.1", 2, 6}, {"t.2:2.1.2:2.2", 2, 7}, {"t.2:3", 3, 1}};

START_TEST(columns_of_variables) {
  enum { COUNT = sizeof expected_columns / sizeof *expected_columns };
  NamedTensors named = {ports, tensors, sizeof ports / sizeof *ports, 2};
  Columns c = {0};
  json_t *model = json_loads(description, 0, NULL);
  ck_assert_ptr_null(add_columns(arena, &c, model, "parameters", false, &named));
  ck_assert_uint_eq(c.count, COUNT);
  for (size_t k = 0; k < COUNT; k++) {
    ck_assert_str_eq(c.items[k].name, expected_columns[k].name);
    ck_assert_uint_eq(c.items[k].tensor, expected_columns[k].tensor);
    ck_assert_int_eq(c.items[k].offset, expected_columns[k].offset);
  }
  ck_assert(c.items[8].integer && !c.items[9].integer);
  named.count = 4; /* m is missing */
  ck_assert_ptr_nonnull(add_columns(arena, &c, model, "parameters", false, &named));
  c.count = 0;
  ck_assert_ptr_null(add_columns(arena, &c, model, "parameters", true, &named));
  ck_assert_uint_eq(c.count, 16); /* t alone */
  ck_assert_ptr_nonnull(add_columns(arena, &c, model, "generated_quantities", true, &named));
  json_decref(model);
}
END_TEST

static const char *const bad_types[] = {
    "complex", "tuple", "tuple(", "array[", "array[] tuple(real", "vector", "", "matrix"};

START_TEST(types_that_do_not_fit) {
  OrtPort port[] = {{.name = "x"}, {.name = "x:1"}};
  OrtTensor t[] = {{.rank = 2, .dims = {1, 1}}, {.rank = 2, .dims = {1, 1}}};
  NamedTensors named = {port, t, 2, 2};
  Columns c = {0};
  json_t *model = json_loads(arena_printf(arena,
                                          "{\"p\":[{\"name\":\"x\",\"tensor\":\"x\",\"type\":"
                                          "\"%s\"}]}",
                                          bad_types[_i]),
                             0, NULL);
  const char *error = add_columns(arena, &c, model, "p", false, &named);
  ck_assert_msg(error != NULL || c.count == 0, "'%s' was taken", bad_types[_i]);
  json_decref(model);
}
END_TEST

START_TEST(names_of_elements) {
  Element e;
  ck_assert(parse_column(arena, "t.2:1.3.4:2", &e));
  ck_assert_str_eq(e.tensor, "t:1:2");
  ck_assert_int_eq(e.rank, 3);
  ck_assert(e.index[0] == 2 && e.index[1] == 3 && e.index[2] == 4);
  ck_assert(parse_column(arena, "lp__", &e) && e.rank == 0);
  static const char *const bad[] = {
      "",     ".1",     "x.",   "x.0",           "x.y",
      "x.1.", "z.real", "x.-1", "x.99999999999", "x.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1"};
  for (size_t k = 0; k < sizeof bad / sizeof *bad; k++)
    ck_assert_msg(!parse_column(arena, bad[k], &e), "'%s' was taken", bad[k]);
  ck_assert_str_eq(column_label(arena, "mu"), "mu");
  ck_assert_str_eq(column_label(arena, "x.1.2"), "x[1,2]");
  ck_assert_str_eq(column_label(arena, "t.2:1.3.4:2"), "t[2].1[3,4].2");
}
END_TEST

/* ---- files ---- */

static const char *const names[] = {"lp__", "treedepth__", "x.1", "k"};
static const bool integers[] = {false, true, false, true};
static const double rows[][4] = {
    {-1.25, 3, 0.1, 1234567890}, {NAN, 10, -INFINITY, -2147483648.0}, {1e-300, 1, 1.0 / 3, 0}};

static CsvSettings settings(void) {
  return (CsvSettings){.method = CSV_SAMPLE,
                       .model = "m",
                       .metric = "diag",
                       .engine = "nuts",
                       .seed = 5,
                       .chain = 3,
                       .warmup = 20,
                       .samples = 1000,
                       .thin = 1,
                       .max_depth = 8,
                       .threads = 1,
                       .digits = 17,
                       .delta = 0.9,
                       .step_size = 1};
}

static void write_sample(CsvFile *f, int64_t samples) {
  CsvSettings s = settings();
  csv_begin(f, path, &s, names, integers, 4);
  csv_rows(f, rows[2], 4, 1); /* of the warmup */
  csv_adapted(f, 0.5, "diag", (double[]){1.5, 2.5}, 2);
  csv_rows(f, rows[0], 4, 3);
  csv_end(f, 1, 2, samples);
}

static char *contents(void) {
  static char text[8192];
  FILE *file = fopen(path, "rb");
  text[fread(text, 1, sizeof text - 1, file)] = 0;
  fclose(file);
  return text;
}

START_TEST(written_and_read) {
  CsvFile f;
  CsvDraws d;
  write_sample(&f, -1);
  ck_assert_int_eq(f.error, 0);
  ck_assert_ptr_null(csv_read(arena, path, &d));
  ck_assert_uint_eq(d.columns, 4);
  ck_assert_uint_eq(d.rows, 3);
  ck_assert_str_eq(d.names[2], "x.1");
  for (int i = 0; i < 12; i++) {
    double x = rows[i / 4][i % 4];
    ck_assert(isnan(x) ? isnan(d.values[i]) : d.values[i] == x);
  }
  ck_assert_int_eq(d.chain, 3);
  ck_assert_int_eq(d.max_depth, 8);
  ck_assert_double_eq(d.delta, 0.9);
  csv_free(&d);
}
END_TEST

START_TEST(form_of_files) {
  CsvFile f;
  write_sample(&f, -1);
  const char *text = contents();
  static const char *const parts[] = {
      "# model = m_model\n# method = sample (Default)\n#   sample\n#     num_samples = 1000 "
      "(Default)\n#     num_warmup = 20\n",
      "#       delta = 0.9\n",
      "#             max_depth = 8\n",
      "#         metric = diag_e (Default)\n",
      "# id = 3\n",
      "#   seed = 5\n",
      "\nlp__,treedepth__,x.1,k\n",
      "\n# Adaptation terminated\n# Step size = 0.5\n# Diagonal elements of inverse mass "
      "matrix:\n# "
      "1.5, 2.5\n-1.25,3,0.10000000000000001,1234567890\nnan,10,-inf,-2147483648\n",
      "\n# \n#  Elapsed Time: 1.000 seconds (Warm-up)\n#                2.000 seconds (Sampling)\n"
      "#                3.000 seconds (Total)\n# \n"};
  for (size_t k = 0; k < sizeof parts / sizeof *parts; k++)
    ck_assert_msg(strstr(text, parts[k]), "not in the file: %s", parts[k]);
}
END_TEST

/* A run that ended early has as many samples in its comments as it has draws. */
START_TEST(corrected_number_of_samples) {
  CsvFile f;
  write_sample(&f, 3);
  ck_assert_ptr_nonnull(strstr(contents(), "#     num_samples = 3             \n#     num_warmup"));
  ck_assert_ptr_nonnull(strstr(contents(), "(Total)\n# \n"));
}
END_TEST

static void write_text(const char *text, size_t n) {
  FILE *file = fopen(path, "wb");
  ck_assert_uint_eq(fwrite(text, 1, n, file), n);
  fclose(file);
}

START_TEST(killed_run) {
  static const char text[] = "# id = 2\nlp__,x\n-1,2\n-3,4\n-5,6";
  CsvDraws d;
  for (size_t cut = strlen(text); cut > 21; cut--) {
    write_text(text, cut);
    ck_assert_ptr_null(csv_read(arena, path, &d));
    ck_assert_uint_eq(d.rows, cut < 26 ? 1 : 2); /* the last line may lack digits */
    csv_free(&d);
  }
}
END_TEST

static const char *const bad_files[] = {"",
                                        "# only comments\n",
                                        "lp__,x\n1\n2,3\n",
                                        "lp__,x\n1,2,3\n",
                                        "lp__,x\n1,two\n",
                                        "lp__,,x\n1,2,3\n",
                                        "lp__,x\n1;2\n"};

START_TEST(files_that_are_none) {
  CsvDraws d;
  write_text(bad_files[_i], strlen(bad_files[_i]));
  const char *error = csv_read(arena, path, &d);
  ck_assert_ptr_nonnull(error);
  ck_assert_ptr_nonnull(strstr(error, path));
  write_text("x\n\0001\n", 5);
  ck_assert_ptr_nonnull(csv_read(arena, path, &d));
  ck_assert_ptr_nonnull(csv_read(arena, "/no/such/file", &d));
}
END_TEST

START_TEST(full_disk) {
  CsvFile f;
  CsvSettings s = settings();
  if (access("/dev/full", W_OK) != 0) return;
  csv_begin(&f, "/dev/full", &s, names, integers, 4);
  ck_assert_int_ne(f.error, 0);
  csv_rows(&f, rows[0], 4, 3);
  csv_end(&f, 0, 0, 1);
  csv_begin(&f, "/no/such/folder/x.csv", &s, names, integers, 4);
  ck_assert_int_ne(f.error, 0);
  csv_end(&f, 0, 0, 1);
}
END_TEST

/* ---- random states ---- */

/* Known answers of Random123 for Threefry-2x32 with 20 rounds. */
START_TEST(known_answers) {
  RandomState zero = random_split((RandomState){{0, 0}}, 0);
  ck_assert(zero.words[0] == 0x6b200159 && zero.words[1] == 0x99ba4efe);
  RandomState ones = random_split((RandomState){{0xffffffff, 0xffffffff}}, UINT64_MAX);
  ck_assert(ones.words[0] == 0x1cb996fc && ones.words[1] == 0xbb002be7);
  RandomState pi = random_split((RandomState){{0x13198a2e, 0x03707344}}, 0x243f6a8885a308d3);
  ck_assert(pi.words[0] == 0xc4923a9c && pi.words[1] == 0x483df7a0);
  RandomState seed = random_state(0x100000002);
  ck_assert(seed.words[0] == 1 && seed.words[1] == 2);
}
END_TEST

/* ---- command lines ---- */

START_TEST(sample_line) {
  char *argv[] = {"sample", "m.stan",   "--chains=2", "--adapt-delta",
                  "0.95",   "--metric", "dense_e",    "--save-warmup",
                  "-o",     "out"};
  SampleOptions o;
  ck_assert_ptr_null(sample_options(arena, 10, argv, &o));
  ck_assert_str_eq(o.model, "m.stan");
  ck_assert_int_eq(o.chains, 2);
  ck_assert_int_eq(o.samples, 1000);
  ck_assert_double_eq(o.delta, 0.95);
  ck_assert_str_eq(o.metric, "dense");
  ck_assert_str_eq(o.output, "out");
  ck_assert(o.save_warmup && !o.json && o.seed == 1);
}
END_TEST

static char *const bad_lines[][4] = {
    {"sample"},
    {"sample", "a.onnx", "b.onnx"},
    {"sample", "m", "--chains=0"},
    {"sample", "m", "--adapt-delta", "1"},
    {"sample", "m", "--adapt-delta=nan"},
    {"sample", "m", "--max-treedepth=0"},
    {"sample", "m", "--max-treedepth=99"},
    {"sample", "m", "--metric=round"},
    {"sample", "m", "--engine=steam"},
    {"sample", "m", "--int-time=0"},
    {"sample", "m", "--step-size=0"},
    {"sample", "m", "--thin=0"},
    {"sample", "m", "--draws=x"},
    {"sample", "m", "--output"},
    {"sample", "m", "--warmup=-1"},
    {"sample", "m", "--sig-figs=18"},
};

START_TEST(bad_line) {
  SampleOptions o;
  int argc = 0;
  while (argc < 4 && bad_lines[_i][argc]) argc++;
  ck_assert_ptr_nonnull(sample_options(arena, argc, (char **)bad_lines[_i], &o));
}
END_TEST

START_TEST(other_lines) {
  SampleOptions o;
  char *generate[] = {"generate", "m.onnx", "--draws", "a.csv,b.csv"};
  ck_assert_ptr_null(generate_options(arena, 4, generate, &o));
  ck_assert_str_eq(o.draws, "a.csv,b.csv");
  ck_assert_ptr_nonnull(generate_options(arena, 2, generate, &o));
  char *summary[] = {"summary", "a.csv", "b.csv", "--json"};
  ck_assert_ptr_null(summary_options(arena, 4, summary, &o));
  ck_assert(o.file_count == 2 && o.json);
  ck_assert_ptr_nonnull(summary_options(arena, 1, summary, &o));
}
END_TEST

#define LOOP(t, test, table) tcase_add_loop_test(t, test, 0, (int)(sizeof(table) / sizeof *(table)))

int main(void) {
  Suite *s = suite_create("stan_csv");
  TCase *t = tcase_create("stan_csv");
  tcase_add_checked_fixture(t, set_up, tear_down);
  tcase_add_test(t, columns_of_variables);
  LOOP(t, types_that_do_not_fit, bad_types);
  tcase_add_test(t, names_of_elements);
  tcase_add_test(t, written_and_read);
  tcase_add_test(t, form_of_files);
  tcase_add_test(t, corrected_number_of_samples);
  tcase_add_test(t, killed_run);
  LOOP(t, files_that_are_none, bad_files);
  tcase_add_test(t, full_disk);
  tcase_add_test(t, known_answers);
  tcase_add_test(t, sample_line);
  LOOP(t, bad_line, bad_lines);
  tcase_add_test(t, other_lines);
  suite_add_tcase(s, t);
  SRunner *runner = srunner_create(s);
  srunner_set_fork_status(runner, CK_NOFORK);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
