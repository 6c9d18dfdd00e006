#include "runtime/options.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#define FIELD(name) offsetof(SampleOptions, name)

/* Rows that several commands share. */
#define DATA                                                                                       \
  { "--data", NULL, OPTION_STRING, FIELD(data_path), "FILE", "the program's data, as JSON", 0, 0 }
#define OUTPUT                                                                                     \
  {                                                                                                \
    "--output", "-o", OPTION_STRING, FIELD(output), "DIR",                                         \
        "folder for the draws, one CSV file a chain as CmdStan writes them", 0, 0                  \
  }
#define SEED                                                                                       \
  { "--seed", NULL, OPTION_SEED, FIELD(seed), "N", "seed; default 1", 0, 0 }
#define REPRODUCIBLE                                                                               \
  {                                                                                                \
    "--reproducible", NULL, OPTION_FLAG, FIELD(reproducible), NULL,                                \
        "the same draws to the last bit on every machine, at some cost in speed", 0, 0             \
  }
#define DIGITS                                                                                     \
  {                                                                                                \
    "--sig-figs", NULL, OPTION_INT, FIELD(digits), "N",                                            \
        "significant digits in the files; default 8, 17 keeps all", 1, 17                          \
  }
#define INCLUDES                                                                                   \
  {                                                                                                \
    "--include-paths", "-I", OPTION_STRING, FIELD(include_paths), "DIR[,DIR]",                     \
        "where #include looks", 0, 0                                                               \
  }
#define JSON                                                                                       \
  { "--json", NULL, OPTION_FLAG, FIELD(json), NULL, "print the summary as JSON", 0, 0 }
#define QUIET                                                                                      \
  {                                                                                                \
    "--quiet", "-q", OPTION_FLAG, FIELD(quiet), NULL, "no progress and no summary, errors only",   \
        0, 0                                                                                       \
  }
#define ORT                                                                                        \
  {                                                                                                \
    "--ort", NULL, OPTION_STRING, FIELD(ort), "PATH",                                              \
        "ONNX Runtime's shared library, or a folder that holds it", 0, 0                           \
  }
#define HELP                                                                                       \
  { "--help", "-h", OPTION_FLAG, FIELD(help), NULL, "print this and exit", 0, 0 }

static const Option sample_table[] = {
    DATA,
    {"--chains", NULL, OPTION_INT, FIELD(chains), "N", "number of chains; default 4", 1, 1e6},
    SEED,
    {"--warmup", NULL, OPTION_INT, FIELD(warmup), "N",
     "iterations that adapt the sampler; default 1000", 0, 1e9},
    {"--samples", NULL, OPTION_INT, FIELD(samples), "N", "iterations after them; default 1000", 0,
     1e9},
    OUTPUT,
    {"--thin", NULL, OPTION_INT, FIELD(thin), "N", "keep every Nth draw; default 1", 1, 1e9},
    {"--save-warmup", NULL, OPTION_FLAG, FIELD(save_warmup), NULL,
     "write the draws of the warmup too", 0, 0},
    {"--adapt-delta", NULL, OPTION_REAL, FIELD(delta), "X",
     "acceptance probability that the step size is adapted to; default 0.8", 0, 1},
    {"--engine", NULL, OPTION_STRING, FIELD(engine), "NAME",
     "how long trajectories are: nuts (default), until they turn back; static, an integration time",
     0, 0},
    {"--max-treedepth", NULL, OPTION_INT, FIELD(max_depth), "N",
     "of nuts, most doublings of a trajectory; default 10", 1, 20},
    {"--int-time", NULL, OPTION_REAL, FIELD(int_time), "X",
     "of static, the integration time; default 2 pi", 0, INFINITY},
    {"--metric", NULL, OPTION_STRING, FIELD(metric), "KIND",
     "inverse metric that is adapted: diag (default), dense or unit", 0, 0},
    {"--step-size", NULL, OPTION_REAL, FIELD(step_size), "X", "step size to start from; default 1",
     0, INFINITY},
    {"--init", NULL, OPTION_STRING, FIELD(init), "X|FILES",
     "start uniformly in (-X, X) of the unconstrained space, default 2; or at the values in a JSON "
     "file, or one file a chain (A,B,C)",
     0, 0},
    {"--threads", NULL, OPTION_INT, FIELD(threads), "N",
     "threads that share the chains; default: up to one per core, by their size", 0, 1024},
    REPRODUCIBLE,
    DIGITS,
    INCLUDES,
    JSON,
    QUIET,
    ORT,
    HELP,
};

static const Option generate_table[] = {
    {"--draws", NULL, OPTION_STRING, FIELD(draws), "FILES",
     "draws of the parameters: CSV files of a fit, or JSON; several as A,B,C", 0, 0},
    DATA,
    SEED,
    OUTPUT,
    REPRODUCIBLE,
    DIGITS,
    INCLUDES,
    JSON,
    QUIET,
    ORT,
    HELP,
};

static const Option summary_table[] = {JSON, HELP};

#define COUNT(table) (sizeof(table) / sizeof *(table))

static const char *read(Arena *a, const Option *table, size_t count, int argc, char **argv,
                        SampleOptions *out) {
  *out = (SampleOptions){.seed = 1,
                         .chains = 4,
                         .warmup = 1000,
                         .samples = 1000,
                         .thin = 1,
                         .digits = 8,
                         .delta = 0.8,
                         .step_size = 1};
  out->files = ARENA_ARRAY(a, const char *, (size_t)argc + 1);
  return read_options(a, table, count, argc, argv, out, out->files, &out->file_count);
}

static const char *take_model(Arena *a, SampleOptions *o) {
  if (o->help) return NULL;
  if (o->file_count == 0) return "which model? Give the path of an .onnx or .stan file";
  if (o->file_count > 1)
    return arena_printf(a, "one model at a time: '%s' is a second one", o->files[1]);
  o->model = o->files[0];
  return NULL;
}

/* Both our names of the metrics and CmdStan's. */
static const char *take_metric(Arena *a, SampleOptions *o) {
  static const char *const names[][2] = {
      {"diag", "diag_e"}, {"dense", "dense_e"}, {"unit", "unit_e"}};
  if (!o->metric) return NULL;
  for (size_t k = 0; k < COUNT(names); k++)
    if (strcmp(o->metric, names[k][0]) == 0 || strcmp(o->metric, names[k][1]) == 0) {
      o->metric = names[k][0];
      return NULL;
    }
  return arena_printf(a, "--metric takes diag, dense or unit, not '%s'", o->metric);
}

static const char *check_engine(Arena *a, const SampleOptions *o) {
  return !o->engine || strcmp(o->engine, "nuts") == 0 || strcmp(o->engine, "static") == 0
             ? NULL
             : arena_printf(a, "--engine takes nuts or static, not '%s'", o->engine);
}

const char *sample_options(Arena *a, int argc, char **argv, SampleOptions *out) {
  const char *error = read(a, sample_table, COUNT(sample_table), argc, argv, out);
  if (!error) error = take_model(a, out);
  if (!error) error = check_engine(a, out);
  return error ? error : take_metric(a, out);
}

const char *generate_options(Arena *a, int argc, char **argv, SampleOptions *out) {
  const char *error = read(a, generate_table, COUNT(generate_table), argc, argv, out);
  if (!error) error = take_model(a, out);
  if (!error && !out->help && !out->draws) error = "from which draws? Give files with --draws";
  return error;
}

const char *summary_options(Arena *a, int argc, char **argv, SampleOptions *out) {
  const char *error = read(a, summary_table, COUNT(summary_table), argc, argv, out);
  if (!error && !out->help && out->file_count == 0) error = "a summary of which CSV files?";
  return error;
}

void print_sample_help(FILE *to) {
  fprintf(to, "Usage: stan2onnx-run sample [options] MODEL.stan|MODEL.onnx\n"
              "Samples the posterior of a Stan program, or of a model made from one with --emit "
              "sample, by the no-U-turn\nsampler or static Hamiltonian Monte Carlo, and prints a "
              "summary.\n\n");
  print_options(to, sample_table, COUNT(sample_table));
  fprintf(to, "\nCtrl-C ends the run and keeps what was drawn.\n");
}

void print_generate_help(FILE *to) {
  fprintf(to, "Usage: stan2onnx-run generate [options] --draws FILES MODEL.stan|MODEL.onnx\n"
              "Generated quantities of a Stan program, or of a model made from one with --emit "
              "generate, for draws of its parameters.\n\n");
  print_options(to, generate_table, COUNT(generate_table));
}

void print_summary_help(FILE *to) {
  fprintf(to,
          "Usage: stan2onnx-run summary [options] FILE.csv...\n"
          "Estimates, effective sample sizes and warnings from the files of a run's chains.\n\n");
  print_options(to, summary_table, COUNT(summary_table));
}
