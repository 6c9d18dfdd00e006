// Evaluates a model compiled by stanc at points read from standard input and prints JSON: what make_expected.py builds for each model.
//
// Input: points, one a line: D numbers. With D = 0, one empty line a point.
#include "m.hpp"
#include <stan/io/json/json_data.hpp>
#include <stan/model/log_prob_grad.hpp>
#include <fstream>
#include <iomanip>
#include <iostream>
#include <sstream>

static void print(std::ostream &out, const std::vector<double> &v) {
  out << "[";
  for (size_t k = 0; k < v.size(); ++k) {
    if (k) out << ",";
    if (std::isnan(v[k])) out << "\"NaN\"";
    else if (std::isinf(v[k])) out << (v[k] > 0 ? "\"Inf\"" : "\"-Inf\"");
    else out << v[k];
  }
  out << "]";
}

static void print_dims(std::ostream &out, const std::vector<std::string> &names, const std::vector<std::vector<size_t>> &dims) {
  out << "[";
  for (size_t k = 0; k < names.size(); ++k) {
    out << (k ? "," : "") << "[\"" << names[k] << "\",[";
    for (size_t j = 0; j < dims[k].size(); ++j) out << (j ? "," : "") << dims[k][j];
    out << "]]";
  }
  out << "]";
}

int main(int argc, char **argv) {
  std::ifstream in(argv[1]);
  stan::json::json_data data(in);
  std::stringstream log;
  stan::model::model_base &model = new_model(data, 1, &log);
  std::cout << std::setprecision(17) << "{\"dims\":";
  std::vector<std::string> names;
  std::vector<std::vector<size_t>> dims;
  model.get_param_names(names, true, true);
  model.get_dims(dims, true, true);
  print_dims(std::cout, names, dims);
  std::vector<std::string> par, tp;
  model.constrained_param_names(par, false, false);
  model.constrained_param_names(tp, true, false);
  std::cout << ",\"unconstrained\":" << model.num_params_r() << ",\"parameters\":" << par.size() << ",\"transformed\":" << tp.size() - par.size();
  if (argc > 2) { /* only the number of unconstrained values is wanted */
    std::cout << "}\n";
    return 0;
  }
  std::cout << ",\"points\":[";
  std::string line;
  stan::rng_t rng(1);
  for (bool first = true; std::getline(std::cin, line); first = false) {
    std::istringstream values(line);
    std::vector<double> x, grad, ignored, all;
    std::vector<int> ints;
    for (double v; values >> v;) x.push_back(v);
    std::cout << (first ? "" : ",") << "\n{\"x\":";
    print(std::cout, x);
    Eigen::VectorXd e = Eigen::Map<Eigen::VectorXd>(x.data(), x.size());
    double lp = model.log_prob_jacobian(e, nullptr), plain = model.log_prob(e, nullptr),
           propto = model.log_prob_propto_jacobian(e, nullptr);
    if (!x.empty()) { /* as samplers have it: solvers of differential equations then see the derivatives too */
      lp = stan::model::log_prob_grad<false, true>(model, x, ints, ignored);
      plain = stan::model::log_prob_grad<false, false>(model, x, ints, ignored);
      propto = stan::model::log_prob_grad<true, true>(model, x, ints, grad);
    }
    std::cout << ",\"lp\":";
    print(std::cout, {lp, plain, propto});
    std::cout << ",\"gradient\":";
    print(std::cout, grad);
    model.write_array(rng, x, ints, all, true, true);
    std::cout << ",\"values\":";
    print(std::cout, all);
    std::cout << "}";
  }
  std::cout << "]}\n";
}
