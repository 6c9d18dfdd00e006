/* The checker: types of expressions, overloads and promotions, what is data, what the tree is
 * filled with, and where errors are. Types are those of Stan's reference manual and function
 * reference; places of errors are stanc's: the start of what is wrong. */
#include "tests/parse_text.h"

#include "stdlib_map/prelude.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const ParseOptions program = {0},
                          library = {.functions_only = true, .allow_annotations = true};

static bool check(Parsed *p, bool allow_undefined) {
  ck_assert_msg(p->program != NULL, "%s", parsed_messages(p));
  CheckOptions options = {.allow_undefined = allow_undefined};
  return check_program(p->arena, p->program, options, p->diagnostics);
}

static Parsed checked(const char *source) {
  Parsed p = parse_text(source, program);
  bool ok = check(&p, false);
  ck_assert_msg(ok, "%s\n%s", source, parsed_messages(&p));
  return p;
}

/* ---- types of expressions ---- */

static const char *const prelude =
    "functions {\n"
    "  real f(real x) { return x; }\n"
    "  int f(int x) { return x; }\n"
    "  vector f(vector x, real y) { return x; }\n"
    "  complex g(complex x) { return x; }\n"
    "  array[] real h(array[] real x) { return x; }\n"
    "  tuple(real, complex) pair(tuple(real, complex) x) { return x; }\n"
    "}\n"
    "data {\n"
    "  int n; real x; complex z; vector[3] v; row_vector[3] w; matrix[3, 3] m;\n"
    "  complex_vector[3] cv; complex_row_vector[3] cw; complex_matrix[3, 3] cm;\n"
    "  array[2] int ns; array[2] real xs; array[2, 4] real xss; array[2] vector[3] vs;\n"
    "  array[2] matrix[3, 3] ms; tuple(int, vector[3]) t; array[5] tuple(real, array[2] int) ts;\n"
    "}\n";

static const struct {
  const char *source, *type;
} types[] = {
    /* literals */
    {"1", "int"},
    {"1.0", "real"},
    {"1i", "complex"},
    {"[1, 2]", "row_vector"},
    {"[1, 2i]", "complex_row_vector"},
    {"[]", "row_vector"},
    {"[[1, 2], [3, 4]]", "matrix"},
    {"[[1, 2i], w]", "complex_matrix"},
    {"[w, [1, 2i, 3]]", "complex_matrix"},
    {"{1, 2}", "array[] int"},
    {"{1, 2.0}", "array[] real"},
    {"{1, 2.0, 3i}", "array[] complex"},
    {"{{1}, {2.0}}", "array[,] real"},
    {"{v, v}", "array[] vector"},
    {"{(1, 2), (1.5, 2)}", "array[] tuple(real, int)"},
    {"(1, v)", "tuple(int, vector)"},
    {"(n)", "int"},
    /* operators on numbers */
    {"n + n", "int"},
    {"n + x", "real"},
    {"n * z", "complex"},
    {"n / n", "int"},
    {"n %/% n", "int"},
    {"n % n", "int"},
    {"n ^ n", "real"},
    {"x / n", "real"},
    {"-n", "int"},
    {"-z", "complex"},
    {"+v", "vector"},
    {"!n", "int"},
    {"x < n", "int"},
    {"z == x", "int"},
    {"n && n", "int"},
    /* operators on containers */
    {"v + 1", "vector"},
    {"1 - w", "row_vector"},
    {"v + cv", "complex_vector"},
    {"v * w", "matrix"},
    {"w * v", "real"},
    {"m * v", "vector"},
    {"w * m", "row_vector"},
    {"m * m", "matrix"},
    {"cm * v", "complex_vector"},
    {"x * m", "matrix"},
    {"z * v", "complex_vector"},
    {"m / m", "matrix"},
    {"w / m", "row_vector"},
    {"m / x", "matrix"},
    {"v / x", "vector"},
    {"m \\ v", "vector"},
    {"v .* v", "vector"},
    {"v ./ 2", "vector"},
    {"v ^ 2", "vector"},
    {"2 .^ m", "matrix"},
    {"ns .^ 2", "array[] real"},
    {"v'", "row_vector"},
    {"cw'", "complex_vector"},
    {"m'", "matrix"},
    {"-ms", "array[] matrix"},
    /* conditions */
    {"n ? 1 : 2.0", "real"},
    {"n ? v : cv", "complex_vector"},
    {"n ? ns : xs", "array[] real"},
    /* indices */
    {"v[1]", "real"},
    {"v[1:2]", "vector"},
    {"v[ns]", "vector"},
    {"w[:]", "row_vector"},
    {"m[1]", "row_vector"},
    {"m[1:2]", "matrix"},
    {"m[1, 2]", "real"},
    {"m[:, 1]", "vector"},
    {"m[1, :2]", "row_vector"},
    {"m[ns, 2:]", "matrix"},
    {"cm[1, 1]", "complex"},
    {"cm[:, 1]", "complex_vector"},
    {"xss[1]", "array[] real"},
    {"xss[:, 1]", "array[] real"},
    {"xss[ns, ns]", "array[,] real"},
    {"vs[1, 2]", "real"},
    {"vs[:, 2]", "array[] real"},
    {"vs[1][2:]", "vector"},
    {"ms[1, :, 2]", "vector"},
    {"ms[:, 1, 2]", "array[] real"},
    {"ms[:, 1]", "array[] row_vector"},
    {"t.1", "int"},
    {"t.2[1]", "real"},
    {"ts[1].2", "array[] int"},
    {"ts[1:2]", "array[] tuple(real, array[] int)"},
    /* the library */
    {"exp(n)", "real"},
    {"exp(ns)", "array[] real"},
    {"exp(ms)", "array[] matrix"},
    {"exp(z)", "complex"},
    {"abs(n)", "int"},
    {"abs(cv)", "vector"},
    {"max(n, n)", "int"},
    {"max(ns)", "int"},
    {"max(v)", "real"},
    {"sum(ns)", "int"},
    {"sum(cv)", "complex"},
    {"pow(n, n)", "real"},
    {"fmax(v, 1)", "vector"},
    {"lgamma(ms)", "array[] matrix"},
    {"size(ts[1].2)", "int"},
    {"dims(xss)", "array[] int"},
    {"rep_array(v, 2, 3)", "array[,] vector"},
    {"rep_array(xs, 2)", "array[,] real"},
    {"append_row(v, 1)", "vector"},
    {"append_row(w, w)", "matrix"},
    {"append_array(vs, vs)", "array[] vector"},
    {"to_complex(v, x)", "complex_vector"},
    {"to_int(x)", "int"},
    {"bessel_first_kind(n, ms)", "array[] matrix"},
    {"choose(ns, 2)", "array[] int"},
    {"ldexp(v, n)", "vector"},
    {"eigendecompose_sym(m)", "tuple(matrix, vector)"},
    {"csr_extract(m).2", "array[] int"},
    {"normal_lpdf(v | 0, xs)", "real"},
    {"normal_lpdf(n | 0, 1)", "real"},
    {"poisson_lpmf(ns | v)", "real"},
    {"normal_rng(0, 1)", "real"},
    {"normal_rng(v, 1)", "array[] real"},
    {"poisson_rng(ns)", "array[] int"},
    {"student_t_qf(x, 1, 2, v)", "vector"},
    {"quantile(xs, {0.1, 0.9})", "array[] real"},
    {"std_normal_lpdf(x)", "real"},
    /* functions of the program */
    {"f(n)", "int"},
    {"f(x)", "real"},
    {"f(v, n)", "vector"},
    {"g(n)", "complex"},
    {"h(ns)", "array[] real"},
    {"pair((1, 2))", "tuple(real, complex)"},
};

START_TEST(expression_type) {
  Arena *a = arena_new();
  const char *source =
      arena_printf(a, "%sgenerated quantities { print(%s); }", prelude, types[_i].source);
  Parsed p = checked(source);
  const Expr *e = p.program->blocks[BLOCK_GENERATED_QUANTITIES].stmts[0]->args[0];
  Text text = text_new(p.arena);
  type_print(&text, e->type);
  ck_assert_msg(!strcmp(text.data, types[_i].type), "%s is %s, not %s", types[_i].source,
                types[_i].type, text.data);
  parsed_free(&p);
  arena_free(a);
}
END_TEST

/* Expressions of the same variables that have no type. */
static const char *const untyped[] = {
    "v + w",
    "v * v",
    "m + 1 + v",
    "ns + ns",
    "xs + 1",
    "n % x",
    "x %/% n",
    "!x",
    "x && n",
    "v == v",
    "z < z",
    "ns'",
    "x'",
    "{1, v}",
    "[v, v]",
    "[1, w]",
    "{(1, 2), 1}",
    "x ? 1 : 2",
    "n ? v : w",
    "n ? f : f",
    "x[1]",
    "v[1, 1]",
    "m[1, 1, 1]",
    "v[x]",
    "v[v]",
    "v[1.0:2]",
    "t.3",
    "t.0",
    "v.1",
    "ts.1",
    "exp()",
    "exp(v, v)",
    "exp(t)",
    "choose(1.5, 1)",
    "max(m, m)",
    "f(v)",
    "f(z)",
    "h(v)",
    "pair((1i, 1))",
    "normal_lpdf(v | m, 1)",
    "normal_lpdf(1, 2, 3)",
    "exp(1 | 2)",
    "poisson_lpmf(x | 1)",

    "size(1, 2)",
    "unknown(1)",
    "unknown",
    "reject_it(1)",
    "m \\ w",
    "f(x, v)",
};

START_TEST(no_type) {
  Arena *a = arena_new();
  const char *source =
      arena_printf(a, "%sgenerated quantities { print(%s); }", prelude, untyped[_i]);
  Parsed p = parse_text(source, program);
  ck_assert_msg(!check(&p, false), "%s has a type", untyped[_i]);
  size_t count, errors = 0;
  const Diagnostic *list = diag_list(p.diagnostics, &count);
  for (size_t k = 0; k < count; k++) errors += list[k].kind == DIAG_SEMANTIC;
  ck_assert_msg(errors == 1, "%s: %zu errors", untyped[_i], errors);
  parsed_free(&p);
  arena_free(a);
}
END_TEST

/* ---- places of errors ---- */

static const struct {
  const char *source;
  int line, column;  /* of the first error */
  const char *words; /* in its message */
} errors[] = {
    /* names */
    {"model { x = 1; }", 1, 8, "'x' not in scope"},
    {"data { int abc; } model { print(abx); }", 1, 32, "Did you mean 'abc'?"},
    {"model { print(epx(1)); }", 1, 14, "Did you mean 'exp'?"},
    {"data { int x; real x; }", 1, 19, "variable 'x' already"},
    {"data { int x; } model { for (x in 1:2) {} }", 1, 29, "already"},
    {"model { { int x; } print(x); }", 1, 25, "not in scope"},
    {"model { int x; } generated quantities { print(x); }", 1, 46, "not in scope"},
    {"data { int x__; }", 1, 11, "reserved"},
    {"data { int repeat; }", 1, 11, "reserved"},
    {"data { real x_lupdf; }", 1, 12, "_lupdf"},
    {"model { real normal; normal(1); }", 1, 21, "variable"},
    /* statements */
    {"data { int x; } model { x = 1; }", 1, 24, "data block"},
    {"parameters { real x; } model { x += 1; }", 1, 31, "parameters block"},
    {"functions { void f(int x) { x = 1; } }", 1, 28, "argument"},
    {"model { for (i in 1:2) i = 3; }", 1, 23, "loop variable"},
    {"model { int x = 1.5; }", 1, 8, "real"},
    {"model { int x; x = 1.5; }", 1, 19, "real"},
    {"model { vector[2] x; x += {1}; }", 1, 26, "array[] int"},
    {"model { int x; x .*= 2; }", 1, 21, ".*="},
    {"model { int x; x /= 2.0; }", 1, 20, "/="},
    {"model { vector[3] x; x[1:2][1] = 1; }", 1, 21, "multi-index"},
    {"model { int a; (a, a) = (1, 2); }", 1, 15, "more than once"},
    {"model { int a; array[2] int b; (a, b[a]) = (1, 2); }", 1, 31, "read"},
    {"model { int a; int b; (a, b) = (1, 2, 3); }", 1, 31, "tuple"},
    {"model { tuple(int, int) t; t.3 = 1; }", 1, 27, "3"},
    {"model { if (1.5) {} }", 1, 12, "int"},
    {"model { while (1.5) {} }", 1, 15, "int"},
    {"model { for (i in 1.5:2) {} }", 1, 18, "int"},
    {"model { for (i in 1) {} }", 1, 18, "array"},
    {"model { break; }", 1, 8, "loop"},
    {"model { continue; }", 1, 8, "loop"},
    {"functions { void f() { while (1) { } break; } }", 1, 37, "loop"},
    {"model { return; }", 1, 8, "void"},
    {"model { return 1; }", 1, 8, "void"},
    {"model { print(exp); }", 1, 14, "function"},
    {"model { exp(1); }", 1, 8, "value"},
    /* blocks */
    {"generated quantities { target += 1; }", 1, 23, "target"},
    {"transformed parameters { target += 1; }", 1, 25, "target"},
    {"model { jacobian += 1; }", 1, 8, "Jacobian"},
    {"transformed parameters { 1 ~ normal(0, 1); }", 1, 25, "model"},
    {"functions { real f() { return target(); } }", 1, 30, "_lp"},
    {"model { print(normal_rng(0, 1)); }", 1, 14, "_rng"},
    {"functions { real f() { return normal_rng(0, 1); } }", 1, 30, "_rng"},
    {"transformed data { array[poisson_rng(3)] int x; }", 1, 25, "sizes"},
    {"generated quantities { print(normal_lupdf(1 | 0, 1)); }", 1, 29, "normal_lpdf"},
    {"functions { void f_lp(real x) { target += x; } } generated quantities { f_lp(1); }", 1, 72,
     "_lp"},
    {"functions { real f_jacobian(real x) { jacobian += x; return x; } } model { "
     "print(f_jacobian(1)); }",
     1, 81, "_jacobian"},
    /* distributions */
    {"model { 1 ~ normal_lpdf(0, 1); }", 1, 12, "ending"},
    {"model { 1 ~ unheard(0, 1); }", 1, 12, "unheard_lpmf"},
    {"model { 1.5 ~ poisson(1); }", 1, 8, "(int, real) => real: argument 1 must be int"},
    {"model { 1 ~ normal(0, 1, 2); }", 1, 8, "=> real: it takes 3 arguments, not 4"},
    {"parameters { matrix[2, 2] x; } model { x ~ wishart(3, x) T[1, ]; }", 1, 39, "truncated"},
    {"model { 1 ~ normal(0, 1) T[[1], ]; }", 1, 27, "truncation"},
    {"model { print(normal_lpmf(1 | 0, 1)); }", 1, 14, "normal_lpdf"},
    {"model { print(dirichlet_cdf([1]' | [1]')); }", 1, 14, "dirichlet_cdf"},
    /* declarations */
    {"data { real n; array[n] real x; }", 1, 21, "int"},
    {"parameters { real x; array[size({x})] real y; }", 1, 33, "parameters block"},
    {"data { int<lower=0.5> n; }", 1, 7, "int"},
    {"data { real<lower=[1]> x; }", 1, 18, "number"},
    {"parameters { int n; }", 1, 13, "Parameters"},
    {"transformed parameters { tuple(int, real) n; }", 1, 25, "Transformed"},
    /* functions */
    {"functions { real f(real x) { } }", 1, 12, "every branch"},
    {"functions { real f(real x) { if (x > 0) return 1; } }", 1, 12, "every branch"},
    {"functions { real f(int x) { while (x) return 1; return 2; } real f(int y) { return 1; } }", 1,
     60, "already been declared"},
    {"functions { real f(int x); real f(int x); }", 1, 27, "must be defined"},
    {"functions { real f(int x) { return 1; } int f(int x) { return 1; } }", 1, 40, "result type"},
    {"functions { real exp(real x) { return 1; } }", 1, 12, "library"},
    {"functions { real ode_rk45(real x) { return 1; } }", 1, 17, "overloaded"},
    {"functions { real f_lpdf(int x) { return 1; } }", 1, 12, "real"},
    {"functions { real f_lpmf(real x) { return 1; } }", 1, 12, "int"},
    {"functions { vector f_lpdf(real x) { return [x]'; } }", 1, 12, "vector"},
    {"functions { real f_lupdf(real x) { return 1; } }", 1, 17, "_lpdf"},
    {"functions { real f(real x, int x) { return 1; } }", 1, 12, "'x'"},
    {"functions { int f(real x) { return x; } }", 1, 28, "returns real"},
    {"functions { void f(real x) { return x; } }", 1, 29, "void"},
    {"functions { real f(real x); }", 1, 17, "not defined"},
    {"functions { real f(data real x) { return x; } } parameters { real y; } model { "
     "print(f(y)); }",
     1, 85, "data"},
    /* functions of functions */
    {"functions { vector f(real t, vector y) { return y; } } model { print(ode_rk45(f, [1]', 0, "
     "{1.0}, 1.5)); }",
     1, 97, "4 arguments"},
    {"model { print(ode_rk45(1, [1]', 0, {1.0})); }", 1, 23, "function"},
    {"functions { real f(array[] real x, int a, int b) { return 1; } } model { print(reduce_sum(f, "
     "1.0, 1)); }",
     1, 93, "array"},
    {"functions { real f(array[] real x, int a, int b) { return 1; } } model { print(reduce_sum(f, "
     "{1.0}, 1, 2)); }",
     1, 103, "4"},
};

START_TEST(error_place) {
  Parsed p = parse_text(errors[_i].source, program);
  ck_assert_msg(!check(&p, false), "accepted: %s", errors[_i].source);
  size_t count, k = 0;
  const Diagnostic *list = diag_list(p.diagnostics, &count);
  while (list[k].kind != DIAG_SEMANTIC) k++;
  int line, column;
  sources_locate(p.sources, list[k].span.file, list[k].span.begin, &line, &column);
  ck_assert_msg(line == errors[_i].line && column == errors[_i].column, "%s\n%d:%d, %s",
                errors[_i].source, line, column, list[k].message);
  ck_assert_msg(strstr(list[k].message, errors[_i].words) != NULL, "%s\n%s", errors[_i].source,
                list[k].message);
  parsed_free(&p);
}
END_TEST

static const char *const accepted[] = {
    "",
    /* functions that return */
    "functions { real f(real x) { if (x > 0) return 1; else return 2; } }",
    "functions { real f(real x) { while (1) { if (x > 0) return x; } } }",
    "functions { real f(real x) { reject(x); } }",
    "functions { real f(real x) { for (i in 1:3) { return i; } } }",
    "functions { void f(real x) { if (x > 0) return; print(x); } }",
    /* recursion, forward declarations, overloads */
    "functions { int f(int n); int g(int n) { return f(n); } int f(int n) { return n ? g(n - 1) : "
    "0; "
    "} }",
    "functions { real f(int x) { return 1; } real f(vector x) { return 2; } } model { print(f(1), "
    "f([1]')); }",
    "functions { real exp(int x, int y) { return 1; } } model { print(exp(1, 2), exp(1.5)); }",
    /* names */
    "model { real normal = 1; normal ~ normal(0, 1); }",
    "data { int exp; } model { print(exp, exp(1)); }",
    "model { { int x; } { real x; } }",
    /* the target */
    "parameters { real x; } model { x ~ normal(0, 1); target += normal_lupdf(x | 0, 1); }",
    "functions { void f_lp(real x) { x ~ normal(0, 1); target += target(); } } model { f_lp(1); }",
    "functions { real f_lpdf(real x) { return normal_lupdf(x | 0, 1); } } model { 1.5 ~ f(); }",
    "functions { real f_jacobian(real x) { jacobian += x; return x; } } parameters { real x; } "
    "transformed parameters { real y = f_jacobian(x); jacobian += y; }",
    "parameters { real x; } model { x ~ normal(0, 1) T[0, 2]; x ~ normal(0, 1) T[, 2]; }",
    "data { array[2] int n; } model { n ~ poisson([1, 2]') T[0, ]; }",
    /* random numbers */
    "functions { real f_rng() { return normal_rng(0, 1); } } transformed data { real x = f_rng(); "
    "} "
    "generated quantities { real y = f_rng(); }",
    /* bounds may depend on parameters, sizes on data */
    "data { int n; } transformed data { int m = n + 1; } parameters { real a; array[m] "
    "real<lower=a> b; vector<lower=[1, 2]'>[2] c; }",
    /* tuples */
    "model { int a; real b; vector[2] c; (a, (b, c[1])) = (1, (2, 3)); }",
    "model { array[2] tuple(int, real) a; a[1].2 = 1; a[2] = (1, 2); (a[1].1, a[1].2) = (1, 2); }",
    /* solvers */
    "functions { vector f(real t, vector y, real a, data int b) { return a * y; } } parameters { "
    "real a; } model { print(ode_rk45(f, [1]', 0, {1.0}, a, 3), ode_bdf_tol(f, [1]', 0, {1}, 1e-6, "
    "1e-6, 100, a, 3)); }",
    "functions { real f_lpmf(array[] int x, int a, int b, real c) { return 1; } } parameters { "
    "real "
    "c; } model { target += reduce_sum(f_lupmf, {1, 2}, 1, c); }",
    "functions { vector f(vector x, vector y, data array[] real z, data array[] int n) { return x; "
    "} "
    "} parameters { vector[2] y; } model { print(algebra_solver(f, [1, 2]', y, {1.5}, {1})); }",
};

START_TEST(acceptance) {
  Parsed p = checked(accepted[_i]);
  parsed_free(&p);
}
END_TEST

START_TEST(undefined_functions_on_demand) {
  Parsed p = parse_text("functions { real f(real x); } model { print(f(1)); }", program);
  ck_assert(check(&p, true));
  parsed_free(&p);
}
END_TEST

/* After an error the rest is checked, and what hangs on the error is not reported again. */
START_TEST(several_errors) {
  Parsed p = parse_text("model {\n  real x = a;\n  real y = x + a * b;\n  int z = x;\n}", program);
  ck_assert(!check(&p, false));
  size_t count;
  const Diagnostic *list = diag_list(p.diagnostics, &count);
  ck_assert_uint_eq(count, 4);
  ck_assert(strstr(list[3].message, "int") != NULL);
  parsed_free(&p);
}
END_TEST

/* What is accepted with a warning, and where it points. */
static const struct {
  const char *source;
  int column;
  const char *words;
} warnings[] = {
    {"data { int n; } model { print(n / 2); }", 30, "%/%"},
    {"model { print(1 < 2 < 3); }", 14, "&&"},
    {"data { matrix[2, 2] m; } model { print(m ^ 2); }", 39, "matrix_power"},
    {"model { real x = x; }", 8, "own initial value"},
    {"model { real x; x = (x); }", 16, "itself"},
    {"model { while (1) { break; print(1); } }", 27, "never reached"},
    {"functions { real f_lp(real x) { return x; } } transformed parameters { real y = f_lp(1); }",
     80, "_jacobian"},
};

START_TEST(warning) {
  Parsed p = checked(warnings[_i].source);
  size_t count;
  const Diagnostic *list = diag_list(p.diagnostics, &count);
  ck_assert_msg(count == 1, "%s: %zu", warnings[_i].source, count);
  ck_assert_int_eq(list[0].kind, DIAG_WARNING);
  ck_assert_msg(list[0].span.begin == (uint32_t)warnings[_i].column, "%s: %u", warnings[_i].source,
                list[0].span.begin);
  ck_assert_msg(strstr(list[0].message, warnings[_i].words) != NULL, "%s", list[0].message);
  parsed_free(&p);
}
END_TEST

START_TEST(no_warning) {
  Parsed p = checked(
      "data { int n; matrix[2, 2] m; } model { print(n %/% 2, n / 2.0, (1 < 2) < 3, m .^ 2); "
      "while (1) { break; } }");
  ck_assert_str_eq(parsed_messages(&p), "");
  parsed_free(&p);
}
END_TEST

/* However many errors there are, the messages come to an end. */
START_TEST(messages_end) {
  Arena *a = arena_new();
  Text text = text_new(a);
  text_add(&text, "model {");
  for (int k = 0; k < 5000; k++) text_printf(&text, " print(x%d, normal_lpdf(1 | [1], [[1]]));", k);
  text_add(&text, " }");
  Parsed p = parse_text(text.data, program);
  ck_assert(!check(&p, false));
  size_t count;
  diag_list(p.diagnostics, &count);
  ck_assert_uint_ge(count, 10);
  ck_assert_uint_le(count, 100);
  parsed_free(&p);
  arena_free(a);
}
END_TEST

/* Tuples of tuples of a loop's variable would double with every loop. */
START_TEST(tuples_stay_small) {
  Arena *a = arena_new();
  Text text = text_new(a);
  text_add(&text, "model { int a0 = 1; ");
  for (int k = 1; k < 60; k++) text_printf(&text, "for (a%d in {(a%d, a%d)}) ", k, k - 1, k - 1);
  text_add(&text, "print(1); }");
  Parsed p = parse_text(text.data, program);
  ck_assert(!check(&p, false));
  ck_assert(strstr(parsed_messages(&p), "10000 values") != NULL);
  parsed_free(&p);
  arena_free(a);
}
END_TEST

/* ---- overloads ---- */

static const struct {
  const char *functions, *call;
  int chosen; /* number of the function that is called; -1: ambiguous */
} overloads[] = {
    {"real f(int x) { return 1; } real f(real x) { return 2; }", "f(1)", 0},
    {"real f(int x) { return 1; } real f(real x) { return 2; }", "f(1.5)", 1},
    {"real f(complex x) { return 1; } real f(real x) { return 2; }", "f(1)", 1},
    {"real f(real x, real y) { return 1; } real f(real x, int y) { return 2; }", "f(1, 2)", 1},
    {"real f(real x, int y) { return 1; } real f(int x, real y) { return 2; }", "f(1, 2)", -1},
    {"real f(real x, int y) { return 1; } real f(int x, real y) { return 2; }", "f(1.5, 2)", 0},
    {"real f(complex x, int y) { return 1; } real f(real x, real y) { return 2; }", "f(1, 2)", -1},
    {"real f(array[] real x) { return 1; } real f(vector x) { return 2; }", "f({1, 2})", 0},
    {"real f(tuple(real, real) x) { return 1; } real f(tuple(int, real) x) { return 2; }",
     "f((1, 2))", 1},
    {"real f(data real x) { return 1; } real f(complex x) { return 2; }", "f(p)", 1},
    {"real exp(tuple(real, real) x) { return 1; }", "exp((1, 2))", 0},
};

START_TEST(overload) {
  Arena *a = arena_new();
  Parsed p =
      parse_text(arena_printf(a, "functions { %s } parameters { real p; } model { target += %s; }",
                              overloads[_i].functions, overloads[_i].call),
                 program);
  bool ok = check(&p, false);
  ck_assert_msg(ok == (overloads[_i].chosen >= 0), "%s: %s", overloads[_i].functions,
                parsed_messages(&p));
  const Expr *e = p.program->blocks[BLOCK_MODEL].stmts[0]->rhs;
  if (ok) ck_assert_ptr_eq(e->function, p.program->functions[overloads[_i].chosen]);
  if (!ok) ck_assert(strstr(parsed_messages(&p), "ambiguous") != NULL);
  parsed_free(&p);
  arena_free(a);
}
END_TEST

/* ---- the fields of the tree ---- */

START_TEST(promoted_arguments) {
  Parsed p = checked("data { int n; array[2] int ns; } model { print(beta(n, 1.5), "
                     "normal_lpdf(ns | n, 1), inc_beta(1, 2, 3)); }");
  const Stmt *s = p.program->blocks[BLOCK_MODEL].stmts[0];
  static const char *const promoted[3][3] = {
      {"int", "real"}, {"array[] real", "real", "real"}, {"real", "real", "real"}};
  for (int k = 0; k < 3; k++)
    for (int j = 0; j < s->args[k]->arg_count; j++) {
      Text text = text_new(p.arena);
      type_print(&text, s->args[k]->promoted[j]);
      ck_assert_str_eq(text.data, promoted[k][j]);
    }
  parsed_free(&p);
}
END_TEST

START_TEST(variables_and_functions) {
  Parsed p = checked("functions { real f(real x); real f(real x) { return x; } }\n"
                     "data { real x; } model { target += f(x); }");
  const FunDef *declaration = p.program->functions[0], *definition = p.program->functions[1];
  ck_assert_ptr_eq(declaration->definition, definition);
  const Expr *call = p.program->blocks[BLOCK_MODEL].stmts[0]->rhs;
  ck_assert_ptr_eq(call->function, definition);
  const VarDecl *x = p.program->blocks[BLOCK_DATA].stmts[0]->decl;
  ck_assert_ptr_eq(call->args[0]->variable, x);
  ck_assert(x->data_only);
  const Expr *returned = definition->body->kind == S_BLOCK ? definition->body->stmts[0]->rhs : NULL;
  ck_assert_ptr_nonnull(returned);
  ck_assert_ptr_eq(returned->variable, definition->args[0]);
  ck_assert_int_eq(definition->type->base, T_FUNCTION);
  ck_assert_int_eq(definition->type->result->base, T_REAL);
  parsed_free(&p);
}
END_TEST

START_TEST(density_of_a_distribution_statement) {
  Parsed p =
      checked("functions { real mine_lpmf(int n, real x) { return x; } }\n"
              "parameters { real x; } model { x ~ normal(0, 1); 1 ~ mine(x); 2 ~ poisson(x); "
              "1 ~ normal(x, 1); }");
  Stmt *const *s = p.program->blocks[BLOCK_MODEL].stmts;
  static const char *const names[] = {"normal_lpdf", "mine_lpmf", "poisson_lpmf", "normal_lpdf"};
  for (int k = 0; k < 4; k++) {
    const Expr *e = s[k]->density;
    ck_assert_ptr_nonnull(e);
    ck_assert_str_eq(e->name, names[k]);
    ck_assert_int_eq(e->kind, E_CALL);
    ck_assert(e->bar);
    ck_assert_ptr_eq(e->args[0], s[k]->lhs);
    ck_assert_int_eq(e->type->base, T_REAL);
    ck_assert_ptr_eq(e->function, k == 1 ? p.program->functions[0] : NULL);
  }
  ck_assert_int_eq(s[3]->density->promoted[0]->base, T_REAL);
  parsed_free(&p);
}
END_TEST

/* What Stan takes for data. */
static const struct {
  const char *source;
  bool data;
} levels[] = {
    {"1", true},
    {"x", true},
    {"y", true},
    {"p", false},
    {"q", false},
    {"l", false},
    {"n", true},
    {"x + y", true},
    {"x + p", false},
    {"v[n]", true},
    {"pv[1]", false},
    {"size(pv)", true},
    {"exp(x)", true},
    {"exp(p)", false},
    {"(x, p)", false},
    {"(x, p).1", true},
    {"(x, p).2", false},
    {"n ? x : y", true},
    {"p > 0 ? x : y", false},
    {"{x, y}", true},
    {"{x, p}", false},
    {"[x, p]", false},
    {"pt.1", true},
    {"pt.2", false},
    {"target()", false},
    {"i", true},
};

START_TEST(level) {
  Arena *a = arena_new();
  const char *source = arena_printf(
      a,
      "data { real x; int n; vector[2] v; } transformed data { real y = x; }\n"
      "parameters { real p; vector[2] pv; }\n"
      "transformed parameters { real q = x; }\n"
      "model { real l = x; tuple(int, real) pt = (1, 2); for (i in 1:2) { print(%s); } }",
      levels[_i].source);
  Parsed p = checked(source);
  const Block *model = &p.program->blocks[BLOCK_MODEL];
  const Stmt *loop = model->stmts[model->stmt_count - 1];
  const Stmt *print = loop->body->kind == S_BLOCK ? loop->body->stmts[0] : loop->body;
  ck_assert_msg(print->args[0]->data_only == levels[_i].data, "%s", levels[_i].source);
  parsed_free(&p);
  arena_free(a);
}
END_TEST

/* ---- the library's own sources ---- */

/* Finds nothing. */
static FunDef *const *find_nothing(void *context, const char *name, int *count) {
  (void)context;
  (void)name;
  *count = 0;
  return NULL;
}

static Parsed checked_library(const char *source) {
  Parsed p = parse_text(source, library);
  ck_assert_msg(p.program != NULL, "%s", parsed_messages(&p));
  CheckOptions options = {.is_library = true, .library = {find_nothing, NULL}};
  bool ok = check_program(p.arena, p.program, options, p.diagnostics);
  ck_assert_msg(ok, "%s", parsed_messages(&p));
  return p;
}

static const struct {
  const char *call, *type;
} library_calls[] = {
    {"one(1)", "real"},
    {"one(v)", "vector"},
    {"one(w)", "row_vector"},
    {"one(m)", "matrix"},
    {"one(ns)", "array[] real"},
    {"one(vs)", "array[] vector"},
    {"count(v)", "array[] int"},
    {"two(v, 1)", "vector"},
    {"two(1, m)", "matrix"},
    {"two(v, w)", "vector"},
    {"norms(vs)", "array[] real"},
    {"norms(w)", "real"},
    {"unit(vs)", "array[] vector"},
    {"normal_lpdf(v, 0, 1)", "real"},
    {"own_lpdf(v | 1)", "real"},
    {"own_lpdf(v, 1)", "real"},
    {"is_nan(v)", "array[] int"},
};

START_TEST(library_call) {
  Arena *a = arena_new();
  Parsed p = checked_library(arena_printf(
      a,
      "real one(real x) {\n  return x;\n}\nint count(real x) {\n  return 1;\n}\n"
      "real two(real x, real y) {\n  return x;\n}\nreal norms(vector x) {\n  return x[1];\n}\n"
      "vector unit(vector x) {\n  return x;\n}\nreal own_lpdf(real x, real y) {\n  return x;\n}\n"
      "void test(vector v, row_vector w, matrix m, array[] int ns, array[] vector vs) {\n"
      "  print(%s);\n}\n",
      library_calls[_i].call));
  const Stmt *body = p.program->functions[p.program->function_count - 1]->body;
  const Stmt *print = body->kind == S_BLOCK ? body->stmts[0] : body;
  Text text = text_new(p.arena);
  type_print(&text, print->args[0]->type);
  ck_assert_msg(!strcmp(text.data, library_calls[_i].type), "%s is %s, not %s",
                library_calls[_i].call, library_calls[_i].type, text.data);
  parsed_free(&p);
  arena_free(a);
}
END_TEST

START_TEST(library_bounds_and_rules) {
  Parsed p = checked_library("real f_lpdf(real<lower=b> x, real<positive> b) {\n"
                             "  target += 1;\n  jacobian += normal_rng(0, 1);\n"
                             "  return normal_lupdf(x | b, 1);\n}\n"
                             "real exp(real x) {\n  return x;\n}\n");
  const FunDef *f = p.program->functions[0];
  ck_assert_ptr_eq(f->args[0]->sized->lower->variable, f->args[1]);
  parsed_free(&p);
}
END_TEST

int main(void) {
#define COUNT(table) ((int)(sizeof(table) / sizeof *(table)))
  Suite *s = suite_create("checker");
  TCase *t = tcase_create("programs");
  tcase_add_loop_test(t, expression_type, 0, COUNT(types));
  tcase_add_loop_test(t, no_type, 0, COUNT(untyped));
  tcase_add_loop_test(t, error_place, 0, COUNT(errors));
  tcase_add_loop_test(t, acceptance, 0, COUNT(accepted));
  tcase_add_test(t, undefined_functions_on_demand);
  tcase_add_test(t, several_errors);
  tcase_add_loop_test(t, warning, 0, COUNT(warnings));
  tcase_add_test(t, no_warning);
  tcase_add_test(t, messages_end);
  tcase_add_test(t, tuples_stay_small);
  tcase_add_loop_test(t, overload, 0, COUNT(overloads));
  tcase_add_test(t, promoted_arguments);
  tcase_add_test(t, variables_and_functions);
  tcase_add_test(t, density_of_a_distribution_statement);
  tcase_add_loop_test(t, level, 0, COUNT(levels));
  tcase_add_loop_test(t, library_call, 0, COUNT(library_calls));
  tcase_add_test(t, library_bounds_and_rules);
  suite_add_tcase(s, t);
  SRunner *runner = srunner_create(s);
  srunner_set_fork_status(runner, CK_NOFORK);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
