/* Files: lines and columns, #include, and diagnostics as people read them. */
#include "tests/parse_text.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const ParseOptions program = {0};

/* ---- lines ---- */

static void expect_place(const Sources *s, uint32_t offset, int line, int column) {
  int l, c;
  sources_locate(s, 0, offset, &l, &c);
  ck_assert_msg(l == line && c == column, "offset %u: %d:%d, not %d:%d", offset, l, c, line,
                column);
}

START_TEST(line_ends) {
  Arena *a = arena_new();
  Sources *s = sources_new(a);
  static const char text[] = "ab\nc\r\nd\re\r\r\nf\n";
  sources_add(s, "m", text, sizeof text - 1);
  expect_place(s, 0, 1, 0);
  expect_place(s, 2, 1, 2); /* the line end itself */
  expect_place(s, 3, 2, 0);
  expect_place(s, 5, 2, 2);
  expect_place(s, 6, 3, 0);  /* d, behind \r\n */
  expect_place(s, 8, 4, 0);  /* e, behind a lone \r */
  expect_place(s, 12, 5, 0); /* f, behind \r\r\n: one line end */
  expect_place(s, 14, 6, 0); /* the end of the file */
  arena_free(a);
}
END_TEST

START_TEST(no_text) {
  Arena *a = arena_new();
  Sources *s = sources_new(a);
  sources_add(s, "m", "", 0);
  expect_place(s, 0, 1, 0);
  arena_free(a);
}
END_TEST

/* ---- diagnostics ---- */

static const char *printed(Arena *a, const char *text, uint32_t begin, uint32_t end,
                           DiagKind kind) {
  Sources *s = sources_new(a);
  sources_add(s, "dir/m.stan", text, strlen(text));
  Diagnostics *d = diagnostics_new(a);
  diag(d, kind, (Span){0, begin, end}, "What is wrong.");
  size_t count;
  Text out = text_new(a);
  diagnostic_print(&out, diag_list(d, &count), s);
  return out.data;
}

START_TEST(headlines) {
  Arena *a = arena_new();
  ck_assert_str_eq(printed(a, "one\ntwo x\n", 4, 7, DIAG_SYNTAX),
                   "Syntax error in 'dir/m.stan', line 2, column 0 to column 3, parsing error:\n"
                   "     1 | one\n"
                   "     2 | two x\n"
                   "       | ^~~\n"
                   "What is wrong.\n\n");
  ck_assert_str_eq(printed(a, "one", 1, 2, DIAG_SEMANTIC),
                   "Semantic error in 'dir/m.stan', line 1, column 1 to column 2:\n"
                   "     1 | one\n"
                   "       |  ^\n"
                   "What is wrong.\n\n");
  /* more than one line: the first is underlined to its end */
  ck_assert_str_eq(printed(a, "one\n two\nx", 1, 6, DIAG_SEMANTIC),
                   "Semantic error in 'dir/m.stan', line 1, column 1 to line 2, column 2:\n"
                   "     1 | one\n"
                   "       |  ^~\n"
                   "What is wrong.\n\n");
  /* nothing, at the end of the file */
  ck_assert_str_eq(printed(a, "one\n", 4, 4, DIAG_SYNTAX),
                   "Syntax error in 'dir/m.stan', line 2, column 0, parsing error:\n"
                   "     1 | one\n"
                   "     2 | \n"
                   "       | ^\n"
                   "What is wrong.\n\n");
  static const struct {
    DiagKind kind;
    const char *begin;
  } kinds[] = {{DIAG_WARNING, "Warning in 'dir/m.stan', line 1,"},
               {DIAG_NOTE, "Note in 'dir/m.stan', line 1,"},
               {DIAG_DATA, "Data error in 'dir/m.stan', line 1,"},
               {DIAG_UNSUPPORTED, "Not supported yet, in 'dir/m.stan', line 1,"},
               {DIAG_INTERNAL, "Error in 'dir/m.stan', line 1,"}};
  for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
    const char *text = printed(a, "one", 0, 1, kinds[k].kind);
    ck_assert_msg(!strncmp(text, kinds[k].begin, strlen(kinds[k].begin)), "%s", text);
  }
  arena_free(a);
}
END_TEST

START_TEST(nowhere) {
  Arena *a = arena_new();
  Sources *s = sources_new(a);
  Diagnostics *d = diagnostics_new(a);
  diag_nowhere(d, DIAG_DATA, "No %s.", "x");
  diag(d, DIAG_WARNING, (Span){7, 1, 2}, "Of a file that is not there.");
  size_t count;
  const Diagnostic *list = diag_list(d, &count);
  Text out = text_new(a);
  for (size_t k = 0; k < count; k++) diagnostic_print(&out, &list[k], s);
  ck_assert_str_eq(out.data, "Data error: No x.\nWarning: Of a file that is not there.\n");
  arena_free(a);
}
END_TEST

/* The caret stands under the place: tabs stay tabs, a character of several bytes is one wide, and
 * what a terminal would act upon is not passed on. */
START_TEST(caret) {
  Arena *a = arena_new();
  ck_assert_str_eq(printed(a, "\tx \xC3\xA4\xE2\x82\xAC y", 9, 10, DIAG_SEMANTIC),
                   "Semantic error in 'dir/m.stan', line 1, column 9 to column 10:\n"
                   "     1 | \tx \xC3\xA4\xE2\x82\xAC y\n"
                   "       | \t     ^\n"
                   "What is wrong.\n\n");
  ck_assert_str_eq(printed(a, "a\x1B[31m\xFF\x80 y", 9, 10, DIAG_SEMANTIC),
                   "Semantic error in 'dir/m.stan', line 1, column 9 to column 10:\n"
                   "     1 | a?[31m?? y\n"
                   "       |          ^\n"
                   "What is wrong.\n\n");
  arena_free(a);
}
END_TEST

START_TEST(long_line) {
  Arena *a = arena_new();
  char text[1001];
  memset(text, 'x', 1000);
  text[1000] = '\0';
  text[500] = 'Y';
  const char *message = printed(a, text, 500, 501, DIAG_SEMANTIC);
  for (const char *line = message; *line; line = strchr(line, '\n') + 1)
    ck_assert_uint_lt((size_t)(strchr(line, '\n') - line), 200);
  const char *y = strchr(message, 'Y'), *mark = strchr(message, '^');
  ck_assert(y && mark);
  const char *y_line = y, *mark_line = mark;
  while (y_line[-1] != '\n') y_line--;
  while (mark_line[-1] != '\n') mark_line--;
  ck_assert_int_eq(y - y_line, mark - mark_line);
  arena_free(a);
}
END_TEST

/* ---- #include ---- */

static char folder[64];

static void make_folder(void) {
  strcpy(folder, "/tmp/stan2onnx-test-XXXXXX");
  ck_assert_ptr_nonnull(mkdtemp(folder));
  ck_assert_int_eq(chdir(folder), 0);
  ck_assert_int_eq(mkdir("sub", 0700), 0);
  ck_assert_int_eq(mkdir("lib", 0700), 0);
}

static const char *const files[] = {"a.stan",     "sub/b.stan",      "sub/c.stan",
                                    "lib/d.stan", "f.stanfunctions", "with blank.stan",
                                    "loop.stan",  "lib/a.stan"};

static void remove_folder(void) {
  for (size_t k = 0; k < sizeof files / sizeof *files; k++) unlink(files[k]);
  rmdir("sub");
  rmdir("lib");
  ck_assert_int_eq(chdir("/"), 0);
  rmdir(folder);
}

static void write_file(const char *name, const char *text) {
  FILE *f = fopen(name, "wb");
  ck_assert_ptr_nonnull(f);
  fputs(text, f);
  ck_assert_int_eq(fclose(f), 0);
}

/* As parse_text, with the include path "lib". */
static Parsed parse_including(const char *text) {
  static const char *const paths[] = {"lib"};
  Parsed p = {.arena = arena_new()};
  p.sources = sources_new(p.arena);
  sources_set_include_paths(p.sources, paths, 1);
  p.diagnostics = diagnostics_new(p.arena);
  p.file = sources_add(p.sources, "m.stan", text, strlen(text));
  p.program = parse_program(p.arena, p.sources, p.file, program, p.diagnostics);
  return p;
}

static void expect_included_tree(const char *text, const char *tree) {
  Parsed p = parse_including(text);
  ck_assert_str_eq(parsed_tree(&p), tree);
  parsed_free(&p);
}

static void expect_messages(const char *text, const char *messages) {
  Parsed p = parse_including(text);
  ck_assert_ptr_null(p.program);
  ck_assert_str_eq(parsed_messages(&p), messages);
  parsed_free(&p);
}

START_TEST(spellings_of_include) {
  write_file("a.stan", "int n;");
  write_file("with blank.stan", "real x;");
  static const char tree[] = "data\n  declare int n\n";
  expect_included_tree("data {\n#include a.stan\n}", tree);
  expect_included_tree("data {\n#include \"a.stan\"\n}", tree);
  expect_included_tree("data {\n#include <a.stan>\n}", tree);
  expect_included_tree("data { #include\t\n  a.stan\n}", tree);
  expect_included_tree("data { #include a.stan\r\n}", tree);
  expect_included_tree("data {\n#include \"with blank.stan\" // comment\n}",
                       "data\n  declare real x\n");
}
END_TEST

/* A file may hold any stretch of tokens, and no token goes on in another file. */
START_TEST(include_anywhere) {
  write_file("a.stan", "x + 1) *");
  write_file("loop.stan", "model { target += (\n#include a.stan\n2; }");
  expect_included_tree("#include loop.stan", "model\n  target += (* (paren (+ x 1)) 2)\n");
  write_file("a.stan", "ab");
  expect_messages("model {\n#include a.stan\ncd = 1; }",
                  "Syntax error in 'm.stan', line 3, column 0 to column 2, parsing error:\n"
                  "     2 | #include a.stan\n"
                  "     3 | cd = 1; }\n"
                  "       | ^~\n"
                  "Expected an operator, an assignment (\"=\", \"+=\", ...) or \"~\" after "
                  "\"ab\", found \"cd\".\n\n");
}
END_TEST

/* Beside the including file, then in the include paths. */
START_TEST(include_search) {
  write_file("sub/b.stan", "#include c.stan\n#include d.stan\n");
  write_file("sub/c.stan", "int c;");
  write_file("lib/d.stan", "int d;");
  write_file("lib/a.stan", "int in_lib;");
  write_file("a.stan", "int beside;");
  Parsed p = parse_including("data {\n#include sub/b.stan\n#include a.stan\n}");
  ck_assert_str_eq(parsed_tree(&p),
                   "data\n  declare int c\n  declare int d\n  declare int beside\n");
  ck_assert_uint_eq(sources_count(p.sources), 5);
  ck_assert_str_eq(sources_name(p.sources, 1), "sub/b.stan");
  ck_assert_str_eq(sources_name(p.sources, 2), "sub/c.stan");
  ck_assert_str_eq(sources_name(p.sources, 3), "lib/d.stan");
  Stmt **s = p.program->blocks[BLOCK_DATA].stmts;
  ck_assert_str_eq(parsed_span(&p, s[1]->decl->name_span), "d");
  ck_assert_uint_eq(s[1]->span.file, 3);
  parsed_free(&p);
}
END_TEST

START_TEST(include_twice) {
  write_file("a.stan", "target += 1;");
  expect_included_tree("model {\n#include a.stan\n#include a.stan\n}",
                       "model\n  target += 1\n  target += 1\n");
  write_file("f.stanfunctions", "void f();");
  expect_included_tree("functions {\n#include f.stanfunctions\n#include f.stanfunctions\n}",
                       "functions\n  forward void f()\n");
}
END_TEST

START_TEST(include_errors) {
  expect_messages(
      "data {\n  #include no.stan\n}",
      "Syntax error in 'm.stan', line 2, column 2 to column 18, parsing error:\n"
      "     1 | data {\n"
      "     2 |   #include no.stan\n"
      "       |   ^~~~~~~~~~~~~~~~\n"
      "The included file \"no.stan\" was not found, neither beside this file nor in the "
      "include paths.\n\n");
  expect_messages("#include sub\n",
                  "Syntax error in 'm.stan', line 1, column 0 to column 12, parsing error:\n"
                  "     1 | #include sub\n"
                  "       | ^~~~~~~~~~~~\n"
                  "The included file \"sub\" was not found, neither beside this file nor in the "
                  "include paths.\n\n");
  Parsed escape = parse_including("#include \"\x1B[31m\"\n");
  ck_assert_ptr_null(strchr(parsed_messages(&escape), '\x1B'));
  ck_assert_ptr_nonnull(strstr(parsed_messages(&escape), "\"?[31m\" was not found"));
  parsed_free(&escape);
  write_file("loop.stan", "// once more\n #include loop.stan\n");
  expect_messages("#include loop.stan\n",
                  "Syntax error in 'loop.stan', line 2, column 1, included from\n"
                  "'m.stan', line 1, column 0, parsing error:\n"
                  "     1 | // once more\n"
                  "     2 |  #include loop.stan\n"
                  "       |  ^~~~~~~~~~~~~~~~~~\n"
                  "The file \"loop.stan\" includes itself.\n\n");
  write_file("loop.stan", "#include ./loop.stan\n");
  Parsed p = parse_including("#include loop.stan\n");
  ck_assert_ptr_null(p.program);
  ck_assert_ptr_nonnull(strstr(parsed_messages(&p), "Too many included files"));
  parsed_free(&p);
}
END_TEST

START_TEST(error_in_included_file) {
  write_file("sub/b.stan", "int n;\n\n  #include \"c.stan\"\n");
  write_file("sub/c.stan", "int m;\nint 1;\n");
  expect_messages("data {\n#include sub/b.stan\n}",
                  "Syntax error in 'sub/c.stan', line 2, column 4, included from\n"
                  "'sub/b.stan', line 3, column 2, included from\n"
                  "'m.stan', line 2, column 0, parsing error:\n"
                  "     1 | int m;\n"
                  "     2 | int 1;\n"
                  "       |     ^\n"
                  "Expected a name or \"<\" after \"int\", found \"1\".\n\n");
}
END_TEST

/* Two files that include each other over and over: the number of files is bounded. */
START_TEST(include_bomb) {
  Text t = text_new(arena_new());
  for (int k = 0; k < 20; k++) text_add(&t, "#include sub/b.stan\n");
  write_file("a.stan", t.data);
  Text u = text_new(t.arena);
  for (int k = 0; k < 20; k++) text_add(&u, "#include c.stan\n");
  write_file("sub/b.stan", u.data);
  Text v = text_new(t.arena);
  for (int k = 0; k < 1000; k++) text_add(&v, "#include ../lib/d.stan\n");
  write_file("sub/c.stan", v.data);
  write_file("lib/d.stan", ";");
  Parsed p = parse_including("data {\n#include a.stan\n}");
  ck_assert_ptr_null(p.program);
  ck_assert_ptr_nonnull(strstr(parsed_messages(&p), "Too many included files"));
  parsed_free(&p);
  arena_free(t.arena);
}
END_TEST

int main(void) {
  Suite *s = suite_create("sources");
  TCase *t = tcase_create("texts");
  tcase_add_test(t, line_ends);
  tcase_add_test(t, no_text);
  tcase_add_test(t, headlines);
  tcase_add_test(t, nowhere);
  tcase_add_test(t, caret);
  tcase_add_test(t, long_line);
  suite_add_tcase(s, t);
  t = tcase_create("includes");
  tcase_add_checked_fixture(t, make_folder, remove_folder);
  tcase_add_test(t, spellings_of_include);
  tcase_add_test(t, include_anywhere);
  tcase_add_test(t, include_search);
  tcase_add_test(t, include_twice);
  tcase_add_test(t, include_errors);
  tcase_add_test(t, error_in_included_file);
  tcase_add_test(t, include_bomb);
  suite_add_tcase(s, t);
  SRunner *runner = srunner_create(s);
  srunner_set_fork_status(runner, CK_NOFORK);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
