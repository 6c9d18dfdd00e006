#include "runtime/stan_csv.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const double TWO_PI = 6.283185307179586;

/* The version of the language. */
enum { VERSION_MAJOR = 2, VERSION_MINOR = 40, VERSION_PATCH = 0 };

/* Where the last whole line of a file ends that was whole up to `sound`. */
static long end_of_lines(const char *path, long sound) {
  char block[4096];
  long end = sound, at = sound;
  FILE *file = fopen(path, "rb");
  if (file && fseek(file, sound, SEEK_SET) == 0)
    for (size_t n; (n = fread(block, 1, sizeof block, file)) > 0; at += (long)n)
      for (size_t i = 0; i < n; i++)
        if (block[i] == '\n') end = at + (long)i + 1;
  if (file) fclose(file);
  return end;
}

/* Gives the file up; only its whole lines stay. Pipes and devices stay as they are. */
static void fail(CsvFile *f) {
  if (!f->error) f->error = errno ? errno : EIO;
  if (!f->file) return;
  int descriptor = dup(fileno(f->file));
  fclose(f->file); /* may write a part of what it has */
  f->file = NULL;
  if (descriptor < 0) return;
  struct stat status;
  if (fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode) &&
      ftruncate(descriptor, end_of_lines(f->path, f->sound)) != 0)
    errno = 0; /* nothing better is left to do */
  close(descriptor);
}

void csv_flush(CsvFile *f) {
  if (!f->file) return;
  errno = 0;
  if (ferror(f->file) || fflush(f->file) != 0) {
    fail(f);
    return;
  }
  long at = ftell(f->file);
  if (at > 0) f->sound = at;
}

/* ---- comments ---- */

static void add_real(FILE *to, const char *indent, const char *name, double x, double usual) {
  fprintf(to, "# %s%s = %g%s\n", indent, name, x, x == usual ? " (Default)" : "");
}

static void add_int(FILE *to, const char *indent, const char *name, int64_t x, int64_t usual) {
  fprintf(to, "# %s%s = %" PRId64 "%s\n", indent, name, x, x == usual ? " (Default)" : "");
}

static void add_text(FILE *to, const char *indent, const char *name, const char *x, bool usual) {
  fprintf(to, "# %s%s = ", indent, name);
  for (; x && *x; x++) fputc(*x == '\n' || *x == '\r' ? ' ' : *x, to);
  fputs(usual ? " (Default)\n" : "\n", to);
}

static void add_adapt(FILE *to, const CsvSettings *s) {
  fprintf(to, "#     adapt\n");
  add_text(to, "      ", "engaged", s->warmup ? "true" : "false", s->warmup > 0);
  add_real(to, "      ", "gamma", 0.05, 0.05);
  add_real(to, "      ", "delta", s->delta, 0.8);
  add_real(to, "      ", "kappa", 0.75, 0.75);
  add_int(to, "      ", "t0", 10, 10);
  add_int(to, "      ", "init_buffer", 75, 75);
  add_int(to, "      ", "term_buffer", 50, 50);
  add_int(to, "      ", "window", 25, 25);
  add_text(to, "      ", "save_metric", "false", true);
}

static void add_algorithm(FILE *to, const CsvSettings *s) {
  if (s->method == CSV_FIXED_PARAM) {
    fprintf(to, "#     algorithm = fixed_param\n");
    return;
  }
  fprintf(to, "#     algorithm = hmc (Default)\n#       hmc\n");
  bool is_static = strcmp(s->engine, "static") == 0;
  add_text(to, "        ", "engine", s->engine, !is_static);
  fprintf(to, "#           %s\n", s->engine);
  if (is_static)
    add_real(to, "            ", "int_time", s->int_time, TWO_PI);
  else
    add_int(to, "            ", "max_depth", s->max_depth, 10);
  bool usual = strcmp(s->metric, "diag") == 0;
  fprintf(to, "#         metric = %s_e%s\n", s->metric, usual ? " (Default)" : "");
  add_text(to, "        ", "metric_file", "", true);
  add_real(to, "        ", "stepsize", s->step_size, 1);
  add_int(to, "        ", "stepsize_jitter", 0, 0);
}

static void add_sample(CsvFile *f, const CsvSettings *s) {
  FILE *to = f->file;
  fprintf(to, "# method = sample (Default)\n#   sample\n#     num_samples = ");
  f->samples_at = ftell(to);
  fprintf(to, "%" PRId64 "%s\n", s->samples, s->samples == 1000 ? " (Default)" : "");
  add_int(to, "    ", "num_warmup", s->warmup, 1000);
  add_text(to, "    ", "save_warmup", s->save_warmup ? "true" : "false", !s->save_warmup);
  add_int(to, "    ", "thin", s->thin, 1);
  add_adapt(to, s);
  add_algorithm(to, s);
  add_int(to, "    ", "num_chains", 1, 1);
}

static void add_settings(CsvFile *f, const CsvSettings *s) {
  FILE *to = f->file;
  fprintf(to, "# stan_version_major = %d\n# stan_version_minor = %d\n# stan_version_patch = %d\n",
          VERSION_MAJOR, VERSION_MINOR, VERSION_PATCH);
  fprintf(to, "# model = %s_model\n", s->model);
  if (s->method == CSV_GENERATE) {
    fprintf(to, "# method = generate_quantities\n#   generate_quantities\n");
    add_text(to, "    ", "fitted_params", s->fitted, false);
    add_int(to, "    ", "num_chains", 1, 1);
  } else {
    add_sample(f, s);
  }
  add_int(to, "", "id", s->chain, 1);
  fprintf(to, "# data\n");
  add_text(to, "  ", "file", s->data_path, !s->data_path);
  add_text(to, "", "init", s->init ? s->init : "2", !s->init);
  fprintf(to, "# random\n#   seed = %" PRIu64 "\n# output\n", s->seed);
  add_text(to, "  ", "file", f->path, false);
  add_text(to, "  ", "diagnostic_file", "", true);
  add_int(to, "  ", "sig_figs", s->digits, 8);
  add_int(to, "", "num_threads", s->threads, 1);
  fprintf(to, "# stanc_version = stan2onnx %s\n# stancflags = \n", STAN2ONNX_VERSION);
}

void csv_begin(CsvFile *f, const char *path, const CsvSettings *settings, const char *const *names,
               const bool *integers, size_t columns) {
  *f = (CsvFile){.path = path,
                 .digits = (int)settings->digits,
                 .columns = columns,
                 .integers = integers,
                 .file = fopen(path, "wb")};
  if (!f->file) {
    f->error = errno;
    return;
  }
  add_settings(f, settings);
  for (size_t c = 0; c < columns; c++) fprintf(f->file, c ? ",%s" : "%s", names[c]);
  fputc('\n', f->file);
  csv_flush(f);
}

static void add_number(CsvFile *f, double x) {
  if (isnan(x))
    fputs("nan", f->file);
  else
    fprintf(f->file, "%.*g", f->digits, x);
}

void csv_adapted(CsvFile *f, double step_size, const char *metric, const double *inverse,
                 size_t n) {
  if (!f->file) return;
  fputs("# Adaptation terminated\n# Step size = ", f->file);
  add_number(f, step_size);
  bool dense = strcmp(metric, "dense") == 0;
  if (strcmp(metric, "unit") == 0)
    fputs("\n# No free parameters for unit metric\n", f->file);
  else
    fputs(dense ? "\n# Elements of inverse mass matrix:\n"
                : "\n# Diagonal elements of inverse mass matrix:\n",
          f->file);
  size_t lines = strcmp(metric, "unit") == 0 ? 0 : dense ? n : 1;
  for (size_t i = 0; i < lines; i++) {
    for (size_t j = 0; j < n; j++) {
      fputs(j ? ", " : "# ", f->file);
      add_number(f, inverse[i * n + j]);
    }
    fputc('\n', f->file);
  }
}

/* ---- draws ---- */

enum { ROOM = 40 }; /* for a number and its comma */

static char *print_number(char *to, const CsvFile *f, size_t column, double x) {
  if (f->integers[column] && fabs(x) < 1e15) return to + sprintf(to, "%.0f", x);
  if (isnan(x)) return memcpy(to, "nan", 3), to + 3;
  return to + sprintf(to, "%.*g", f->digits, x);
}

void csv_rows(CsvFile *f, const double *rows, size_t stride, size_t count) {
  char buffer[4096];
  for (size_t i = 0; f->file && i < count; i++) {
    char *to = buffer;
    for (size_t c = 0; c < f->columns; c++) {
      to = print_number(to, f, c, rows[i * stride + c]);
      *to++ = c + 1 == f->columns ? '\n' : ',';
      if (to - buffer < (ptrdiff_t)sizeof buffer - ROOM && c + 1 < f->columns) continue;
      size_t size = (size_t)(to - buffer);
      to = buffer;
      if (fwrite(buffer, 1, size, f->file) == size) continue;
      fail(f);
      return;
    }
  }
}

/* Over the number in the comments, with blanks for what was longer. */
static void correct_samples(CsvFile *f, int64_t samples) {
  char written[64], line[64];
  if (!f->samples_at || fflush(f->file) != 0) return;
  FILE *again = fopen(f->path, "rb");
  bool found = again && fseek(again, f->samples_at, SEEK_SET) == 0 &&
               fgets(written, sizeof written, again) && strchr(written, '\n');
  if (again) fclose(again);
  if (!found) return;
  int room = (int)strcspn(written, "\n");
  if (snprintf(line, sizeof line, "%-*" PRId64, room, samples) != room) return;
  if (fseek(f->file, f->samples_at, SEEK_SET) == 0) fputs(line, f->file);
  fseek(f->file, 0, SEEK_END);
}

void csv_close(CsvFile *f) {
  csv_flush(f);
  if (f->file && fclose(f->file) != 0 && !f->error) f->error = errno;
  f->file = NULL;
}

void csv_end(CsvFile *f, double warmup_seconds, double sampling_seconds, int64_t samples) {
  if (!f->file) return;
  if (samples >= 0) correct_samples(f, samples);
  fprintf(f->file,
          "# \n#  Elapsed Time: %.3f seconds (Warm-up)\n#                %.3f seconds (Sampling)\n"
          "#                %.3f seconds (Total)\n# \n",
          warmup_seconds, sampling_seconds, warmup_seconds + sampling_seconds);
  csv_close(f);
}
