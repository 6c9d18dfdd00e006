#include "runtime/options.h"

#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_CHAINS = 10000000, MAX_THREADS = 1024 };

typedef enum { FLAG, STRING, COUNT, THREADS, SEED } Kind;

typedef struct {
  const char *name, *letter;
  Kind kind;
  size_t offset;
  const char *value, *help;
} Option;

#define FIELD(name) offsetof(RunOptions, name)

static const Option table[] = {
    {"--info", NULL, FLAG, FIELD(info), NULL,
     "print inputs, outputs and metadata, and evaluate nothing"},
    {"--data", NULL, STRING, FIELD(data_path), "FILE",
     "values of the model's data inputs, as JSON ('-': standard input)"},
    {"--params", NULL, STRING, FIELD(params_path), "FILE",
     "values of parameters by name, as JSON: one draw, or draws along the first axis"},
    {"--point", NULL, STRING, FIELD(point), "POINT",
     "an unconstrained point, or several: '0.1,0.2,0.3', '[[..],[..]]', or a JSON file"},
    {"--seed", NULL, SEED, FIELD(seed), "N",
     "seed of random points (uniform on -2 to 2) and of the model's random numbers; default 1"},
    {"--chains", NULL, COUNT, FIELD(chains), "N", "number of random points, or of draws; default 1"},
    {"--json", NULL, FLAG, FIELD(json), NULL, "print JSON instead of tables"},
    {"--time", NULL, FLAG, FIELD(time), NULL, "measure the time of an evaluation"},
    {"--threads", NULL, THREADS, FIELD(threads), "N",
     "threads of an operator; default 1, 0: one per core"},
    {"--ort", NULL, STRING, FIELD(ort), "PATH",
     "ONNX Runtime's shared library, or a folder that holds it"},
    {"--help", "-h", FLAG, FIELD(help), NULL, "print this and exit"},
    {"--version", NULL, FLAG, FIELD(version), NULL, "print the version and exit"},
};

static void *field(RunOptions *o, const Option *option) { return (char *)o + option->offset; }

static bool parse_number(const char *text, uint64_t max, uint64_t *out) {
  char *end;
  errno = 0;
  if (*text < '0' || *text > '9') return false;
  unsigned long long n = strtoull(text, &end, 10);
  if (errno || *end || n > max) return false;
  *out = n;
  return true;
}

static const char *store(Arena *a, RunOptions *o, const Option *option, const char *value) {
  uint64_t n = 0;
  switch (option->kind) {
  case FLAG: *(bool *)field(o, option) = true; return NULL;
  case STRING: *(const char **)field(o, option) = value; return NULL;
  case COUNT:
    if (!parse_number(value, MAX_CHAINS, &n) || n == 0)
      return arena_printf(a, "%s takes a number from 1 to %d, not '%s'", option->name, MAX_CHAINS,
                          value);
    *(int64_t *)field(o, option) = (int64_t)n;
    return NULL;
  case THREADS:
    if (!parse_number(value, MAX_THREADS, &n))
      return arena_printf(a, "%s takes a number from 0 to %d, not '%s'", option->name, MAX_THREADS,
                          value);
    *(int *)field(o, option) = (int)n;
    return NULL;
  case SEED:
    if (!parse_number(value, UINT64_MAX, &n))
      return arena_printf(a, "%s takes a number, not '%s'", option->name, value);
    *(uint64_t *)field(o, option) = n;
    o->seed_given = true;
    return NULL;
  }
  return NULL;
}

/* The option an argument names; with NAME=VALUE *value is the value. */
static const Option *lookup(const char *argument, const char **value) {
  const char *equals = strchr(argument, '=');
  size_t n = equals ? (size_t)(equals - argument) : strlen(argument);
  *value = equals ? equals + 1 : NULL;
  for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
    const Option *o = &table[i];
    if (strlen(o->name) == n && memcmp(o->name, argument, n) == 0) return o;
    if (o->letter && strcmp(o->letter, argument) == 0) return o;
  }
  return NULL;
}

const char *run_options(Arena *a, int argc, char **argv, RunOptions *out) {
  *out = (RunOptions){.seed = 1, .chains = 1, .threads = 1};
  for (int i = 1; i < argc; i++) {
    const char *argument = argv[i], *value;
    if (argument[0] != '-' || argument[1] == '\0') {
      if (out->model) return arena_printf(a, "one model at a time: '%s' is a second one", argument);
      out->model = argument;
      continue;
    }
    const Option *option = lookup(argument, &value);
    if (!option) return arena_printf(a, "there is no option '%s'", argument);
    if (option->kind == FLAG && value) return arena_printf(a, "%s takes no value", option->name);
    if (option->kind != FLAG && !value) {
      if (i + 1 == argc)
        return arena_printf(a, "%s needs a value: %s", option->name, option->value);
      value = argv[++i];
    }
    const char *error = store(a, out, option, value);
    if (error) return error;
  }
  if (!out->model && !out->help && !out->version)
    return "which model? Give the path of an .onnx file";
  return NULL;
}

void print_run_help(FILE *to) {
  fprintf(to, "Usage: stan2onnx-run [options] MODEL.onnx\n"
              "Evaluates a model made by stan2onnx in ONNX Runtime and prints its outputs.\n\n");
  for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
    const Option *o = &table[i];
    char name[40];
    snprintf(name, sizeof name, "%s%s%s%s%s", o->letter ? o->letter : "", o->letter ? ", " : "",
             o->name, o->value ? " " : "", o->value ? o->value : "");
    fprintf(to, "  %-16s  %s\n", name, o->help);
  }
  fprintf(
      to,
      "\nExit status: 0 done, 1 the model, its inputs or ONNX Runtime failed, 2 wrong usage.\n");
}

const char *run_version(void) { return STAN2ONNX_VERSION; }
