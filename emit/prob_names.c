#include "emit/prob_names.h"

#include "base/text.h"

#include <ctype.h>
#include <string.h>

static const struct {
  const char *ending, *word;
} endings[] = {
    {"_lpdf", "LogProb"}, {"_lupdf", "LogProb"}, {"_lpmf", "LogProb"},      {"_lupmf", "LogProb"},
    {"_cdf", "Cdf"},      {"_lcdf", "LogCdf"},   {"_lccdf", "LogSurvival"}, {"_rng", "Sample"},
};

/* Names that are not words joined by underscores. */
static const struct {
  const char *name, *word;
} irregular[] = {{"lgamma", "LogGamma"},    {"lmgamma", "LogMultivariateGamma"},
                 {"lbeta", "LogBeta"},      {"lchoose", "LogChoose"},
                 {"nuts", "NUTS"},          {"hmc", "HMC"},
                 {"init_prng", "InitPRNG"}, {"split_prng", "SplitPRNG"}};

static void add_words(Text *out, const char *s, size_t n) {
  bool start = true;
  for (size_t i = 0; i < n; i++) {
    if (s[i] == '_') {
      start = true;
      continue;
    }
    char c = start ? (char)toupper((unsigned char)s[i]) : s[i];
    text_add_bytes(out, &c, 1);
    start = false;
  }
}

const char *prob_function_name(Arena *a, const char *scope_name, bool adjoint) {
  Text out = text_new(a);
  size_t n = strlen(scope_name);
  const char *last = "";
  for (size_t i = 0; i < sizeof irregular / sizeof *irregular; i++) {
    if (strcmp(scope_name, irregular[i].name) != 0) continue;
    n = 0;
    last = irregular[i].word;
  }
  for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
    size_t m = strlen(endings[i].ending);
    if (n <= m || strcmp(scope_name + n - m, endings[i].ending) != 0) continue;
    n -= m;
    last = endings[i].word;
    break;
  }
  add_words(&out, scope_name, n);
  text_add(&out, last);
  if (adjoint) text_add(&out, "Gradient");
  return out.data;
}
