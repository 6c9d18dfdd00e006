// What decides whether a branch over many elements pays (lower/intrinsics.c). For the library's own use: the bodies only tell the types.

// Whether x is known to have more than 500 elements when the program is compiled: a branch around them costs little then.
int has_many(array[] int x) {
  return size(x) > 500;
}

// Whether some of these hold, in some chain: the same for all chains, as `some_chain` (inference/target.stan) is.
int some_anywhere(array[] int x) {
  return max(x) > 0;
}
