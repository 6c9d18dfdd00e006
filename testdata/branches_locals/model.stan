// Branches that are not taken, by the data or by the parameters, and what is not finite in them: local variables without value,
// logarithms and quotients of zero, matrices that are not positive definite. None of it is part of a gradient.
functions {
  real at(real x, real p, int k) {
    if (k == 0) {
      return x;
    }
    if (k == 1) {
      return x / p;
    }
    real l;
    l = log(p);
    return x * l;
  }
  vector spread_out(vector y) {
    int N = rows(y);
    if (N > 3) {
      vector[N] k;
      for (n in 1:N) {
        k[n] = y[n] / (N - 3);
      }
      return k .* y;
    }
    vector[N] w;
    w = y .* y;
    return w;
  }
  real centred(vector x, vector y) {
    if (rows(x) == 0) {
      return sum(y);
    }
    return mean(x) * sum(y) + y[1] / sd(x);
  }
  real kept_lp(real a, real b, real p) {
    real q = a;
    if (a > -5 && p > 0) {
      real z;
      z = b * log(p);
      target += -square(z);
      q = z;
    }
    return q;
  }
}
data {
  int<lower=0> N;
  array[N] int<lower=0, upper=2> kind;
  vector<lower=0>[N] p;
  matrix[N, 2] x;
  int<lower=0> none;
  vector[none] nothing;
}
parameters {
  real a;
  real b;
  vector[3] c;
}
model {
  vector[N] m;
  real last = a;
  // a local vector, an inner branch, a loop with a true dependence
  if (a > 0) {
    vector[N] s;
    real u;
    s[1] = a;
    for (n in 2:N) {
      s[n] = 0.5 * s[n - 1] * b + p[n] * sqrt(a);
    }
    if (b > 0) {
      real l;
      l = log(b) * a;
      u = l * b;
    } else {
      u = log(1 - b);
    }
    target += -0.1 * b * dot_self(s) + u * u * c[1];
  }
  // a factor of a matrix that is positive definite in the branch
  if (abs(a) < 0.75) {
    matrix[2, 2] S;
    tuple(real, vector[2]) v;
    S = [[1, a], [a, 1]];
    v.1 = log1m(square(a));
    v.2 = mdivide_left_spd(S, c[1 : 2]);
    target += v.1 * v.2[1] - sum(square(cholesky_decompose(S) * c[2 : 3]));
  } else {
    target += -square(a);
  }
  // iterations side by side: data that are zero where they are not used
  for (n in 1:N) {
    m[n] = p[n] > 0 ? a * log(p[n]) : b;
    if (m[n] > 0.05) {
      vector[2] e;
      e = c[1 : 2] * p[n];
      m[n] += dot_product(x[n], c[2 : 3]) * (is_inf(p[n]) ? b : e[1] * e[2]);
    } else {
      real q = 0;
      if (p[n] > 0) {
        if (b > 0) {
          q = c[3] / p[n];
        }
      }
      m[n] += q * c[1];
    }
    target += at(c[2], p[n], kind[n]);
  }
  m ~ normal(0, 3);
  // one after the other
  for (n in 1:N) {
    real l;
    if (last * c[1] > 1.5) {
      continue;
    }
    if (n > 4 && last < -2) {
      break;
    }
    l = log(2 - last * c[1]);
    last = 0.5 * last + 0.1 * l * b;
    target += -square(l * c[1]);
  }
  while (last > 0.23) {
    real l;
    l = sqrt(last) * b;
    last -= 0.5;
    target += l * a;
  }
  target += -sum(spread_out(c)) + at(a, p[1], kind[1]) + centred(nothing, c);
  if (kept_lp(a, b, p[1]) > 0.33) {
    target += b;
  }
  a ~ normal(0, 1);
  b ~ normal(0, 1);
  c ~ normal(0, 1);
}
