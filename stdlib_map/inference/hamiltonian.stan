// The energy of a position x and a momentum p is -log density(x) + p' M^-1 p / 2. The inverse metric M^-1 is of one of three kinds:
// 0, the unit matrix; 1, diagonal (scale); 2, dense (metric). With a factor of it, M^-1 = F F' (of a diagonal one the square roots, of a
// dense one Cholesky's factor), momenta are kept as F' p, of which the metric is the unit matrix: a step h changes x by h F (F' p) and F' p
// by h F' gradient, and energies and the criterion of a U-turn are plain products.

// n standard normal numbers from n uniform ones, or n + 1 where n is odd, by the transform of Box and Muller (1958), with
// cos(2 pi u) as sin(2 pi (1/4 - u)), whose argument is exact: one sine for all
vector normal_of_units(vector u, int n) {
  int half = (n + 1) %/% 2;
  vector[half] size = sqrt(-2 * log(head(u, half)));
  vector[half] turn = segment(u, half + 1, half);
  return head(append_row(size, size) .* sin(2 * pi() * append_row(0.25 - turn, turn)), n);
}
