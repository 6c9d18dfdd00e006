/* What program_info says of programs. */
#include "tests/parse_text.h"

#include "frontend/info.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const char *info_of(Parsed *p) {
  ck_assert_msg(p->program != NULL, "%s", parsed_messages(p));
  bool ok = check_program(p->arena, p->program, (CheckOptions){0}, p->diagnostics);
  ck_assert_msg(ok, "%s", parsed_messages(p));
  Text text = text_new(p->arena);
  program_info(&text, p->program);
  return text.data;
}

START_TEST(empty_program) {
  Parsed p = parse_text("", (ParseOptions){0});
  ck_assert_str_eq(info_of(&p), "{\n"
                                "  \"inputs\": {},\n"
                                "  \"parameters\": {},\n"
                                "  \"transformed parameters\": {},\n"
                                "  \"generated quantities\": {},\n"
                                "  \"functions\": [],\n"
                                "  \"distributions\": []\n"
                                "}\n");
  parsed_free(&p);
}
END_TEST

START_TEST(variables) {
  Parsed p =
      parse_text("data { int n; array[n] matrix[n, 2] x; array[2] tuple(int, vector[3]) t; }\n"
                 "transformed data { int hidden = n; }\n"
                 "parameters { simplex[3] a, b; cov_matrix[2] c; }\n"
                 "transformed parameters { real d; { real hidden_too = 1; d = hidden_too; } }\n"
                 "generated quantities { complex_vector[2] e; complex f; }\n",
                 (ParseOptions){0});
  ck_assert_str_eq(info_of(&p),
                   "{\n"
                   "  \"inputs\": {\n"
                   "    \"n\": {\"type\": \"int\", \"dimensions\": 0},\n"
                   "    \"x\": {\"type\": \"real\", \"dimensions\": 3},\n"
                   "    \"t\": {\"type\": [{\"type\": \"int\", \"dimensions\": 0}, {\"type\": "
                   "\"real\", \"dimensions\": 1}], \"dimensions\": 1}\n"
                   "  },\n"
                   "  \"parameters\": {\n"
                   "    \"a\": {\"type\": \"real\", \"dimensions\": 1},\n"
                   "    \"b\": {\"type\": \"real\", \"dimensions\": 1},\n"
                   "    \"c\": {\"type\": \"real\", \"dimensions\": 2}\n"
                   "  },\n"
                   "  \"transformed parameters\": {\n"
                   "    \"d\": {\"type\": \"real\", \"dimensions\": 0}\n"
                   "  },\n"
                   "  \"generated quantities\": {\n"
                   "    \"e\": {\"type\": \"complex\", \"dimensions\": 1},\n"
                   "    \"f\": {\"type\": \"complex\", \"dimensions\": 0}\n"
                   "  },\n"
                   "  \"functions\": [],\n"
                   "  \"distributions\": []\n"
                   "}\n");
  parsed_free(&p);
}
END_TEST

/* Those of the library, wherever they are called; not the program's own. */
START_TEST(calls) {
  Parsed p = parse_text(
      "functions { real mine_lpdf(real x, real m) { return normal_lpdf(x | m, exp(1)); }\n"
      "  real part(array[] real x, int a, int b) { return mine_lpdf(x[a] | log(2)); } }\n"
      "data { int n; array[max(n, 1)] int y; }\n"
      "parameters { real<lower=square(2)> x; }\n"
      "model { x ~ normal(0, 1); y ~ poisson(x); x ~ mine(0); target += reduce_sum(part, {x}, 1);\n"
      "  if (x > 1) reject(\"no\"); else print(exp(x)); y[size(y)] ~ poisson(1) T[, 3]; }\n",
      (ParseOptions){0});
  const char *text = info_of(&p);
  const char *functions = "  \"functions\": [\"exp\", \"log\", \"max\", \"print\", \"reduce_sum\", "
                          "\"reject\", \"size\", \"square\"],\n";
  const char *distributions =
      "  \"distributions\": [\"normal_lpdf\", \"normal_lupdf\", \"poisson_lupmf\"]\n}\n";
  ck_assert_msg(strstr(text, functions) != NULL, "%s", text);
  ck_assert_msg(strstr(text, distributions) != NULL, "%s", text);
  parsed_free(&p);
}
END_TEST

int main(void) {
  Suite *s = suite_create("info");
  TCase *t = tcase_create("programs");
  tcase_add_test(t, empty_program);
  tcase_add_test(t, variables);
  tcase_add_test(t, calls);
  suite_add_tcase(s, t);
  SRunner *runner = srunner_create(s);
  srunner_set_fork_status(runner, CK_NOFORK);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
