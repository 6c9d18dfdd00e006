/* What a sample tells of a quantity, and how far to trust it: Vehtari, Gelman, Simpson, Carpenter
 * and Buerkner, "Rank-normalization, folding, and localization: an improved R-hat" (2021). */
#ifndef STAN2ONNX_RUNTIME_CONVERGENCE_H
#define STAN2ONNX_RUNTIME_CONVERGENCE_H

#include "base/arena.h"

/* NaN where the draws do not allow an estimate: fewer than four, or some not finite; ESS and R-hat
 * also where all are equal. */
typedef struct {
  double mean, mcse, sd; /* mcse: Monte Carlo standard error of the mean */
  double median, q5, q95;
  double ess_bulk, ess_tail, rhat; /* rhat: of at least two chains */
} Estimates;

typedef struct Convergence Convergence;

/* Tables and room for samples of a size, in `a`. */
Convergence *convergence_new(Arena *a, size_t chains, size_t draws);
/* The estimates from one quantity's chains. */
void convergence_estimate(Convergence *c, const double *const *chains, Estimates *out);

/* Energy Bayesian fraction of missing information of a chain: Betancourt (2016). */
double energy_fraction(const double *energy, size_t draws);
/* The standard normal quantile of p. */
double normal_quantile(double p);

#endif
