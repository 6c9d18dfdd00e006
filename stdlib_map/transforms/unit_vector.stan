// Unit vectors. Stan Reference Manual, "Unit vector": K free values, whose length is given a normal
// density so that the posterior is proper.

// x = y / |y|
vector unit_vector_constrain(vector y) {
  real r = sqrt(dot_self(y));
  if (r == 0) {
    reject("unit_vector_constrain: the vector has no direction");
  }
  return y / r;
}

vector unit_vector_jacobian(vector y) {
  jacobian += -0.5 * dot_self(y);
  return unit_vector_constrain(y);
}

vector unit_vector_unconstrain(vector x) {
  if (abs(dot_self(x) - 1) > 1e-8) {
    reject("unit_vector_unconstrain: the vector is not of unit length");
  }
  return x;
}
