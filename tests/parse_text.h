/* Parsing a text, for the tests of the front end. */
#ifndef STAN2ONNX_TESTS_PARSE_TEXT_H
#define STAN2ONNX_TESTS_PARSE_TEXT_H

#include "frontend/frontend.h"

typedef struct {
  Arena *arena;
  Sources *sources;
  uint32_t file;
  Diagnostics *diagnostics;
  Program *program; /* NULL when there was an error */
} Parsed;

/* Parses `text` as the file "m.stan". Freed with parsed_free. */
Parsed parse_text(const char *text, ParseOptions options);
Parsed parse_bytes(const char *bytes, size_t length, ParseOptions options);
void parsed_free(Parsed *p);

/* All diagnostics as people read them; "" if there are none. */
const char *parsed_messages(const Parsed *p);
/* The tree as ast_print has it; the test fails with the diagnostics if there is none. */
const char *parsed_tree(const Parsed *p);
/* The source text that a span covers. */
const char *parsed_span(const Parsed *p, Span span);

#endif
