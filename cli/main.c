/* The stan2onnx command. */
#include "cli/files.h"
#include "cli/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print_statistics(const Stan2onnxResult *r) {
  const Stan2onnxStatistics *s = stan2onnx_statistics(r);
  fprintf(
      stderr,
      "nodes %d, functions %d, initializers %d (%zu bytes), model %zu bytes, memory %zu bytes\n",
      s->nodes, s->functions, s->initializers, s->initializer_bytes, s->model_bytes,
      s->arena_bytes);
  fprintf(stderr, "parse %.1f ms, check %.1f ms, lower %.1f ms, emit %.1f ms\n",
          1e3 * s->parse_seconds, 1e3 * s->check_seconds, 1e3 * s->lower_seconds,
          1e3 * s->emit_seconds);
}

static bool write_depfile(const Options *o, const Stan2onnxResult *r) {
  FILE *f = fopen(o->depfile, "w");
  if (!f) {
    fprintf(stderr, "stan2onnx: cannot write %s\n", o->depfile);
    return false;
  }
  fprintf(f, "%s: %s", o->output ? o->output : "-", o->model);
  if (o->data && strcmp(o->data, "-")) fprintf(f, " %s", o->data);
  const char *name;
  for (size_t k = 0; (name = stan2onnx_included_file(r, k)); k++) fprintf(f, " %s", name);
  fputc('\n', f);
  return fclose(f) == 0;
}

static bool write_external(const char *path, const Stan2onnxResult *r) {
  size_t count = 0, size;
  while (stan2onnx_external_piece(r, count, &size)) count++;
  if (!count) return true;
  Piece *pieces = calloc(count, sizeof *pieces);
  if (!pieces) return false;
  for (size_t k = 0; k < count; k++)
    pieces[k].bytes = stan2onnx_external_piece(r, k, &pieces[k].size);
  bool ok = write_file(path, pieces, count);
  free(pieces);
  return ok;
}

/* Writes what was made; its exit status. */
static int write_results(const Options *o, const Stan2onnxResult *r, const char *external) {
  Piece output;
  output.bytes = stan2onnx_output(r, &output.size);
  if (o->compile.output == STAN2ONNX_CHECK) return 0;
  if (external && !write_external(external, r)) return 2;
  if (!write_file(o->output ? o->output : "-", &output, 1)) {
    size_t size;
    if (external && stan2onnx_external_piece(r, 0, &size)) remove(external);
    return 2;
  }
  return o->depfile && !write_depfile(o, r) ? 2 : 0;
}

/* "dir/m.onnx" -> "dir/m.onnx.data" */
static char *external_path(const char *output) {
  if (!output || !strcmp(output, "-")) return NULL;
  char *path = malloc(strlen(output) + 6);
  if (path) strcat(strcpy(path, output), ".data");
  return path;
}

int main(int argc, char **argv) {
  Options o;
  const char *error = parse_options(argc, argv, &o);
  if (error) {
    fprintf(stderr, "stan2onnx: %s\n", error);
    return 2;
  }
  if (o.help) return print_help(), 0;
  if (o.version) return printf("stan2onnx %s\n", stan2onnx_version()), 0;
  char *external = external_path(o.output), *data = NULL;
  char *source = read_file(o.model, &o.compile.source_length);
  if (source && o.data) data = read_file(o.data, &o.compile.data_length);
  if (!source || (o.data && !data)) return free(source), free(external), 2;
  o.compile.name = strcmp(o.model, "-") ? o.model : "stdin";
  o.compile.source = source;
  o.compile.data = data;
  o.compile.data_name = o.data;
  const char *slash = external ? strrchr(external, '/') : NULL;
  o.compile.external_name = slash ? slash + 1 : external;
  Stan2onnxResult *r = stan2onnx_compile(&o.compile);
  if (!r) return fprintf(stderr, "stan2onnx: out of memory\n"), 4;
  fputs(stan2onnx_diagnostics(r), stderr);
  int status = (int)stan2onnx_status(r);
  if (status == 0) status = write_results(&o, r, external);
  if (o.statistics && status == 0) print_statistics(r);
  stan2onnx_free(r);
  free(source);
  free(data);
  free(external);
  return status;
}
