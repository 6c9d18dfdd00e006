#include "cli/options.h"

#include <stdio.h>
#include <string.h>

static const char *wrong(Options *o, const char *format, const char *what) {
  snprintf(o->message, sizeof o->message, format, what);
  return o->message;
}

static const char *set_entry(Options *o, const char *value) {
  static const char *const names[] = {"log-density", "constrain", "unconstrain", "generate",
                                      "sample"};
  for (size_t k = 0; k < sizeof names / sizeof *names; k++)
    if (!strcmp(value, names[k])) {
      o->compile.entry = (Stan2onnxEntry)k;
      return NULL;
    }
  return wrong(
      o,
      "unknown entry point '%s': --emit takes log-density, constrain, unconstrain, generate or "
      "sample",
      value);
}

static const char *set_metric(Options *o, const char *value) {
  static const char *const names[] = {"diag", "dense", "unit"};
  for (size_t k = 0; k < sizeof names / sizeof *names; k++)
    if (!strcmp(value, names[k])) {
      o->compile.metric = (Stan2onnxMetric)k;
      return NULL;
    }
  return wrong(o, "unknown metric '%s': --metric takes diag, dense or unit", value);
}

static const char *set_engine(Options *o, const char *value) {
  static const char *const names[] = {"nuts", "static"};
  for (size_t k = 0; k < sizeof names / sizeof *names; k++)
    if (!strcmp(value, names[k])) {
      o->compile.engine = (Stan2onnxEngine)k;
      return NULL;
    }
  return wrong(o, "unknown engine '%s': --engine takes nuts or static", value);
}

static const char *set_dialect(Options *o, const char *value) {
  o->compile.prob_dialect = !strcmp(value, "prob");
  return o->compile.prob_dialect || !strcmp(value, "onnx")
             ? NULL
             : wrong(o, "unknown dialect '%s': --dialect takes onnx or prob", value);
}

/* a,b,c appended to a list: an argument of the program, divided where it stands */
static const char *add_list(const char **list, size_t *count, const char *value) {
  for (char *item = (char *)value, *comma; item; item = comma) {
    comma = strchr(item, ',');
    if (comma) *comma++ = 0;
    if (*count == MAX_LIST) return "too many entries in a list";
    list[(*count)++] = item;
  }
  return NULL;
}

static const char *add_include(Options *o, const char *value) {
  return add_list(o->include_paths, &o->compile.include_path_count, value);
}

static const char *disable_pass(Options *o, const char *value) {
  if (strcmp(value, "fold") && strcmp(value, "cse") && strcmp(value, "algebra") &&
      strcmp(value, "economy") && strcmp(value, "scan") && strcmp(value, "squares"))
    return wrong(
        o, "unknown pass '%s': --disable-pass takes fold, cse, algebra, economy, scan or squares",
        value);
  return add_list(o->disabled_passes, &o->compile.disabled_pass_count, value);
}

static const char *set_output(Options *o, const char *value) { return o->output = value, NULL; }
static const char *set_data(Options *o, const char *value) { return o->data = value, NULL; }
static const char *set_depfile(Options *o, const char *value) { return o->depfile = value, NULL; }
static const char *set_help(Options *o, const char *value) {
  return (void)value, o->help = true, NULL;
}
static const char *set_version(Options *o, const char *value) {
  return (void)value, o->version = true, NULL;
}
static const char *set_check(Options *o, const char *value) {
  return (void)value, o->compile.output = STAN2ONNX_CHECK, NULL;
}
static const char *set_info(Options *o, const char *value) {
  return (void)value, o->compile.output = STAN2ONNX_INFO, NULL;
}
static const char *set_ast(Options *o, const char *value) {
  return (void)value, o->compile.output = STAN2ONNX_DUMP_AST, NULL;
}
static const char *set_ir(Options *o, const char *value) {
  return (void)value, o->compile.output = STAN2ONNX_DUMP_IR, NULL;
}
static const char *set_stats(Options *o, const char *value) {
  return (void)value, o->statistics = true, NULL;
}
static const char *set_no_propto(Options *o, const char *value) {
  return (void)value, o->compile.keep_constants = 1, NULL;
}
static const char *set_no_jacobian(Options *o, const char *value) {
  return (void)value, o->compile.no_jacobian = 1, NULL;
}
static const char *set_no_gradient(Options *o, const char *value) {
  return (void)value, o->compile.no_gradient = 1, NULL;
}
static const char *set_reproducible(Options *o, const char *value) {
  return (void)value, o->compile.reproducible = 1, NULL;
}
static const char *set_undefined(Options *o, const char *value) {
  return (void)value, o->compile.allow_undefined = 1, NULL;
}
static const char *set_werror(Options *o, const char *value) {
  return (void)value, o->compile.warnings_are_errors = 1, NULL;
}

typedef struct {
  const char *name, *short_name, *value; /* value: what it takes, or NULL */
  const char *(*set)(Options *o, const char *value);
  const char *help;
} Option;

static const Option table[] = {
    {"--output", "-o", "FILE", set_output,
     "where the model (or the text asked for) goes; - for standard output"},
    {"--data", NULL, "FILE.json", set_data,
     "data to bake into the model, in CmdStan's JSON format; - for standard input. Without it, "
     "data are inputs of the model"},
    {"--emit", NULL, "WHAT", set_entry,
     "log-density (default), constrain, unconstrain, generate or sample"},
    {"--engine", NULL, "NAME", set_engine,
     "of --emit sample, how long trajectories are: nuts (default), until they turn back; or "
     "static, "
     "an integration time"},
    {"--metric", NULL, "KIND", set_metric,
     "of --emit sample, the inverse metric that warmup adapts: diag (default), dense or unit"},
    {"--dialect", NULL, "NAME", set_dialect,
     "onnx (default): standard operators only; prob: library calls as functions of ai.onnx.prob"},
    {"--no-propto", NULL, NULL, set_no_propto, "keep the constants that sampling statements drop"},
    {"--no-jacobian", NULL, NULL, set_no_jacobian,
     "leave out the log Jacobians of the constraining transforms"},
    {"--no-gradient", NULL, NULL, set_no_gradient, "leave out the gradient"},
    {"--reproducible", NULL, NULL, set_reproducible,
     "a model that gives the same results to the last bit in every runtime, at some cost in speed"},
    {"--include-paths", "-I", "DIR[,DIR]", add_include, "where #include looks"},
    {"--allow-undefined", NULL, NULL, set_undefined,
     "allow functions that are declared but not defined"},
    {"--check", NULL, NULL, set_check, "check the program only; write nothing"},
    {"--info", NULL, NULL, set_info,
     "print inputs, parameters, quantities, functions and distributions as JSON"},
    {"--dump-ast", NULL, NULL, set_ast, "print the syntax tree"},
    {"--dump-ir", NULL, NULL, set_ir, "print the intermediate representation"},
    {"--stats", NULL, NULL, set_stats,
     "print node counts, sizes and times of the phases on standard error"},
    {"--depfile", "-MD", "FILE", set_depfile,
     "write the files that the output depends on, as a Make rule"},
    {"--Werror", NULL, NULL, set_werror, "treat warnings as errors"},
    {"--disable-pass", NULL, "NAME", disable_pass,
     "switch a simplification off: fold, cse, algebra, economy, scan or squares"},
    {"--help", "-h", NULL, set_help, "show this text"},
    {"--version", NULL, NULL, set_version, "show the version"},
};

void print_help(void) {
  printf("Usage: stan2onnx [options] MODEL.stan -o MODEL.onnx\n\n"
         "Compiles a Stan program into an ONNX model that runs, in double precision, on any ONNX "
         "runtime.\n\n");
  for (size_t k = 0; k < sizeof table / sizeof *table; k++) {
    char left[64];
    snprintf(left, sizeof left, "%s%s%s%s%s", table[k].short_name ? table[k].short_name : "",
             table[k].short_name ? ", " : "", table[k].name, table[k].value ? " " : "",
             table[k].value ? table[k].value : "");
    printf("  %-32s %s\n", left, table[k].help);
  }
  printf("\nExit status: 0 done; 1 the program or the data are wrong; 2 wrong usage, or a file "
         "cannot be read or written;\n"
         "3 valid, but not supported yet; 4 a fault of the compiler.\n");
}

/* The option that `argument` is, and its value where the argument holds that too ("--data=x",
 * "-Ix"). */
static const Option *find_option(const char *argument, const char **value) {
  *value = NULL;
  for (size_t k = 0; k < sizeof table / sizeof *table; k++) {
    const Option *o = &table[k];
    size_t n = strlen(o->name);
    if (!strcmp(argument, o->name) || (o->short_name && !strcmp(argument, o->short_name))) return o;
    if (o->value && !strncmp(argument, o->name, n) && argument[n] == '=') {
      *value = argument + n + 1;
      return o;
    }
    if (o->value && o->short_name && strlen(o->short_name) == 2 &&
        !strncmp(argument, o->short_name, 2) && argument[2]) {
      *value = argument + 2;
      return o;
    }
  }
  return NULL;
}

const char *parse_options(int argc, char **argv, Options *o) {
  memset(o, 0, sizeof *o);
  o->compile.struct_size = sizeof o->compile;
  o->compile.include_paths = o->include_paths;
  o->compile.disabled_passes = o->disabled_passes;
  bool only_files = false;
  for (int k = 1; k < argc; k++) {
    const char *a = argv[k], *value;
    if (!only_files && !strcmp(a, "--")) {
      only_files = true;
    } else if (only_files || a[0] != '-' || !a[1]) {
      if (o->model) return wrong(o, "one program at a time: unexpected '%s'", a);
      o->model = a;
    } else {
      const Option *option = find_option(a, &value);
      if (!option) return wrong(o, "unknown option '%s'; --help lists them all", a);
      if (option->value && !value) value = ++k < argc ? argv[k] : NULL;
      if (option->value && !value) return wrong(o, "option '%s' needs a value", a);
      const char *error = option->set(o, value);
      if (error) return error;
    }
  }
  if (o->help || o->version) return NULL;
  if (!o->model) return "no program given; --help shows how";
  if (o->data && !strcmp(o->data, "-") && !strcmp(o->model, "-"))
    return "the program and the data cannot both be standard input";
  if (o->compile.output == STAN2ONNX_MODEL && !o->output)
    return "no output file given: add -o MODEL.onnx (or -o - for standard output)";
  return NULL;
}
