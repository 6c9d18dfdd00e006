// Hamiltonian Monte Carlo with a static integration time (Duane et al. 1987; Neal 2011): a trajectory of as many leapfrog steps as the
// integration time has, of which the last point is accepted or the first one kept. Every chain takes a block of eight steps at a time,
// in a trajectory of its own. Of a trajectory's last block what comes after its last step does not count.
//
// A trajectory in progress is the point where it is (momentum, position, gradient, log density) and numbers: 1 of steps to go, 0 where
// none is in progress; 2 the step; 3 the random number that decides; 4 the energy at the start and 5 at the point chosen; 6 the
// acceptance probability.

// How many steps an integration time has. Step sizes may be far too small for a while, where adaptation has met with rejections only; a
// trajectory's end is to come even then.
real static_hmc_steps(real time, real step) {
  return lesser_of(greater_of(floor(time / step), 1), 100000);
}

// One block of the trajectory, and what it does to where the chain is (position, gradient, log density).
tuple(vector, vector, vector) static_hmc_block(int kind, vector scale, matrix factor, vector here, vector trajectory, vector c) {
  int D = (num_elements(here) - 1) %/% 2;
  real h = c[2];
  vector[D] stride = stride_of(kind, scale, h, D);
  vector[D] half = 0.5 * stride;
  vector[D] x = segment(trajectory, D + 1, D);
  vector[D] r = half_kick(kind, half, factor, h, segment(trajectory, 2 * D + 1, D)) + head(trajectory, D);
  array[8] vector[3 * D + 1] points;
  for (b in 1:8) (x, r, points[b]) = leapfrog(kind, stride, half, factor, h, x, r);
  vector[3 * D + 1] near = points[to_int(greater_of(lesser_of(c[1], 8), 1))]; // of chains that are in none, any will do

  // where momentum or position is no number, it stays so: the trajectory may as well end, and that of a chain that was given up must
  real kinetic = 0.5 * dot_self(head(near, D));
  int running = c[1] > 0;
  int lost = !(dot_self(head(near, 2 * D)) < positive_infinity());
  int ends = running && (c[1] <= 8 || lost);
  real energy = kinetic - near[3 * D + 1];
  real gain = c[4] - energy;
  int fine = gain > -1000 && !lost;
  real accept = exp(fine ? lesser_of(gain, 0) : -1000);
  int accepted = ends && c[3] <= accept;
  vector[6] next = [ends ? 0 : c[1] - 8, h, c[3], c[4], accepted ? energy : c[4], accept]';
  return (accepted ? tail(near, 2 * D + 1) : here, near, running ? next : c);
}
