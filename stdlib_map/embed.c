/* Build tool: writes the library's Stan sources as C tables.
 *
 * embed OUT.c FILE.stan...   gives library_files[] (name, text) and library_functions[] (name,
 * file), sorted by name. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  char name[128];
  int file;
} Function;

static Function *functions;
static size_t function_count, function_capacity;

static void add_function(const char *name, size_t length, int file) {
  if (length >= sizeof functions->name) {
    fprintf(stderr, "embed: a function's name is too long\n");
    exit(1);
  }
  if (function_count == function_capacity) {
    function_capacity = function_capacity ? function_capacity * 2 : 256;
    functions = realloc(functions, function_capacity * sizeof *functions);
    if (!functions) exit(1);
  }
  Function *f = &functions[function_count++];
  memcpy(f->name, name, length);
  f->name[length] = 0;
  f->file = file;
}

/* A definition starts in the first column with its result type and has its name in front of the
 * first '(' that does not belong to `tuple(`. */
static void find_function(const char *line, int file) {
  if (!isalpha((unsigned char)line[0])) return;
  const char *at = line;
  if (strncmp(at, "tuple(", 6) == 0) {
    int depth = 0;
    do {
      depth += (*at == '(') - (*at == ')');
      at++;
    } while (*at && (depth > 0 || at[-1] != ')'));
  }
  const char *paren = strchr(at, '(');
  if (!paren) return;
  const char *end = paren, *begin;
  while (end > line && isspace((unsigned char)end[-1])) end--;
  for (begin = end; begin > line && (isalnum((unsigned char)begin[-1]) || begin[-1] == '_');
       begin--) {
  }
  if (begin > line && begin < end) add_function(begin, (size_t)(end - begin), file);
}

static void write_file(FILE *out, const char *path, int number) {
  FILE *in = fopen(path, "r");
  char line[4096];
  if (!in) {
    fprintf(stderr, "embed: cannot read %s\n", path);
    exit(1);
  }
  fprintf(out, "static const char file_%d[] = \"\"\n", number);
  while (fgets(line, sizeof line, in)) {
    find_function(line, number);
    fputs("  \"", out);
    for (const char *c = line; *c; c++) {
      if (*c == '\n')
        fputs("\\n", out);
      else if (*c == '"' || *c == '\\')
        fprintf(out, "\\%c", *c);
      else
        fputc(*c, out);
    }
    fputs("\"\n", out);
  }
  fputs("  ;\n", out);
  fclose(in);
}

static int by_name(const void *a, const void *b) {
  const Function *x = a, *y = b;
  int order = strcmp(x->name, y->name);
  return order ? order : x->file - y->file;
}

int main(int argc, char **argv) {
  FILE *out = argc > 1 ? fopen(argv[1], "w") : NULL;
  if (!out) {
    fprintf(stderr, "usage: embed OUT.c FILE.stan...\n");
    return 2;
  }
  fputs("#include \"stdlib_map/library.h\"\n\n", out);
  for (int k = 2; k < argc; k++) write_file(out, argv[k], k - 2);
  fputs("const LibraryFile library_files[] = {\n", out);
  for (int k = 2; k < argc; k++) {
    const char *base = strrchr(argv[k], '/');
    fprintf(out, "    {\"%s\", file_%d, sizeof file_%d - 1},\n", base ? base + 1 : argv[k], k - 2,
            k - 2);
  }
  fputs("    {0},\n};\n", out);
  qsort(functions, function_count, sizeof *functions, by_name);
  fputs("const LibraryFunction library_functions[] = {\n", out);
  for (size_t k = 0; k < function_count; k++)
    fprintf(out, "    {\"%s\", %d},\n", functions[k].name, functions[k].file);
  fprintf(
      out,
      "    {0},\n};\nconst int library_file_count = %d;\nconst int library_function_count = %d;\n",
      argc - 2, (int)function_count);
  free(functions);
  return fclose(out) != 0;
}
