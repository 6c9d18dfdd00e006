// Sampling with adaptation in warmup, as Stan has it. A chain's state is
//   step size, inverse metric (scale, metric), status, position, gradient, log density,
//   stage, points tried, trajectories so far (their random numbers are numbered), averaged log step size, averaged excess, mu,
//   estimates of the mean and of the sum of squares (a vector or a matrix), factor of the metric;
// and of all chains together: iteration, iterations of dual averaging, draws in the window, the window's end and size.
// The stage is 0 while it samples. At first it looks for a point, 4 at random or 5 at the one given; then for a step size: 1 decides
// whether it doubles (2) or halves it (3) until acceptance crosses 0.8. Each of these takes a trajectory of one step.

tuple(real, vector, matrix, real, vector, vector, real, real, real, real, real, real, real, vector, vector, matrix, matrix, int, int, int, int, int) adaptive_start(int kind, vector position, int given, vector settings, int warmup) {
  int D = num_elements(position);
  int diagonal = kind == 1 ? D : 0;
  int dense = kind == 2 ? D : 0;
  int size = first_window(warmup);
  return (settings[3], rep_vector(1, diagonal), identity_matrix(dense), 0.0, position, rep_vector(0, D), 0.0,
          given ? 5.0 : 4.0, 0.0, 0.0, 0.0, 0.0, log(10 * settings[3]),
          rep_vector(0, kind == 0 ? 0 : D), rep_vector(0, diagonal), rep_matrix(0, dense, dense), identity_matrix(dense),
          0, 0, 0, first_buffer(warmup) + size - 1, size);
}

// One iteration; beside the state, what CmdStan tells of it: log density, acceptance probability, step size, depth, points,
// divergence, energy
tuple(tuple(real, vector, matrix, real, vector, vector, real, real, real, real, real, real, real, vector, vector, matrix, matrix, int, int, int, int, int), vector) nuts_iteration(int kind, tuple(real, vector, matrix, real, vector, vector, real, real, real, real, real, real, real, vector, vector, matrix, matrix, int, int, int, int, int) state, vector settings, int warmup, array[] int block_ends, array[] int places) {
  int D = num_elements(state.5);
  int max_depth = to_int(settings[2]);
  real step;
  vector[num_elements(state.2)] scale;
  matrix[rows(state.3), cols(state.3)] metric;
  real status;
  vector[D] q;
  vector[D] g;
  real l;
  real stage;
  real tries;
  real drawn;
  real average;
  real excess;
  real mu;
  vector[num_elements(state.14)] mean;
  vector[num_elements(state.15)] squares;
  matrix[rows(state.16), cols(state.16)] products;
  matrix[rows(state.17), cols(state.17)] factor;
  int iteration;
  int averaged;
  int counted;
  int end;
  int size;
  (step, scale, metric, status, q, g, l, stage, tries, drawn, average, excess, mu, mean, squares, products, factor, iteration, averaged, counted, end, size) = state;

  int normals = 2 * ((D + 1) %/% 2);
  vector[2 * D + 2] chosen;
  vector[2 * D + 2] last;
  vector[3] totals;
  real doublings;
  real energy;
  for (round in 1:100000) {
    int searching = some_chain(stage > 0);
    vector[normals + max_depth] u = numbered_units(drawn, normals + max_depth);
    vector[D] p = momentum(kind, scale, factor, normal_of_units(head(u, normals), D));
    vector[D] x = q;
    vector[D] y = g;
    real h = step;
    int limit = max_depth;
    if (searching) {
      x = stage == 4 ? settings[4] * (2 * head(u, D) - 1) : q;
      y = stage >= 4 ? rep_vector(0, D) : g;
      h = stage >= 4 ? 0 : step;
      limit = 1;
    }
    (chosen, last, totals, doublings, energy) = nuts_trajectory(kind, scale, metric, x, p, y, l, h, tail(u, max_depth), limit, block_ends, places);
    drawn += searching ? stage > 0 : 1;
    if (searching) {
      int finding = stage >= 4;
      real finite = sum(segment(last, D + 1, D)) + last[2 * D + 1];
      int found = finding && finite - finite == 0;
      tries += finding;
      int lost = finding && !found && (stage == 5 || tries >= 100);
      int up = last[2 * D + 2] > -0.22314355131420976;
      int grows = stage == 2 && up;
      int shrinks = stage == 3 && !up;
      int settled = (stage == 2 && !up) || (stage == 3 && up);
      step = grows ? 2 * step : shrinks ? step / 2 : step;
      int endless = (grows && step > 1e7) || (shrinks && step == 0);
      status = lost ? 1 : endless ? 2 : status;
      q = lost || endless ? rep_vector(not_a_number(), D) : found ? head(last, D) : q;
      g = found ? segment(last, D + 1, D) : g;
      l = lost || endless ? not_a_number() : found ? last[2 * D + 1] : l;
      mu = settled && iteration > 0 ? log(10 * step) : mu;
      stage = found ? (warmup > 0 && D > 0 ? 1 : 0) : lost || endless || settled ? 0 : stage == 1 ? (up ? 2 : 3) : stage;
    }
    if (!searching) break;
  }
  real accept = totals[1] / totals[2];
  q = head(chosen, D);
  g = segment(chosen, D + 1, D);
  l = chosen[2 * D + 1];
  vector[7] told = append_row([l, accept, step, doublings, totals[2], totals[2] - totals[3]]', energy - chosen[2 * D + 2]);
  if (iteration < warmup) {
    averaged += 1;
    (step, average, excess) = dual_averaging(accept, settings[1], averaged, average, excess, mu);
    if (kind > 0 && iteration >= first_buffer(warmup) && iteration < warmup - last_buffer(warmup)) {
      vector[num_elements(mean)] before = q - mean;
      counted += 1;
      mean += before / counted;
      if (kind == 1) {
        squares += before .* (q - mean);
      } else {
        products += (q - mean) * before';
      }
      if (iteration == end) {
        array[2] int next = next_window(warmup, end, size);
        real trust = counted / (counted + 5.0);
        real denominator = counted > 1 ? counted - 1 : 1;
        if (kind == 1) {
          scale = trust * (squares / denominator) + 1e-3 * (1 - trust);
        } else {
          metric = trust * (products / denominator) + diag_matrix(rep_vector(1e-3 * (1 - trust), D));
          factor = momentum_factor(metric);
        }
        mean = rep_vector(0, D);
        squares = rep_vector(0, num_elements(squares));
        products = rep_matrix(0, rows(products), cols(products));
        counted = 0;
        averaged = 0;
        average = 0;
        excess = 0;
        stage = D > 0 ? 1 : 0;
        size = next[1];
        end = next[2];
      }
    }
    if (iteration == warmup - 1) step = exp(average);
  }
  iteration += 1;
  return ((step, scale, metric, status, q, g, l, stage, tries, drawn, average, excess, mu, mean, squares, products, factor, iteration, averaged, counted, end, size),
          told);
}
