// Means, variances, quantiles.

real mean(vector x) {
  if (rows(x) == 0) {
    reject("mean: of nothing");
  }
  return sum(x) / rows(x);
}

real mean(matrix x) {
  if (size(x) == 0) {
    reject("mean: of nothing");
  }
  return sum(x) / size(x);
}

// sum (x_i - mean)^2 / (N - 1); 0 for a single element, whose derivative is not that of 0 / 0
real variance(vector x) {
  if (rows(x) == 1) {
    return 0;
  }
  return dot_self(x - mean(x)) / max(1, rows(x) - 1);
}

real variance(matrix x) {
  return variance(to_vector(x));
}

// the square root of the variance
@call
real sd(vector x) {
  real r = 0;
  if (rows(x) > 1) {
    r = sqrt(dot_self(x - mean(x)) / (rows(x) - 1));
  }
  return r;
}

// x_ = r_ (x - mean) / ((N - 1) sd); where all elements are equal, what Stan takes
@vjp(sd)
vector sd_vjp(vector x, real r, real r_) {
  int n = rows(x);
  vector[n] x_ = rep_vector(0, n);
  if (n > 1) {
    vector[n] d = x - mean(x);
    x_ = r_ * (r > 1e-10 / sqrt(n - 1) ? d / (r * (n - 1)) : rep_vector(inv_sqrt(n), n));
  }
  return x_;
}

real sd(matrix x) {
  return sd(to_vector(x));
}

// Between the elements of ranks floor(h) and floor(h) + 1 in ascending order, h = (N - 1) p + 1, linearly in h. Hyndman, Fan
// (1996), "Sample quantiles in statistical packages", definition 7.
real quantile(data vector<not_nan> x, data real<lower=0, upper=1> p) {
  int n = rows(x);
  vector[n] s = sort_asc(x);
  int low = to_int(floor((n - 1) * p));
  real h = (n - 1) * p;
  int high = min(low + 1, n - 1);
  return s[low + 1] + (h - low) * (s[high + 1] - s[low + 1]);
}

array[] real quantile(data vector<not_nan> x, data array[] real p) {
  array[size(p)] real q;
  for (i in 1:size(p)) {
    q[i] = quantile(x, p[i]);
  }
  return q;
}
