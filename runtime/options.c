#include "runtime/options.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static bool parse_number(const char *text, uint64_t *out) {
  char *end;
  errno = 0;
  if (*text < '0' || *text > '9') return false;
  *out = strtoull(text, &end, 10);
  return !errno && !*end;
}

static bool parse_real(const char *text, double *out) {
  char *end;
  *out = strtod(text, &end);
  return end != text && !*end;
}

static const char *store(Arena *a, const Option *o, const char *value, char *out) {
  uint64_t n = 0;
  double x = 0;
  void *field = out + o->offset;
  switch (o->kind) {
  case OPTION_FLAG: *(bool *)field = true; return NULL;
  case OPTION_STRING: *(const char **)field = value; return NULL;
  case OPTION_INT:
    if (!parse_number(value, &n) || (double)n < o->least || (double)n > o->most)
      return arena_printf(a, "%s takes a number from %.0f to %.0f, not '%s'", o->name, o->least,
                          o->most, value);
    *(int64_t *)field = (int64_t)n;
    return NULL;
  case OPTION_SEED:
    if (!parse_number(value, &n))
      return arena_printf(a, "%s takes a number, not '%s'", o->name, value);
    *(uint64_t *)field = n;
    return NULL;
  case OPTION_REAL:
    if (!parse_real(value, &x) || !(x > o->least && x < o->most))
      return arena_printf(a, "%s takes a number between %g and %g, not '%s'", o->name, o->least,
                          o->most, value);
    *(double *)field = x;
    return NULL;
  }
  return NULL;
}

/* The option an argument names; with NAME=VALUE *value is the value. */
static const Option *lookup(const Option *table, size_t count, const char *argument,
                            const char **value) {
  const char *equals = strchr(argument, '=');
  size_t n = equals ? (size_t)(equals - argument) : strlen(argument);
  *value = equals ? equals + 1 : NULL;
  for (size_t i = 0; i < count; i++) {
    const Option *o = &table[i];
    if (strlen(o->name) == n && memcmp(o->name, argument, n) == 0) return o;
    if (o->letter && strcmp(o->letter, argument) == 0) return o;
  }
  return NULL;
}

const char *read_options(Arena *a, const Option *table, size_t count, int argc, char **argv,
                         void *out, const char **files, size_t *file_count) {
  *file_count = 0;
  for (int i = 1; i < argc; i++) {
    const char *argument = argv[i], *value;
    if (argument[0] != '-' || argument[1] == '\0') {
      files[(*file_count)++] = argument;
      continue;
    }
    const Option *o = lookup(table, count, argument, &value);
    if (!o) return arena_printf(a, "there is no option '%s'", argument);
    if (o->kind == OPTION_FLAG && value) return arena_printf(a, "%s takes no value", o->name);
    if (o->kind != OPTION_FLAG && !value) {
      if (i + 1 == argc) return arena_printf(a, "%s needs a value: %s", o->name, o->value);
      value = argv[++i];
    }
    const char *error = store(a, o, value, out);
    if (error) return error;
  }
  return NULL;
}

void print_options(FILE *to, const Option *table, size_t count) {
  for (size_t i = 0; i < count; i++) {
    const Option *o = &table[i];
    char name[40];
    snprintf(name, sizeof name, "%s%s%s%s%s", o->letter ? o->letter : "", o->letter ? ", " : "",
             o->name, o->value ? " " : "", o->value ? o->value : "");
    fprintf(to, "  %-20s  %s\n", name, o->help);
  }
}

/* ---- evaluation ---- */

#define FIELD(name) offsetof(RunOptions, name)

static const Option table[] = {
    {"--info", NULL, OPTION_FLAG, FIELD(info), NULL,
     "print inputs, outputs and metadata, and evaluate nothing", 0, 0},
    {"--data", NULL, OPTION_STRING, FIELD(data_path), "FILE",
     "values of the model's data inputs, as JSON ('-': standard input)", 0, 0},
    {"--params", NULL, OPTION_STRING, FIELD(params_path), "FILE",
     "values of parameters by name, as JSON: one draw, or draws along the first axis", 0, 0},
    {"--point", NULL, OPTION_STRING, FIELD(point), "POINT",
     "an unconstrained point, or several: '0.1,0.2,0.3', '[[..],[..]]', or a JSON file", 0, 0},
    {"--seed", NULL, OPTION_SEED, FIELD(seed), "N",
     "seed of random points (uniform on -2 to 2) and of the model's random numbers; default 1", 0,
     0},
    {"--chains", NULL, OPTION_INT, FIELD(chains), "N",
     "number of random points, or of draws; default 1", 1, 1e7},
    {"--json", NULL, OPTION_FLAG, FIELD(json), NULL, "print JSON instead of tables", 0, 0},
    {"--time", NULL, OPTION_FLAG, FIELD(time), NULL, "measure the time of an evaluation", 0, 0},
    {"--threads", NULL, OPTION_INT, FIELD(threads), "N",
     "threads of an operator; default 1, 0: one per core", 0, 1024},
    {"--ort", NULL, OPTION_STRING, FIELD(ort), "PATH",
     "ONNX Runtime's shared library, or a folder that holds it", 0, 0},
    {"--help", "-h", OPTION_FLAG, FIELD(help), NULL, "print this and exit", 0, 0},
    {"--version", NULL, OPTION_FLAG, FIELD(version), NULL, "print the version and exit", 0, 0},
};

enum { ROWS = sizeof table / sizeof *table };

const char *run_options(Arena *a, int argc, char **argv, RunOptions *out) {
  *out = (RunOptions){.seed = 1, .chains = 1, .threads = 1};
  const char **files = ARENA_ARRAY(a, const char *, (size_t)argc + 1);
  size_t count;
  const char *error = read_options(a, table, ROWS, argc, argv, out, files, &count);
  if (error) return error;
  if (count > 1) return arena_printf(a, "one model at a time: '%s' is a second one", files[1]);
  out->model = count ? files[0] : NULL;
  if (!out->model && !out->help && !out->version)
    return "which model? Give the path of an .onnx file";
  return NULL;
}

void print_run_help(FILE *to) {
  fprintf(to,
          "Usage: stan2onnx-run [options] MODEL.onnx\n"
          "       stan2onnx-run sample|generate|summary ...  (--help after each tells more)\n"
          "Evaluates a model made by stan2onnx in ONNX Runtime and prints its outputs; samples a "
          "posterior;\ngenerates quantities from its draws; summarises them.\n\n");
  print_options(to, table, ROWS);
  fprintf(
      to,
      "\nExit status: 0 done, 1 the model, its inputs or ONNX Runtime failed, 2 wrong usage.\n");
}

const char *run_version(void) { return STAN2ONNX_VERSION; }
