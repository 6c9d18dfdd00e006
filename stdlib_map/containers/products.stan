// Sums of products of the elements of containers.

// sum x_i^2
real dot_self(vector x) {
  return dot_product(x, x);
}

// x_j' y_j for the columns, and for the rows
row_vector columns_dot_product(matrix x, matrix y) {
  return rows_dot_product(x', y')';
}

row_vector columns_dot_product(vector x, vector y) {
  return rep_row_vector(dot_product(x, y), 1);
}

row_vector columns_dot_product(row_vector x, row_vector y) {
  return x .* y;
}

vector rows_dot_product(matrix x, matrix y) {
  matrix[rows(x), cols(x)] products = x .* y;
  vector[rows(x)] r;
  for (i in 1:rows(x)) {
    r[i] = sum(products[i]);
  }
  return r;
}

vector rows_dot_product(vector x, vector y) {
  return x .* y;
}

vector rows_dot_product(row_vector x, row_vector y) {
  return rep_vector(dot_product(x, y), 1);
}

row_vector columns_dot_self(matrix x) {
  return columns_dot_product(x, x);
}

row_vector columns_dot_self(vector x) {
  return columns_dot_product(x, x);
}

row_vector columns_dot_self(row_vector x) {
  return columns_dot_product(x, x);
}

vector rows_dot_self(matrix x) {
  return rows_dot_product(x, x);
}

vector rows_dot_self(vector x) {
  return rows_dot_product(x, x);
}

vector rows_dot_self(row_vector x) {
  return rows_dot_product(x, x);
}

// sum (x_i - y_i)^2
real squared_distance(vector x, vector y) {
  return dot_self(x - y);
}

real squared_distance(real x, real y) {
  return square(x - y);
}

real distance(vector x, vector y) {
  return norm2(x - y);
}

// sum |x_i|
real norm1(vector x) {
  return sum(abs(x));
}

// |x|, whose derivative at 0 is taken as 0
@call
real norm2(vector x) {
  return sqrt(dot_self(x));
}

@vjp(norm2)
vector norm2_vjp(vector x, real r, real r_) {
  return r_ / (r == 0 ? 1 : r) * x;
}
