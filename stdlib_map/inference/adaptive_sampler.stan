// Sampling with adaptation in warmup, as Stan has it. A chain's state is
//   step size, inverse metric (scale, metric), status, position, gradient, log density,
//   stage, points tried, trajectories so far (their random numbers are numbered), averaged log step size, averaged excess, mu,
//   estimates of the mean and of the sum of squares (a vector or a matrix), factor of the metric,
//   iterations so far, those of dual averaging, draws in the window, the window's last iteration and width.
// The stage is 0 while it samples. At first it looks for a point, 4 at random or 5 at the one given; then for a step size: 1 decides
// whether it doubles (2) or halves it (3) until acceptance crosses 0.8. Each of these takes a trajectory of which one step counts.

tuple(real, vector, matrix, real, vector, vector, real, real, real, real, real, real, real, vector, vector, matrix, matrix, real, real, real, real, real) adaptive_start(int kind, vector position, int given, vector settings, int warmup) {
  int D = num_elements(position);
  int diagonal = kind == 1 ? D : 0;
  int dense = kind == 2 ? D : 0;
  real width = first_window(warmup);
  return (settings[3], rep_vector(1, diagonal), identity_matrix(dense), 0.0, position, rep_vector(0, D), 0.0,
          given ? 5.0 : 4.0, 0.0, 0.0, 0.0, 0.0, log(10 * settings[3]),
          rep_vector(0, kind == 0 ? 0 : D), rep_vector(0, diagonal), rep_matrix(0, dense, dense), identity_matrix(dense),
          0.0, 0.0, 0.0, first_buffer(warmup) + width - 1, width);
}

// From here until at least half of the chains have come to the end of a trajectory: the state, the trajectories in progress, whether
// an iteration has ended, what CmdStan tells of it (log density, acceptance probability, step size, depth, points, divergence,
// energy), and whether some chain has iterations left.
tuple(tuple(real, vector, matrix, real, vector, vector, real, real, real, real, real, real, real, vector, vector, matrix, matrix, real, real, real, real, real), tuple(vector, vector, vector, vector, vector, vector, vector, vector, array[] vector, vector), real, vector, int) nuts_trip(int kind, tuple(real, vector, matrix, real, vector, vector, real, real, real, real, real, real, real, vector, vector, matrix, matrix, real, real, real, real, real) state, tuple(vector, vector, vector, vector, vector, vector, vector, vector, array[] vector, vector) trajectories, vector settings, int warmup, real goal, matrix table, matrix criteria, array[,] int blocks) {
  int D = num_elements(state.5);
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
  real iteration;
  real averaged;
  real counted;
  real end;
  real width;
  (step, scale, metric, status, q, g, l, stage, tries, drawn, average, excess, mu, mean, squares, products, factor, iteration, averaged, counted, end, width) = state;
  vector[3 * D] near;
  vector[3 * D] far;
  vector[D] sum_p;
  vector[D] sum_sub;
  vector[3 * D + 2] chosen;
  vector[3 * D + 2] candidate;
  vector[D] p_old;
  vector[D] p_first;
  array[size(trajectories.9)] vector[3 * D] kept;
  vector[15] c;
  (near, far, sum_p, sum_sub, chosen, candidate, p_old, p_first, kept, c) = trajectories;

  // new trajectories
  int active = iteration < goal;
  int starts = active && c[1] == 0;
  int normals = 2 * ((D + 1) %/% 2);
  vector[normals + 3] u = numbered_units(drawn, normals + 3);
  vector[D] p = momentum(kind, scale, factor, normal_of_units(head(u, normals), D));
  vector[D] x = q;
  vector[D] y = g;
  real h = step;
  real limit = settings[2];
  real s = floor(8 * u[normals + 1]);
  int searching = some_chain(stage > 0);
  if (searching) {
    x = stage == 4 ? settings[4] * (2 * head(u, D) - 1) : q;
    y = stage >= 4 ? rep_vector(0, D) : g;
    h = stage >= 4 ? 0 : step;
    limit = stage > 0 ? 1 : limit;
    s = stage > 0 ? 0 : s;
  }
  real energy = 0.5 * dot_product(p, velocity(kind, scale, metric, p)) - l;
  drawn += starts;
  near = starts ? append_row(append_row(x, p), y) : near;
  chosen = starts ? append_row(append_row(near, l), 0) : chosen;
  c = starts ? [1, 0, s, u[normals + 2], u[normals + 3], h, energy, 1, 0, 0, 0, 0, 0, limit, limit < 3 ? 2 * limit - 1.5 : 50]' : c;

  for (block in 1:1000000000) {
    (near, far, sum_p, sum_sub, chosen, candidate, p_old, p_first, kept, c) = nuts_block(kind, scale, metric, (near, far, sum_p, sum_sub, chosen, candidate, p_old, p_first, kept, c), table, criteria, blocks);
    if (2 * over_chains(c[1]) <= over_chains(active)) break;
  }

  int ends = active && c[1] == 0;
  int done = ends && stage == 0;
  real accept = c[10] / c[11];
  q = done ? head(chosen, D) : q;
  g = done ? segment(chosen, 2 * D + 1, D) : g;
  l = done ? chosen[3 * D + 1] : l;
  vector[7] told = [l, accept, c[6], c[12], c[11], c[13], c[7] - chosen[3 * D + 2]]';
  int learns = done && iteration < warmup;
  iteration += done;

  if (searching) {
    real finite = sum(segment(candidate, 2 * D + 1, D)) + candidate[3 * D + 1];
    int finding = ends && stage >= 4;
    int found = finding && abs(finite) < positive_infinity();
    tries += finding;
    int lost = finding && !found && (stage == 5 || tries >= 100);
    int up = candidate[3 * D + 2] > -0.22314355131420976;
    int grows = ends && stage == 2 && up;
    int shrinks = ends && stage == 3 && !up;
    int settled = ends && ((stage == 2 && !up) || (stage == 3 && up));
    step = grows ? 2 * step : shrinks ? step / 2 : step;
    int endless = (grows && step > 1e7) || (shrinks && step == 0);
    status = lost ? 1 : endless ? 2 : status;
    q = lost || endless ? rep_vector(not_a_number(), D) : found ? head(candidate, D) : q;
    g = found ? segment(candidate, 2 * D + 1, D) : g;
    l = lost || endless ? not_a_number() : found ? candidate[3 * D + 1] : l;
    mu = settled && iteration > 0 ? log(10 * step) : mu;
    real next = up ? 2 : 3;
    stage = found ? (warmup > 0 && D > 0 ? 1 : 0) : lost || endless || settled ? 0 : ends && stage == 1 ? next : stage;
  }

  if (some_chain(learns)) {
    real new_step;
    real new_average;
    real new_excess;
    averaged += learns;
    (new_step, new_average, new_excess) = dual_averaging(accept, settings[1], averaged, average, excess, mu);
    average = learns ? new_average : average;
    excess = learns ? new_excess : excess;
    step = learns ? (iteration == warmup ? exp(average) : new_step) : step;
    int counts = learns && iteration > first_buffer(warmup) && iteration <= warmup - last_buffer(warmup);
    if (kind > 0 && some_chain(counts)) {
      vector[num_elements(mean)] away = q - mean;
      counted += counts;
      mean = counts ? mean + away / counted : mean;
      if (kind == 1) {
        squares = counts ? squares + away .* (q - mean) : squares;
      } else {
        products = counts ? products + (q - mean) * away' : products;
      }
      int closes = counts && iteration == end + 1;
      if (some_chain(closes)) {
        real trust = counted / (counted + 5);
        real denominator = counted > 1 ? counted - 1 : 1;
        real last = warmup - last_buffer(warmup) - 1;
        real next = end + 2 * width;
        if (kind == 1) {
          scale = closes ? trust * (squares / denominator) + 1e-3 * (1 - trust) : scale;
        } else {
          metric = closes ? trust * (products / denominator) + diag_matrix(rep_vector(1e-3 * (1 - trust), D)) : metric;
          factor = closes ? momentum_factor(metric) : factor;
        }
        mean = closes ? rep_vector(0, D) : mean;
        squares = closes ? rep_vector(0, num_elements(squares)) : squares;
        products = closes ? rep_matrix(0, rows(products), cols(products)) : products;
        counted = closes ? 0 : counted;
        averaged = closes ? 0 : averaged;
        average = closes ? 0 : average;
        excess = closes ? 0 : excess;
        stage = closes && D > 0 && status == 0 ? 1 : stage;
        end = closes ? (end == last ? end : next + 4 * width > last ? last : next) : end;
        width = closes ? 2 * width : width;
      }
    }
  }
  return ((step, scale, metric, status, q, g, l, stage, tries, drawn, average, excess, mu, mean, squares, products, factor, iteration, averaged, counted, end, width),
          (near, far, sum_p, sum_sub, chosen, candidate, p_old, p_first, kept, c), 1.0 * done, told, some_chain(iteration < goal));
}
