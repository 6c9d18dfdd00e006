/* What the commands of stan2onnx-run share. */
#ifndef STAN2ONNX_RUNTIME_COMMAND_H
#define STAN2ONNX_RUNTIME_COMMAND_H

#include "base/text.h"
#include "runtime/ort.h"

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

/* Finds and loads ONNX Runtime; `asked` as of --ort. Returns NULL or, in `a`, what is wrong. */
const char *open_runtime(Arena *a, const char *asked, Ort **out);
/* Makes a folder where there is none. Returns NULL or what is wrong. */
const char *make_folder(Arena *a, const char *path);
/* Writes to standard output; the exit status. */
int print_text(const Text *out);
/* "stan2onnx-run: ..." on standard error; the exit status given. */
int complain(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Has malloc keep what is freed, for a model's calls to come. */
void keep_memory(void);
/* Number of the machine's cores. */
int core_count(void);

/* The commands; each returns its exit status. */
int sample_command(Arena *a, int argc, char **argv);
int generate_command(Arena *a, int argc, char **argv);
int summary_command(Arena *a, int argc, char **argv);

#endif
