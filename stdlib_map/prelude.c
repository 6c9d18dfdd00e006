#include "stdlib_map/prelude.h"

#include "stdlib_map/library.h"

#include <string.h>

typedef enum { FILE_UNREAD, FILE_READING, FILE_READ } FileState;

typedef struct {
  FileState state;
  Program *program; /* its functions; NULL when it has errors */
} File;

struct Prelude {
  Arena *arena;
  Sources *sources;
  Diagnostics *diagnostics; /* of the library's own sources */
  File *files;
};

Prelude *prelude_new(Arena *arena) {
  Prelude *p = ARENA_NEW(arena, Prelude);
  p->arena = arena;
  p->sources = sources_new(arena);
  p->diagnostics = diagnostics_new(arena);
  p->files = ARENA_ARRAY(arena, File, (size_t)library_file_count);
  return p;
}

/* Index of the first entry of library_functions named `name`, or the count. */
static int first_entry(const char *name) {
  int low = 0, high = library_function_count;
  while (low < high) {
    int middle = low + (high - low) / 2;
    if (strcmp(library_functions[middle].name, name) < 0)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

static FunDef *const *find_for_checker(void *context, const char *name, int *count);

static void read_file(Prelude *p, int number) {
  File *f = &p->files[number];
  if (f->state != FILE_UNREAD) return;
  f->state = FILE_READING;
  const LibraryFile *source = &library_files[number];
  uint32_t id = sources_add(p->sources, source->name, source->text, source->length);
  ParseOptions parse = {.functions_only = true, .allow_annotations = true};
  Program *program = parse_program(p->arena, p->sources, id, parse, p->diagnostics);
  f->program = program;
  f->state = FILE_READ;
  CheckOptions check = {.is_library = true, .library = {find_for_checker, p}};
  if (program && !check_program(p->arena, program, check, p->diagnostics)) f->program = NULL;
}

static FunDef *const *collect(Prelude *p, const char *name, int *count) {
  FunDef **found = NULL;
  size_t n = 0, capacity = 0;
  int last = -1;
  for (int k = first_entry(name);
       k < library_function_count && !strcmp(library_functions[k].name, name); k++) {
    int file = library_functions[k].file;
    if (file == last) continue;
    last = file;
    read_file(p, file);
    Program *program = p->files[file].program;
    for (int j = 0; program && j < program->function_count; j++)
      if (!strcmp(program->functions[j]->name, name))
        ARENA_PUSH(p->arena, found, n, capacity, program->functions[j]);
  }
  *count = (int)n;
  return found;
}

static FunDef *const *find_for_checker(void *context, const char *name, int *count) {
  return collect(context, name, count);
}

FunDef *const *prelude_find(Prelude *p, const char *name, int *count, Diagnostics *d) {
  FunDef *const *found = collect(p, name, count);
  size_t n;
  const Diagnostic *list = diag_list(p->diagnostics, &n);
  for (size_t k = 0; k < n; k++) {
    if (list[k].kind == DIAG_WARNING || list[k].kind == DIAG_NOTE) continue;
    Text text = text_new(p->arena);
    diagnostic_print(&text, &list[k], p->sources);
    diag_nowhere(d, DIAG_INTERNAL, "in the library: %s", text.data);
  }
  diag_rewind(p->diagnostics, 0);
  return found;
}

const Annotation *prelude_annotation(const FunDef *f, const char *name) {
  for (int k = 0; k < f->annotation_count; k++)
    if (!strcmp(f->annotations[k].name, name)) return &f->annotations[k];
  return NULL;
}

static bool derives(const FunDef *g, const FunDef *f, const char *parameter) {
  const Annotation *a = prelude_annotation(g, parameter ? "derivative" : "vjp");
  return a && a->arg_count == (parameter ? 2 : 1) && !strcmp(a->args[0], f->name) &&
         (!parameter || !strcmp(a->args[1], parameter));
}

const FunDef *prelude_derivative(Prelude *p, const FunDef *f, const char *parameter,
                                 Diagnostics *d) {
  (void)d;
  for (int k = 0; k < library_file_count; k++) {
    const Program *program = p->files[k].program;
    bool here = false;
    for (int j = 0; program && j < program->function_count; j++) here |= program->functions[j] == f;
    for (int j = 0; here && j < program->function_count; j++)
      if (derives(program->functions[j], f, parameter)) return program->functions[j];
  }
  return NULL;
}
