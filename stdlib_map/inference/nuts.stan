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

// A row for each s. In it, for the eight positions: which step leads there (9: it is the start), the sign of the momentum there, the
// order of visits; which of the three doublings they belong to (three times eight numbers; all to the first where the block goes on);
// and for each question, after which visit a U-turn is found there. Where the run is what the trajectory itself has been so far, not
// a part of the doubling in progress, that is half a visit later.
matrix nuts_table() {
  matrix[9, 8] step;
  matrix[9, 8] sign;
  matrix[9, 8] order;
  matrix[9, 24] doubling;
  matrix[9, 26] found;
  for (s in 1:9)
    for (q in 1:8) {
      step[s, q] = s == 9 ? q : q > s ? q - s : q < s ? 8 - q : 9;
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
    for (k in 1:26) {
      int begin = nuts_run_begin(nuts_question_run(k));
      int size = nuts_run_size(nuts_question_run(k));
      int end = begin >= s ? begin + size - 1 : begin;
      int visit = s == 9 ? begin + size - 1 : nuts_order(s - 1, end);
      found[s, k] = s > begin && s <= begin + size && s < 9 ? size - 1.5 : visit;
    }
  return append_col(append_col(append_col(step, sign), order), append_col(doubling, found));
}

// For blocks m = 1, 2, ... of trajectories: whether one is the first of its doubling and the last; how many runs of blocks end with
// it; and where it is remembered, in the place after those of the blocks that begin these runs.
array[,] int nuts_blocks(int max_depth) {
  int count = to_int(2.0 ^ max(max_depth - 3, 0));
  array[4, count] int r;
  for (m in 1:count) {
    int first = 1;
    int ends = 0;
    int place = 0;
    for (j in 1:max_depth) first += m >= to_int(2.0 ^ j) ? to_int(2.0 ^ (j - 1)) : 0;
    for (j in 1:max_depth) {
      ends += (m - first + 1) % to_int(2.0 ^ j) == 0;
      place += (m - first) %/% to_int(2.0 ^ (j - 1)) - 2 * ((m - first) %/% to_int(2.0 ^ j));
    }
    r[1, m] = m == first;
    r[2, m] = m + 1 == 2 * first;
    r[3, m] = m + 1 == 2 * first && 0 ? 0 : ends;
    r[4, m] = place + 1;
  }
  return r;
}

// ---- trajectories ----

// Whether a trajectory of summed momentum r between ends with momenta a and b goes on without a U-turn
int is_straight(int kind, vector scale, matrix metric, vector a, vector b, vector r) {
  vector[num_elements(r)] v = velocity(kind, scale, metric, r);
  int at_a = dot_product(a, v) > 0;
  int at_b = dot_product(b, v) > 0;
  return at_a && at_b;
}

// The same for two adjacent pieces and for each with the neighbouring point of the other: their summed momenta, and the momenta at
// their ends in order
int are_straight(int kind, vector scale, matrix metric, vector sum1, vector sum2, vector begin1, vector end1, vector begin2, vector end2) {
  int both = is_straight(kind, scale, metric, begin1, end2, sum1 + sum2);
  int first = is_straight(kind, scale, metric, begin1, begin2, sum1 + begin2);
  int second = is_straight(kind, scale, metric, end1, end2, sum2 + end1);
  return both && first && second;
}

// A trajectory in progress:
//   the end that grows and the other one (position, momentum, gradient; momenta point outwards),
//   the sums of the momenta of the finished doublings and of the one in progress,
//   the point chosen so far and the one chosen in this doubling (position, momentum, gradient, log density, how far its energy is
//   below that of the start),
//   the momenta at the end where the doubling in progress began and at its first point,
//   blocks remembered: the momenta at their begin and just before it, and the doubling's summed momentum before it
//   and numbers: 1 whether it is in progress; 2 the block m; 3 s, or 8 once it goes on; 4 what is left of the random number that chooses points, and 5 of
//   the one that tells directions; 6 the step; 7 the energy at the start; the weights 8 of the finished doublings and 9 of the one in
//   progress; 10 the sum of acceptance probabilities, 11 the number of points they are of, 12 of doublings; 13 whether it diverged;
//   14 how many doublings it may have, 15 after which visit the first block must stop for that.
tuple(vector, vector, vector, vector, vector, vector, vector, vector, array[] vector, vector) nuts_no_trajectory(int D, int max_depth) {
  return (rep_vector(0, 3 * D), rep_vector(0, 3 * D), rep_vector(0, D), rep_vector(0, D), rep_vector(0, 3 * D + 2),
          rep_vector(0, 3 * D + 2), rep_vector(0, D), rep_vector(0, D), rep_array(rep_vector(0, 3 * D), max(max_depth - 3, 1)), rep_vector(0, 15));
}

// One block of the trajectory. Where it is the first one, the point chosen in this doubling is then the first point of all.
tuple(vector, vector, vector, vector, vector, vector, vector, vector, array[] vector, vector) nuts_block(int kind, vector scale, matrix metric, tuple(vector, vector, vector, vector, vector, vector, vector, vector, array[] vector, vector) trajectory, matrix table, matrix criteria, array[,] int blocks) {
  int D = num_elements(trajectory.3);
  int K = size(trajectory.9);
  vector[3 * D] near;
  vector[3 * D] far;
  vector[D] sum_p;
  vector[D] sum_sub;
  vector[3 * D + 2] chosen;
  vector[3 * D + 2] candidate;
  vector[D] p_old;
  vector[D] p_first;
  array[K] vector[3 * D] kept;
  vector[15] c;
  (near, far, sum_p, sum_sub, chosen, candidate, p_old, p_first, kept, c) = trajectory;
  int running = c[1] > 0;
  int opening = c[2] == 0;
  int extends = running && !opening;
  int going_on = some_chain(extends);
  int number = to_int(c[2]);
  real v = c[4];
  real direction = c[5];
  real step = c[6];
  real weight = c[8];
  real weight_sub = c[9];
  real limit = c[14];

  // a doubling begins, at the same end or at the other one
  if (going_on) {
    int begins = extends && blocks[1, number] == 1;
    int backward = direction >= 0.5;
    int flips = begins && backward;
    vector[3 * D] other = far;
    direction = begins ? 2 * direction - backward : direction;
    far = flips ? near : far;
    near = flips ? other : near;
    sum_p = flips ? -sum_p : sum_p;
    sum_sub = begins ? rep_vector(0, D) : sum_sub;
    weight_sub = begins ? 0 : weight_sub;
    p_old = begins ? segment(near, D + 1, D) : p_old;
  }

  // eight leapfrog steps; r is the momentum with the half steps before and after it. A first block turns back to the start once.
  vector[D] drift = kind == 1 ? step * scale : rep_vector(step, D);
  real turn = 7 - c[3];
  vector[D] start = head(near, D);
  vector[D] p_before = segment(near, D + 1, D);
  vector[D] kick = step / 2 * tail(near, D);
  vector[D] back = kick - p_before;
  vector[D] x = start;
  vector[D] r = kick + p_before;
  array[8] vector[3 * D + 1] points;
  for (b in 1:8) {
    real l;
    vector[D] y;
    int turns = turn == b - 1;
    x = turns ? start : x;
    r = turns ? back : r;
    x += kind == 2 ? step * (metric * r) : drift .* r;
    (l, y) = log_density_gradient(x);
    vector[D] half_kick = step / 2 * y;
    vector[D] p = r + half_kick;
    r = p + half_kick;
    points[b] = append_row(append_row(append_row(x, p), y), l);
  }
  // beside them the start, of which the momentum points outwards to either side
  vector[3 * D + 1] right = append_row(near, chosen[3 * D + 1]);
  vector[3 * D + 1] left = append_row(append_row(append_row(start, -p_before), tail(near, D)), chosen[3 * D + 1]);
  array[10] vector[3 * D + 1] around = append_array(points, {right, left});

  // what they are in the order of their positions
  row_vector[74] facts = table[to_int(c[3]) + 1];
  row_vector[8] place = head(facts, 8);
  row_vector[8] order = segment(facts, 17, 8);
  matrix[8, D] P;
  matrix[8, D] sound;
  row_vector[8] gain;
  row_vector[8] w;
  row_vector[8] diverges;
  for (q in 1:8) {
    vector[3 * D + 1] z = around[to_int(place[q])];
    row_vector[D] p = facts[8 + q] * to_row_vector(segment(z, D + 1, D));
    P[q] = p;
    gain[q] = c[7] + z[3 * D + 1] - 0.5 * dot_product(p, velocity(kind, scale, metric, to_vector(p)));
    real ratio = exp(lesser_of(gain[q], 700));
    int fine = gain[q] >= -1000;
    w[q] = fine ? ratio : 0;
    diverges[q] = fine ? 50 : order[q];
    sound[q] = fine ? p : rep_row_vector(0, D); // what is no number would spoil the answers to all questions
  }
  matrix[8, D] V = kind == 0 ? sound : kind == 1 ? rep_matrix(to_row_vector(scale), 8) .* sound : sound * metric;
  row_vector[26] answers = to_row_vector(to_vector((sound * V')')) * criteria; // products are symmetric
  row_vector[26] turns;
  for (k in 1:26) turns[k] = answers[k] > 0 ? 50 : facts[48 + k];
  real divergence = min(diverges);
  real stop = lesser_of(lesser_of(divergence, min(turns)), c[15]);
  row_vector[8] passed;
  for (q in 1:8) passed[q] = order[q] <= stop;

  // the weights of the doublings in it, which of them are valid, and the chances of its points to be chosen
  matrix[3, 8] member = to_matrix(segment(facts, 25, 24), 3, 8, 0);
  row_vector[3] valid;
  row_vector[3] total;
  for (j in 1:3) {
    valid[j] = (opening ? stop : 50) > 2 ^ j - 2;
    total[j] = dot_product(member[j], w);
  }
  row_vector[3] before = [opening ? 1 : weight_sub + total[1] + 1e-300, 1 + total[1], 1 + total[1] + total[2]];
  row_vector[3] share;
  for (j in 1:3) share[j] = valid[j] / greater_of(total[j], before[j]);
  real stays3 = 1 - share[3] * total[3];
  real stays2 = stays3 * (1 - share[2] * total[2]);
  share = [share[1] * stays2, share[2] * stays3, share[3]];
  row_vector[8] chance;
  for (q in 1:8) chance[q] = w[q] * dot_product(share, member[:, q]);
  // 9: none of them
  row_vector[9] chances = append_col(chance, 1 - sum(chance));
  row_vector[9] sums = cumulative_sum(chances);
  int pick = 1;
  for (q in 1:8) pick += v >= sums[q];
  int picked = running && pick < 9;
  v = (v - sums[pick] + chances[pick]) / (chances[pick] + 1e-300);
  int at = min(pick, 8);
  array[3] vector[3 * D + 1] ends = around[{to_int(place[at]), to_int(place[1]) + (c[3] == 0), to_int(place[8])}];
  vector[3 * D + 2] choice = append_row(ends[1], gain[at]);
  vector[3 * D + 2] first = append_row(points[1], gain[2]);
  chosen = picked && opening ? choice : chosen;
  candidate = running && opening ? first : picked ? choice : candidate;

  // the end that grows, and in a first block the other one too
  vector[D] sum_block;
  for (d in 1:D) sum_block[d] = sum(P[:, d]);
  near = head(ends[3], 3 * D);
  far = opening ? head(ends[2], 3 * D) : far;
  vector[D] p_last = segment(near, D + 1, D);
  sum_p = opening ? sum_block : sum_p;
  weight = opening ? 1 + dot_product(valid, total) : weight;
  real doublings = opening ? sum(valid) : c[12];
  real busy = stop > 40 && doublings < limit;

  if (going_on) {
    int whole = stop > 40;
    int begins = extends && blocks[1, number] == 1;
    vector[D] sum_before = sum_sub;
    int broken = 0;
    sum_sub += sum_block;
    weight_sub += total[1];
    p_first = begins ? to_vector(P[1]) : p_first;
    if (some_chain(extends && number > 1)) {
      int runs = blocks[3, number];
      int slot = blocks[4, number];
      vector[3 * D] here = append_row(append_row(to_vector(P[1]), p_before), sum_before);
      for (k in 1:size(kept)) {
        vector[3 * D] old = kept[k];
        kept[k] = extends && k == slot ? here : old;
      }
      for (k in 1:K - 1) {
        vector[D] sum1 = tail(kept[k + 1], D) - tail(kept[k], D);
        vector[D] sum2 = sum_sub - tail(kept[k + 1], D);
        int straight = are_straight(kind, scale, metric, sum1, sum2, head(kept[k], D), segment(kept[k + 1], D + 1, D), head(kept[k + 1], D), p_last);
        broken += !straight && k >= slot - runs && k < slot;
      }
    }
    int unbroken = whole && broken == 0;
    int complete = extends && unbroken && blocks[2, number] == 1;
    int straight = are_straight(kind, scale, metric, sum_p, sum_sub, -segment(far, D + 1, D), p_old, p_first, p_last);
    real odds = lesser_of(weight_sub / weight, 1);
    int accepted = complete && v < odds;
    chosen = accepted ? candidate : chosen;
    v = complete ? (accepted ? v : v - odds) / ((accepted ? odds : 1 - odds) + 1e-300) : v;
    weight += complete ? weight_sub : 0;
    sum_p = complete ? sum_p + sum_sub : sum_p;
    doublings += complete;
    busy = opening ? busy : unbroken && (!complete || (straight && doublings < limit));
  }
  real diverged = divergence <= stop && divergence < 40 ? 1 : c[13];
  vector[15] next = [busy, c[2] + 1, 8, v, direction, step, c[7], weight, weight_sub, c[10] + dot_product(passed, fmin(w, 1)),
                     c[11] + sum(passed), doublings, diverged, limit, 50]';
  c = running ? next : c;
  return (near, far, sum_p, sum_sub, chosen, candidate, p_old, p_first, kept, c);
}
