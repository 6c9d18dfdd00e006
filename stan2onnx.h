/* libstan2onnx: Stan programs to ONNX models.
 *
 *   Stan2onnxOptions options = {.struct_size = sizeof options, .name = "model.stan", .source =
 * text, .source_length = n}; Stan2onnxResult *r = stan2onnx_compile(&options); if
 * (stan2onnx_status(r) == STAN2ONNX_OK) write(stan2onnx_model(r, &size)...); else
 * puts(stan2onnx_diagnostics(r)); stan2onnx_free(r);
 *
 * The library keeps no state between calls; calls from several threads do not disturb one another.
 */
#ifndef STAN2ONNX_H
#define STAN2ONNX_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
  STAN2ONNX_OK = 0,
  STAN2ONNX_INVALID = 1,     /* the program or the data are wrong */
  STAN2ONNX_USAGE = 2,       /* the options are */
  STAN2ONNX_UNSUPPORTED = 3, /* valid, but not supported yet */
  STAN2ONNX_FAILED = 4       /* out of memory, or a fault of the compiler */
} Stan2onnxStatus;

typedef enum {
  STAN2ONNX_LOG_DENSITY, /* unconstrained -> log_density, gradient */
  STAN2ONNX_CONSTRAIN,   /* unconstrained -> parameters and transformed parameters */
  STAN2ONNX_UNCONSTRAIN, /* parameters -> unconstrained */
  STAN2ONNX_GENERATE,    /* parameters -> generated quantities */
  STAN2ONNX_SAMPLE       /* random state, run lengths -> posterior draws (docs/sampling.md) */
} Stan2onnxEntry;

/* The inverse metric that a sampler adapts. */
typedef enum {
  STAN2ONNX_METRIC_DIAG,
  STAN2ONNX_METRIC_DENSE,
  STAN2ONNX_METRIC_UNIT
} Stan2onnxMetric;

/* How long a sampler's trajectories are. */
typedef enum {
  STAN2ONNX_ENGINE_NUTS,  /* until they turn back: the no-U-turn sampler */
  STAN2ONNX_ENGINE_STATIC /* an integration time that is given */
} Stan2onnxEngine;

/* What is produced instead of a model. */
typedef enum {
  STAN2ONNX_MODEL,
  STAN2ONNX_CHECK,    /* nothing: the front end's verdict only */
  STAN2ONNX_INFO,     /* JSON: inputs, parameters, ..., functions, distributions */
  STAN2ONNX_DUMP_AST, /* the syntax tree as text */
  STAN2ONNX_DUMP_IR   /* the IR before emission as text */
} Stan2onnxOutput;

typedef struct {
  size_t struct_size; /* sizeof(Stan2onnxOptions) */
  const char *name;   /* what messages call the program; "*.stanfunctions" holds only functions */
  const char *source; /* the program; need not end in NUL */
  size_t source_length;
  const char *data; /* CmdStan's JSON, or NULL: data become inputs of the model */
  size_t data_length;
  const char *data_name; /* what messages call the data; may be NULL */
  const char *const *include_paths;
  size_t include_path_count;
  Stan2onnxEntry entry;
  Stan2onnxOutput output;
  int keep_constants; /* keep the constants of `~` statements (--no-propto) */
  int no_jacobian;
  int no_gradient;
  int reproducible;    /* the same bits from every runtime (--reproducible) */
  int prob_dialect;    /* keep library calls as functions of the domain ai.onnx.prob */
  int allow_undefined; /* functions may be declared without a definition */
  int warnings_are_errors;
  const char *external_name; /* file name for the data of large constants where the model passes 2
                                GiB; may be NULL */
  const char *const *disabled_passes; /* "fold", "cse", "algebra", "economy", "scan", "squares" */
  size_t disabled_pass_count;
  Stan2onnxMetric metric; /* STAN2ONNX_SAMPLE */
  Stan2onnxEngine engine; /* likewise */
} Stan2onnxOptions;

typedef struct {
  int nodes, initializers, functions;
  size_t initializer_bytes, model_bytes, arena_bytes;
  double parse_seconds, check_seconds, lower_seconds, emit_seconds;
} Stan2onnxStatistics;

typedef struct Stan2onnxResult Stan2onnxResult;

/* Compiles. Options are borrowed for the call. Never NULL unless memory runs out at once. Free with
 * stan2onnx_free. */
Stan2onnxResult *stan2onnx_compile(const Stan2onnxOptions *options);
void stan2onnx_free(Stan2onnxResult *result);

Stan2onnxStatus stan2onnx_status(const Stan2onnxResult *result);
/* Errors, warnings and notes as people read them; "" if none. Valid until stan2onnx_free, as all
 * that follows. */
const char *stan2onnx_diagnostics(const Stan2onnxResult *result);
/* The model's bytes, or the text asked for; NULL when the status is not STAN2ONNX_OK. */
const void *stan2onnx_output(const Stan2onnxResult *result, size_t *size);
/* Pieces of the external file, in order: NULL beyond the last. */
const void *stan2onnx_external_piece(const Stan2onnxResult *result, size_t k, size_t *size);
const Stan2onnxStatistics *stan2onnx_statistics(const Stan2onnxResult *result);
/* Names of the files that were read through #include; NULL beyond the last. */
const char *stan2onnx_included_file(const Stan2onnxResult *result, size_t k);
/* "0.1.0" */
const char *stan2onnx_version(void);

#ifdef __cplusplus
}
#endif
#endif
