// Vectors and arrays by rule.

// K numbers from a to b at equal distances; a single one is b.
vector linspaced_vector(int<lower=0> K, real<finite> a, real<finite> b) {
  vector[K] x;
  for (k in 1:K) {
    x[k] = k == K ? b : a + (k - 1) * ((b - a) / (K - 1.0));
  }
  return x;
}

row_vector linspaced_row_vector(int<lower=0> K, real<finite> a, real<finite> b) {
  return linspaced_vector(K, a, b)';
}

array[] real linspaced_array(int<lower=0> K, real<finite> a, real<finite> b) {
  return to_array_1d(linspaced_vector(K, a, b));
}

// K integers from a up to b: equal steps where there is room for them (the last is then at most b), else each number as often
// as it takes; a single one is b.
array[] int linspaced_int_array(int<lower=0> K, int a, int<lower=a> b) {
  array[K] int x;
  int span = b - a;
  if (K == 1) {
    x[1] = b;
  } else {
    for (k in 1:K) {
      x[k] = span >= K - 1 ? a + (k - 1) * (span %/% (K - 1))
                           : a + (k - 1) %/% ((K + span) %/% (span + 1));
    }
  }
  return x;
}

// 1 at position k, 0 elsewhere
vector one_hot_vector(int<lower=1> K, int<lower=1, upper=K> k) {
  vector[K] x;
  for (i in 1:K) {
    x[i] = i == k;
  }
  return x;
}

row_vector one_hot_row_vector(int<lower=1> K, int<lower=1, upper=K> k) {
  return one_hot_vector(K, k)';
}

array[] real one_hot_array(int<lower=1> K, int<lower=1, upper=K> k) {
  return to_array_1d(one_hot_vector(K, k));
}

array[] int one_hot_int_array(int<lower=1> K, int<lower=1, upper=K> k) {
  array[K] int x;
  for (i in 1:K) {
    x[i] = i == k;
  }
  return x;
}

// K times 1 / K
vector uniform_simplex(int<lower=1> K) {
  return rep_vector(1.0 / K, K);
}
