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

// n elements of row i from column j on, and of column j from row i on
row_vector sub_row(matrix x, int i, int j, int n) {
  return segment(x[i], j, n);
}

vector sub_col(matrix x, int i, int j, int n) {
  return segment(x[:, j], i, n);
}
