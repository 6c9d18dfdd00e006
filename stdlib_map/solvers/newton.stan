// Roots of systems of equations by Newton's method with a line search (Nocedal & Wright: Numerical Optimization, 11.2), for what KINSOL and Powell's
// method do in Stan. The system is given as rates, the root is where they are 0; time means nothing.
//
// The state is (x, steps, what is left: 1 on the way, 0 at the end, -1 where Stan would throw). A trip tries the whole step and halves of it together and takes the
// largest that makes the system smaller. Where the system is within its tolerance, steps go on as long as they gain something, so that the root is as
// good as rounding allows: derivatives are those at a root.

tuple(matrix, real, real) newton_start(real t0, matrix x, vector ts, real rel_tol, real abs_tol) {
  return (x, 0, max(abs(ode_system(t0, x))) < positive_infinity() ? 1 : -1);
}

tuple(tuple(matrix, real, real), real) newton_trip(tuple(matrix, real, real) s, vector ts, real last, real rel_tol, real abs_tol, real max_steps) {
  int N = rows(s.1);
  matrix[N, 1] x = s.1;
  matrix[N, 1] r = ode_system(0, x);
  matrix[N, 1] d = inverse(ode_jacobian(0, x)) * r;
  real size = max(abs(r));
  array[12 * N] int which;
  for (i in 1:12 * N) which[i] = (i - 1) % N + 1;
  vector[12 * N] part;
  for (i in 1:12 * N) part[i] = 2.0 ^ (-((i - 1) %/% N));
  matrix[12 * N, 1] tries = x[which] - diag_pre_multiply(part, d[which]);
  matrix[N, 12] sizes = abs(to_matrix(ode_systems(rep_vector(0, 12), tries), N, 12));
  vector[12] share;
  for (k in 1:12) {
    real power = 2.0 ^ (1 - k);
    share[k] = max(sizes[:, k]) <= (1 - 1e-4 * power) * size ? power : 0;
  }
  real step = max(share);
  real on = s.3;
  matrix[N, 1] y = on > 0 ? x - step * d : x;
  real next = step > 0 && size > 0 ? 1 : size <= abs_tol ? 0 : -1;
  real taken = s.2 + 1;
  real limited = next > 0 && taken > max_steps ? (size <= abs_tol ? 0 : -1) : next;
  return ((y, taken, on > 0 ? limited : on), 0);
}
