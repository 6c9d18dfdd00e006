// What the compiler's loop calls (lower/sampler.c). Of each algorithm there is a preparation, of what a run has before its first trip: no
// trajectories, no random numbers in stock, tables. And there is the trip, from here until at least half of the chains have come to
// the end of a trajectory: it returns what `adapted` does, the trajectories in progress, the random numbers in stock, and what CmdStan tells of an iteration.

tuple(tuple(vector, vector, array[] vector, vector, vector), tuple(array[] vector, real), matrix, matrix, array[,] int) nuts_preparation(int D, vector settings) {
  int max_depth = to_int(settings[2]);
  return (nuts_no_trajectory(D, max_depth), no_stock(D), nuts_table(), nuts_criteria(), nuts_blocks(max_depth));
}

// It tells log density, acceptance probability, step size, depth, points, divergence, energy.
tuple(tuple(tuple(vector, vector, matrix, matrix, vector, matrix, vector, vector), real, vector, int), tuple(vector, vector, array[] vector, vector, vector), tuple(array[] vector, real), vector) nuts_trip(int kind, int D, tuple(vector, vector, matrix, matrix, vector, matrix, vector, vector) state, tuple(vector, vector, array[] vector, vector, vector) trajectories, tuple(array[] vector, real) numbers, vector settings, int warmup, real goal, matrix table, matrix criteria, array[,] int blocks) {
  vector[2 * D + 1] here = state.1;
  vector[2] n = state.7;
  vector[13] a = state.8;
  vector[3 * D + 1] near;
  vector[9 * D + 3] later;
  array[size(trajectories.3)] vector[3 * D] kept;
  vector[12] c;
  vector[5] lot;
  (near, later, kept, c, lot) = trajectories;

  int active = n[1] < goal;
  int starts = active && c[1] == 0;
  vector[D + 3] u;
  array[size(numbers.1)] vector[D + 3] stock;
  real used;
  (u, (stock, used)) = take_numbers(D, starts, n[2], numbers);
  vector[D] p = head(u, D);
  vector[2 * D + 1] from = here;
  real limit = settings[2];
  vector[4] setup = [floor(8 * u[D + 1]), limit < 3 ? 2 * limit - 1.5 : 50, a[1], limit]';
  int searching = a[2] > 0;
  if (some_chain(searching)) {
    from = point_to_try(a[2], n[2], here, settings[4]);
    vector[4] one_step = [0, 0.5, a[2] >= 4 ? 0 : a[1], 1]';
    setup = searching ? one_step : setup;
  }
  real energy = 0.5 * dot_self(p) - from[2 * D + 1];
  near = starts ? append_row(p, from) : near;
  c = starts ? append_row(append_row([1, 0, energy, 0, 0, 0, 0]', head(setup, 3)), [energy, setup[4]]') : c;
  lot = starts ? [u[D + 2], u[D + 3], 1, 1, 1]' : lot;

  for (block in 1:1000000000) {
    (here, (near, later, kept, c, lot)) = nuts_block(kind, state.2, state.4, searching, here, (near, later, kept, c, lot), table, criteria, blocks);
    if (2 * over_chains(c[1]) <= over_chains(active)) break;
  }

  int ends = active && c[1] == 0;
  real accept = c[4] / greater_of(c[5], 1);
  vector[7] told = [here[2 * D + 1], accept, c[10], c[2], c[5], c[6], c[3]]';
  return (adapted(kind, D, state, here, starts, ends, accept, tail(near, 2 * D + 1), settings, warmup, goal), (near, later, kept, c, lot), (stock, used), told);
}

tuple(tuple(vector, vector), tuple(array[] vector, real)) static_hmc_preparation(int D, vector settings) {
  return ((rep_vector(0, 3 * D + 1), rep_vector(0, 6)), no_stock(D));
}

// It tells log density, acceptance probability, step size, integration time, energy. A search's one step leads nowhere: no
// probability is as large as 2.
tuple(tuple(tuple(vector, vector, matrix, matrix, vector, matrix, vector, vector), real, vector, int), tuple(vector, vector), tuple(array[] vector, real), vector) static_hmc_trip(int kind, int D, tuple(vector, vector, matrix, matrix, vector, matrix, vector, vector) state, tuple(vector, vector) trajectories, tuple(array[] vector, real) numbers, vector settings, int warmup, real goal) {
  vector[2 * D + 1] here = state.1;
  vector[2] n = state.7;
  vector[13] a = state.8;
  vector[3 * D + 1] near = trajectories.1;
  vector[6] c = trajectories.2;

  int active = n[1] < goal;
  int starts = active && c[1] == 0;
  vector[D + 3] u;
  array[size(numbers.1)] vector[D + 3] stock;
  real used;
  (u, (stock, used)) = take_numbers(D, starts, n[2], numbers);
  vector[D] p = head(u, D);
  vector[2 * D + 1] from = here;
  vector[3] setup = [static_hmc_steps(settings[2], a[1]), a[1], u[D + 1]]';
  if (some_chain(a[2] > 0)) {
    from = point_to_try(a[2], n[2], here, settings[4]);
    vector[3] one_step = [1, a[2] >= 4 ? 0 : a[1], 2]';
    setup = a[2] > 0 ? one_step : setup;
  }
  real energy = 0.5 * dot_self(p) - from[2 * D + 1];
  near = starts ? append_row(p, from) : near;
  c = starts ? append_row(setup, [energy, energy, 0]') : c;

  for (block in 1:1000000000) {
    (here, near, c) = static_hmc_block(kind, state.2, state.4, here, near, c);
    if (2 * over_chains(c[1] > 0) <= over_chains(active)) break;
  }

  int ends = active && c[1] == 0;
  vector[5] told = [here[2 * D + 1], c[6], c[2], settings[2], c[5]]';
  return (adapted(kind, D, state, here, starts, ends, c[6], tail(near, 2 * D + 1), settings, warmup, goal), (near, c), (stock, used), told);
}
