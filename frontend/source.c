/* Files, #include, lines and columns; diagnostics as people read them. */
#include "frontend/syntax.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

typedef struct {
  const char *name, *text;
  size_t length;
  uint32_t *lines; /* where each line begins; made when first asked for */
  size_t line_count;
  bool included;
  Span directive; /* of an included file: the #include */
} SourceFile;

struct Sources {
  Arena *arena;
  SourceFile *files;
  size_t count, capacity;
  size_t included_bytes;
  const char *const *paths;
  size_t path_count;
};

Sources *sources_new(Arena *arena) {
  Sources *s = ARENA_NEW(arena, Sources);
  s->arena = arena;
  return s;
}

static uint32_t add_file(Sources *s, SourceFile file) {
  ARENA_PUSH(s->arena, s->files, s->count, s->capacity, file);
  return (uint32_t)(s->count - 1);
}

uint32_t sources_add(Sources *s, const char *name, const char *text, size_t length) {
  return add_file(s, (SourceFile){.name = arena_strdup(s->arena, name),
                                  .text = arena_strndup(s->arena, text, length),
                                  .length = length});
}

void sources_set_include_paths(Sources *s, const char *const *paths, size_t count) {
  s->paths = paths;
  s->path_count = count;
}

const char *sources_name(const Sources *s, uint32_t file) { return s->files[file].name; }

const char *sources_text(const Sources *s, uint32_t file, size_t *length) {
  *length = s->files[file].length;
  return s->files[file].text;
}

size_t sources_count(const Sources *s) { return s->count; }

/* ---- #include ---- */

/* The text of a regular file; NULL when there is none of that name, or it cannot be read. */
static const char *read_file(Sources *s, const char *path, size_t *length, bool *too_large) {
  struct stat info;
  if (stat(path, &info) != 0 || !S_ISREG(info.st_mode)) return NULL;
  if (info.st_size > MAX_SOURCE_BYTES ||
      s->included_bytes + (size_t)info.st_size > MAX_SOURCE_BYTES) {
    *too_large = true;
    return NULL;
  }
  FILE *f = fopen(path, "rb");
  if (!f) return NULL;
  size_t size = (size_t)info.st_size;
  s->included_bytes += size;
  char *text = arena_alloc(s->arena, size + 1);
  *length = fread(text, 1, size, f);
  bool failed = ferror(f) != 0;
  fclose(f);
  return failed ? NULL : text;
}

static bool is_open(const Sources *s, uint32_t file, const char *name) {
  for (;;) {
    const SourceFile *f = &s->files[file];
    if (!strcmp(f->name, name)) return true;
    if (!f->included) return false;
    file = f->directive.file;
  }
}

static bool was_included(const Sources *s, const char *name) {
  for (size_t k = 0; k < s->count; k++)
    if (s->files[k].included && !strcmp(s->files[k].name, name)) return true;
  return false;
}

static bool ends_with(const char *s, const char *suffix) {
  size_t n = strlen(s), m = strlen(suffix);
  return n >= m && !strcmp(s + n - m, suffix);
}

/* `name` as the k-th place to look calls it: 0 is the folder of the including file. */
static const char *candidate(const Sources *s, const char *including, const char *name, size_t k) {
  if (k > 0) return arena_printf(s->arena, "%s/%s", s->paths[k - 1], name);
  const char *slash = strrchr(including, '/');
  if (!slash || name[0] == '/') return arena_strdup(s->arena, name);
  return arena_printf(s->arena, "%.*s/%s", (int)(slash - including), including, name);
}

IncludeResult sources_include(Sources *s, Span directive, const char *name, uint32_t *file) {
  bool too_large = false;
  const char *including = s->files[directive.file].name;
  for (size_t k = 0; k <= s->path_count; k++) {
    const char *path = candidate(s, including, name, k);
    if (is_open(s, directive.file, path)) return INCLUDE_RECURSIVE;
    if (ends_with(path, ".stanfunctions") && was_included(s, path)) return INCLUDE_SKIPPED;
    size_t length = 0;
    const char *text = read_file(s, path, &length, &too_large);
    if (!text) continue;
    *file = add_file(s, (SourceFile){.name = path,
                                     .text = text,
                                     .length = length,
                                     .included = true,
                                     .directive = directive});
    return INCLUDE_OK;
  }
  return too_large ? INCLUDE_TOO_LARGE : INCLUDE_NOT_FOUND;
}

/* ---- lines ---- */

/* Lengths of a line's end at text[k], 0 where there is none: \n, \r, and any number of \r before a
 * \n. */
static size_t line_end(const SourceFile *f, size_t k) {
  size_t n = k;
  while (n < f->length && f->text[n] == '\r') n++;
  if (n < f->length && f->text[n] == '\n') return n + 1 - k;
  return n > k ? 1 : 0;
}

static void find_lines(const Sources *s, SourceFile *f) {
  if (f->lines) return;
  uint32_t *lines = NULL;
  size_t count = 0, capacity = 0;
  ARENA_PUSH(s->arena, lines, count, capacity, 0);
  for (size_t k = 0; k < f->length;) {
    size_t n = line_end(f, k);
    k += n ? n : 1;
    if (n) ARENA_PUSH(s->arena, lines, count, capacity, (uint32_t)k);
  }
  f->lines = lines;
  f->line_count = count;
}

/* Number, from 0, of the line that holds a byte. */
static size_t line_of(const SourceFile *f, uint32_t offset) {
  size_t low = 0, high = f->line_count;
  while (high - low > 1) {
    size_t middle = low + (high - low) / 2;
    if (f->lines[middle] <= offset)
      low = middle;
    else
      high = middle;
  }
  return low;
}

void sources_locate(const Sources *s, uint32_t file, uint32_t offset, int *line, int *column) {
  SourceFile *f = &s->files[file];
  find_lines(s, f);
  size_t k = line_of(f, offset);
  *line = (int)k + 1;
  *column = (int)(offset - f->lines[k]);
}

/* ---- diagnostics ---- */

static const struct {
  const char *located, *nowhere, *suffix;
} headlines[] = {
    [DIAG_NOTE] = {"Note in", "Note", ""},
    [DIAG_WARNING] = {"Warning in", "Warning", ""},
    [DIAG_SYNTAX] = {"Syntax error in", "Syntax error", ", parsing error"},
    [DIAG_SEMANTIC] = {"Semantic error in", "Semantic error", ""},
    [DIAG_DATA] = {"Data error in", "Data error", ""},
    [DIAG_UNSUPPORTED] = {"Not supported yet, in", "Not supported yet", ""},
    [DIAG_INTERNAL] = {"Error in", "Error", ""},
};

/* How much of a long line is shown, and how much of that before the place itself. */
enum { SHOWN_BYTES = 160, SHOWN_BEFORE = 100 };

static bool continues_character(char c) { return ((unsigned char)c & 0xC0) == 0x80; }

/* The length of the UTF-8 character at s (of at most n bytes), or 0 where there is none. */
static size_t character_length(const char *s, size_t n) {
  unsigned char c = (unsigned char)s[0];
  size_t length = c < 0x80 ? 1 : c < 0xC2 ? 0 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : c < 0xF5 ? 4 : 0;
  if (length > n) return 0;
  for (size_t k = 1; k < length; k++)
    if (!continues_character(s[k])) return 0;
  return length;
}

/* Text of others; what a terminal would act upon, or cannot show, becomes '?'. */
static void add_shown(Text *out, const char *s, size_t n) {
  for (size_t k = 0; k < n;) {
    size_t length = character_length(s + k, n - k);
    bool control =
        length == 1 && ((unsigned char)s[k] < 0x20 || s[k] == 0x7F) && s[k] != '\t' && s[k] != '\n';
    if (length == 0 || control) {
      text_add(out, "?");
      k++;
    } else {
      text_add_bytes(out, s + k, length);
      k += length;
    }
  }
}

/* As wide as the stretch of source: blanks, or `mark` for each character; tabs stay. */
static void add_width(Text *out, const char *s, size_t n, char mark) {
  for (size_t k = 0; k < n;) {
    size_t length = character_length(s + k, n - k);
    char c = s[k] == '\t' ? '\t' : mark;
    text_add_bytes(out, &c, 1);
    k += length ? length : 1;
  }
}

static size_t line_length(const SourceFile *f, size_t line) {
  size_t begin = f->lines[line], end = begin;
  while (end < f->length && !line_end(f, end)) end++;
  return end - begin;
}

/* The line of `span` and the one before it, with a caret and a line under the place. */
static void add_context(Text *out, const Sources *s, Span span) {
  const SourceFile *f = &s->files[span.file];
  size_t line = line_of(f, span.begin);
  for (size_t k = line > 0 ? line - 1 : 0; k <= line; k++) {
    const char *text = f->text + f->lines[k];
    size_t length = line_length(f, k), column = span.begin - f->lines[line];
    if (k < line && (length > SHOWN_BYTES || column > SHOWN_BEFORE)) continue;
    if (column > length) column = length;
    size_t from = k == line && column > SHOWN_BEFORE ? column - SHOWN_BEFORE : 0;
    while (from > 0 && from < length && continues_character(text[from])) from--;
    size_t shown = length - from < SHOWN_BYTES ? length - from : SHOWN_BYTES;
    text_printf(out, "%6zu | %s", k + 1, from ? "..." : "");
    add_shown(out, text + from, shown);
    text_add(out, shown < length - from ? "...\n" : "\n");
    if (k < line) continue;
    text_printf(out, "       | %s", from ? "   " : "");
    add_width(out, text + from, column - from, ' ');
    text_add(out, "^");
    size_t end = span.end - f->lines[line];
    if (end > from + shown) end = from + shown;
    if (end > column + 1) {
      Text under = text_new(out->arena);
      add_width(&under, text + column, end - column, '~');
      text_add(out, under.data + 1);
    }
    text_add(out, "\n");
  }
}

static void add_place(Text *out, const Sources *s, uint32_t file, uint32_t offset) {
  int line, column;
  sources_locate(s, file, offset, &line, &column);
  const char *name = s->files[file].name;
  text_add(out, "'");
  add_shown(out, name, strlen(name));
  text_printf(out, "', line %d, column %d", line, column);
}

/* " to column D" or " to line L, column D" of a span that is not empty; then the directives that
 * led into its file. */
static void add_place_of_span(Text *out, const Sources *s, Span span) {
  add_place(out, s, span.file, span.begin);
  const SourceFile *f = &s->files[span.file];
  if (f->included) {
    for (; f->included; f = &s->files[f->directive.file]) {
      text_add(out, ", included from\n");
      add_place(out, s, f->directive.file, f->directive.begin);
    }
    return;
  }
  int line, column, end_line, end_column;
  sources_locate(s, span.file, span.begin, &line, &column);
  sources_locate(s, span.file, span.end, &end_line, &end_column);
  if (end_line != line)
    text_printf(out, " to line %d, column %d", end_line, end_column);
  else if (end_column != column)
    text_printf(out, " to column %d", end_column);
}

void diagnostic_print(Text *out, const Diagnostic *d, const Sources *s) {
  if (!d->located || d->span.file >= s->count) {
    text_printf(out, "%s: ", headlines[d->kind].nowhere);
    add_shown(out, d->message, strlen(d->message));
    text_add(out, "\n");
    return;
  }
  Span span = d->span;
  size_t length = s->files[span.file].length;
  if (span.begin > length) span.begin = (uint32_t)length;
  if (span.end > length) span.end = (uint32_t)length;
  if (span.end < span.begin) span.end = span.begin;
  text_printf(out, "%s ", headlines[d->kind].located);
  add_place_of_span(out, s, span);
  text_printf(out, "%s:\n", headlines[d->kind].suffix);
  add_context(out, s, span);
  add_shown(out, d->message, strlen(d->message));
  text_add(out, "\n\n");
}
