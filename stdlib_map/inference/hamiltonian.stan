// The energy of a position x and a momentum p is -log density(x) + p' M^-1 p / 2. The inverse metric M^-1 is of one of three kinds:
// 0, the unit matrix; 1, diagonal (scale); 2, dense (metric). With a factor of it, M^-1 = F F' (of a diagonal one the square roots, of a
// dense one Cholesky's factor), momenta are kept as F' p, of which the metric is the unit matrix: a step h changes x by h F (F' p) and F' p
// by h F' gradient, and energies and the criterion of a U-turn are plain products.

// What half of a step h adds to a momentum, by the gradient g; `half` is half the stride.
vector half_kick(int kind, vector half, matrix factor, real h, vector g) {
  return kind == 2 ? h / 2 * (factor' * g) : half .* g;
}

// By what a position moves for each unit of a momentum; of a dense metric the factor takes its place.
vector stride_of(int kind, vector scale, real h, int D) {
  return kind == 1 ? h * sqrt(scale) : rep_vector(h, D);
}

// A leapfrog step from position x, of a momentum r with the half step before it: the position, the momentum with the half steps before
// and after it, and the point that is there (momentum, position, gradient, log density). `half` is half the stride.
tuple(vector, vector, vector) leapfrog(int kind, vector stride, vector half, matrix factor, real h, vector x, vector r) {
  int D = num_elements(x);
  vector[D] next = x + (kind == 2 ? h * (factor * r) : stride .* r);
  real l;
  vector[D] y;
  (l, y) = log_density_gradient(next);
  vector[D] kick = half_kick(kind, half, factor, h, y);
  vector[D] p = r + kick;
  return (next, p + kick, append_row(append_row(append_row(p, next), y), l));
}

// n standard normal numbers from n uniform ones, or n + 1 where n is odd, by the transform of Box and Muller (1958), with
// cos(2 pi u) as sin(2 pi (1/4 - u)), whose argument is exact: one sine for all
vector normal_of_units(vector u, int n) {
  int half = (n + 1) %/% 2;
  vector[half] size = sqrt(-2 * log(head(u, half)));
  vector[half] turn = segment(u, half + 1, half);
  return head(append_row(size, size) .* sin(2 * pi() * append_row(0.25 - turn, turn)), n);
}
