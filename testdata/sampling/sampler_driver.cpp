// Samples a model compiled by stanc with Stan's own samplers and prints, of each chain, what make_stan.py sums up: one line of step
// size and inverse metric, then one of each draw: the sampler's columns and the unconstrained point.
//
// sampler_driver adapt CHAINS WARMUP SAMPLES                              NUTS, diagonal metric, adapted
// sampler_driver fixed CHAINS WARMUP SAMPLES STEPSIZE                     NUTS, unit metric, step size as given
// sampler_driver static CHAINS WARMUP SAMPLES INT_TIME                    static HMC, diagonal metric, adapted (see Static)
// sampler_driver static_fixed CHAINS WARMUP SAMPLES INT_TIME STEPSIZE     static HMC, unit metric, step size as given
#include "m.hpp"
#include <stan/callbacks/interrupt.hpp>
#include <stan/callbacks/logger.hpp>
#include <stan/io/empty_var_context.hpp>
#include <stan/services/sample/hmc_nuts_diag_e_adapt.hpp>
#include <stan/services/sample/hmc_nuts_unit_e.hpp>
#include <stan/mcmc/hmc/static/adapt_diag_e_static_hmc.hpp>
#include <stan/services/sample/hmc_static_unit_e.hpp>
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

// Stan's columns: lp__ and accept_stat__; of NUTS step size, depth, points, divergence, energy, of static HMC step size, integration
// time, energy; then the point and its momentum and gradient.
struct Points : stan::callbacks::writer {
  size_t columns, size;
  Points(size_t columns, size_t size) : columns(columns), size(size) {}
  using stan::callbacks::writer::operator();
  void operator()(const std::vector<double> &row) override {
    std::cout << "draw";
    for (size_t k = 0; k < columns + size; ++k) std::cout << " " << row[k];
    std::cout << "\n";
  }
};

// While it samples, Stan 2.35 goes on with as many steps as the last step size of the warmup asks for. Here they are those of the average of
// step sizes that sampling has, as documented.
struct Static : stan::mcmc::adapt_diag_e_static_hmc<stan::model::model_base, stan::rng_t> {
  using Base = stan::mcmc::adapt_diag_e_static_hmc<stan::model::model_base, stan::rng_t>;
  using Base::Base;
  void disengage_adaptation() override {
    Base::disengage_adaptation();
    set_T(get_T());
  }
};

void sample_static(stan::model::model_base &model, int chain, int warmup, int samples, double int_time, stan::callbacks::writer &points,
                   stan::callbacks::structured_writer &metric) {
  stan::callbacks::interrupt interrupt;
  stan::callbacks::logger logger;
  stan::callbacks::writer none;
  stan::io::empty_var_context nothing;
  stan::rng_t rng = stan::services::util::create_rng(20, chain);
  std::vector<double> start = stan::services::util::initialize(model, nothing, rng, 2, false, logger, none);
  Static sampler(model, rng);
  sampler.set_metric(Eigen::VectorXd(Eigen::VectorXd::Ones(start.size())));
  sampler.set_nominal_stepsize_and_T(1, int_time);
  sampler.get_stepsize_adaptation().set_mu(std::log(10.0));
  sampler.get_stepsize_adaptation().set_delta(0.8);
  sampler.get_stepsize_adaptation().set_gamma(0.05);
  sampler.get_stepsize_adaptation().set_kappa(0.75);
  sampler.get_stepsize_adaptation().set_t0(10);
  sampler.set_window_params(warmup, 75, 50, 25, logger);
  stan::services::util::run_adaptive_sampler(sampler, model, start, warmup, samples, 1, 0, false, rng, interrupt, logger, none, points, metric);
}

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
    bool is_static = kind.find("static") == 0;
    Points points(is_static ? 5 : 7, model.num_params_r());
    std::cout << "chain " << chain << "\n";
    if (kind == "adapt")
      stan::services::sample::hmc_nuts_diag_e_adapt(model, nothing, 20, chain, 2, warmup, samples, 1, false, 0, 1, 0, 10, 0.8, 0.05, 0.75, 10,
                                                    75, 50, 25, interrupt, logger, none, none, points, metric);
    else if (kind == "static")
      sample_static(model, chain, warmup, samples, std::atof(argv[5]), points, metric);
    else if (kind == "static_fixed")
      stan::services::sample::hmc_static_unit_e(model, nothing, 20, chain, 2, warmup, samples, 1, false, 0, std::atof(argv[6]), 0,
                                                std::atof(argv[5]), interrupt, logger, none, none, points);
    else
      stan::services::sample::hmc_nuts_unit_e(model, nothing, 20, chain, 2, warmup, samples, 1, false, 0, std::atof(argv[5]), 0, 10, interrupt,
                                              logger, none, none, points);
  }
}
