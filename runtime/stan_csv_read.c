/* Reading of Stan's CSV files. */
#include "base/text.h"
#include "runtime/stan_csv.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

typedef struct {
  Arena *arena;
  CsvDraws *out;
  size_t capacity; /* of rows */
  const char **names;
  size_t name_capacity, line;
} Reader;

/* The number after "NAME =" in a comment. */
static bool setting(const char *comment, const char *name, double *x) {
  comment += strspn(comment, "# ");
  size_t n = strlen(name);
  if (strncmp(comment, name, n) != 0) return false;
  comment += n + strspn(comment + n, " ");
  char *end;
  if (*comment++ != '=') return false;
  double value = strtod(comment, &end);
  if (end == comment) return false;
  *x = value;
  return true;
}

static void read_comment(Reader *r, const char *line) {
  double x;
  if (setting(line, "id", &x) && x >= 1 && x < 1e9) r->out->chain = (int64_t)x;
  if (setting(line, "max_depth", &x) && x >= 1 && x < 1e3) r->out->max_depth = (int64_t)x;
  if (setting(line, "delta", &x)) r->out->delta = x;
  /* what came before it are draws of the warmup */
  if (strstr(line, "Adaptation terminated")) r->out->rows = 0;
}

static const char *read_names(Reader *r, const char *line) {
  for (const char *p = line;;) {
    size_t n = strcspn(p, ",");
    if (n == 0) return arena_printf(r->arena, "line %zu: a column has no name", r->line);
    ARENA_PUSH(r->arena, r->names, r->out->columns, r->name_capacity,
               arena_strndup(r->arena, p, n));
    if (!p[n]) break;
    p += n + 1;
  }
  r->out->names = r->names;
  return NULL;
}

static bool grow(Reader *r) {
  if (r->out->rows < r->capacity) return true;
  size_t capacity = r->capacity ? r->capacity * 2 : 256, columns = r->out->columns;
  if (capacity > SIZE_MAX / sizeof(double) / columns) return false;
  double *larger = realloc(r->out->values, capacity * columns * sizeof *larger);
  if (!larger) return false;
  r->out->values = larger;
  r->capacity = capacity;
  return true;
}

static const char *read_row(Reader *r, const char *line) {
  if (!grow(r)) return "there is not enough memory for its draws";
  double *row = r->out->values + r->out->rows * r->out->columns;
  const char *p = line;
  char *end;
  for (size_t c = 0; c < r->out->columns; c++) {
    row[c] = strtod(p, &end);
    if (end == p)
      return arena_printf(r->arena, "line %zu: column %s has no number", r->line, r->names[c]);
    p = end + strspn(end, " ");
    if (c + 1 == r->out->columns ? *p != 0 : *p != ',')
      return arena_printf(r->arena, "line %zu: %zu numbers are expected", r->line, r->out->columns);
    p++;
  }
  r->out->rows++;
  return NULL;
}

static const char *read_line(Reader *r, char *line, size_t n) {
  bool whole = n && line[n - 1] == '\n';
  while (n && (line[n - 1] == '\n' || line[n - 1] == '\r')) line[--n] = 0;
  r->line++;
  if (strlen(line) != n) return arena_printf(r->arena, "line %zu is no text", r->line);
  if (*line == '#') {
    read_comment(r, line);
    return NULL;
  }
  if (n == 0) return NULL;
  if (!r->names) return read_names(r, line);
  size_t before = r->out->rows;
  const char *error = read_row(r, line);
  if (whole) return error;
  r->out->rows = before;
  return NULL;
}

const char *csv_read(Arena *a, const char *path, CsvDraws *out) {
  *out = (CsvDraws){.path = path};
  Reader r = {.arena = a, .out = out};
  FILE *file = fopen(path, "rb");
  if (!file) return arena_printf(a, "cannot read %s: %s", path, strerror(errno));
  char *line = NULL;
  size_t room = 0;
  ssize_t n;
  const char *error = NULL;
  while (!error && (n = getline(&line, &room, file)) > 0) error = read_line(&r, line, (size_t)n);
  if (!error && ferror(file)) error = strerror(errno);
  if (!error && !r.names) error = "it has no line of names";
  free(line);
  fclose(file);
  if (error) csv_free(out);
  return error ? arena_printf(a, "%s: %s", path, error) : NULL;
}

void csv_free(CsvDraws *d) {
  free(d->values);
  d->values = NULL;
}
