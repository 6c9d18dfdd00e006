/* Programs that are no Stan: where the error is placed, and what is said of it. Broken and hostile
 * texts end in a diagnostic, never in a crash. */
#include "tests/parse_text.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const ParseOptions program = {0}, functions = {.functions_only = true},
                          library = {.functions_only = true, .allow_annotations = true};

/* The place is marked in the source: the error covers what is between ` and `. */
typedef struct {
  const char *marked, *message;
} ErrorCase;

static void expect_error(const char *marked, ParseOptions options, const char *message) {
  Arena *a = arena_new();
  char *source = arena_alloc(a, strlen(marked) + 1);
  size_t length = 0, marks[2] = {0, 0};
  int found = 0;
  for (const char *s = marked; *s; s++) {
    if (*s != '`')
      source[length++] = *s;
    else if (found < 2)
      marks[found++] = length;
  }
  ck_assert_int_eq(found, 2);
  Parsed p = parse_bytes(source, length, options);
  ck_assert_msg(p.program == NULL, "accepted: %s", source);
  size_t count;
  const Diagnostic *d = diag_list(p.diagnostics, &count);
  ck_assert_uint_eq(count, 1);
  ck_assert_int_eq(d->kind, DIAG_SYNTAX);
  ck_assert(d->located);
  ck_assert_msg(d->span.begin == marks[0] && d->span.end == marks[1], "%s\n%s", marked,
                parsed_messages(&p));
  ck_assert_str_eq(d->message, message);
  parsed_free(&p);
  arena_free(a);
}

static const ErrorCase unexpected[] = {
    /* blocks */
    {"data `while`", "Expected \"{\" after \"data\", found \"while\"."},
    {"model { } `foo`",
     "Expected the end of the file or \"generated quantities\" after \"}\", found \"foo\"."},
    {"model { } `data` { }",
     "Each block may stand once, in the order functions, data, transformed data, parameters, "
     "transformed parameters, model, generated quantities."},
    {"model {``", "Expected a statement, a declaration or \"}\" after \"{\", found the end of the "
                  "file."},
    {"data { `foo` x; }", "Expected a declaration or \"}\" after \"{\", found \"foo\"."},
    {"functions { `model` { } }", "Expected a function or \"}\" after \"{\", found \"model\"."},
    /* statements */
    {"model { if `{` } }", "Expected \"(\" after \"if\", found \"{\"."},
    {"model { x = 1 `}`",
     "Expected an operator or \";\" after \"1\", found \"}\". Is a \";\" missing after \"1\"?"},
    {"model { x = 1\n  `y` = 2; }",
     "Expected an operator or \";\" after \"1\", found \"y\". Is a \";\" missing after \"1\"?"},
    {"model { x = 1 `y`; }", "Expected an operator or \";\" after \"1\", found \"y\"."},
    {"model { for (i `of` x) ; }", "Expected \"in\" after \"i\", found \"of\"."},
    {"model { y ~ `;` }", "Expected a name after \"~\", found \";\"."},
    {"model { y ~ f(1) `U`[0, 1]; }",
     "Expected \";\" or a truncation \"T[lower, upper]\" after \")\", found \"U\"."},
    {"model { profile(`x`) { } }", "Expected a string after \"(\", found \"x\"."},
    {"model { x`;` }", "An expression alone is no statement: an assignment or \"~\" is missing."},
    {"model { a + b`;` }", "Expected an operator or \"~\" after \"b\", found \";\"."},
    {"model { x <- 3`;` }", "Assignment is written \"=\", not \"<-\"."},
    /* expressions */
    {"model { x = (1 + `)`; }", "Expected an expression after \"+\", found \")\"."},
    {"model { x = f(1 `2`); }",
     "Expected an operator, \")\", \",\" or \"|\" after \"1\", found \"2\"."},
    {"model { x = {`}`; }", "Expected an expression after \"{\", found \"}\"."},
    {"model { x = `\"s\"`; }",
     "A string can stand only in print, reject and fatal_error, and as the name of a profile."},
    {"model { x = a ? b`;` }", "Expected an operator or \":\" after \"b\", found \";\"."},
    {"model { `f(x)` = 1; }", "Only a variable, an indexed part of one, a member of a tuple, or a "
                              "tuple of these can be assigned to."},
    {"model { `(x)` = 1; }", "Only a variable, an indexed part of one, a member of a tuple, or a "
                             "tuple of these can be assigned to."},
    {"model { x = t.`9999999999999999999`; }",
     "The number 9999999999999999999 of a tuple's member is too large."},
    /* declarations */
    {"model { real `while`; }",
     "Expected a name after \"real\", found the reserved word \"while\"."},
    {"data { int `upper`; }", "Expected a name after \"int\", found the reserved word \"upper\"."},
    {"model { real x, `int` y; }",
     "Expected a name, found a type: the variables of one declaration "
     "are all of the type at its front."},
    {"data { real x `=` 1; }", "Variables of the data and parameters blocks are declared without a "
                               "value: expected \";\" or \",\" after the name."},
    {"data { `data` real x; }",
     "The word \"data\" qualifies arguments of functions, not variables."},
    {"data { real<lower=0> x `y`; }", "Expected \",\" or \";\" after \"x\", found \"y\"."},
    {"data { vector `x`; }", "Expected \"[\" or \"<\" after \"vector\", found \"x\"."},
    {"data { real<`x`=1> y; }", "Expected \"lower\", \"upper\", \"offset\" or \"multiplier\" after "
                                "\"<\", found \"x\"."},
    {"data { int<`offset`=1> y; }",
     "Expected \"lower\" or \"upper\" after \"<\", found \"offset\"."},
    {"data { real<lower=a `||` b> y; }",
     "A bound is an arithmetic expression: put one with other operators in parentheses."},
    {"data { real<lower=0, `multiplier`=1> y; }",
     "Expected \"upper\" after \",\", found \"multiplier\"."},
    {"model { real`<`lower=0> x; }", "Only variables at the top level of a block can have "
                                     "constraints, and those of the model block cannot."},
    {"model { array[2] `simplex`[3] x; }",
     "Only variables at the top level of a block can have a constrained type, and those of the "
     "model block cannot: use \"vector\" instead."},
    {"generated quantities { { `cov_matrix`[3] x; } }",
     "Only variables at the top level of a block can have a constrained type, and those of the "
     "model block cannot: use \"matrix\" instead."},
    {"data { tuple(real`)` x; }", "A tuple of one member has a comma behind it: \"tuple(real,)\"."},
    {"data { array[2] `array`[3] real x; }", "Expected a type after \"]\", found \"array\"."},
    /* the array syntax of old */
    {"data { int<lower=0> N; real<lower=0> x[`N, 2`]; }",
     "Expected \";\" after the name of the variable. The sizes of an array stand in front of the "
     "type of its elements:\n  array[N, 2] real<lower=0> x;"},
    {"model { vector[3] x[`2`]; }",
     "Expected \";\" after the name of the variable. The sizes of an array stand in front of the "
     "type of its elements:\n  array[2] vector[3] x;"},
    {"functions { real f(real`[`] x); }",
     "The types of a function's arguments and result have no sizes: \"vector\" without \"[N]\"; an "
     "array of reals is an \"array[] real\"."},
    /* functions */
    {"functions { real f(vector`[`3] x); }",
     "The types of a function's arguments and result have no sizes: \"vector\" without \"[N]\"; an "
     "array of reals is an \"array[] real\"."},
    {"functions { real f(array[`3`] real x); }",
     "Expected \"]\" or \",\" after \"[\", found \"3\"."},
    {"functions { real f(real`<`lower=0> x); }",
     "Functions do not enforce constraints on their arguments: the type stands alone, without "
     "\"<...>\"."},
    {"functions { `simplex` f(); }", "Functions do not enforce constraints on their arguments or "
                                     "results: use \"vector\" instead."},
    {"functions { real f(real x,`)`; }",
     "Expected the type of an argument after \",\", found \")\"."},
    /* characters */
    {"data { `#` int N; }",
     "Unexpected character '#'. Comments begin with \"//\"; #include, a blank "
     "and its name include a file."},
    {"model { print(`\"`abc); }",
     "Unexpected character '\"'. A string has no closing quote on its line."},
    {"model { print(`\"`abc\n\"); }",
     "Unexpected character '\"'. A string has no closing quote on its line."},
    {"model { x = a `&` b; }", "Unexpected character '&'. Logical conjunction is written \"&&\"."},
    {"model { real `_`x; }", "Unexpected character '_'. Names begin with a letter."},
    {"model { x = a`.`b; }", "Unexpected character '.'."},
    {"model { `\xC3`\xA4 = 1; }",
     "Unexpected character (byte 0xC3). Outside comments and strings, a "
     "program is plain ASCII."},
    {"`\xFF`", "Unexpected character (byte 0xFF). Outside comments and strings, a program is plain "
               "ASCII."},
    {"model { /* x ``", "Unexpected end of the file: a comment that begins with /* lacks its */."},
    {"model { } /*/``", "Unexpected end of the file: a comment that begins with /* lacks its */."},
    {"functions { `@`call real f(); }",
     "Unexpected character '@'. Stan programs have no annotations."},
};

START_TEST(unexpected_token) {
  expect_error(unexpected[_i].marked, program, unexpected[_i].message);
}
END_TEST

START_TEST(files_of_functions) {
  expect_error("`data` { }", functions,
               "A file of functions holds their definitions alone, without blocks.");
  expect_error("real f(); `;`", functions,
               "Expected a function or the end of the file after \";\", found \";\".");
  expect_error("real f(); `;`", library,
               "Expected a function, the end of the file or \"@\" after \";\", found \";\".");
  expect_error("@`1` real f();", library, "Expected a name after \"@\", found \"1\".");
  expect_error("real f(real<lower`>` x);", library, "Expected \"=\" after \"lower\", found \">\".");
}
END_TEST

START_TEST(nul_byte) {
  static const char source[] = "model {\0 }";
  Parsed p = parse_bytes(source, sizeof source - 1, program);
  ck_assert_ptr_null(p.program);
  ck_assert_str_eq(parsed_messages(&p),
                   "Syntax error in 'm.stan', line 1, column 7 to column 8, parsing error:\n"
                   "     1 | model {? }\n"
                   "       |        ^\n"
                   "Unexpected character (byte 0x00). Outside comments and strings, a program is "
                   "plain ASCII.\n\n");
  parsed_free(&p);
}
END_TEST

/* ---- literals out of range: stanc's semantic error, of programs that parse ---- */

START_TEST(large_integers) {
  static const char *const sources[] = {
      "model { x = 2147483647 + 2_147_483_648; y = 99999999999; }",
      "model { x = 1 + 2147483648; }",
      "model { x = 99999999999999999999999999; }",
  };
  static const char *const literals[] = {"2_147_483_648", "2147483648",
                                         "99999999999999999999999999"};
  for (size_t k = 0; k < sizeof sources / sizeof *sources; k++) {
    Parsed p = parse_text(sources[k], program);
    ck_assert_ptr_null(p.program);
    size_t count;
    const Diagnostic *d = diag_list(p.diagnostics, &count);
    ck_assert_uint_eq(count, 1);
    ck_assert_int_eq(d->kind, DIAG_SEMANTIC);
    ck_assert_str_eq(parsed_span(&p, d->span), literals[k]);
    parsed_free(&p);
  }
  expect_error("model { x = 2147483648; y = `;` }", program,
               "Expected an expression after \"=\", found \";\".");
}
END_TEST

/* ---- depth ---- */

/* head, then n times `part`, then tail */
static char *repeated(Arena *a, const char *head, const char *part, int n, const char *tail) {
  Text t = text_new(a);
  text_add(&t, head);
  for (int k = 0; k < n; k++) text_add(&t, part);
  text_add(&t, tail);
  return t.data;
}

static const struct {
  const char *head, *part, *tail;
} deep[] = {
    {"model { x = ", "(", "1"},
    {"model { x = ", "f(", "1"},
    {"model { x = ", "a[", "1"},
    {"model { x = ", "{", "1"},
    {"model { x = ", "[", "1"},
    {"model { x = ", "-", "1;}"},
    {"model { x = ", "1 ^ ", "1;}"},
    {"model { x = ", "1 ? 2 : ", "1;}"},
    {"model { x = ", "1 + ", "1;}"},
    {"model { x = a", "'", ";}"},
    {"model { x = a", ".1", ";}"},
    {"model { x = a", "[1]", ";}"},
    {"model ", "{", ""},
    {"model { ", "if (1) ", ";}"},
    {"model { ", "while (1) ", ";}"},
    {"model { ", "for (i in x) ", ";}"},
    {"model { ", "if (1) { } else ", ";}"},
    {"model { ", "profile(\"\") {", ""},
    {"data { ", "tuple(", "real,"},
    {"data { real<lower=", "-", "1> x; }"},
    {"functions { void f(", "tuple(real, ", "real"},
};

START_TEST(too_deep) {
  Arena *a = arena_new();
  Parsed p = parse_text(repeated(a, deep[_i].head, deep[_i].part, 100000, deep[_i].tail), program);
  ck_assert_ptr_null(p.program);
  const char *messages = parsed_messages(&p);
  ck_assert_msg(strstr(messages, "nested") != NULL, "%s", messages);
  parsed_free(&p);
  arena_free(a);
}
END_TEST

/* Depths that programs may reach, generated ones included. */
START_TEST(deep_enough) {
  static const int depths[][2] = {{0, 900}, {5, 4000}, {6, 2500}, {8, 4990}, {16, 900}};
  Arena *a = arena_new();
  for (size_t k = 0; k < sizeof depths / sizeof *depths; k++) {
    int row = depths[k][0], n = depths[k][1];
    Text t = text_new(a);
    text_add(&t, repeated(a, deep[row].head, deep[row].part, n, deep[row].tail));
    if (row == 0) text_add(&t, repeated(a, "", ")", n, ";}"));
    Parsed p = parse_text(t.data, program);
    ck_assert_msg(p.program != NULL, "%s: %s", deep[row].part, parsed_messages(&p));
    ck_assert_uint_gt(strlen(parsed_tree(&p)), (size_t)n);
    parsed_free(&p);
  }
  arena_free(a);
}
END_TEST

/* Long lists are no deep trees. */
START_TEST(long_lists) {
  static const char *const lists[][3] = {{"model { x = f(1", ", 1", "); }"},
                                         {"model { ", "x = 1; ", "}"},
                                         {"model { real x", ", y", "; }"},
                                         {"model { x = a[1", ", ", "]; }"},
                                         {"functions { ", "void f(); ", "}"}};
  Arena *a = arena_new();
  for (size_t k = 0; k < sizeof lists / sizeof *lists; k++) {
    Parsed p = parse_text(repeated(a, lists[k][0], lists[k][1], 100000, lists[k][2]), program);
    ck_assert_msg(p.program != NULL, "%s", parsed_messages(&p));
    parsed_free(&p);
  }
  arena_free(a);
}
END_TEST

/* ---- broken texts ---- */

static const char whole[] =
    "functions {\n  real f_lpdf(real y, data array[,] tuple(int, vector) t);\n"
    "  void g(real x) { print(\"x = \", x); return; }\n}\n"
    "data {\n  int<lower=0, upper=10> N; // comment\n  array[N] vector<offset=1>[3] y;\n}\n"
    "transformed data { complex z = 1.5e3 + 2i; /* more */ }\n"
    "parameters { cholesky_factor_cov[3, 2] L; tuple(real<lower=0>, simplex[3]) t; }\n"
    "transformed parameters { real a = t.1; jacobian += a; }\n"
    "model {\n  for (n in 1:N) y[n, 2:] ~ normal(a, 1) T[0, ];\n"
    "  target += f_lpdf(a | {(N, y[1])});\n  if (N > 0 && !N) profile(\"p\") { } else while (0) "
    "break;\n}\n"
    "generated quantities { matrix[2, 2] m = [[1, 2], [3, a ? 1 : 2]]' .* 3 \\ 2 %/% 1; "
    "(m, a) = h(); m[1] ./= 2; }\n";

static void parse_broken(const char *bytes, size_t length, ParseOptions options) {
  Parsed p = parse_bytes(bytes, length, options);
  const char *messages = parsed_messages(&p);
  if (p.program)
    (void)parsed_tree(&p);
  else
    ck_assert_msg(*messages, "rejected in silence: %.*s", (int)length, bytes);
  parsed_free(&p);
}

START_TEST(truncations) {
  Parsed p = parse_text(whole, program);
  ck_assert_msg(p.program != NULL, "%s", parsed_messages(&p));
  parsed_free(&p);
  for (size_t n = 0; n < sizeof whole; n++) {
    parse_broken(whole, n, program);
    parse_broken(whole, n, library);
  }
}
END_TEST

static uint32_t next_random(uint32_t *state) {
  *state = *state * UINT32_C(1664525) + UINT32_C(1013904223);
  return *state >> 8;
}

/* Bytes replaced, removed and doubled; stretches moved. */
START_TEST(mutations) {
  static const char bytes[] = "(){}[]<>,;|?:!-+^'*/%\\.=~@#\"&_ \n\r\t\0Taf01e\x80\xFF";
  uint32_t random = (uint32_t)_i + 1;
  char text[sizeof whole + 64];
  for (int round = 0; round < 400; round++) {
    size_t length = sizeof whole - 1;
    memcpy(text, whole, length);
    for (uint32_t change = 1 + next_random(&random) % 4; change > 0; change--) {
      size_t at = next_random(&random) % length, from = next_random(&random) % length;
      size_t n = next_random(&random) % 16;
      switch (next_random(&random) % 4) {
      case 0: text[at] = bytes[next_random(&random) % sizeof bytes]; break;
      case 1: memmove(text + at, text + at + 1, --length - at); break;
      case 2: text[at] = (char)next_random(&random); break;
      default:
        if (at + n <= length && from + n <= length) memmove(text + at, text + from, n);
      }
    }
    parse_broken(text, length, round % 2 ? program : library);
  }
}
END_TEST

int main(void) {
  Suite *s = suite_create("syntax errors");
  TCase *t = tcase_create("messages");
  tcase_add_loop_test(t, unexpected_token, 0, (int)(sizeof unexpected / sizeof *unexpected));
  tcase_add_test(t, files_of_functions);
  tcase_add_test(t, nul_byte);
  tcase_add_test(t, large_integers);
  suite_add_tcase(s, t);
  t = tcase_create("hostile");
  tcase_set_timeout(t, 120);
  tcase_add_loop_test(t, too_deep, 0, (int)(sizeof deep / sizeof *deep));
  tcase_add_test(t, deep_enough);
  tcase_add_test(t, long_lists);
  tcase_add_test(t, truncations);
  tcase_add_loop_test(t, mutations, 0, 10);
  suite_add_tcase(s, t);
  SRunner *runner = srunner_create(s);
  srunner_set_fork_status(runner, CK_NOFORK);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
