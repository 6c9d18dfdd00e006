#include "runtime/labels.h"

#include "runtime/columns.h"

/* Names the coordinates of one parameter; false where its description does not fit. */
static bool label_parameter(Arena *a, json_t *parameter, int64_t count, const char **labels) {
  const char *name = json_string_value(json_object_get(parameter, "name"));
  json_t *first = json_object_get(parameter, "unconstrained_offset");
  json_t *size = json_object_get(parameter, "unconstrained_size");
  if (!name || !json_is_integer(first) || !json_is_integer(size)) return false;
  int64_t from = json_integer_value(first), n = json_integer_value(size);
  if (from < 0 || n < 0 || from > count || n > count - from) return false;
  bool scalar = n == 1 && json_array_size(json_object_get(parameter, "dims")) == 0;
  for (int64_t i = 0; i < n; i++)
    labels[from + i] =
        scalar ? arena_strdup(a, name) : arena_printf(a, "%s[%lld]", name, (long long)i + 1);
  return true;
}

const char *const *coordinate_labels(Arena *a, const OrtModel *m, int64_t count) {
  json_t *model = model_description(m), *parameters = json_object_get(model, "parameters");
  const char **labels = ARENA_ARRAY(a, const char *, (size_t)count);
  bool known = json_is_array(parameters);
  for (size_t k = 0; known && k < json_array_size(parameters); k++)
    known = label_parameter(a, json_array_get(parameters, k), count, labels);
  for (int64_t i = 0; known && i < count; i++) known = labels[i] != NULL;
  json_decref(model);
  return known ? labels : NULL;
}
