// The no-U-turn sampler (Hoffman and Gelman 2014) with multinomial sampling and the generalised criterion (Betancourt 2017), for
// chains that are in step: all of them are at leaf n of their subtrees at once. A subtree of 2^d leaves is a loop, not a recursion:
// of the leaves so far it keeps those that begin a block whose end is still to come, at most d of them, as Phan, Pradhan and
// Jankowiak (2019) do. Leaves are numbered from 0; blocks are aligned, of 2, 4, 8, ... leaves.

// How many blocks end with each leaf of the longest subtree: the ones at the end of its number in base 2.
array[] int nuts_ends(int max_depth) {
  int leaves = to_int(2.0 ^ (max_depth - 1));
  array[leaves] int ends = rep_array(0, leaves);
  for (n in 1:leaves)
    for (j in 1:max_depth) ends[n] += n % to_int(2.0 ^ j) == 0;
  return ends;
}

// Where each leaf is kept: one place more than there are ones in its number. The leaves that begin the blocks which end with it
// are in the places before.
array[] int nuts_places(int max_depth) {
  int leaves = to_int(2.0 ^ (max_depth - 1));
  array[leaves] int places = rep_array(1, leaves);
  for (n in 1:leaves)
    for (j in 1:max_depth) places[n] += (n - 1) %/% to_int(2.0 ^ (j - 1)) - 2 * ((n - 1) %/% to_int(2.0 ^ j));
  return places;
}

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

// A trajectory from x with momentum p, where the log density is l with gradient y, of at most `limit` doublings. The numbers u are
// uniform, one for each doubling: it tells the direction; what that leaves of it, which is uniform again, chooses among the points of
// the subtree, and what is left then decides whether that one is taken. Returns the point chosen (its position, gradient, log density,
// and by how much its energy is below that of the start), the last point likewise, the sums of the acceptance probabilities, of
// points and of those that did not diverge, the number of doublings, and the energy at the start.
tuple(vector, vector, vector, real, real) nuts_trajectory(int kind, vector scale, matrix metric, vector x0, vector p0, vector y0, real l0, real step, vector u, int limit, array[] int block_ends, array[] int places) {
  int D = num_elements(x0);
  real half_step = step / 2;
  vector[D] drift = kind == 1 ? step * scale : rep_vector(step, D);
  real energy = 0.5 * dot_product(p0, velocity(kind, scale, metric, p0)) - l0;
  vector[2 * D + 2] chosen = append_row(append_row(append_row(x0, y0), l0), 0);
  vector[2 * D + 2] last = chosen;
  // the end that grows, and the other one; momenta point outwards
  vector[3 * D] near = append_row(append_row(x0, p0), y0);
  vector[3 * D] far = append_row(append_row(x0, -p0), y0);
  vector[D] sum_p = p0;
  vector[3] totals = rep_vector(0, 3);
  real weight = 1;
  real going = 1;
  real doublings = 0;
  for (depth in 1:limit) {
    int leaves = to_int(2.0 ^ (depth - 1));
    int flipped = u[depth] >= 0.5;
    real v = 2 * u[depth] - flipped;
    vector[3 * D] begin = flipped ? far : near;
    far = flipped ? near : far;
    sum_p = flipped ? -sum_p : sum_p;
    vector[D] x = head(begin, D);
    vector[D] p = segment(begin, D + 1, D);
    vector[D] y = tail(begin, D);
    vector[D] sum_sub = rep_vector(0, D);
    vector[2 * D + 2] candidate = chosen;
    vector[4] subtotals = rep_vector(0, 4);
    array[depth + 1] vector[3 * D] kept = rep_array(rep_vector(0, 3 * D), depth + 1);
    real on = going;
    for (n in 0:leaves - 1) {
      vector[3 * D] here;
      vector[D] p_before = p;
      vector[D] sum_before = sum_sub;
      real l;
      p += half_step * y;
      x += kind == 2 ? step * (metric * p) : drift .* p;
      (l, y) = log_density_gradient(x);
      p += half_step * y;
      sum_sub += p;
      real gain = energy + l - 0.5 * dot_product(p, velocity(kind, scale, metric, p));
      real ratio = exp(lesser_of(gain, 700));
      int good = on > 0 && gain >= -1000;
      real w = good ? ratio : 0;
      subtotals += [w, lesser_of(w, 1), on, good]';
      // v is uniform; so is what is left of it
      real cut = v * subtotals[1];
      int taken = cut < w;
      v = (taken ? cut : cut - w) / (taken ? w : subtotals[1] - w + 1e-300);
      last = append_row(append_row(append_row(x, y), l), gain);
      candidate = taken ? last : candidate;
      here = append_row(append_row(p, p_before), sum_before);
      int ends = block_ends[n + 1];
      int place = places[n + 1];
      int turns = 0;
      for (k in 1:size(kept)) {
        vector[3 * D] before = kept[k];
        kept[k] = k == place ? here : before;
      }
      if (ends > 0) {
        array[ends] vector[3 * D] first = segment(kept, place - ends, ends);
        array[ends] vector[3 * D] second = segment(kept, place - ends + 1, ends);
        for (k in 1:ends) {
          vector[D] sum1 = tail(second[k], D) - tail(first[k], D);
          vector[D] sum2 = sum_sub - tail(second[k], D);
          turns += !are_straight(kind, scale, metric, sum1, sum2, head(first[k], D), segment(second[k], D + 1, D), head(second[k], D), p);
        }
      }
      on = good && turns == 0;
      if (!some_chain(on > 0)) break;
    }
    real odds = v * weight;
    int accepted = on > 0 && odds < subtotals[1];
    vector[D] p_near = segment(begin, D + 1, D);
    int straight = are_straight(kind, scale, metric, sum_p, sum_sub, -segment(far, D + 1, D), p_near, head(kept[1], D), p);
    chosen = accepted ? candidate : chosen;
    weight += subtotals[1];
    totals += tail(subtotals, 3);
    sum_p += sum_sub;
    near = append_row(append_row(x, p), y);
    doublings += on;
    going = on > 0 && straight;
    if (!some_chain(going > 0)) break;
  }
  return (chosen, last, totals, doublings, energy);
}
