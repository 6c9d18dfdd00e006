#include "runtime/values.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- reading ---- */

const char *read_text(Arena *a, const char *path, Text *out) {
  FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
  if (!file) return arena_printf(a, "cannot read %s: %s", path, strerror(errno));
  char buffer[65536];
  size_t n;
  *out = text_new(a);
  text_add(out, "");
  while ((n = fread(buffer, 1, sizeof buffer, file)) > 0) text_add_bytes(out, buffer, n);
  bool failed = ferror(file);
  if (file != stdin) fclose(file);
  return failed ? arena_printf(a, "cannot read %s: %s", path, strerror(errno)) : NULL;
}

static const char *const bare_words[] = {"NaN", "-Infinity", "Infinity", "-Inf", "Inf"};

static const char *bare_word(const char *p) {
  for (size_t i = 0; i < sizeof bare_words / sizeof *bare_words; i++)
    if (strncmp(p, bare_words[i], strlen(bare_words[i])) == 0) return bare_words[i];
  return NULL;
}

/* JSON has no NaN and infinities: where they stand bare they are put in quotes. */
static Text quote_bare_words(Arena *a, const char *text, size_t n) {
  Text out = text_new(a);
  bool in_string = false;
  for (size_t i = 0; i < n;) {
    const char *word = in_string ? NULL : bare_word(text + i);
    if (word) {
      text_printf(&out, "\"%s\"", word);
      i += strlen(word);
      continue;
    }
    if (in_string && text[i] == '\\' && i + 1 < n)
      text_add_bytes(&out, &text[i++], 1);
    else if (text[i] == '"')
      in_string = !in_string;
    text_add_bytes(&out, &text[i++], 1);
  }
  return out;
}

static const char *parse(Arena *a, const char *text, size_t n, const char *source, json_t **out) {
  json_error_t error;
  Text quoted = quote_bare_words(a, text, n);
  *out = json_loadb(quoted.data ? quoted.data : "", quoted.length,
                    JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
  return *out ? NULL : arena_printf(a, "%s, line %d: %s", source, error.line, error.text);
}

const char *read_json_object(Arena *a, const char *path, json_t **out) {
  Text text;
  const char *error = read_text(a, path, &text);
  if (!error) error = parse(a, text.data, text.length, path, out);
  if (!error && !json_is_object(*out)) {
    json_decref(*out);
    *out = NULL;
    error = arena_printf(a, "%s: an object with a value for each name is expected", path);
  }
  return error;
}

json_t *find_value(json_t *object, const char *name, const char **rest) {
  static const char suffix[] = ".stan";
  size_t n = strlen(name);
  char stem[256];
  *rest = "";
  json_t *value = json_object_get(object, name);
  if (value || n >= sizeof stem) return value;
  memcpy(stem, name, n + 1);
  if (n >= sizeof suffix && strcmp(name + n - (sizeof suffix - 1), suffix) == 0) {
    stem[n - (sizeof suffix - 1)] = '\0';
    if ((value = json_object_get(object, stem))) return value;
  }
  char *part = strpbrk(stem, ":.");
  if (!part) return NULL;
  *rest = name + (part - stem);
  *part = '\0';
  return json_object_get(object, stem);
}

/* ---- tensors ---- */

/* A walk over a nested value that finds its shape first and its numbers then. */
typedef struct {
  Arena *arena;
  const OrtPort *port;
  const json_t *sizes; /* sizes by the names of axes, or NULL */
  int64_t dims[ORT_MAX_RANK];
  int rank;        /* depth of the nesting */
  bool open_ended; /* an empty array: what is inside has no shape of its own */
  double *reals;
  int64_t *integers;
  uint8_t *truths;
  int64_t filled;
} Walk;

static json_t *descend(json_t *v, const char **rest) {
  while (json_is_object(v) && **rest) {
    char key[32];
    const char *from = *rest + 1, *to = strpbrk(from, ":.");
    size_t n = to ? (size_t)(to - from) : strlen(from);
    if (n >= sizeof key) return NULL;
    memcpy(key, from, n);
    key[n] = '\0';
    v = json_object_get(v, key);
    *rest = from + n;
  }
  return v;
}

static const char *measure(Walk *w, const json_t *value, const char *rest) {
  for (;;) {
    json_t *v = descend((json_t *)value, &rest);
    if (!v) return arena_printf(w->arena, "the value of %s lacks a part", w->port->name);
    if (!json_is_array(v)) return NULL;
    if (w->rank == ORT_MAX_RANK)
      return arena_printf(w->arena, "the value of %s is nested too deeply", w->port->name);
    w->dims[w->rank++] = (int64_t)json_array_size(v);
    if (json_array_size(v) == 0) {
      w->open_ended = true;
      return NULL;
    }
    value = json_array_get(v, 0);
  }
}

static bool special_number(const char *s, double *x) {
  static const struct {
    const char *word;
    double value;
  } words[] = {{"NaN", NAN},
               {"nan", NAN},
               {"Inf", INFINITY},
               {"inf", INFINITY},
               {"+Inf", INFINITY},
               {"Infinity", INFINITY},
               {"+Infinity", INFINITY},
               {"-Inf", -INFINITY},
               {"-inf", -INFINITY},
               {"-Infinity", -INFINITY}};
  for (size_t i = 0; i < sizeof words / sizeof *words; i++)
    if (strcmp(words[i].word, s) == 0) {
      *x = words[i].value;
      return true;
    }
  return false;
}

static const char *store(Walk *w, const json_t *v) {
  const char *name = w->port->name;
  double x = 0;
  if (json_is_integer(v))
    x = (double)json_integer_value(v);
  else if (json_is_real(v))
    x = json_real_value(v);
  else if (json_is_boolean(v))
    x = json_is_true(v);
  else if (!json_is_string(v) || !special_number(json_string_value(v), &x))
    return arena_printf(w->arena, "the value of %s holds what is not a number", name);
  if (w->port->element == ORT_F64) {
    w->reals[w->filled++] = x;
  } else if (json_is_integer(v) || json_is_boolean(v)) {
    int64_t i = json_is_integer(v) ? (int64_t)json_integer_value(v) : (int64_t)x;
    if (w->port->element == ORT_I64)
      w->integers[w->filled++] = i;
    else
      w->truths[w->filled++] = i != 0;
  } else {
    return arena_printf(w->arena, "%s takes integers, and %.17g is none", name, x);
  }
  return NULL;
}

static const char *fill(Walk *w, const json_t *value, const char *rest, int depth) {
  json_t *v = descend((json_t *)value, &rest);
  if (!v) return arena_printf(w->arena, "the value of %s lacks a part", w->port->name);
  if (depth == w->rank) {
    if (json_is_array(v))
      return arena_printf(w->arena, "the value of %s is not rectangular", w->port->name);
    return store(w, v);
  }
  if (!json_is_array(v) || (int64_t)json_array_size(v) != w->dims[depth])
    return arena_printf(w->arena, "the value of %s is not rectangular", w->port->name);
  const char *error = NULL;
  for (size_t i = 0; i < json_array_size(v) && !error; i++)
    error = fill(w, json_array_get(v, i), rest, depth + 1);
  return error;
}

static const char *shape_text(Arena *a, const int64_t *dims, int rank, const char *const *names) {
  Text t = text_new(a);
  text_add(&t, "[");
  for (int i = 0; i < rank; i++) {
    if (i) text_add(&t, ", ");
    if (dims[i] >= 0)
      text_printf(&t, "%lld", (long long)dims[i]);
    else
      text_add(&t, names && names[i] && *names[i] ? names[i] : "?");
  }
  text_add(&t, "]");
  return t.data;
}

/* The size of an axis inside of an empty array. */
static int64_t hidden_size(const Walk *w, int axis) {
  const OrtPort *port = w->port;
  if (port->dims[axis] >= 0) return port->dims[axis];
  const json_t *v = w->sizes ? json_object_get(w->sizes, port->dim_names[axis]) : NULL;
  return json_is_integer(v) && json_integer_value(v) > 0 ? (int64_t)json_integer_value(v) : 0;
}

/* The shape found, fitted to the port's: axes of an empty array that JSON cannot show, and a
 * leading axis of 1. */
static const char *fit(Walk *w, bool batched, OrtTensor *out) {
  const OrtPort *port = w->port;
  int lead = batched && w->rank + 1 == port->rank && !w->open_ended ? 1 : 0;
  out->element = port->element;
  out->rank = port->rank;
  bool fits = w->rank + lead == port->rank || (w->open_ended && w->rank < port->rank);
  for (int i = 0; fits && i < port->rank; i++) {
    int k = i - lead;
    out->dims[i] = k < 0 ? 1 : k < w->rank ? w->dims[k] : hidden_size(w, i);
    fits = port->dims[i] < 0 || port->dims[i] == out->dims[i];
  }
  if (fits) return NULL;
  return arena_printf(w->arena, "%s has shape %s, but a value of shape %s was given", port->name,
                      shape_text(w->arena, port->dims, port->rank, port->dim_names),
                      shape_text(w->arena, w->dims, w->rank, NULL));
}

static const char *sized_tensor(Arena *a, const json_t *value, const char *rest,
                                const OrtPort *port, const json_t *sizes, bool batched,
                                OrtTensor *out) {
  Walk w = {.arena = a, .port = port, .sizes = sizes};
  if (port->element == ORT_OTHER)
    return arena_printf(a, "%s has a type that is not supported", port->name);
  const char *error = measure(&w, value, rest);
  if (!error) error = fit(&w, batched, out);
  if (error) return error;
  size_t count = (size_t)ort_count(out);
  out->data = arena_array(a, count, ort_element_size(port->element));
  w.reals = out->data;
  w.integers = out->data;
  w.truths = out->data;
  return count ? fill(&w, value, rest, 0) : NULL;
}

const char *tensor_from_json(Arena *a, const json_t *value, const char *rest, const OrtPort *port,
                             bool batched, OrtTensor *out) {
  return sized_tensor(a, value, rest, port, NULL, batched, out);
}

const char *data_tensor_for(Arena *a, json_t *data, const OrtPort *port, OrtTensor *out) {
  const char *rest;
  json_t *value = data ? find_value(data, port->name, &rest) : NULL;
  if (!value) return arena_printf(a, "%s has no value: give it in the file of --data", port->name);
  return sized_tensor(a, value, rest, port, data, false, out);
}

/* ---- points ---- */

static bool looks_inline(const char *text) {
  for (; *text; text++)
    if (!isdigit((unsigned char)*text) && !strchr("+-.eE, \t[]NaIinfty", *text)) return false;
  return true;
}

const char *points_from_text(Arena *a, const char *text, const OrtPort *port, OrtTensor *out) {
  json_t *value = NULL;
  const char *error, *rest = "";
  if (looks_inline(text)) {
    const char *list = *text == '[' ? text : arena_printf(a, "[%s]", text);
    error = parse(a, list, strlen(list), "--point", &value);
  } else {
    Text content;
    error = read_text(a, text, &content);
    if (!error) error = parse(a, content.data, content.length, text, &value);
  }
  if (error) return error;
  json_t *points = json_is_object(value) ? find_value(value, port->name, &rest) : value;
  error = points ? tensor_from_json(a, points, rest, port, true, out)
                 : arena_printf(a, "%s has no value for %s", text, port->name);
  json_decref(value);
  return error;
}

/* SplitMix64: state and output of Steele, Lea and Flood, "Fast splittable pseudorandom number
 * generators" (2014). */
static uint64_t next_random(uint64_t *state) {
  uint64_t z = (*state += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

void random_points(Arena *a, uint64_t seed, int64_t chains, int64_t dimension, OrtTensor *out) {
  *out = (OrtTensor){.element = ORT_F64, .rank = 2, .dims = {chains, dimension}};
  double *x = arena_array(a, (size_t)chains * (size_t)dimension, sizeof *x);
  for (int64_t i = 0; i < chains * dimension; i++)
    x[i] = ldexp((double)(next_random(&seed) >> 11), -51) - 2;
  out->data = x;
}
