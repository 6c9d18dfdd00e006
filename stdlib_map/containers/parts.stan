// Rows, columns, ranks.

row_vector row(matrix x, int m) {
  return x[m];
}

vector col(matrix x, int n) {
  return x[:, n];
}

// How many elements are less than x[s].
int rank(vector x, int s) {
  int r = 0;
  for (i in 1:rows(x)) {
    r += x[i] < x[s];
  }
  return r;
}
