// Explicit Runge-Kutta methods with step sizes as Boost.Odeint's controllers choose them, which Stan uses. A method is given as functions of one
// system, which the compiler calls (lower/ode_solver.c): its state at the start; a trip, which is one attempt at a step;
// and the solution at a time within a step.
//
// The state is (time, step size, z, rates of change at z, steps since the last time of output, times of output that are left: none
// at the end, -1 where Stan would throw). A trip also tells of its step: (its begin, its end, what the solution within it
// depends on); an attempt that fails ends where it begins. A trip at the end changes nothing that matters.

// The times of output after t. Boost compares with this tolerance.
real times_left(real t, vector ts) {
  real n = 0;
  for (k in 1:size(ts)) n += ts[k] - t > machine_precision();
  return n;
}

// The same at the start. Without rates there is no way to go, and none to an infinite time.
real left_at_start(matrix r, real t0, vector ts) {
  int finite = max(abs(r)) < positive_infinity() && max(abs(append_row(ts, t0))) < positive_infinity();
  return finite ? times_left(t0, ts) : -1;
}

// The largest error, in units of the error allowed for values z with rates r over a step h (default_error_checker).
real relative_error(matrix error, matrix z, matrix r, real h, real rel_tol, real abs_tol) {
  return max(abs(error) ./ (abs_tol + rel_tol * (abs(z) + h * abs(r))));
}

// The size of the next step, of a method of order 5 with an estimate of order 4, by the relative error of one of size h
// (default_step_adjuster).
real next_step(real h, real error) {
  real power = error > 1 ? -1 / 3.0 : -0.2;
  real factor = greater_of(0.9 * greater_of(error, 0.00032) ^ power, 0.2);
  return error >= 0.5 && error <= 1 ? h : h * factor;
}

// Steps since the last time of output, and times of output that are left, after an attempt at a step from t that has led to t1. Stan
// throws where more than max_steps lie between two times of output. It would come to that where the steps have become too small to
// move the time. Where the error is no number, no step is taken, which ends it too.
tuple(real, real) progress(real steps, real left, real error, real t, real t1, vector ts, real max_steps) {
  real taken = steps + (error <= 1);
  real now = times_left(t1, ts);
  int goes_on = error > 1 || (t1 > t && taken <= max_steps);
  real after = goes_on ? now : -1;
  return (now < left ? 0 : taken, left > 0 ? after : left);
}

// ---- the method of Dormand and Prince, of order 5 (Hairer, Norsett & Wanner: Solving Ordinary Differential Equations I, table II.5.2),
// with output between steps (ibid. II.6)

tuple(real, real, matrix, matrix, real, real) dormand_prince_start(real t0, matrix z, vector ts, real rel_tol, real abs_tol) {
  matrix[rows(z), cols(z)] r = ode_system(t0, z);
  return (t0, 0.1, z, r, 0, left_at_start(r, t0, ts));
}

tuple(tuple(real, real, matrix, matrix, real, real), tuple(real, real, matrix)) dormand_prince_trip(tuple(real, real, matrix, matrix, real, real) s, vector ts, real last, real rel_tol, real abs_tol, real max_steps) {
  int N = rows(s.3);
  int M = cols(s.3);
  real t = s.1;
  real h = t + s.2 - last <= machine_precision() ? s.2 : last - t;
  matrix[N, M] z = s.3;
  matrix[N, M] k1 = s.4;
  matrix[N, M] k2 = ode_system(t + 0.2 * h, z + (0.2 * h) * k1);
  matrix[N, M] k3 = ode_system(t + 0.3 * h, z + h * ((3 / 40.0) * k1 + (9 / 40.0) * k2));
  matrix[N, M] k4 = ode_system(t + 0.8 * h, z + h * ((44 / 45.0) * k1 + (-56 / 15.0) * k2 + (32 / 9.0) * k3));
  matrix[N, M] k5 = ode_system(t + (8 / 9.0) * h, z + h * ((19372 / 6561.0) * k1 + (-25360 / 2187.0) * k2 + (64448 / 6561.0) * k3 + (-212 / 729.0) * k4));
  matrix[N, M] k6 = ode_system(t + h, z + h * ((9017 / 3168.0) * k1 + (-355 / 33.0) * k2 + (46732 / 5247.0) * k3 + (49 / 176.0) * k4 + (-5103 / 18656.0) * k5));
  matrix[N, M] z1 = z + h * ((35 / 384.0) * k1 + (500 / 1113.0) * k3 + (125 / 192.0) * k4 + (-2187 / 6784.0) * k5 + (11 / 84.0) * k6);
  matrix[N, M] k7 = ode_system(t + h, z1);
  matrix[N, M] e = h * ((71 / 57600.0) * k1 + (-71 / 16695.0) * k3 + (71 / 1920.0) * k4 + (-17253 / 339200.0) * k5 + (22 / 525.0) * k6 + (-1 / 40.0) * k7);
  real error = relative_error(e, z, k1, h, rel_tol, abs_tol);
  int accepted = error <= 1;
  real t1 = accepted ? t + h : t;
  real steps;
  real left;
  (steps, left) = progress(s.5, s.6, error, t, t1, ts, max_steps);
  matrix[7 * N, M] stages = append_row(append_row(append_row(z, k1), append_row(k3, k4)), append_row(append_row(k5, k6), k7));
  return ((t1, next_step(h, error), accepted ? z1 : z, accepted ? k7 : k1, steps, left), (t, t1, stages));
}

matrix dormand_prince_at(real t, real from, real to, matrix stages) {
  int N = rows(stages) %/% 7;
  real h = to - from;
  real x = (t - from) / h;
  real y = x - 1;
  real a = x * x * (3 - 2 * x);
  real c = x * x * y * y;
  real b1 = a * (35 / 384.0) - c * 5 * (2558722523.0 - 31403016 * x) / 11282082432.0 + x * y * y;
  real b3 = a * (500 / 1113.0) + c * 100 * (882725551.0 - 15701508 * x) / 32700410799.0;
  real b4 = a * (125 / 192.0) - c * 25 * (443332067.0 - 31403016 * x) / 1880347072.0;
  real b5 = a * (-2187 / 6784.0) + c * 32805 * (23143187.0 - 3489224 * x) / 199316789632.0;
  real b6 = a * (11 / 84.0) - c * 55 * (29972135.0 - 7076736 * x) / 822651844.0;
  real b7 = x * x * y + c * 10 * (7414447.0 - 829305 * x) / 29380423.0;
  return block(stages, 1, 1, N, cols(stages))
         + h * (b1 * block(stages, N + 1, 1, N, cols(stages)) + b3 * block(stages, 2 * N + 1, 1, N, cols(stages))
                + b4 * block(stages, 3 * N + 1, 1, N, cols(stages)) + b5 * block(stages, 4 * N + 1, 1, N, cols(stages))
                + b6 * block(stages, 5 * N + 1, 1, N, cols(stages)) + b7 * block(stages, 6 * N + 1, 1, N, cols(stages)));
}

// ---- the method of Cash and Karp, of order 5 (A variable order Runge-Kutta method for initial value problems with rapidly varying
// right-hand sides, ACM TOMS 16, 1990), with steps that end at the times of output

tuple(real, real, matrix, real, real) cash_karp_start(real t0, matrix z, vector ts, real rel_tol, real abs_tol) {
  return (t0, 0.1, z, 0, left_at_start(ode_system(t0, z), t0, ts));
}

// The first time of output after t; at the end, t.
real next_time(real t, vector ts, real last) {
  vector[size(ts)] later;
  for (k in 1:size(ts)) later[k] = ts[k] - t > machine_precision() ? ts[k] : last;
  return greater_of(min(append_row(later, last)), t);
}

tuple(tuple(real, real, matrix, real, real), tuple(real, real, matrix)) cash_karp_trip(tuple(real, real, matrix, real, real) s, vector ts, real last, real rel_tol, real abs_tol, real max_steps) {
  int N = rows(s.3);
  int M = cols(s.3);
  real t = s.1;
  real goal = next_time(t, ts, last);
  real h = lesser_of(s.2, goal - t);
  matrix[N, M] z = s.3;
  matrix[N, M] k1 = ode_system(t, z);
  matrix[N, M] k2 = ode_system(t + 0.2 * h, z + (0.2 * h) * k1);
  matrix[N, M] k3 = ode_system(t + 0.3 * h, z + h * ((3 / 40.0) * k1 + (9 / 40.0) * k2));
  matrix[N, M] k4 = ode_system(t + 0.6 * h, z + h * (0.3 * k1 + -0.9 * k2 + 1.2 * k3));
  matrix[N, M] k5 = ode_system(t + h, z + h * ((-11 / 54.0) * k1 + 2.5 * k2 + (-70 / 27.0) * k3 + (35 / 27.0) * k4));
  matrix[N, M] k6 = ode_system(t + 0.875 * h, z + h * ((1631 / 55296.0) * k1 + (175 / 512.0) * k2 + (575 / 13824.0) * k3 + (44275 / 110592.0) * k4 + (253 / 4096.0) * k5));
  matrix[N, M] z1 = z + h * ((37 / 378.0) * k1 + (250 / 621.0) * k3 + (125 / 594.0) * k4 + (512 / 1771.0) * k6);
  matrix[N, M] e = h * ((37 / 378.0 - 2825 / 27648.0) * k1 + (250 / 621.0 - 18575 / 48384.0) * k3 + (125 / 594.0 - 13525 / 55296.0) * k4 + (-277 / 14336.0) * k5 + (512 / 1771.0 - 0.25) * k6);
  real error = relative_error(e, z, k1, h, rel_tol, abs_tol);
  int accepted = error <= 1;
  real reached = goal - (t + h) > machine_precision() ? t + h : goal;
  real t1 = accepted ? reached : t;
  real step = next_step(h, error);
  real steps;
  real left;
  (steps, left) = progress(s.4, s.5, error, t, t1, ts, max_steps);
  return ((t1, accepted ? greater_of(step, s.2) : step, accepted ? z1 : z, steps, left), (t, t1, z1));
}

matrix cash_karp_at(real t, real from, real to, matrix z) {
  return z;
}
