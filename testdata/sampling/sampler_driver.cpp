// Samples a model compiled by stanc with Stan's own samplers and prints, of each chain, what make_stan.py sums up: one line of step
// size and inverse metric, then one of each draw: the sampler's seven columns and the unconstrained point.
//
// sampler_driver adapt CHAINS WARMUP SAMPLES             diagonal metric, adapted
// sampler_driver fixed CHAINS WARMUP SAMPLES STEPSIZE    unit metric, step size as given
#include "m.hpp"
#include <stan/callbacks/interrupt.hpp>
#include <stan/callbacks/logger.hpp>
#include <stan/io/empty_var_context.hpp>
#include <stan/services/sample/hmc_nuts_diag_e_adapt.hpp>
#include <stan/services/sample/hmc_nuts_unit_e.hpp>
#include <iomanip>
#include <iostream>

struct Metric : stan::callbacks::structured_writer {
  using stan::callbacks::structured_writer::write;
  void write(const std::string &key, double x) override {
    if (key == "stepsize") std::cout << "tuned " << x;
  }
  void write(const std::string &, const Eigen::VectorXd &v) override {
    for (int k = 0; k < v.size(); ++k) std::cout << " " << v[k];
    std::cout << "\n";
  }
};

// Stan's columns: lp__ and accept_stat__; step size, depth, points, divergence, energy; then the point and its momentum and gradient.
struct Points : stan::callbacks::writer {
  size_t size;
  explicit Points(size_t n) : size(n) {}
  using stan::callbacks::writer::operator();
  void operator()(const std::vector<double> &row) override {
    std::cout << "draw";
    for (size_t k = 0; k < 7 + size; ++k) std::cout << " " << row[k];
    std::cout << "\n";
  }
};

int main(int argc, char **argv) {
  std::stringstream log;
  stan::io::empty_var_context nothing;
  stan::model::model_base &model = new_model(nothing, 1, &log);
  std::string kind = argv[1];
  int chains = std::atoi(argv[2]), warmup = std::atoi(argv[3]), samples = std::atoi(argv[4]);
  stan::callbacks::interrupt interrupt;
  stan::callbacks::logger logger;
  stan::callbacks::writer none;
  std::cout << std::setprecision(12) << "size " << model.num_params_r() << "\n";
  for (int chain = 1; chain <= chains; ++chain) {
    Metric metric;
    Points points(model.num_params_r());
    std::cout << "chain " << chain << "\n";
    if (kind == "adapt")
      stan::services::sample::hmc_nuts_diag_e_adapt(model, nothing, 20, chain, 2, warmup, samples, 1, false, 0, 1, 0, 10, 0.8, 0.05, 0.75, 10,
                                                    75, 50, 25, interrupt, logger, none, none, points, metric);
    else
      stan::services::sample::hmc_nuts_unit_e(model, nothing, 20, chain, 2, warmup, samples, 1, false, 0, std::atof(argv[5]), 0, 10, interrupt,
                                              logger, none, none, points);
  }
}
