// Microseconds per gradient of a model compiled by stanc: best of several batches, one thread. Built by gradient.py.
#include "m.hpp"
#include <stan/io/json/json_data.hpp>
#include <stan/model/log_prob_grad.hpp>
#include <chrono>
#include <fstream>
#include <iostream>
#include <sstream>

int main(int, char **argv) {
  std::ifstream in(argv[1]);
  stan::json::json_data data(in);
  std::stringstream log;
  stan::model::model_base &model = new_model(data, 1, &log);
  std::vector<double> x(model.num_params_r(), 0.1), grad;
  std::vector<int> ints;
  double best = 1e300, spent = 0, sink = 0;
  for (int n = 1; spent < 0.5;) {
    auto start = std::chrono::steady_clock::now();
    for (int k = 0; k < n; ++k) sink += stan::model::log_prob_grad<true, true>(model, x, ints, grad);
    double t = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    spent += t;
    best = std::min(best, t / n);
    if (t < 0.02) n *= 2;
  }
  std::cout << best * 1e6 << (sink == 0.5 ? " " : "") << "\n";
}
