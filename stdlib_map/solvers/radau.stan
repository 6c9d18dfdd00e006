// The implicit Runge-Kutta method Radau IIA with 7 stages, of order 13, for stiff equations and for high accuracy (Hairer & Wanner: Solving
// Ordinary Differential Equations II, IV.5 and IV.8). It stands for the variable-order multistep methods of CVODES, which Stan uses.
//
// The stage values z + Z[i] at t + c[i] h are those of a collocation polynomial: Z = h (A x I) G(z + Z), for the rates G of the
// whole system. The simplified Newton iteration takes the Jacobian J of the rates of the states at the step's begin, for states
// and sensitivities alike:  Z += X (h G(z + Z) - A^-1 Z),  X = (A^-1 x I - h I x J)^-1.
// X is made of four smaller inverses, since A^-1 = T L T^-1 with a block diagonal L (ibid. (8.4)).
//
// The state is (time, step size, z, size and stages of the last step, steps since the last time of output, times of output that
// are left); see explicit.stan for what a trip is.

vector radau_nodes() {
  return [0.029316427159784893, 0.1480785996684843, 0.3369846902811543, 0.5586715187715501, 0.7692338620300545, 0.9269456713197411, 1.0]';
}

matrix radau_inverse() {
  return [[17.055284304421654, 5.475299512185492, -1.618581105190787, 0.7496541282385066, -0.421891375983016, 0.25105021424639273, -0.09232481935368413],
    [-12.948988698811522, 3.376585145452422, 4.054013503925586, -1.4863139760065447, 0.7728544737788972, -0.44494694720107, 0.1617747003353814],
    [6.526797433701593, -6.912304925481829, 1.4837469310040114, 3.5946033544558915, -1.4502156012225291, 0.7670384491813573, -0.27142848561987243],
    [-4.760415643167771, 3.990860318095922, -5.660688333657835, 0.8949802937859413, 3.735899391500152, -1.5419785025493504, 0.5117126570997156],
    [4.329451016638691, -3.3535280016779185, 3.6906179318627217, -6.037309187265788, 0.6499973865951115, 4.577300941414561, -1.2440566466772534],
    [-4.943623833507561, 3.704802676027051, -3.7457284313738155, 4.7816656257626144, -8.783388755925044, 0.5394059387408583, 5.443680188059144],
    [11.495455205116665, -8.517072423056625, 8.381031301964825, -10.033441651950401, 15.094393942991166, -34.42036637506563, 25.0]];
}

// The real eigenvalue of A^-1, and pairs of complex ones.
array[] matrix radau_eigenvalues() {
  return {[[8.936832788405216, 0.0],
     [0.0, 8.936832788405216]],
    [[8.511834825102946, 3.281013624325059],
     [-3.281013624325059, 8.511834825102946]],
    [[7.14105521918764, 6.623045922639276],
     [-6.623045922639276, 7.14105521918764]],
    [[4.378693561506806, 10.169693283795011],
     [-10.169693283795011, 4.378693561506806]]};
}

// The columns of T for each of them, and the rows of T^-1. The real eigenvalue has a pair too, of which the second is nothing.
array[] matrix radau_columns() {
  return {[[0.0024435843048706113, 0.0],
    [-0.001815339648319317, 0.0],
    [0.004605339331161875, 0.0],
    [0.017870023342853068, 0.0],
    [0.12818100807728391, 0.0],
    [0.5200651497488247, 0.0],
    [1.0, 0.0]],
    [[-0.0012386461879528741, 0.0027606174805438525],
    [-6.666635339396339e-05, -0.00318547482516621],
    [-0.0023521809829433384, -0.00041690777252975626],
    [0.0031150711523461752, -0.025116604913438822],
    [0.10171773248171515, -0.09504502035604623],
    [0.5217519452747653, -0.1280719446355439],
    [1.0, 0.0]],
    [[-0.004055161452331024, -0.004427232753268285],
    [0.00841556827655959, 0.00403194957022455],
    [-0.008560431061603433, 0.006923212665023909],
    [-0.03737124230238446, -0.00823900729850772],
    [0.0053667613791817705, -0.19321111610126201],
    [0.5265742264584493, -0.27553439498962584],
    [1.0, 0.0]],
    [[0.021567551351320772, -0.008783567925144144],
    [-0.03813164813441155, 0.021525560594006874],
    [0.05739650893938172, -0.05885052920842679],
    [-0.03821469359696835, 0.16573681127294385],
    [-0.2491742124652637, -0.27356330579866234],
    [0.5315846490836285, -0.4863228366175729],
    [1.0, 0.0]]};
}

array[] matrix radau_rows() {
  return {[[227.51530596268069, 166.64802246760974, 43.26514588452621, 3.623090061341016, 3.572674832938798, -2.7435563656033675, 1.4514535402547504],
    [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]],
    [[-299.1862480282521, -243.04074536874478, -48.77710407803787, -2.0386719057419342, 1.673560239861085, -1.0873740320571061, 0.9019382492960993],
    [93.0765028974353, -23.881631056281144, -39.278880730813846, -14.38891568549108, 3.5104383993993613, -4.8632848855661805, 2.2464827295912397]],
    [[74.6783322350227, 87.40858897990081, 4.024158737379998, -3.714806315158364, -3.4300939859823174, 2.6966048097653124, -0.9386927436075462],
    [-58.356528851906575, 10.06877395780018, 30.36638884256667, 1.020020865184866, 0.11241750037842496, -1.8906408310003777, 0.9716486393831483]],
    [[-3.007390169451292, -11.015866078765772, 1.4877994561316563, 2.1303881595592826, -1.8161410868175656, 1.134325587895161, -0.41469904594330353],
    [8.441963188321084, 0.650525274057515, -6.9406707303698765, 3.2050475255978985, -1.0712809435464785, 0.3548507491216222, -0.09198549132786554]]};
}

// The error of an embedded method of order 7, with the inverse g of the real eigenvalue as weight of the rates r at the begin, is
// g h r + (w x I) Z before it is filtered by (I - g h J)^-1 (ibid. (8.19)). This is w.
matrix radau_error_weights() {
  return [[-6.084307291132809, 0.7832779430920006, -0.2635901496382284, 0.12669914419515418, -0.0723848528985174, 0.04336361600925824, -0.01598520932857644]];
}

// A x I, with the identity of size N.
matrix kronecker(matrix A, int N) {
  matrix[rows(A) * N, cols(A) * N] K;
  for (i in 1:rows(A) * N)
    for (j in 1:cols(A) * N)
      K[i, j] = ((i - 1) % N == (j - 1) % N) * A[(i - 1) %/% N + 1, (j - 1) %/% N + 1];
  return K;
}

// The weights of the stages in the collocation polynomial minus z, at the times t + x[i] h: Lagrange's polynomials for the
// nodes and 0.
matrix radau_weights(vector x) {
  vector[8] at = append_row([0]', radau_nodes());
  matrix[rows(x), 7] w;
  for (i in 1:rows(x))
    for (j in 1:7) {
      vector[8] factors;
      for (m in 1:8) factors[m] = m == j + 1 ? 1 : (x[i] - at[m]) / (m == j + 1 ? 1 : at[j + 1] - at[m]);
      w[i, j] = prod(factors);
    }
  return w;
}

// The first step changes nothing by more than about a hundredth, or is very small.
tuple(real, real, matrix, real, matrix, real, real) radau_start(real t0, matrix z, vector ts, real rel_tol, real abs_tol) {
  matrix[rows(z), cols(z)] r = ode_system(t0, z);
  matrix[rows(z), cols(z)] allowed = abs_tol + rel_tol * abs(z);
  real size = max(abs(z) ./ allowed);
  real speed = max(abs(r) ./ allowed);
  real h = size > 1e-5 && speed > 1e-5 ? 0.01 * size / speed : 1e-6;
  return (t0, h, z, 1, rep_matrix(0, 7 * rows(z), cols(z)), 0, left_at_start(r, t0, ts));
}

tuple(tuple(real, real, matrix, real, matrix, real, real), tuple(real, real, matrix)) radau_trip(tuple(real, real, matrix, real, matrix, real, real) s, vector ts, real last, real rel_tol, real abs_tol, real max_steps) {
  int N = rows(s.3);
  int M = cols(s.3);
  real t = s.1;
  real h = lesser_of(s.2, last - t);
  matrix[N, M] z = s.3;
  matrix[N, M] r = ode_system(t, z);
  matrix[N, N] J = ode_jacobian(t, z);
  matrix[N, N] zeros = rep_matrix(0, N, N);
  matrix[2 * N, 2 * N] twice = append_row(append_col(J, zeros), append_col(zeros, J));
  array[4] matrix[2, 2] L = radau_eigenvalues();
  array[4] matrix[7, 2] T = radau_columns();
  array[4] matrix[2, 7] T_inverse = radau_rows();
  array[4] matrix[2 * N, 2 * N] inverses;
  array[4] matrix[7 * N, 7 * N] parts;
  for (b in 1:4) {
    inverses[b] = inverse(kronecker(L[b], N) - h * twice);
    parts[b] = kronecker(T[b], N) * inverses[b] * kronecker(T_inverse[b], N);
  }
  matrix[7 * N, 7 * N] X = parts[1] + parts[2] + parts[3] + parts[4];
  real g = 1 / L[1][1, 1];

  matrix[7 * N, 7 * N] A_inverse = kronecker(radau_inverse(), N);
  vector[7] times = t + h * radau_nodes();
  array[7 * N] int which;
  for (i in 1:7 * N) which[i] = (i - 1) % N + 1;
  matrix[7 * N, M] base = z[which];
  matrix[N, M] allowed = abs_tol + rel_tol * abs(z);
  matrix[7 * N, M] unit = allowed[which];

  // the polynomial of the last step goes on
  matrix[7, 7] ahead = radau_weights(1 + h / s.4 * radau_nodes());
  ahead[:, 7] -= 1;
  matrix[7 * N, M] Z = kronecker(ahead, N) * s.5;
  real going = 1;
  real before = 1;
  for (k in 1:12) {
    matrix[7 * N, M] change = X * (h * ode_systems(times, base + Z) - A_inverse * Z);
    real d = max(abs(change) ./ unit);
    real rate = k > 1 ? d / before : 0.5;
    int converges = rate < 1 && rate * d < 0.03 * (1 - rate);
    int diverges = !(d < positive_infinity()) || (k > 2 && rate >= 1);
    Z = going > 0 ? Z + change : Z;
    going = going > 0 ? (diverges ? -1 : converges ? 0 : 1) : going;
    before = d;
    if (!some_chain(going > 0)) break;
  }

  matrix[N, M] z1 = z + block(Z, 6 * N + 1, 1, N, M);
  matrix[N, M] e = block(inverses[1], 1, 1, N, N) / g * (g * h * r + kronecker(radau_error_weights(), N) * Z);
  real estimate = max(abs(e) ./ (abs_tol + rel_tol * greater_of(abs(z), abs(z1))));
  real error = going == 0 ? estimate : 100;
  int accepted = error <= 1;
  real step = h * (going == 0 ? lesser_of(greater_of(0.9 * error ^ -0.125, 0.2), 8) : 0.3);
  real t1 = accepted ? (h >= last - t ? last : t + h) : t;
  real steps;
  real left;
  (steps, left) = progress(s.6, s.7, error, t, t1, ts, max_steps);
  return ((t1, step, accepted ? z1 : z, accepted ? h : s.4, accepted ? Z : s.5, steps, left), (t, t1, append_row(z, Z)));
}

matrix radau_at(real t, real from, real to, matrix stages) {
  int N = rows(stages) %/% 8;
  matrix[1, 7] w = radau_weights([(t - from) / (to - from)]');
  return block(stages, 1, 1, N, cols(stages)) + kronecker(w, N) * block(stages, N + 1, 1, 7 * N, cols(stages));
}
