/* The front end: Stan source in, checked syntax tree out. */
#ifndef STAN2ONNX_FRONTEND_FRONTEND_H
#define STAN2ONNX_FRONTEND_FRONTEND_H

#include "frontend/ast.h"

/* ---- source.c: files, includes, lines and columns ---- */

typedef struct Sources Sources;

Sources *sources_new(Arena *arena);
/* Adds a file held in memory (bytes are copied); `name` is what messages call it. Its number. */
uint32_t sources_add(Sources *s, const char *name, const char *text, size_t length);
/* Where #include looks, in order, after the folder of the including file; borrowed. */
void sources_set_include_paths(Sources *s, const char *const *paths, size_t count);
const char *sources_name(const Sources *s, uint32_t file);
const char *sources_text(const Sources *s, uint32_t file, size_t *length);
size_t sources_count(const Sources *s);
/* Line (from 1) and column (from 0, as stanc's) of a byte offset. */
void sources_locate(const Sources *s, uint32_t file, uint32_t offset, int *line, int *column);
/* Appends one diagnostic as people read it: stanc's headline
 * "Semantic error in 'FILE', line L, column C to column D:", the source line with a caret, then the
 * message. Kinds without a stanc headline use "Error", "Not supported yet", "Warning", ...
 * likewise. */
void diagnostic_print(Text *out, const Diagnostic *d, const Sources *s);

/* ---- parser.y, lexer.l ---- */

typedef struct {
  bool functions_only;    /* a .stanfunctions file: function definitions without a block */
  bool allow_annotations; /* the library's own sources */
} ParseOptions;

/* Parses file number `file`. NULL when there was an error (reported to d): one of syntax, or an
 * integer literal beyond Stan's int. Trees are of bounded height, so that walks may recurse. */
Program *parse_program(Arena *arena, Sources *sources, uint32_t file, ParseOptions options,
                       Diagnostics *d);

/* ---- check*.c ---- */

/* How the checker learns of functions beyond its signature table: the library's own helpers. May
 * be NULL. Returns the definitions of `name` (already parsed and checked), *count of them. */
typedef struct {
  FunDef *const *(*find)(void *context, const char *name, int *count);
  void *context;
} LibraryLookup;

typedef struct {
  bool allow_undefined; /* forward declarations without a definition are fine */
  bool is_library; /* the library's own sources: helpers may be called, suffix rules are relaxed */
  LibraryLookup library;
} CheckOptions;

/* Checks types, scopes and Stan's rules over the whole program and fills the [checked] fields.
 * Reports to d; false when there was an error. */
bool check_program(Arena *arena, Program *program, CheckOptions options, Diagnostics *d);

#endif
