#include "data/data.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct DataSet {
  json_t *root;
};

/* ---- numbers that JSON lacks ---- */

static const struct {
  const char *word;
  double value;
} words[] = {{"NaN", NAN},
             {"nan", NAN},
             {"+Infinity", INFINITY},
             {"Infinity", INFINITY},
             {"-Infinity", -INFINITY},
             {"+Inf", INFINITY},
             {"Inf", INFINITY},
             {"-Inf", -INFINITY},
             {"+inf", INFINITY},
             {"inf", INFINITY},
             {"-inf", -INFINITY}};

static size_t word_at(const char *s, size_t left) {
  for (size_t k = 0; k < sizeof words / sizeof *words; k++) {
    size_t n = strlen(words[k].word);
    if (n <= left && !memcmp(s, words[k].word, n)) return n;
  }
  return 0;
}

/* The text with bare NaN, Infinity, ... in quotes. */
static char *quote_words(Arena *arena, const char *text, size_t length, size_t *out_length) {
  Text out = text_new(arena);
  bool in_string = false;
  size_t from = 0;
  for (size_t k = 0; k < length;) {
    char c = text[k];
    if (in_string && c == '\\' && k + 1 < length)
      k += 2;
    else if (c == '"')
      in_string = !in_string, k++;
    else {
      size_t n = in_string || !strchr("NnI-i+", c) || !c ? 0 : word_at(text + k, length - k);
      if (n) {
        text_add_bytes(&out, text + from, k - from);
        text_add(&out, "\"");
        text_add_bytes(&out, text + k, n);
        text_add(&out, "\"");
        k += n;
        from = k;
      } else {
        k++;
      }
    }
  }
  if (from == 0) {
    *out_length = length;
    return NULL;
  }
  text_add_bytes(&out, text + from, length - from);
  *out_length = out.length;
  return out.data;
}

DataSet *data_parse(Arena *arena, const char *text, size_t length, const char *name,
                    Diagnostics *d) {
  size_t quoted_length;
  char *quoted = quote_words(arena, text, length, &quoted_length);
  json_error_t error;
  json_t *root = json_loadb(quoted ? quoted : text, quoted_length, 0, &error);
  if (!root) {
    diag_nowhere(d, DIAG_DATA, "%s:%d:%d: not valid JSON: %s", name, error.line, error.column,
                 error.text);
    return NULL;
  }
  if (!json_is_object(root)) {
    json_decref(root);
    diag_nowhere(d, DIAG_DATA, "%s: expected a JSON object with one entry per data variable", name);
    return NULL;
  }
  DataSet *data = ARENA_NEW(arena, DataSet);
  data->root = root;
  return data;
}

void data_free(DataSet *data) {
  if (data) json_decref(data->root);
}

bool data_has(const DataSet *data, const char *variable) {
  return json_object_get(data->root, variable) != NULL;
}

/* ---- tensors ---- */

typedef struct {
  Arena *arena;
  Diagnostics *diagnostics;
  DataPath path;
  IrTensor *tensor;
  int64_t index[IR_MAX_RANK];
  int64_t at;
} Fill;

/* "y[2,3]" or "y[1].2[4]" is what messages call an element; indices come first here. */
static const char *element_name(Fill *f, int depth) {
  Text s = text_new(f->arena);
  text_add(&s, f->path.variable);
  for (int k = 0; k < f->path.member_count; k++) text_printf(&s, ".%d", f->path.members[k]);
  for (int k = 0; k < depth; k++)
    text_printf(&s, "%s%lld%s", k ? "," : "[", (long long)f->index[k] + 1,
                k + 1 == depth ? "]" : "");
  return s.data;
}

static const char *kind_of(const json_t *v) {
  switch (json_typeof(v)) {
  case JSON_OBJECT: return "an object";
  case JSON_ARRAY: return "an array";
  case JSON_STRING: return "a string";
  case JSON_INTEGER: return "an integer";
  case JSON_REAL: return "a real number";
  case JSON_TRUE:
  case JSON_FALSE: return "a truth value";
  default: return "null";
  }
}

static bool fill_number(Fill *f, const json_t *v, int depth) {
  IrTensor *t = f->tensor;
  if (t->type.dtype == IR_I64) {
    if (!json_is_integer(v)) {
      diag_nowhere(f->diagnostics, DIAG_DATA, "data: '%s' must be an integer, found %s",
                   element_name(f, depth), kind_of(v));
      return false;
    }
    t->data.i64[f->at++] = json_integer_value(v);
    return true;
  }
  if (json_is_number(v)) {
    t->data.f64[f->at++] = json_number_value(v);
    return true;
  }
  if (json_is_string(v))
    for (size_t k = 0; k < sizeof words / sizeof *words; k++)
      if (!strcmp(json_string_value(v), words[k].word)) {
        t->data.f64[f->at++] = words[k].value;
        return true;
      }
  diag_nowhere(f->diagnostics, DIAG_DATA, "data: '%s' must be a number, found %s",
               element_name(f, depth), kind_of(v));
  return false;
}

static bool fill(Fill *f, const json_t *v, int depth, int member) {
  if (json_is_object(v)) {
    char key[24];
    snprintf(key, sizeof key, "%d", member < f->path.member_count ? f->path.members[member] : 0);
    const json_t *inner = member < f->path.member_count ? json_object_get(v, key) : NULL;
    if (inner) return fill(f, inner, depth, member + 1);
    diag_nowhere(f->diagnostics, DIAG_DATA,
                 "data: '%s' is an object without the member that the declaration asks for",
                 element_name(f, depth));
    return false;
  }
  const IrType *type = &f->tensor->type;
  if (depth == type->rank) return fill_number(f, v, depth);
  int64_t n = type->dim[depth];
  int64_t rest = 1;
  for (int k = depth; k < type->rank; k++) rest *= type->dim[k];
  if (!json_is_array(v)) {
    diag_nowhere(f->diagnostics, DIAG_DATA, "data: '%s' must be an array of %lld, found %s",
                 element_name(f, depth), (long long)n, kind_of(v));
    return false;
  }
  if (rest == 0 && json_array_size(v) == 0) return true;
  if ((int64_t)json_array_size(v) != n) {
    diag_nowhere(f->diagnostics, DIAG_DATA, "data: '%s' must have %lld elements, found %zu",
                 element_name(f, depth), (long long)n, json_array_size(v));
    return false;
  }
  for (int64_t k = 0; k < n; k++) {
    f->index[depth] = k;
    if (!fill(f, json_array_get(v, (size_t)k), depth + 1, member)) return false;
  }
  return true;
}

const IrTensor *data_tensor(Arena *arena, const DataSet *data, DataPath path, IrType type,
                            Diagnostics *d) {
  const json_t *v = json_object_get(data->root, path.variable);
  if (!v) {
    diag_nowhere(d, DIAG_DATA, "data: variable '%s' is missing", path.variable);
    return NULL;
  }
  Fill f = {.arena = arena, .diagnostics = d, .path = path, .tensor = ir_tensor_new(arena, type)};
  if (!fill(&f, v, 0, 0)) return NULL;
  return f.tensor;
}
