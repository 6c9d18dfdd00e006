// Sampling with adaptation in warmup, as Stan has it. A chain's state is
//   1 where it is (position, gradient, log density); 2, 3 the inverse metric (scale, metric), and 4 the metric's factor;
//   5 estimates of the mean and of the sum of squares, of which that of a dense metric is 6
//   7 iterations so far, and trajectories so far, by which their random numbers are numbered
//   8 numbers that only adaptation changes: 1 step size, 2 stage, 3 status, 4 points tried; 5 averaged log step size, 6 averaged excess, 7 mu
//     and 8 iterations of dual averaging; 9 draws in the window, 10 its last iteration and 11 its width, 12 after which iteration the windows begin and 13 until which they last.
// The stage is 0 while it samples. At first it looks for a point, 4 at random or 5 at the one given; then for a step size: 1 decides
// whether it doubles (2) or halves it (3) until acceptance crosses 0.8. Each of these takes a trajectory of which one step counts.

tuple(vector, vector, matrix, matrix, vector, matrix, vector, vector) adaptive_start(int kind, vector position, int given, vector settings, int warmup) {
  int D = num_elements(position);
  int diagonal = kind == 1 ? D : 0;
  int dense = kind == 2 ? D : 0;
  real width = first_window(warmup);
  return (append_row(position, rep_vector(0, D + 1)), rep_vector(1, diagonal), identity_matrix(dense), identity_matrix(dense),
          rep_vector(0, kind == 0 ? 0 : D + diagonal), rep_matrix(0, dense, dense), [0, 0]',
          [settings[3], given ? 5 : 4, 0, 0, 0, 0, log(10 * settings[3]), 0, 0, first_buffer(warmup) + width - 1, width,
           first_buffer(warmup), warmup - last_buffer(warmup)]');
}

// Random numbers for the trajectories to come, made for several at once: of each the momentum's standard normal numbers, then three
// uniform ones. And how many have been used.
int numbers_in_stock(int D) {
  return D <= 16 ? 16 : D <= 256 ? 256 %/% D : 1;
}

tuple(array[] vector, real) no_stock(int D) {
  return (rep_array(rep_vector(0, D + 3), numbers_in_stock(D)), 1.0 * numbers_in_stock(D));
}

// What a trajectory that starts takes of the stock, made anew where that of some chain is used up; and what is in stock then.
tuple(vector, tuple(array[] vector, real)) take_numbers(int D, int starts, real trajectory, tuple(array[] vector, real) numbers) {
  array[size(numbers.1)] vector[D + 3] stock = numbers.1;
  real used = numbers.2;
  if (some_chain(starts && used == size(stock))) {
    int normals = 2 * ((D + 1) %/% 2);
    for (j in 1:size(stock)) {
      vector[normals + 3] v = numbered_units(trajectory + j - 1, normals + 3);
      stock[j] = append_row(normal_of_units(head(v, normals), D), tail(v, 3));
    }
    used = 0;
  }
  vector[D + 3] u = stock[min(to_int(used), size(stock) - 1) + 1]; // of chains that take none now, any will do
  return (u, (stock, used + starts));
}

// Where a trajectory starts that is to find a point or a step size, of a chain that is here: at the point to be tried.
vector point_to_try(real stage, real trajectory, vector here, real radius) {
  int D = (num_elements(here) - 1) %/% 2;
  int looking = stage == 4;
  return looking ? append_row(radius * (2 * numbered_units(-1 - trajectory, D) - 1), tail(here, D + 1)) : here;
}

// What trajectories leave behind that have got a chain from where `state` has it to `place`: the state, whether an iteration has ended,
// the position then, and whether some chain has iterations left. Of a trajectory that ends: its acceptance probability, and its last
// point, which is what a search asks for.
tuple(tuple(vector, vector, matrix, matrix, vector, matrix, vector, vector), real, vector, int) adapted(int kind, int D, tuple(vector, vector, matrix, matrix, vector, matrix, vector, vector) state, vector place, int starts, int ends, real accept, vector point, vector settings, int warmup, real goal) {
  vector[2 * D + 1] here;
  vector[num_elements(state.2)] scale;
  matrix[rows(state.3), cols(state.3)] metric;
  matrix[rows(state.4), cols(state.4)] factor;
  vector[num_elements(state.5)] estimates;
  matrix[rows(state.6), cols(state.6)] products;
  vector[2] n;
  vector[13] a;
  (here, scale, metric, factor, estimates, products, n, a) = state;
  here = place;
  int done = ends && a[2] == 0;
  real iteration = n[1] + done;
  int learns = done && n[1] < warmup;

  if (some_chain(a[2] > 0)) {
    real step = a[1];
    real stage = a[2];
    int finding = ends && stage >= 4;
    int found = finding && abs(sum(tail(point, D + 1))) < positive_infinity();
    real tries = a[4] + finding;
    int lost = finding && !found && (stage == 5 || tries >= 100);
    int up = accept > 0.8;
    int grows = ends && stage == 2 && up;
    int shrinks = ends && stage == 3 && !up;
    int settled = ends && ((stage == 2 && !up) || (stage == 3 && up));
    step = grows ? 2 * step : shrinks ? step / 2 : step;
    int endless = (grows && step > 1e7) || (shrinks && step == 0);
    real status = lost ? 1 : endless ? 2 : a[3];
    here = lost || endless ? rep_vector(not_a_number(), 2 * D + 1) : found ? point : here;
    real mu = settled && iteration > 0 ? log(10 * step) : a[7];
    real next = up ? 2 : 3;
    stage = found ? (warmup > 0 && D > 0 ? 1 : 0) : lost || endless || settled ? 0 : ends && stage == 1 ? next : stage;
    a = append_row(append_row([step, stage, status, tries]', segment(a, 5, 2)), append_row(mu, tail(a, 6)));
  }

  if (some_chain(learns)) {
    real step;
    real stage = a[2];
    real average = a[5];
    real excess = a[6];
    real averaged = a[8] + learns;
    real counted = a[9];
    real end = a[10];
    real width = a[11];
    (step, average, excess) = dual_averaging(learns, accept, settings[1], averaged, average, excess, a[7]);
    step = learns ? exp(iteration == warmup ? average : step) : a[1];
    int counts = learns && iteration > a[12] && iteration <= a[13];
    if (kind > 0 && some_chain(counts)) {
      int M = kind == 0 ? 0 : D;
      vector[M] q = head(here, M);
      vector[M] mean = head(estimates, M);
      vector[kind == 1 ? M : 0] squares = tail(estimates, kind == 1 ? M : 0);
      vector[M] away = q - mean;
      counted += counts;
      real weight = counts / greater_of(counted, 1);
      mean += weight * away;
      if (kind == 1) {
        squares += (counts - weight) * (away .* away);
      } else {
        products += (counts - weight) * (away * away');
      }
      estimates = append_row(mean, squares);
      int closes = counts && iteration == end + 1;
      if (some_chain(closes)) {
        real trust = counted / (counted + 5);
        real denominator = counted > 1 ? counted - 1 : 1;
        real last = a[13] - 1;
        real next = end + 2 * width;
        if (kind == 1) {
          scale = closes ? trust * (squares / denominator) + 1e-3 * (1 - trust) : scale;
        } else {
          metric = closes ? trust * (products / denominator) + diag_matrix(rep_vector(1e-3 * (1 - trust), D)) : metric;
          factor = closes ? cholesky_decompose(metric) : factor;
        }
        estimates = closes ? rep_vector(0, num_elements(estimates)) : estimates;
        products = closes ? rep_matrix(0, rows(products), cols(products)) : products;
        counted = closes ? 0 : counted;
        averaged = closes ? 0 : averaged;
        average = closes ? 0 : average;
        excess = closes ? 0 : excess;
        stage = closes && D > 0 && a[3] == 0 ? 1 : stage;
        end = closes ? (end == last ? end : next + 4 * width > last ? last : next) : end;
        width = closes ? 2 * width : width;
      }
    }
    a = [step, stage, a[3], a[4], average, excess, a[7], averaged, counted, end, width, a[12], a[13]]';
  }
  n = [iteration, n[2] + starts]';
  return ((here, scale, metric, factor, estimates, products, n, a), 1.0 * done, head(here, D), some_chain(iteration < goal));
}
