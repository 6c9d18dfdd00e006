// Heavy tails.
parameters {
  vector[3] x;
}
model {
  x ~ student_t(4, 0, 1);
}
