#include "frontend/suffix.h"

#include <string.h>

bool name_ends(const char *name, const char *suffix) {
  size_t n = strlen(name), m = strlen(suffix);
  return n >= m && !strcmp(name + n - m, suffix);
}

Suffix name_suffix(const char *name) {
  static const struct {
    const char *ending;
    Suffix suffix;
  } endings[] = {{"_rng", SUFFIX_RNG},   {"_lp", SUFFIX_LP},     {"_jacobian", SUFFIX_JACOBIAN},
                 {"_lpdf", SUFFIX_LPDF}, {"_lpmf", SUFFIX_LPMF}, {"_lupdf", SUFFIX_LPDF},
                 {"_lupmf", SUFFIX_LPMF}};
  for (size_t k = 0; k < sizeof endings / sizeof *endings; k++)
    if (name_ends(name, endings[k].ending)) return endings[k].suffix;
  return SUFFIX_NONE;
}

bool name_is_unnormalised(const char *name) {
  return name_ends(name, "_lupdf") || name_ends(name, "_lupmf");
}

bool name_is_conditioned(const char *name) {
  Suffix s = name_suffix(name);
  return s == SUFFIX_LPDF || s == SUFFIX_LPMF || name_ends(name, "_cdf") ||
         name_ends(name, "_lcdf") || name_ends(name, "_lccdf");
}

const char *name_normalised(Arena *a, const char *name) {
  if (!name_is_unnormalised(name)) return name;
  size_t n = strlen(name);
  return arena_printf(a, "%.*s%s", (int)(n - strlen("updf")), name, name + n - strlen("pdf"));
}
