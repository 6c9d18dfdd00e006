#include "runtime/columns.h"

#include "base/text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* Where the walk through a type is: the name so far, and the indices chosen in arrays of tuples. */
typedef struct {
  Arena *arena;
  Columns *out;
  const NamedTensors *in;
  const char *error;
} Walk;

typedef struct {
  const char *tensor, *column;
  int rank;
  int64_t index[ORT_MAX_RANK]; /* from 0 */
} Place;

json_t *model_description(const OrtModel *m) {
  size_t count;
  const OrtProperty *p = ort_properties(m, &count);
  for (size_t k = 0; k < count; k++)
    if (strcmp(p[k].key, "stan.model") == 0) return json_loads(p[k].value, 0, NULL);
  return NULL;
}

int64_t draw_size(const OrtTensor *t, int lead) {
  int64_t n = 1;
  for (int i = lead; i < t->rank; i++) n *= t->dims[i];
  return n;
}

/* ---- types, as they are printed: "array[,] tuple(real, array[] vector)" ---- */

/* Skips "array[,] "; how many axes it has. */
static int skip_array(const char **type) {
  if (strncmp(*type, "array[", 6) != 0) return 0;
  int n = 1;
  const char *p = *type + 6;
  for (; *p == ','; p++) n++;
  if (*p == ']') p++;
  while (*p == ' ') p++;
  *type = p;
  return n;
}

static bool skip_word(const char **type, const char *word) {
  size_t n = strlen(word);
  if (strncmp(*type, word, n) != 0 || isalnum((unsigned char)(*type)[n]) || (*type)[n] == '_')
    return false;
  *type += n;
  return true;
}

static const struct {
  const char *name;
  int rank;
  bool integer;
} plain_types[] = {{"int", 0, true},
                   {"real", 0, false},
                   {"vector", 1, false},
                   {"row_vector", 1, false},
                   {"matrix", 2, false}};

/* The end of the type that begins here: a comma or parenthesis around it, or the text's end. */
static const char *type_end(const char *p) {
  int depth = 0;
  for (; *p; p++) {
    if (*p == '(' || *p == '[') depth++;
    if ((*p == ')' || *p == ']' || *p == ',') && depth == 0) return p;
    if (*p == ')' || *p == ']') depth--;
  }
  return p;
}

/* ---- columns ---- */

static const OrtTensor *find_tensor(Walk *w, const char *name, size_t *which) {
  for (size_t k = 0; k < w->in->count; k++)
    if (strcmp(w->in->ports[k].name, name) == 0) {
      *which = k;
      return &w->in->tensors[k];
    }
  w->error = arena_printf(w->arena, "the model has no tensor %s", name);
  return NULL;
}

/* The next index in column-major order; false after the last. */
static bool next_index(int64_t *index, const int64_t *dims, int rank) {
  for (int k = 0; k < rank; k++) {
    if (++index[k] < dims[k]) return true;
    index[k] = 0;
  }
  return false;
}

static bool is_empty(const int64_t *dims, int rank) {
  for (int k = 0; k < rank; k++)
    if (dims[k] == 0) return true;
  return false;
}

static const char *indexed(Arena *a, const char *name, const int64_t *index, int rank) {
  Text t = text_new(a);
  text_add(&t, name);
  for (int k = 0; k < rank; k++) text_printf(&t, ".%lld", (long long)index[k] + 1);
  return t.data;
}

static void add_leaf(Walk *w, const char *type, int rank, Place at) {
  size_t which, k = 0;
  while (k < sizeof plain_types / sizeof *plain_types && !skip_word(&type, plain_types[k].name))
    k++;
  if (k == sizeof plain_types / sizeof *plain_types) {
    w->error = arena_printf(w->arena, "%s has a type that has no columns: %s", at.column, type);
    return;
  }
  rank += plain_types[k].rank;
  const OrtTensor *t = find_tensor(w, at.tensor, &which);
  if (!t) return;
  if (t->rank != w->in->lead + at.rank + rank) {
    w->error = arena_printf(w->arena, "the tensor %s has %d axes", at.tensor, t->rank);
    return;
  }
  const int64_t *all = t->dims + w->in->lead, *dims = all + at.rank;
  int64_t *index = at.index + at.rank;
  if (is_empty(dims, rank)) return;
  do {
    int64_t offset = 0;
    for (int i = 0; i < at.rank + rank; i++) offset = offset * all[i] + at.index[i];
    Column c = {indexed(w->arena, at.column, index, rank), which, offset, plain_types[k].integer};
    ARENA_PUSH(w->arena, w->out->items, w->out->count, w->out->capacity, c);
  } while (next_index(index, dims, rank));
}

static void add_type(Walk *w, const char *type, Place at);

static void add_members(Walk *w, const char *type, Place at) {
  const char *p = type;
  for (int k = 1; *p && *p != ')' && !w->error; k++) {
    Place member = at;
    member.tensor = arena_printf(w->arena, "%s:%d", at.tensor, k);
    member.column = arena_printf(w->arena, "%s:%d", at.column, k);
    add_type(w, p, member);
    p = type_end(p);
    while (*p == ',' || *p == ' ') p++;
  }
}

/* The first tensor of a type has the sizes of the arrays of tuples around it. */
static const OrtTensor *first_tensor(Walk *w, const char *type, const char *name) {
  size_t which;
  for (;;) {
    skip_array(&type);
    if (!skip_word(&type, "tuple")) return find_tensor(w, name, &which);
    if (*type) type++;
    name = arena_printf(w->arena, "%s:1", name);
  }
}

static void add_type(Walk *w, const char *type, Place at) {
  const char *whole = type;
  int arrays = skip_array(&type);
  if (!skip_word(&type, "tuple")) {
    add_leaf(w, type, arrays, at);
    return;
  }
  if (*type == '(') type++;
  const OrtTensor *t = first_tensor(w, whole, at.tensor);
  if (!t || w->in->lead + at.rank + arrays > t->rank) {
    if (t) w->error = arena_printf(w->arena, "the tensor %s lacks axes", at.tensor);
    return;
  }
  const int64_t *dims = t->dims + w->in->lead + at.rank;
  int64_t *index = at.index + at.rank;
  if (is_empty(dims, arrays)) return;
  do {
    Place element = at;
    element.rank += arrays;
    element.column = indexed(w->arena, at.column, index, arrays);
    add_members(w, type, element);
  } while (!w->error && next_index(index, dims, arrays));
}

const char *add_columns(Arena *a, Columns *out, const json_t *description, const char *block,
                        bool partial, const NamedTensors *in) {
  Walk w = {.arena = a, .out = out, .in = in};
  json_t *variables = json_object_get(description, block);
  if (!json_is_array(variables)) return "the model does not describe its variables";
  for (size_t k = 0; k < json_array_size(variables) && !w.error; k++) {
    json_t *v = json_array_get(variables, k);
    const char *name = json_string_value(json_object_get(v, "name"));
    const char *tensor = json_string_value(json_object_get(v, "tensor"));
    const char *type = json_string_value(json_object_get(v, "type"));
    if (!name || !tensor || !type) return "the model does not describe its variables";
    if (partial && !first_tensor(&w, type, tensor)) {
      w.error = NULL;
      continue;
    }
    add_type(&w, arena_strdup(a, type),
             (Place){.tensor = arena_strdup(a, tensor), .column = arena_strdup(a, name)});
  }
  return w.error;
}

RowLayout layout_with(Arena *a, RowLayout layout, const Columns *more) {
  RowLayout r = {.count = layout.count + more->count};
  r.names = ARENA_ARRAY(a, const char *, r.count + 1);
  r.integers = ARENA_ARRAY(a, bool, r.count + 1);
  if (layout.count) memcpy(r.names, layout.names, layout.count * sizeof *r.names);
  if (layout.count) memcpy(r.integers, layout.integers, layout.count * sizeof *r.integers);
  for (size_t k = 0; k < more->count; k++) {
    r.names[layout.count + k] = more->items[k].name;
    r.integers[layout.count + k] = more->items[k].integer;
  }
  return r;
}

/* ---- names ---- */

bool parse_column(Arena *a, const char *name, Element *out) {
  Text tensor = text_new(a);
  size_t n = strcspn(name, ".:");
  *out = (Element){0};
  if (n == 0) return false;
  text_add_bytes(&tensor, name, n);
  for (const char *p = name + n; *p;) {
    char mark = *p++, *end;
    if (!isdigit((unsigned char)*p)) return false;
    long long number = strtoll(p, &end, 10);
    if (number < 1 || number > INT32_MAX) return false;
    p = end;
    if (mark == ':') {
      text_printf(&tensor, ":%lld", number);
    } else if (mark == '.' && out->rank < ORT_MAX_RANK) {
      out->index[out->rank++] = number;
    } else {
      return false;
    }
  }
  out->tensor = tensor.data;
  return true;
}

const char *column_label(Arena *a, const char *name) {
  Text t = text_new(a);
  bool open = false;
  for (const char *p = name; *p; p++) {
    char c = *p == '.' ? (open ? ',' : '[') : *p == ':' ? '.' : *p;
    if (*p == ':' && open) text_add(&t, "]");
    open = *p == '.' || (open && *p != ':');
    text_add_bytes(&t, &c, 1);
  }
  if (open) text_add(&t, "]");
  return t.data;
}
