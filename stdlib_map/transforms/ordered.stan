// Ordered vectors: partial sums of positive increments. Stan Reference Manual, "Ordered vector".

// x_1 = y_1, x_k = x_(k-1) + exp(y_k)
vector ordered_constrain(vector y) {
  int K = rows(y);
  if (K <= 1) {
    return y;
  }
  return cumulative_sum(append_row(y[1:1], exp(y[2:K])));
}

// log |det J| = sum of y_2 ... y_K
vector ordered_jacobian(vector y) {
  int K = rows(y);
  if (K <= 1) {
    return y;
  }
  jacobian += sum(y[2:K]);
  return ordered_constrain(y);
}

// y_1 = x_1, y_k = log(x_k - x_(k-1))
vector ordered_unconstrain(vector<ordered> x) {
  int K = rows(x);
  if (K <= 1) {
    return x;
  }
  return append_row(x[1:1], log(x[2:K] - x[1:(K - 1)]));
}

// x_1 = exp(y_1), x_k = x_(k-1) + exp(y_k)
vector positive_ordered_constrain(vector y) {
  return cumulative_sum(exp(y));
}

// log |det J| = sum of y
vector positive_ordered_jacobian(vector y) {
  jacobian += sum(y);
  return positive_ordered_constrain(y);
}

// y_1 = log x_1, y_k = log(x_k - x_(k-1))
vector positive_ordered_unconstrain(vector<lower=0, ordered> x) {
  int K = rows(x);
  if (K <= 1) {
    return log(x);
  }
  return log(append_row(x[1:1], x[2:K] - x[1:(K - 1)]));
}
