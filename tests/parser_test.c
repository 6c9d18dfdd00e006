/* Trees that the parser builds: their form, their spans, and what they print as. */
#include "tests/parse_text.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const ParseOptions program = {0}, functions = {.functions_only = true},
                          library = {.functions_only = true, .allow_annotations = true};

static void expect_tree(const char *source, ParseOptions options, const char *tree) {
  Parsed p = parse_text(source, options);
  ck_assert_str_eq(parsed_tree(&p), tree);
  parsed_free(&p);
}

/* "model { SOURCE }", of which TREE is the one statement's line. */
static void expect_statement(const char *source, const char *tree) {
  Arena *a = arena_new();
  expect_tree(arena_printf(a, "model { %s }", source), program,
              arena_printf(a, "model\n  %s\n", tree));
  arena_free(a);
}

/* ---- expressions ---- */

static const struct {
  const char *source, *tree, *canonical; /* canonical NULL: as the source */
} expressions[] = {
    /* each level binds tighter than the one before */
    {"a ? b : c || d", "(? a b (|| c d))", NULL},
    {"a || b && c", "(|| a (&& b c))", NULL},
    {"a && b == c", "(&& a (== b c))", NULL},
    {"a == b < c", "(== a (< b c))", NULL},
    {"a <= b + c", "(<= a (+ b c))", NULL},
    {"a - b * c", "(- a (* b c))", NULL},
    {"a * b %/% c", "(* a (%/% b c))", NULL},
    {"a \\ -b", "(\\ a (- b))", NULL},
    {"-a ^ b", "(- (^ a b))", NULL},
    {"-a'", "(- (transpose a))", NULL},
    {"a ^ b'", "(^ a (transpose b))", NULL},
    {"a[1]'", "(transpose (index a 1))", NULL},
    /* association */
    {"a ? b : c ? d : e", "(? a b (? c d e))", NULL},
    {"a ? b ? c : d : e", "(? a (? b c d) e)", NULL},
    {"a || b || c", "(|| (|| a b) c)", NULL},
    {"a == b != c", "(!= (== a b) c)", NULL},
    {"a < b >= c", "(>= (< a b) c)", NULL},
    {"a - b + c", "(+ (- a b) c)", NULL},
    {"a / b * c .* d ./ e % f", "(% (./ (.* (* (/ a b) c) d) e) f)", NULL},
    {"a %/% b \\ c", "(\\ (%/% a b) c)", NULL},
    {"a ^ b .^ c", "(^ a (.^ b c))", NULL},
    {"a''", "(transpose (transpose a))", NULL},
    /* unary operators */
    {"!a == b", "(== (! a) b)", NULL},
    {"-a * b", "(* (- a) b)", NULL},
    {"a - -b", "(- a (- b))", NULL},
    {"a ^ -b ^ c", "(^ a (- (^ b c)))", NULL},
    {"-+!a", "(- (+ (! a)))", NULL},
    /* brackets */
    {"(a + b) * c", "(* (paren (+ a b)) c)", NULL},
    {"(a, b)", "(tuple a b)", NULL},
    {"(a,)", "(tuple a)", NULL},
    {"((a, b), c)", "(tuple (tuple a b) c)", NULL},
    {"{a, b}", "(array a b)", NULL},
    {"{{1}, {2}}", "(array (array 1) (array 2))", NULL},
    {"[]", "(row)", NULL},
    {"[[1, 2], [3, 4]]", "(row (row 1 2) (row 3 4))", NULL},
    /* indices */
    {"a[i, j]", "(index a i j)", NULL},
    {"a[]", "(index a :)", "a[:]"},
    {"a[, 1]", "(index a : 1)", "a[:, 1]"},
    {"a[:, 2:, :n, i:j, {1, 2}]", "(index a : (: 2 _) (: _ n) (: i j) (array 1 2))", NULL},
    {"a[b ? c : d : e]", "(index a (: (? b c d) e))", "a[b ? c : d:e]"},
    {"a[1][2]", "(index (index a 1) 2)", NULL},
    {"(a + b)[1]", "(index (paren (+ a b)) 1)", NULL},
    /* members */
    {"t.1", "(member t 1)", NULL},
    {"t.1.2", "(member (member t 1) 2)", NULL},
    {"t[3].2[1]", "(index (member (index t 3) 2) 1)", NULL},
    {"f(x).1", "(member (call f x) 1)", NULL},
    {"t.1_0", "(member t 10)", "t.10"},
    {"(a, b).2", "(member (tuple a b) 2)", NULL},
    /* calls */
    {"f()", "(call f)", NULL},
    {"f(a, b)", "(call f a b)", NULL},
    {"f(a | b, c)", "(call f a | b c)", NULL},
    {"f(a | )", "(call f a |)", "f(a |)"},
    {"T(T)", "(call T T)", NULL},
    {"target()", "(target)", NULL},
    {"2 * target()", "(* 2 (target))", NULL},
    /* numbers */
    {"1_000", "1000", "1000"},
    {"2147483647", "2147483647", NULL},
    {"1.", "1.", NULL},
    {".5", ".5", NULL},
    {"1.5e-3", "1.5e-3", NULL},
    {"1e3", "1e3", NULL},
    {".5e+1_0", ".5e+10", ".5e+10"},
    {"1_0.2_5", "10.25", "10.25"},
    {"3i", "3i", NULL},
    {"2.5i", "2.5i", NULL},
    {"1 + .5i", "(+ 1 .5i)", NULL},
    {"2.*x", "(* 2. x)", "2. * x"},
    {"2 .*x", "(.* 2 x)", "2 .* x"},
    {"x.*y", "(.* x y)", "x .* y"},
    {"a%/%b", "(%/% a b)", "a %/% b"},
    {"a//c\n+ b", "(+ a b)", "a + b"},
    {"a/*c*/+/**/b/***/", "(+ a b)", "a + b"},
};

static const Expr *only_target(const Parsed *p) {
  const Block *model = &p->program->blocks[BLOCK_MODEL];
  ck_assert_int_eq(model->stmt_count, 1);
  ck_assert_int_eq(model->stmts[0]->kind, S_TARGET);
  return model->stmts[0]->rhs;
}

START_TEST(expression) {
  Arena *a = arena_new();
  Parsed p =
      parse_text(arena_printf(a, "model { target += %s; }", expressions[_i].source), program);
  ck_assert_str_eq(parsed_tree(&p),
                   arena_printf(a, "model\n  target += %s\n", expressions[_i].tree));
  Text out = text_new(a);
  expr_print(&out, only_target(&p));
  ck_assert_str_eq(out.data,
                   expressions[_i].canonical ? expressions[_i].canonical : expressions[_i].source);
  parsed_free(&p);
  arena_free(a);
}
END_TEST

START_TEST(number_values) {
  Parsed p =
      parse_text("model { target += f(1_000, 1_0.2_5, .5e+1_0, 2.5i, 1e-320, 0x); }", program);
  ck_assert_ptr_null(p.program); /* no hexadecimal numbers */
  parsed_free(&p);
  p = parse_text("model { target += f(1_000, 1_0.2_5, .5e+1_0, 2.5i, 1e-320); }", program);
  ck_assert_ptr_nonnull(p.program);
  Expr **args = only_target(&p)->args;
  ck_assert_int_eq(args[0]->kind, E_INT);
  ck_assert_int_eq(args[0]->integer, 1000);
  ck_assert_int_eq(args[1]->kind, E_REAL);
  ck_assert_double_eq(args[1]->real, 10.25);
  ck_assert_double_eq(args[2]->real, 5e9);
  ck_assert_int_eq(args[3]->kind, E_IMAGINARY);
  ck_assert_double_eq(args[3]->real, 2.5);
  ck_assert_double_eq(args[4]->real, 1e-320);
  parsed_free(&p);
}
END_TEST

/* Trees that no source has, since they lack its parentheses. */
START_TEST(canonical_parentheses) {
  Expr a = {.kind = E_VARIABLE, .name = "a"}, b = {.kind = E_VARIABLE, .name = "b"};
  Expr *ab[] = {&a, &b};
  Expr sum = {.kind = E_BINARY, .op = OP_ADD, .args = ab, .arg_count = 2};
  Expr *as[] = {&a, &sum};
  Expr product = {.kind = E_BINARY, .op = OP_MUL, .args = as, .arg_count = 2};
  Expr difference = {.kind = E_BINARY, .op = OP_SUB, .args = as, .arg_count = 2};
  Expr *sa[] = {&sum, &a};
  Expr power = {.kind = E_BINARY, .op = OP_POW, .args = sa, .arg_count = 2};
  Expr *s[] = {&sum};
  Expr minus = {.kind = E_UNARY, .op = OP_NEG, .args = s, .arg_count = 1};
  Expr transpose = {.kind = E_TRANSPOSE, .args = s, .arg_count = 1};
  const Expr *trees[] = {&product, &difference, &power, &minus, &transpose};
  Arena *arena = arena_new();
  Text out = text_new(arena);
  for (size_t k = 0; k < sizeof trees / sizeof *trees; k++) {
    expr_print(&out, trees[k]);
    text_add(&out, "; ");
  }
  ck_assert_str_eq(out.data, "a * (a + b); a - (a + b); (a + b) ^ a; -(a + b); (a + b)'; ");
  arena_free(arena);
}
END_TEST

/* ---- statements ---- */

static const struct {
  const char *source, *tree;
} statements[] = {
    {"a = b;", "a = b"},
    {"a[1, 2:3].4 = b;", "(member (index a 1 (: 2 3)) 4) = b"},
    {"a += b;", "a += b"},
    {"a -= b;", "a -= b"},
    {"a *= b;", "a *= b"},
    {"a /= b;", "a /= b"},
    {"a .*= b;", "a .*= b"},
    {"a ./= b;", "a ./= b"},
    {"T = 1;", "T = 1"},
    {"(a, b[1]) = f();", "(tuple a (index b 1)) = (call f)"},
    {"(a, (b, c.1)) = f();", "(tuple a (tuple b (member c 1))) = (call f)"},
    {"target += a;", "target += a"},
    {"jacobian += a;", "jacobian += a"},
    {"y ~ normal(0, 1);", "y ~ (normal 0 1)"},
    {"y ~ std_normal();", "y ~ (std_normal)"},
    {"y + 1 ~ normal(0, 1) T[a, b];", "(+ y 1) ~ (normal 0 1) T[a, b]"},
    {"y ~ normal(0, 1) T[a, ];", "y ~ (normal 0 1) T[a, _]"},
    {"y ~ normal(0, 1) T[, b];", "y ~ (normal 0 1) T[_, b]"},
    {"y ~ normal(0, 1) T[,];", "y ~ (normal 0 1)"},
    {"{1, 2} ~ f(3);", "(array 1 2) ~ (f 3)"},
    {"f(a, b);", "do (call f a b)"},
    {"f();", "do (call f)"},
    {"if (a) b = 1;", "if a\n    b = 1"},
    {"if (a) b = 1; else c = 1;", "if a\n    b = 1\n  else\n    c = 1"},
    {"if (a) if (b) c = 1; else d = 1;", "if a\n    if b\n      c = 1\n    else\n      d = 1"},
    {"if (a) {if (b) c = 1;} else d = 1;", "if a\n    if b\n      c = 1\n  else\n    d = 1"},
    {"if (a) real b = 1;", "if a\n    declare real b = 1"},
    {"if (a) int b, c;", "if a\n    declare int b\n    declare int c"},
    {"while (a) { break; continue; }", "while a\n    break\n    continue"},
    {"for (i in 1:n) a = i;", "for i in (: 1 n)\n    a = i"},
    {"for (i in a ? b : c : d) ;", "for i in (: (? a b c) d)\n    skip"},
    {"for (x in xs) { }", "for x in xs"},
    {"for (T in 1:2) for (j in T:3) ;", "for T in (: 1 2)\n    for j in (: T 3)\n      skip"},
    {"return;", "return"},
    {"return a;", "return a"},
    {"{ }", "block"},
    {"{ { } a = 1; }", "block\n    block\n    a = 1"},
    {"{ {1} ~ f(); }", "block\n    (array 1) ~ (f)"},
    {"profile(\"p q\") { a = 1; }", "profile \"p q\"\n    a = 1"},
    {"profile(\"\") { }", "profile \"\""},
    {"print(\"a = \", a, \"// no comment\");", "print \"a = \" a \"// no comment\""},
    {"reject(a);", "reject a"},
    {"fatal_error(\"x\");", "fatal_error \"x\""},
    {";", "skip"},
    {"real a = 1, b, c = 2;", "declare real a = 1\n  declare real b\n  declare real c = 2"},
    {"array[2] vector[3] a = b;", "declare array[2] vector[3] a = b"},
    {"int T = 1;", "declare int T = 1"},
};

START_TEST(statement) { expect_statement(statements[_i].source, statements[_i].tree); }
END_TEST

/* ---- declared types ---- */

static const char *const top_types[] = {
    "int",
    "int<lower=0>",
    "int<upper=n>",
    "int<lower=0, upper=n + 1>",
    "real",
    "real<lower=-1, upper=(a > b)>",
    "real<offset=a, multiplier=b>",
    "real<offset=a>",
    "vector<multiplier=s>[3]",
    "row_vector<lower=f(x, y)[1]>[n]",
    "matrix<upper=0>[n, 2 * m]",
    "complex",
    "complex_vector[2]",
    "complex_row_vector[2]",
    "complex_matrix[2, 3]",
    "ordered[3]",
    "positive_ordered[3]",
    "simplex[3]",
    "unit_vector[3]",
    "sum_to_zero_vector[3]",
    "sum_to_zero_matrix[2, 3]",
    "cholesky_factor_corr[3]",
    "cholesky_factor_cov[3]",
    "cholesky_factor_cov[3, 2]",
    "corr_matrix[3]",
    "cov_matrix[3]",
    "column_stochastic_matrix[2, 3]",
    "row_stochastic_matrix[2, 3]",
    "array[2] int<lower=0>",
    "array[n, m + 1] simplex[3]",
    "tuple(real<lower=0>, int)",
    "tuple(real,)",
    "array[2] tuple(tuple(int, array[3] real), cov_matrix[2])",
};

START_TEST(top_type) {
  Arena *a = arena_new();
  expect_tree(arena_printf(a, "parameters { %s x; }", top_types[_i]), program,
              arena_printf(a, "parameters\n  declare %s x\n", top_types[_i]));
  arena_free(a);
}
END_TEST

/* upper before lower, and multiplier before offset */
START_TEST(bounds_in_the_other_order) {
  expect_tree("data { real<upper=b, lower=a> x; real<multiplier=s, offset=m> y; }", program,
              "data\n  declare real<lower=a, upper=b> x\n"
              "  declare real<offset=m, multiplier=s> y\n");
}
END_TEST

START_TEST(type_fields) {
  Parsed p = parse_text(
      "data { array[2, n] cholesky_factor_cov[3] x; array[4] vector<lower=0>[5] y; }", program);
  ck_assert_ptr_nonnull(p.program);
  Stmt **s = p.program->blocks[BLOCK_DATA].stmts;
  const SizedType *x = s[0]->decl->sized, *y = s[1]->decl->sized;
  ck_assert_int_eq(x->base, T_MATRIX);
  ck_assert_int_eq(x->constraint, C_CHOLESKY_FACTOR_COV);
  ck_assert_int_eq(x->array_dims, 2);
  ck_assert_int_eq(x->array_sizes[0]->integer, 2);
  ck_assert_str_eq(x->array_sizes[1]->name, "n");
  ck_assert_int_eq(x->sizes[0]->integer, 3);
  ck_assert_ptr_null(x->sizes[1]);
  ck_assert_str_eq(parsed_span(&p, x->span), "array[2, n] cholesky_factor_cov[3]");
  ck_assert_int_eq(y->base, T_VECTOR);
  ck_assert_int_eq(y->constraint, C_LOWER);
  ck_assert_ptr_null(y->upper);
  parsed_free(&p);
}
END_TEST

/* ---- programs ---- */

START_TEST(every_block) {
  expect_tree("functions { }\ndata { ; int n; ; }\ntransformed\tdata { int m = n; }\n"
              "parameters { real x; }\ntransformed \f parameters { real y = x; }\n"
              "model { y ~ normal(0, 1); }\ngenerated   quantities { real z = y; }\n",
              program,
              "functions\n"
              "data\n  declare int n\n"
              "transformed data\n  declare int m = n\n"
              "parameters\n  declare real x\n"
              "transformed parameters\n  declare real y = x\n"
              "model\n  y ~ (normal 0 1)\n"
              "generated quantities\n  declare real z = y\n");
}
END_TEST

START_TEST(empty_program) {
  expect_tree("", program, "");
  expect_tree("// nothing", program, "");
  expect_tree("", functions, "functions\n");
  Parsed p = parse_text(" ", program);
  size_t count;
  const Diagnostic *d = diag_list(p.diagnostics, &count);
  ck_assert_uint_eq(count, 1);
  ck_assert_int_eq(d->kind, DIAG_WARNING);
  parsed_free(&p);
}
END_TEST

START_TEST(function_definitions) {
  const char *source = "real f(int n, data array[ , ] vector x);\n"
                       "void g_lp(tuple(real, array[] int) t, tuple(row_vector,) u) {\n"
                       "  target += t.1;\n"
                       "}\n"
                       "array[] matrix h() { return m; }\n";
  const char *tree = "functions\n"
                     "  forward real f(int n, data array[,] vector x)\n"
                     "  function void g_lp(tuple(real, array[] int) t, tuple(row_vector,) u)\n"
                     "    target += (member t 1)\n"
                     "  function array[] matrix h()\n"
                     "    return m\n";
  Arena *a = arena_new();
  expect_tree(source, functions, tree);
  expect_tree(arena_printf(a, "functions { %s }", source), program, tree);
  arena_free(a);
}
END_TEST

START_TEST(annotations) {
  expect_tree("@elementwise\n@facts(positive, finite)\n"
              "real f(real<positive, lower=a + 1> x, vector<simplex, evident> y) { return x; }\n"
              "@derivative(f, x)\nreal df(real x) { return 1; }\n"
              "real g(real x);\n",
              library,
              "functions\n"
              "  @elementwise\n  @facts positive finite\n"
              "  function real f(real<positive, lower=a + 1> x, vector<simplex, evident> y)\n"
              "    return x\n"
              "  @derivative f x\n"
              "  function real df(real x)\n    return 1\n"
              "  forward real g(real x)\n");
}
END_TEST

START_TEST(declaration_fields) {
  Parsed p = parse_text("functions { void f(data real a, int b) { for (i in 1:b) { real c; } } }\n"
                        "data { int n; }\n"
                        "transformed parameters { real t; { real u; } if (n) real v; }\n"
                        "model { real w; for (x in y) { } }\n",
                        program);
  ck_assert_ptr_nonnull(p.program);
  const FunDef *f = p.program->functions[0];
  ck_assert(f->args[0]->data_qualified && f->args[0]->is_argument && !f->args[0]->global);
  ck_assert(!f->args[1]->data_qualified && f->args[1]->is_argument);
  const Stmt *loop = f->body->stmts[0];
  ck_assert(loop->decl->is_loop_variable && !loop->decl->sized);
  ck_assert_int_eq(loop->body->stmts[0]->decl->block, BLOCK_FUNCTIONS);
  const Block *blocks = p.program->blocks;
  ck_assert(blocks[BLOCK_DATA].stmts[0]->decl->global);
  ck_assert_int_eq(blocks[BLOCK_DATA].stmts[0]->decl->block, BLOCK_DATA);
  Stmt **tp = blocks[BLOCK_TRANSFORMED_PARAMETERS].stmts;
  ck_assert(tp[0]->decl->global);
  ck_assert(!tp[1]->stmts[0]->decl->global);
  ck_assert_int_eq(tp[1]->stmts[0]->decl->block, BLOCK_TRANSFORMED_PARAMETERS);
  ck_assert(!tp[2]->body->decl->global);
  Stmt **model = blocks[BLOCK_MODEL].stmts;
  ck_assert(!model[0]->decl->global); /* no output of the program */
  ck_assert_int_eq(model[1]->decl->block, BLOCK_MODEL);
  ck_assert(!blocks[BLOCK_PARAMETERS].present && blocks[BLOCK_MODEL].present);
  parsed_free(&p);
}
END_TEST

/* ---- spans ---- */

START_TEST(expression_spans) {
  Parsed p = parse_text("model { target += -a [ i , 2 : ] . 1 * ( b' ) + f ( c | d ) ; }", program);
  ck_assert_ptr_null(p.program); /* a dot belongs to its number */
  parsed_free(&p);
  p = parse_text("model { target += -a [ i , 2 : ] .1 * ( b' ) + f ( c | d ) ; }", program);
  ck_assert_ptr_nonnull(p.program);
  const Expr *sum = only_target(&p);
  ck_assert_str_eq(parsed_span(&p, sum->span), "-a [ i , 2 : ] .1 * ( b' ) + f ( c | d )");
  const Expr *product = sum->args[0], *call = sum->args[1];
  ck_assert_str_eq(parsed_span(&p, product->span), "-a [ i , 2 : ] .1 * ( b' )");
  ck_assert_str_eq(parsed_span(&p, call->span), "f ( c | d )");
  ck_assert_str_eq(parsed_span(&p, call->name_span), "f");
  ck_assert_str_eq(parsed_span(&p, call->args[1]->span), "d");
  const Expr *minus = product->args[0], *paren = product->args[1];
  ck_assert_str_eq(parsed_span(&p, minus->span), "-a [ i , 2 : ] .1");
  ck_assert_str_eq(parsed_span(&p, paren->span), "( b' )");
  ck_assert_str_eq(parsed_span(&p, paren->args[0]->span), "b'");
  const Expr *member = minus->args[0], *index = member->args[0];
  ck_assert_str_eq(parsed_span(&p, member->span), "a [ i , 2 : ] .1");
  ck_assert_str_eq(parsed_span(&p, index->span), "a [ i , 2 : ]");
  ck_assert_str_eq(parsed_span(&p, index->indices[1].span), "2 :");
  parsed_free(&p);
}
END_TEST

START_TEST(statement_spans) {
  Parsed p =
      parse_text("model {\n  real x = 1 , y ;\n  if (a)  b = 1;  else { }\n  z ~ f(1) T[0,] ;\n"
                 "  g(x) ; profile(\"p\") { } for (i in 1:2) ;\n}\n",
                 program);
  ck_assert_ptr_nonnull(p.program);
  const Block *model = &p.program->blocks[BLOCK_MODEL];
  ck_assert_int_eq(p.file, model->span.file);
  ck_assert_uint_eq(model->span.begin, 0);
  Stmt **s = model->stmts;
  ck_assert_str_eq(parsed_span(&p, s[0]->span), "real x = 1 , y ;");
  ck_assert_str_eq(parsed_span(&p, s[1]->span), "real x = 1 , y ;");
  ck_assert_str_eq(parsed_span(&p, s[1]->decl->name_span), "y");
  ck_assert_str_eq(parsed_span(&p, s[2]->span), "if (a)  b = 1;  else { }");
  ck_assert_str_eq(parsed_span(&p, s[2]->body->span), "b = 1;");
  ck_assert_str_eq(parsed_span(&p, s[2]->orelse->span), "{ }");
  ck_assert_str_eq(parsed_span(&p, s[3]->span), "z ~ f(1) T[0,] ;");
  ck_assert_str_eq(parsed_span(&p, s[3]->name_span), "f");
  ck_assert_str_eq(parsed_span(&p, s[4]->span), "g(x) ;");
  ck_assert_str_eq(parsed_span(&p, s[4]->rhs->span), "g(x)");
  ck_assert_str_eq(parsed_span(&p, s[5]->name_span), "\"p\"");
  ck_assert_str_eq(parsed_span(&p, s[6]->decl->name_span), "i");
  parsed_free(&p);
}
END_TEST

START_TEST(function_spans) {
  Parsed p =
      parse_text("  real f ( real x ,  data int n ) { return x; }\n@call real g();", library);
  ck_assert_ptr_nonnull(p.program);
  const FunDef *f = p.program->functions[0], *g = p.program->functions[1];
  ck_assert_str_eq(parsed_span(&p, f->span), "real f ( real x ,  data int n ) { return x; }");
  ck_assert_str_eq(parsed_span(&p, f->name_span), "f");
  ck_assert_str_eq(parsed_span(&p, f->result->span), "real");
  ck_assert_str_eq(parsed_span(&p, f->args[0]->span), "real x");
  ck_assert_str_eq(parsed_span(&p, f->args[1]->span), "data int n");
  ck_assert_str_eq(parsed_span(&p, f->args[1]->name_span), "n");
  ck_assert_str_eq(parsed_span(&p, f->body->span), "{ return x; }");
  ck_assert_str_eq(parsed_span(&p, g->span), "real g();");
  ck_assert_str_eq(parsed_span(&p, g->annotations[0].span), "@call");
  parsed_free(&p);
}
END_TEST

/* ---- types without sizes ---- */

START_TEST(plain_types) {
  Arena *a = arena_new();
  const StanType *integer = type_simple(a, T_INT, 0), *matrix = type_simple(a, T_MATRIX, 0);
  const StanType *matrices = type_array_of(a, matrix, 2);
  ck_assert_int_eq(type_rank(matrices), 4);
  ck_assert_int_eq(type_rank(integer), 0);
  ck_assert_int_eq(type_rank(type_simple(a, T_COMPLEX_ROW_VECTOR, 1)), 2);
  ck_assert(types_equal(type_array_of(a, matrices, -2), matrix));
  ck_assert(!types_equal(matrices, matrix));
  ck_assert(!types_equal(integer, type_simple(a, T_REAL, 0)));
  const StanType *members[] = {integer, matrices};
  const StanType *pair = type_tuple(a, members, 2, 1), *one = type_tuple(a, members, 1, 0);
  ck_assert(!types_equal(pair, one));
  ck_assert(types_equal(one, type_tuple(a, members, 1, 0)));
  bool data_only[] = {false, true};
  StanType function = {.base = T_FUNCTION,
                       .member_count = 2,
                       .members = members,
                       .data_only = data_only,
                       .result = integer};
  StanType other = function;
  other.data_only = NULL;
  ck_assert(!types_equal(&function, &other));
  Text out = text_new(a);
  const StanType *all[] = {integer, matrices, pair, one, &function};
  for (size_t k = 0; k < sizeof all / sizeof *all; k++) {
    type_print(&out, all[k]);
    text_add(&out, "; ");
  }
  ck_assert_str_eq(out.data,
                   "int; array[,] matrix; array[] tuple(int, array[,] matrix); tuple(int,); "
                   "(int, data array[,] matrix) => int; ");
  arena_free(a);
}
END_TEST

int main(void) {
  Suite *s = suite_create("parser");
  TCase *t = tcase_create("trees");
  tcase_add_loop_test(t, expression, 0, (int)(sizeof expressions / sizeof *expressions));
  tcase_add_test(t, number_values);
  tcase_add_test(t, canonical_parentheses);
  tcase_add_loop_test(t, statement, 0, (int)(sizeof statements / sizeof *statements));
  tcase_add_loop_test(t, top_type, 0, (int)(sizeof top_types / sizeof *top_types));
  tcase_add_test(t, bounds_in_the_other_order);
  tcase_add_test(t, type_fields);
  tcase_add_test(t, every_block);
  tcase_add_test(t, empty_program);
  tcase_add_test(t, function_definitions);
  tcase_add_test(t, annotations);
  tcase_add_test(t, declaration_fields);
  tcase_add_test(t, expression_spans);
  tcase_add_test(t, statement_spans);
  tcase_add_test(t, function_spans);
  tcase_add_test(t, plain_types);
  suite_add_tcase(s, t);
  SRunner *runner = srunner_create(s);
  srunner_set_fork_status(runner, CK_NOFORK);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
