// The no-U-turn sampler (Hoffman and Gelman 2014) with multinomial sampling and the generalised criterion (Betancourt 2017), as a
// state machine: every chain takes a block of eight leapfrog steps at a time, in a trajectory of its own, so that none waits for
// another's longer tree (Dance et al. 2025). The first block of a trajectory holds its first three doublings, seven points beside
// the start. They fill eight positions, and the start's, s, is drawn: its binary digits say which of the doublings go backward.
// Doubling d = 4, 5, ... then has 2^(d - 4) blocks, in one direction; blocks m = 1, 2, 3, ... are numbered through, so that m is the
// first of a doubling where it is a power of 2.
//
// Of a block, all that the criterion needs are the products p_i' M^-1 p_j of its momenta. Of the blocks of a long doubling those are
// remembered that begin a run (of 2, 4, ... blocks) whose end is still to come.

// ---- tables, computed when a model is compiled ----

// Run i = 1, ..., 7 of eight points: those of 2, then those of 4, then all. Its size and its first position.
int nuts_run_size(int i) {
  return i <= 4 ? 2 : i <= 6 ? 4 : 8;
}

int nuts_run_begin(int i) {
  return i <= 4 ? 2 * i - 2 : i <= 6 ? 4 * i - 20 : 0;
}

// Of each run the criterion asks for three pieces, the whole and either half with the neighbouring point of the other, at both of
// their ends; of runs of two points these are all the same. Questions k = 1, ..., 26: two about each of runs 1 to 4, then six about
// the others. The run, and the end and the first and last position of the piece.
int nuts_question_run(int k) {
  return k <= 8 ? (k + 1) %/% 2 : (k + 21) %/% 6;
}

array[] int nuts_question(int k) {
  int i = nuts_question_run(k);
  int j = k <= 8 ? (k + 1) % 2 + 1 : (k - 9) % 6 + 1;
  int begin = nuts_run_begin(i);
  int end = begin + nuts_run_size(i) - 1;
  int middle = begin + nuts_run_size(i) %/% 2;
  int first = j <= 4 ? begin : middle - 1;
  int last = j <= 2 || j >= 5 ? end : middle;
  return {j % 2 == 1 ? first : last, first, last};
}

// What gives, of the products of momenta as one vector, an end's momentum times its piece's sum
matrix nuts_criteria() {
  matrix[64, 26] answers;
  for (i in 1:64)
    for (k in 1:26) {
      array[3] int piece = nuts_question(k);
      answers[i, k] = (i - 1) %/% 8 == piece[1] && (i - 1) % 8 >= piece[2] && (i - 1) % 8 <= piece[3];
    }
  return answers;
}

// The number, in the order of visits, of the point at position q of a first block that starts at s: 0 for the point of the first
// doubling, then 1 and 2, then 3 to 6. With s = 8, of a block that goes on.
int nuts_order(int s, int q) {
  int size = q %/% 2 == s %/% 2 ? 1 : q %/% 4 == s %/% 4 ? 2 : 4;
  int first = q %/% size * size;
  int outward = q > s ? q - first : first + size - 1 - q;
  return s == 8 ? q : size - 1 + outward;
}

// A row for each s. In it, for the eight positions: which point is there (1: the start, b + 1: that of step b) and the sign of its momentum
// there; which of the three doublings they belong to (three times eight numbers; all to the first where the block goes on), and after which
// visit each of these is valid; for each question, after which visit a U-turn is found there; and the order of visits. Where the run of a
// question is what the trajectory itself has been so far, not a part of the doubling in progress, its visit is half a visit later.
matrix nuts_table() {
  matrix[9, 8] point;
  matrix[9, 8] sign;
  matrix[9, 24] doubling;
  matrix[9, 3] last;
  matrix[9, 26] found;
  matrix[9, 8] order;
  for (s in 1:9)
    for (q in 1:8) {
      point[s, q] = s == 9 ? q + 1 : q > s ? q - s + 1 : q < s ? 9 - q : 1;
      sign[s, q] = s < 9 && q < s ? -1 : 1;
      order[s, q] = q == s ? 99 : nuts_order(s - 1, q - 1);
    }
  for (s in 1:9)
    for (j in 1:24) {
      int q = (j - 1) % 8 + 1;
      int visit = nuts_order(s - 1, q - 1);
      int member = s == 9 || visit == 0 ? 1 : visit <= 2 ? 2 : 3;
      doubling[s, j] = q != s && member == (j + 7) %/% 8;
    }
  for (s in 1:9)
    for (j in 1:3) last[s, j] = s == 9 ? -1 : 2 ^ j - 2;
  for (s in 1:9)
    for (k in 1:26) {
      int begin = nuts_run_begin(nuts_question_run(k));
      int size = nuts_run_size(nuts_question_run(k));
      int end = begin >= s ? begin + size - 1 : begin;
      int visit = s == 9 ? begin + size - 1 : nuts_order(s - 1, end);
      found[s, k] = s > begin && s <= begin + size && s < 9 ? size - 1.5 : visit;
    }
  return append_col(append_col(append_col(point, sign), append_col(doubling, last)), append_col(found, order));
}

// For blocks m = 1, 2, ... of trajectories: whether one is the first of its doubling and the last; how many runs of blocks end with
// it; and where it is remembered, in the place after those of the blocks that begin these runs.
array[,] int nuts_blocks(int max_depth) {
  int count = to_int(2.0 ^ max(max_depth - 3, 0));
  array[count, 4] int r;
  for (m in 1:count) {
    int first = 1;
    int ends = 0;
    int place = 0;
    for (j in 1:max_depth) first += m >= to_int(2.0 ^ j) ? to_int(2.0 ^ (j - 1)) : 0;
    for (j in 1:max_depth) {
      ends += (m - first + 1) % to_int(2.0 ^ j) == 0;
      place += (m - first) %/% to_int(2.0 ^ (j - 1)) - 2 * ((m - first) %/% to_int(2.0 ^ j));
    }
    r[m] = {m == first, m + 1 == 2 * first, ends, place + 1};
  }
  return r;
}

// ---- trajectories ----

// How far a trajectory of summed momentum r goes on at both of its ends, with momenta a and b: positive where it makes no U-turn.
real progress(vector a, vector b, vector r) {
  return lesser_of(dot_product(a, r), dot_product(b, r));
}

// Whether two adjacent pieces make no U-turn, nor each with the neighbouring point of the other: their summed momenta, and the momenta at
// their ends in order.
int are_straight(vector sum1, vector both, vector sum2, vector begin1, vector end1, vector begin2, vector end2) {
  return lesser_of(progress(begin1, end2, both), lesser_of(progress(begin1, begin2, sum1 + begin2), progress(end1, end2, sum2 + end1))) > 0;
}

// A trajectory in progress. Its points are vectors of momentum, position, gradient and log density, in this order. Numbers and vectors that
// are needed together are kept together: what a loop carries and a branch returns costs a runtime as much as an operation each.
//   1 the end that grows
//   2 what only trajectories of more than one block need: the other end; the sums of the momenta of the finished doublings and of the one in
//     progress; the momenta at the end where that one began and at its first point; the point chosen in it (position, gradient, log density,
//     energy)
//   3 blocks remembered: the momenta at their begin and just before it, and the doubling's summed momentum before it
//   4 numbers: 1 whether it is in progress, 2 of doublings, 3 the energy of the point chosen so far; 4 the sum of acceptance probabilities,
//     5 the number of points they are of, 6 of divergences; 7 the block m; 8 s, or 8 once it goes on; 9 after which visit the first block must
//     stop; 10 the step, 11 the energy at the start, 12 how many doublings it may have
//   5 what is left 1 of the random number that chooses points, 2 of the one that tells directions; 3 the sign that turns the momentum at the
//     other end outwards; the weights 4 of the finished doublings and 5 of the one in progress
tuple(vector, vector, array[] vector, vector, vector) nuts_no_trajectory(int D, int max_depth) {
  return (rep_vector(0, 3 * D + 1), rep_vector(0, 9 * D + 3), rep_array(rep_vector(0, 3 * D), max(max_depth - 3, 1)), rep_vector(0, 12), rep_vector(0, 5));
}

// One block of the trajectory, and what it does to the point chosen so far (position, gradient, log density). `looks` asks for the last
// point of the block, as the end that grows, even where no trajectory goes on. Without it, a chain whose trajectory has ended stays where its
// last block began, so that one that diverged does not run on to where the density has no value: that can take the others long to compute.
tuple(vector, tuple(vector, vector, array[] vector, vector, vector)) nuts_block(int kind, vector scale, matrix factor, int looks, vector here, tuple(vector, vector, array[] vector, vector, vector) trajectory, matrix table, matrix criteria, array[,] int blocks) {
  int D = (num_elements(here) - 1) %/% 2;
  int K = size(trajectory.3);
  vector[2 * D + 1] chosen = here;
  vector[3 * D + 1] near;
  vector[9 * D + 3] later;
  array[K] vector[3 * D] kept;
  vector[12] c;
  vector[5] lot;
  (near, later, kept, c, lot) = trajectory;
  int running = c[1] > 0;
  int number = to_int(c[7]);
  int opening = number == 0;
  int extends = running && !opening;
  int going_on = some_chain(extends);
  real s = c[8];
  real h = running ? c[10] : 0;

  // a doubling begins, at the same end or at the other one
  if (going_on) {
    int begins = extends && blocks[number, 1] == 1;
    int backward = lot[2] >= 0.5;
    int flips = begins && backward;
    vector[3 * D + 1] far = head(later, 3 * D + 1);
    vector[3 * D + 1] other = append_row(lot[3] * head(far, D), tail(far, 2 * D + 1));
    vector[D] sum_p = segment(later, 3 * D + 2, D);
    far = flips ? near : far;
    near = flips ? other : near;
    sum_p = flips ? -sum_p : sum_p;
    vector[2 * D] begun = append_row(rep_vector(0, D), head(near, D));
    begun = begins ? begun : segment(later, 4 * D + 2, 2 * D);
    later = append_row(append_row(append_row(far, sum_p), begun), tail(later, 3 * D + 2));
    lot = [lot[1], begins ? 2 * lot[2] - backward : lot[2], flips ? 1 : lot[3], lot[4], begins ? 0 : lot[5]]';
  }

  // leapfrog steps, of a momentum with the half steps before and after it. A first block turns back to the start once, and its last step does not count.
  vector[D] stride = stride_of(kind, scale, h, D);
  vector[D] half = 0.5 * stride;
  vector[D] p_before = head(near, D);
  vector[D] start = segment(near, D + 1, D);
  vector[D] start_kick = half_kick(kind, half, factor, h, segment(near, 2 * D + 1, D));
  vector[D] back = start_kick - p_before;
  vector[D] x = start;
  vector[D] r = start_kick + p_before;
  real turn = 7 - s;
  array[8] vector[3 * D + 1] points;
  for (b in 1:8) {
    int turns = turn == b - 1;
    x = turns ? start : x;
    r = turns ? back : r;
    (x, r, points[b]) = leapfrog(kind, stride, half, factor, h, x, r);
  }
  array[9] vector[3 * D + 1] visited = append_array({near}, points);

  // what they are in the order of their positions
  row_vector[77] facts = table[to_int(s) + 1];
  array[8] vector[3 * D + 1] line;
  matrix[8, D] P;
  matrix[8, D] sound;
  row_vector[8] energies;
  row_vector[8] margin;
  row_vector[8] w;
  for (q in 1:8) {
    vector[3 * D + 1] z = visited[to_int(facts[q])];
    row_vector[D] p = facts[8 + q] * to_row_vector(head(z, D));
    line[q] = z;
    P[q] = p;
    energies[q] = 0.5 * dot_self(p) - z[3 * D + 1]; // rounded as the energy at the start: one that is not moved gains nothing
    real gain = c[11] - energies[q];
    margin[q] = gain + 1000;
    int fine = margin[q] > 0;
    w[q] = exp(fine ? lesser_of(gain, 700) : -1000);
    sound[q] = fine ? p : rep_row_vector(0, D); // what is no number would spoil the answers to all questions
  }
  row_vector[26] answers = to_row_vector(to_vector((sound * sound')')) * criteria; // products are symmetric
  row_vector[34] signs = append_col(answers, margin);
  row_vector[34] events;
  for (k in 1:34) events[k] = signs[k] > 0 ? 50 : facts[43 + k];
  real stop = lesser_of(min(events), c[9]);
  row_vector[8] passed;
  row_vector[8] diverges;
  for (q in 1:8) {
    int passes = facts[69 + q] <= stop;
    passed[q] = passes;
    diverges[q] = passes && !(margin[q] > 0);
  }

  // the weights of the doublings in it, which of them are valid, and the chances of its points to be chosen
  matrix[3, 8] member = to_matrix(segment(facts, 17, 24), 3, 8, 0);
  row_vector[3] total;
  row_vector[3] valid;
  for (j in 1:3) {
    total[j] = dot_product(member[j], w);
    valid[j] = stop > facts[40 + j];
  }
  row_vector[3] sums = cumulative_sum(total);
  row_vector[3] before = lot[5] + 1e-300 + sums - opening * total;
  row_vector[3] share;
  for (j in 1:3) share[j] = valid[j] / greater_of(total[j], before[j]);
  row_vector[3] stays = cumulative_sum(log(1.0000000000000002 - share .* total));
  for (j in 1:3) share[j] *= exp(stays[3] - stays[j]);
  row_vector[8] chance;
  for (q in 1:8) chance[q] = w[q] * dot_product(share, member[:, q]);
  row_vector[8] edges = cumulative_sum(chance);
  int pick = 0;
  for (q in 1:8) pick += lot[1] >= edges[q];
  int at = min(pick, 7) + 1;
  int picked = running && pick < 8;
  vector[2 * D + 2] choice = append_row(tail(line[at], 2 * D + 1), energies[at]);
  chosen = picked && opening ? head(choice, 2 * D + 1) : chosen;
  real energy = picked && opening ? choice[2 * D + 2] : c[3];
  real doublings = opening ? sum(valid) : c[2];
  int busy = running && stop > 40 && doublings < c[12];
  vector[3] now = [busy, doublings, energy]';

  vector[D] sum_block;
  for (d in 1:D) sum_block[d] = sum(P[:, d]);

  // the end that grows, and in a first block the other one, what is summed up, and what is left of the random number
  int grows = looks || busy;
  if (some_chain(grows)) {
    row_vector[10] bounds = append_col(append_col(0, edges), 1);
    real below = bounds[pick + 1];
    real left = (lot[1] - below) / (bounds[pick + 2] - below + 1e-300);
    near = grows ? line[8] : near;
    later = append_row(opening ? append_row(line[1], sum_block) : head(later, 4 * D + 1), tail(later, 5 * D + 2));
    lot = [left, lot[2], opening ? (s == 0 ? -1 : 1) : lot[3], opening ? 1 + dot_product(valid, total) : lot[4], lot[5]]';
  }

  if (going_on) {
    vector[D] sum_p = segment(later, 3 * D + 2, D);
    vector[D] sum_before = segment(later, 4 * D + 2, D);
    vector[D] p_old = segment(later, 5 * D + 2, D);
    vector[D] p_first = segment(later, 6 * D + 2, D);
    vector[2 * D + 2] candidate = tail(later, 2 * D + 2);
    array[4] int block = blocks[number];
    int begins = extends && block[1] == 1;
    vector[D] p_last = head(near, D);
    vector[D] sum_sub = sum_before + sum_block;
    real weight_sub = lot[5] + total[1];
    real v = lot[1];
    int broken = 0;
    p_first = begins ? to_vector(P[1]) : p_first;
    candidate = picked ? choice : candidate;
    if (some_chain(extends && number > 1)) {
      int runs = block[3];
      int slot = block[4];
      vector[3 * D] block_begin = append_row(append_row(to_vector(P[1]), p_before), sum_before);
      for (k in 1:size(kept)) {
        vector[3 * D] old = kept[k];
        kept[k] = extends && k == slot ? block_begin : old;
      }
      array[size(kept) - 1] vector[3 * D] first = head(kept, size(kept) - 1);
      array[size(kept) - 1] vector[3 * D] second = tail(kept, size(kept) - 1);
      for (k in 1:size(first)) {
        vector[D] sum1 = tail(second[k], D) - tail(first[k], D);
        int straight = are_straight(sum1, sum_sub - tail(first[k], D), sum_sub - tail(second[k], D), head(first[k], D),
                                    segment(second[k], D + 1, D), head(second[k], D), p_last);
        broken += !straight && k >= slot - runs && k < slot;
      }
    }
    int unbroken = busy && broken == 0;
    int complete = extends && unbroken && block[2] == 1;
    int straight = are_straight(sum_p, sum_p + sum_sub, sum_sub, -lot[3] * head(later, D), p_old, p_first, p_last);
    real odds = lesser_of(weight_sub / lot[4], 1);
    int accepted = complete && v < odds;
    chosen = accepted ? head(candidate, 2 * D + 1) : chosen;
    v = complete ? (accepted ? v : v - odds) / ((accepted ? odds : 1 - odds) + 1e-300) : v;
    sum_p = complete ? sum_p + sum_sub : sum_p;
    doublings += complete;
    int goes_on = opening ? busy : unbroken && (!complete || (straight && doublings < c[12]));
    now = [goes_on, doublings, accepted ? candidate[2 * D + 2] : energy]';
    later = append_row(append_row(append_row(append_row(append_row(head(later, 3 * D + 1), sum_p), sum_sub), p_old), p_first), candidate);
    lot = [v, lot[2], lot[3], lot[4] + (complete ? weight_sub : 0), weight_sub]';
  }
  vector[3] tally = segment(c, 4, 3) + [dot_product(passed, lesser_of(w, 1)), sum(passed), sum(diverges)]';
  vector[12] next = append_row(append_row(append_row(now, tally), [number + 1, 8, 50]'), tail(c, 3));
  c = running ? next : c;
  return (chosen, (near, later, kept, c, lot));
}
