/* The command line of stan2onnx. */
#ifndef STAN2ONNX_CLI_OPTIONS_H
#define STAN2ONNX_CLI_OPTIONS_H

#include "stan2onnx.h"

#include <stdbool.h>

enum { MAX_LIST = 64 };

typedef struct {
  Stan2onnxOptions compile;
  const char *model, *output, *data, *depfile;
  const char *include_paths[MAX_LIST], *disabled_passes[MAX_LIST];
  bool help, version, statistics, entry_given;
  char message[256]; /* room for what parse_options says is wrong */
} Options;

/* Parses the arguments; strings are borrowed from argv, where lists are divided in place.
 * NULL, or what is wrong. */
const char *parse_options(int argc, char **argv, Options *options);
void print_help(void);

#endif
