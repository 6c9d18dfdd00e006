/* Solvers of differential equations and of systems of equations, and integrals, against closed
 * forms, in the IR's evaluator: values and derivatives with respect to everything that can be a
 * parameter; and what Stan throws on. */
#include "lower/lower.h"

#include <check.h>
#include <math.h>
#include <setjmp.h>
#include <string.h>

static Lowered *lower(Arena *a, const char *source) {
  Diagnostics *d = diagnostics_new(a);
  Sources *sources = sources_new(a);
  jmp_buf fatal;
  diag_on_fatal(d, &fatal);
  if (setjmp(fatal)) {
    size_t n;
    const Diagnostic *list = diag_list(d, &n);
    ck_abort_msg("%s\ncannot be lowered: %s", source, n ? list[n - 1].message : "");
  }
  uint32_t file = sources_add(sources, "case.stan", source, strlen(source));
  Program *program = parse_program(a, sources, file, (ParseOptions){0}, d);
  ck_assert_msg(program && check_program(a, program, (CheckOptions){0}, d), "%s\nis not accepted",
                source);
  LowerOptions o = {.entry = ENTRY_LOG_DENSITY};
  return lower_program(a, program, &o, sources, d);
}

typedef struct {
  double density, gradient[4];
} Answer;

static Answer run(IrPlan *plan, const double *x, int64_t size) {
  Arena *a = arena_new();
  IrTensor *in = ir_tensor_new(a, ir_type(IR_F64, 2, (int64_t[]){1, size}));
  memcpy(in->data.f64, x, sizeof *x * (size_t)size);
  const IrTensor *args[] = {in}, *out[2];
  const char *error = ir_plan_run(plan, args, out);
  ck_assert_msg(!error, "%s", error);
  Answer r = {out[0]->data.f64[0], {0}};
  memcpy(r.gradient, out[1]->data.f64, sizeof *x * (size_t)size);
  arena_free(a);
  return r;
}

/* ---- closed forms ---- */

/* The solvers, by name and tolerances, and how good they are at these. */
static const struct {
  const char *name, *tolerances;
  double accuracy;
} solvers[] = {
    {"ode_rk45", "", 1e-5}, {"ode_rk45_tol", "1e-11, 1e-11, 100000, ", 1e-9},
    {"ode_ckrk", "", 1e-5}, {"ode_ckrk_tol", "1e-11, 1e-11, 100000, ", 1e-9},
    {"ode_bdf", "", 1e-8},  {"ode_adams_tol", "1e-8, 1e-8, 100000, ", 1e-6},
};
enum { SOLVERS = sizeof solvers / sizeof *solvers };

/* y' = -a y from y(t0) = b */
static double decay(const double *x) { return x[1] * exp(-x[0] * (x[3] - x[2])); }

/* The sum of both coordinates after a rotation by the angle a (t - t0), from (b, 0). */
static double rotation(const double *x) {
  double angle = x[0] * (x[3] - x[2]);
  return x[1] * (cos(angle) + sin(angle));
}

/* y' = a y (1 - y) from y(t0) = b */
static double logistic(const double *x) {
  return 1 / (1 + (1 / x[1] - 1) * exp(-x[0] * (x[3] - x[2])));
}

/* y' = a t from y(t0) = b: the time is an argument of the right-hand side */
static double ramp(const double *x) { return x[1] + x[0] / 2 * (x[3] * x[3] - x[2] * x[2]); }

static const struct {
  const char *function, *initial;
  double (*solution)(const double *x);
} systems[] = {
    {"vector f(real t, vector y, real a, int k) { return -a * y * k; }", "[b]'", decay},
    {"vector f(real t, vector y, real a, int k) { return [-a * y[2], a * y[1]]'; }", "[b, 0]'",
     rotation},
    {"vector f(real t, vector y, real a, int k) { return a * y .* (1 - y); }", "[b]'", logistic},
    {"vector f(real t, vector y, real a, int k) { return rep_vector(a * t ^ k, 1); }", "[b]'",
     ramp},
};
enum { SYSTEMS = sizeof systems / sizeof *systems };

static void near(const char *what, double got, double want, double tolerance) {
  ck_assert_msg(fabs(got - want) <= tolerance * fmax(1, fabs(want)), "%s: %.15g, not %.15g", what,
                got, want);
}

START_TEST(closed_form) {
  int system = _i / SOLVERS, solver = _i % SOLVERS;
  Arena *a = arena_new();
  const char *source =
      arena_printf(a,
                   "functions { %s }\nparameters { real a, b, t0, t1; }\nmodel {\n"
                   "target += sum(%s(f, %s, t0, {t1 - 0.25, t1, t1, t1 + 3}, %sa, 1)[3]); }",
                   systems[system].function, solvers[solver].name, systems[system].initial,
                   solvers[solver].tolerances);
  Lowered *l = lower(a, source);
  IrPlan *plan = ir_plan_new(l->function);
  static const double points[][4] = {
      {0.75, 0.3, -0.5, 1.5}, {1.5, 0.9, 0, 0.3}, {0.2, 0.5, 1, 7}, {2, 0.25, 0.25, 3}};
  for (size_t p = 0; p < sizeof points / sizeof *points; p++) {
    const double *x = points[p], step = 1e-5;
    Answer r = run(plan, x, 4);
    near(source, r.density, systems[system].solution(x), solvers[solver].accuracy);
    for (int k = 0; k < 4; k++) {
      double up[4], down[4];
      memcpy(up, x, sizeof up);
      memcpy(down, x, sizeof down);
      up[k] += step;
      down[k] -= step;
      double slope = (systems[system].solution(up) - systems[system].solution(down)) / (2 * step);
      near(source, r.gradient[k], slope, 5 * solvers[solver].accuracy + 1e-9);
    }
  }
  ir_plan_free(plan);
  arena_free(a);
}
END_TEST

/* ---- arguments ---- */

/* Tuples, and arrays of them, are taken apart: the same as their members. */
START_TEST(tuples) {
  static const char *const programs[] = {
      "functions { vector f(real t, vector y, tuple(real, array[] tuple(int, vector)) p) {"
      "  return p.1 * y + p.2[2].1 * p.2[1].2; } }"
      "parameters { real a, b; } model {"
      "  array[2] tuple(int, vector[1]) c = {(1, [b]'), (2, [a]')};"
      "  target += ode_rk45(f, [1.5]', 0, {1, 2}, (a, c))[2][1]; }",
      "functions { vector f(real t, vector y, real a, vector b, vector unused) {"
      "  return a * y + 2 * b; } }"
      "parameters { real a, b; } model {"
      "  target += ode_rk45(f, [1.5]', 0, {1, 2}, a, [b]', [a]')[2][1]; }"};
  const double x[] = {-0.3, 0.8};
  Answer r[2];
  for (int k = 0; k < 2; k++) {
    Arena *a = arena_new();
    IrPlan *plan = ir_plan_new(lower(a, programs[k])->function);
    r[k] = run(plan, x, 2);
    ir_plan_free(plan);
    arena_free(a);
  }
  near("density", r[0].density, r[1].density, 1e-14);
  near("gradient", r[0].gradient[0], r[1].gradient[0], 1e-13);
  near("gradient", r[0].gradient[1], r[1].gradient[1], 1e-13);
  double growth = exp(2 * x[0]), want = 1.5 * growth + 2 * x[1] * (growth - 1) / x[0];
  near("solution", r[0].density, want, 1e-6);
}
END_TEST

/* The root of x^3 = a and y = x + b, with all solvers; the initial guess does not matter. */
START_TEST(root) {
  static const char *const solvers_of_roots[] = {
      "solve_newton(f, [1, a]', a, b)",
      "solve_newton_tol(f, [2, 2]', 1e-3, 1e-9, 50, a, b)",
      "solve_powell(f, [1, 1]', a, b)",
      "solve_powell_tol(f, [0.5, b]', 1e-9, 1e-9, 500, a, b)",
      "algebra_solver(g, [1, 2]', [a, b]', {0.0}, {3})",
      "algebra_solver_newton(g, [3, 2]', [a, b]', {0.0}, {3}, 1e-3, 1e-9, 100)"};
  Arena *a = arena_new();
  const char *source =
      arena_printf(a,
                   "functions { vector f(vector x, real a, real b) { return [x[1] ^ 3 - a, x[2] - "
                   "x[1] - b]'; }\n"
                   "vector g(vector x, vector p, data array[] real r, data array[] int k) {"
                   "  return [x[1] ^ k[1] - p[1] + r[1], x[2] - x[1] - p[2]]'; } }\n"
                   "parameters { real a, b; }\nmodel { target += dot_product(%s, [1, 3]'); }",
                   solvers_of_roots[_i]);
  IrPlan *plan = ir_plan_new(lower(a, source)->function);
  static const double points[][2] = {{2, 0.5}, {27, -1}, {0.3, 4}};
  for (size_t p = 0; p < sizeof points / sizeof *points; p++) {
    Answer r = run(plan, points[p], 2);
    double x = cbrt(points[p][0]);
    near(source, r.density, 4 * x + 3 * points[p][1], 1e-12);
    near(source, r.gradient[0], 4 / (3 * x * x), 1e-12);
    near(source, r.gradient[1], 3, 1e-12);
  }
  ir_plan_free(plan);
  arena_free(a);
}
END_TEST

static double gauss(const double *x) { return sqrt(acos(-1) / x[0]) + 0 * x[1]; }
static double half_gauss(const double *x) {
  return 0.5 * sqrt(acos(-1) / x[0]) * erfc(sqrt(x[0]) * x[1]);
}
static double lower_half(const double *x) { return gauss(x) - half_gauss(x); }
static double from_one(const double *x) {
  return 0.5 * sqrt(acos(-1) / x[0]) * (erf(sqrt(x[0]) * x[1]) + erf(sqrt(x[0])));
}
static double root_at_end(const double *x) { return pow(x[1], x[0]) / x[0]; }
static double kink(const double *x) { return 0.5 * x[0] * (1 + x[1] * x[1]); }

/* Integrals over a region of two parameters a and b. */
static const struct {
  const char *integrand, *limits;
  double (*value)(const double *x);
} integrals[] = {
    {"exp(-p[1] * x ^ 2)", "negative_infinity(), positive_infinity()", gauss},
    {"exp(-p[1] * x ^ 2)", "b, positive_infinity()", half_gauss},
    {"exp(-p[1] * x ^ 2)", "negative_infinity(), b", lower_half},
    {"exp(-p[1] * x ^ 2)", "-1, b", from_one},
    {"x ^ (p[1] - 1)", "0, b", root_at_end},
    {"p[1] * abs(x)", "-1, b", kink},
};

START_TEST(integral) {
  Arena *a = arena_new();
  const char *source = arena_printf(
      a,
      "functions { real f(real x, real xc, array[] real p, data array[] real r, data array[] int k)"
      " { return %s; } }\nparameters { real a, b; }\n"
      "model { target += integrate_1d(f, %s, {a}, {1.0}, {2}); }",
      integrals[_i].integrand, integrals[_i].limits);
  IrPlan *plan = ir_plan_new(lower(a, source)->function);
  static const double points[][2] = {{0.5, 0.25}, {2, 1.5}, {1, 0.75}};
  for (size_t p = 0; p < sizeof points / sizeof *points; p++) {
    const double *x = points[p], step = 1e-5;
    Answer r = run(plan, x, 2);
    near(source, r.density, integrals[_i].value(x), 1e-11);
    for (int k = 0; k < 2; k++) {
      double up[] = {x[0], x[1]}, down[] = {x[0], x[1]};
      up[k] += step;
      down[k] -= step;
      double slope = (integrals[_i].value(up) - integrals[_i].value(down)) / (2 * step);
      near(source, r.gradient[k], slope, 1e-8);
    }
  }
  ir_plan_free(plan);
  arena_free(a);
}
END_TEST

/* Where a branch is not taken, a solution that explodes there (here at time 1 / a) leaves no trace.
 */
START_TEST(branch_not_taken) {
  Arena *a = arena_new();
  const char *source = "functions { vector f(real t, vector y, real a) { return a * y .* y; } }"
                       "parameters { real a; } model { real b = a;"
                       "  if (a < 0.25) b = ode_rk45(f, [1]', 0, {3}, a)[1][1];"
                       "  target += b; }";
  IrPlan *plan = ir_plan_new(lower(a, source)->function);
  const double taken = 0.2, not_taken = 0.75;
  Answer r = run(plan, &taken, 1), other = run(plan, &not_taken, 1);
  near("taken", r.density, 1 / (1 - 3 * taken), 1e-5);
  near("taken, slope", r.gradient[0], 3 / ((1 - 3 * taken) * (1 - 3 * taken)), 1e-4);
  near("not taken", other.density, not_taken, 0);
  near("not taken, slope", other.gradient[0], 1, 0);
  ir_plan_free(plan);
  arena_free(a);
}
END_TEST

/* ---- what Stan throws on ---- */

/* Calls with a = 1 (and the same with a = 2): whether there is a solution. */
static const struct {
  const char *call;
  bool solved;
} calls[] = {
    {"ode_rk45(f, [1]', 0, {1}, a)", true},
    {"ode_rk45(f, [a]', a - 1, {a, a}, a)", true},
    {"ode_rk45(f, [1]', 0, {1, 0.5}, a)", false}, /* not sorted */
    {"ode_rk45(f, [1]', 0, {a, 0.5}, a)", false},
    {"ode_rk45(f, [1]', a, {a, 3}, a)", false}, /* not after t0 */
    {"ode_rk45(f, [1]', 1, {0.5, 3}, a)", false},
    {"ode_rk45(f, [a * positive_infinity()]', 0, {1}, a)", false}, /* not finite */
    {"ode_rk45(f, [1]', negative_infinity(), {1}, a)", false},
    {"ode_rk45(f, [1]', 0, {1, a / 0}, a)", false},
    {"ode_rk45(f, [1]', 0, {1}, a / 0)", false},
    {"ode_rk45(f, [1]', 0, {1}, a * not_a_number())", false},
    {"ode_rk45(f, rep_vector(1, 0), 0, {1}, a)", false}, /* nothing there */
    {"ode_rk45(f, [1]', 0, rep_array(1.0, 0), a)", false},
    {"ode_rk45_tol(f, [1]', 0, {1}, 0, 1e-6, 100, a)", false}, /* tolerances */
    {"ode_rk45_tol(f, [1]', 0, {1}, 1e-6, -1, 100, a)", false},
    {"ode_ckrk_tol(f, [1]', 0, {1}, 1e-6, 1e-6, 0, a)", false},
    {"ode_rk45_tol(f, [1]', 0, {1}, 1e-6, 1e-6, 100, a)", true},
    {"ode_rk45_tol(f, [1]', 0, {1}, 1e-14, 1e-14, 3, a)", false}, /* too many steps */
    {"ode_ckrk_tol(f, [1]', 0, {1}, 1e-14, 1e-14, 3, a)", false},
    {"ode_rk45(longer, [1]', 0, {1}, a)", false},    /* sizes */
    {"ode_rk45(refusing, [1]', 0, {1}, a)", false},  /* the function throws */
    {"ode_rk45(undefined, [1]', 0, {1}, a)", false}, /* no number */
    {"ode_ckrk(undefined, [1]', 0, {1}, a)", false},
    {"rep_array(solve_newton(root, [1]', a), 1)", true},
    {"rep_array(solve_newton(root, [1]', -a), 1)", false}, /* no root */
    {"rep_array(solve_powell(root, [1]', -a), 1)", false},
    {"rep_array(solve_newton(root, [1]', not_a_number() * a), 1)", false},
    {"rep_array(solve_newton(root, [a / 0]', a), 1)", false},
    {"rep_array(solve_newton(root, rep_vector(0, 0), a), 1)", false},
    {"rep_array(solve_newton_tol(root, [100]', 1e-3, 1e-6, 2, a), 1)", false}, /* few steps */
    {"rep_array(solve_newton_tol(root, [1]', 1e-3, -1, 100, a), 1)", false},
    {"{[integrate_1d(inner, 0, 1, {a}, {0.0}, {1})]'}", true},
    {"{[integrate_1d(inner, a, 0.5, {a}, {0.0}, {1})]'}", false}, /* limits */
    {"{[integrate_1d(inner, -1, 1, {a}, {0.0}, {1})]'}", false},  /* no numbers */
    {"ode_rk45(exploding, [1]', 0, {3}, a)", false},              /* infinite at 1 / a */
    {"ode_ckrk(exploding, [1]', 0, {3}, a)", false},
};

static const char *const functions =
    "functions {\n"
    "real total(array[] vector y) { real s = 0; for (v in y) s += sum(v); return s; }\n"
    "vector f(real t, vector y, real a) { return -a * y; }\n"
    "vector root(vector x, real a) { return square(x) - a; }\n"
    "real inner(real x, real xc, array[] real p, data array[] real r, data array[] int k) {"
    "  return p[1] * log(x); }\n"
    "vector longer(real t, vector y, real a) { return [a, a]'; }\n"
    "vector refusing(real t, vector y, real a) { if (t > 0.5) reject(\"no\"); return -a * y; }\n"
    "vector undefined(real t, vector y, real a) { return log(0.75 - t) * a * y; }\n"
    "vector exploding(real t, vector y, real a) { return a * y .* y; } }\n";

START_TEST(throwing) {
  Arena *a = arena_new();
  const char *source = arena_printf(a, "%sparameters { real a; }\nmodel { target += total(%s); }",
                                    functions, calls[_i].call);
  IrPlan *plan = ir_plan_new(lower(a, source)->function);
  for (double x = 1; x <= 2; x++) {
    Answer r = run(plan, &x, 1);
    if (calls[_i].solved)
      ck_assert_msg(isfinite(r.density) && isfinite(r.gradient[0]), "%s: no solution",
                    calls[_i].call);
    else
      ck_assert_msg(r.density == -INFINITY && r.gradient[0] == 0, "%s: %g, slope %g",
                    calls[_i].call, r.density, r.gradient[0]);
  }
  ir_plan_free(plan);
  arena_free(a);
}
END_TEST

int main(void) {
  Suite *s = suite_create("differential equations");
  TCase *t = tcase_create("solvers");
  tcase_set_timeout(t, 120);
  tcase_add_loop_test(t, closed_form, 0, SYSTEMS * SOLVERS);
  tcase_add_test(t, tuples);
  tcase_add_loop_test(t, root, 0, 6);
  tcase_add_loop_test(t, integral, 0, (int)(sizeof integrals / sizeof *integrals));
  tcase_add_test(t, branch_not_taken);
  tcase_add_loop_test(t, throwing, 0, (int)(sizeof calls / sizeof *calls));
  suite_add_tcase(s, t);
  SRunner *runner = srunner_create(s);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
