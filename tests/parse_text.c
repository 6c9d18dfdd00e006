#include "tests/parse_text.h"

#include <check.h>
#include <string.h>

Parsed parse_bytes(const char *bytes, size_t length, ParseOptions options) {
  Parsed p = {.arena = arena_new()};
  p.sources = sources_new(p.arena);
  p.diagnostics = diagnostics_new(p.arena);
  p.file = sources_add(p.sources, "m.stan", bytes, length);
  p.program = parse_program(p.arena, p.sources, p.file, options, p.diagnostics);
  return p;
}

Parsed parse_text(const char *text, ParseOptions options) {
  return parse_bytes(text, strlen(text), options);
}

void parsed_free(Parsed *p) {
  arena_free(p->arena);
  p->arena = NULL;
}

const char *parsed_messages(const Parsed *p) {
  Text out = text_new(p->arena);
  size_t count;
  const Diagnostic *list = diag_list(p->diagnostics, &count);
  for (size_t k = 0; k < count; k++) diagnostic_print(&out, &list[k], p->sources);
  return out.data ? out.data : "";
}

const char *parsed_tree(const Parsed *p) {
  ck_assert_msg(p->program != NULL, "%s", parsed_messages(p));
  Text out = text_new(p->arena);
  ast_print(&out, p->program);
  return out.data ? out.data : "";
}

const char *parsed_span(const Parsed *p, Span span) {
  size_t length;
  const char *text = sources_text(p->sources, span.file, &length);
  ck_assert_uint_le(span.begin, span.end);
  ck_assert_uint_le(span.end, length);
  return arena_strndup(p->arena, text + span.begin, span.end - span.begin);
}
