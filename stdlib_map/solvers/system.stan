// What the solvers of differential equations are given. The bodies only tell the types: each is the work of the compiler (lower/ode_system.c).

// The rates of change at time t of z: the states in its first column and, where they are wanted, their derivatives with respect to
// initial states and parameters in the columns that follow. Sensitivities S of y' = f(t, y, p) obey S' = df/dy S + df/dp.
matrix ode_system(real t, matrix z) {
  return z;
}

// The same at several times, of as many z, which stand one below the other.
matrix ode_systems(vector t, matrix z) {
  return z;
}

// df/dy at the states in the first column of z.
matrix ode_jacobian(real t, matrix z) {
  return z;
}
