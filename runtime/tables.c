#include "runtime/tables.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MAX_COLUMNS = 6, MAX_ROWS = 60, MAX_METADATA = 100 };

static const char *const element_names[] = {
    [ORT_F64] = "f64", [ORT_I64] = "i64", [ORT_BOOL] = "bool", [ORT_OTHER] = "other"};

/* ---- information ---- */

static void add_shape(Text *out, const OrtPort *p) {
  text_printf(out, "%s[", element_names[p->element]);
  for (int i = 0; i < p->rank; i++) {
    if (i) text_add(out, ", ");
    if (p->dims[i] >= 0)
      text_printf(out, "%lld", (long long)p->dims[i]);
    else
      text_add(out, *p->dim_names[i] ? p->dim_names[i] : "?");
  }
  text_add(out, "]");
}

static int widest(const OrtPort *ports, size_t count, int width) {
  for (size_t k = 0; k < count; k++)
    if ((int)strlen(ports[k].name) > width) width = (int)strlen(ports[k].name);
  return width;
}

static void add_ports(Text *out, const char *title, const OrtPort *ports, size_t count, int width) {
  text_printf(out, "%s\n", title);
  if (!count) text_add(out, "  none\n");
  for (size_t k = 0; k < count; k++) {
    text_printf(out, "  %-*s  ", width, ports[k].name);
    add_shape(out, &ports[k]);
    text_add(out, "\n");
  }
}

void print_info(Text *out, const OrtModel *m) {
  size_t inputs, outputs, properties;
  const OrtPort *in = ort_inputs(m, &inputs), *of = ort_outputs(m, &outputs);
  const OrtProperty *p = ort_properties(m, &properties);
  int width = widest(of, outputs, widest(in, inputs, 8));
  add_ports(out, "Inputs", in, inputs, width);
  add_ports(out, "Outputs", of, outputs, width);
  text_add(out, "Metadata\n");
  if (!properties) text_add(out, "  none\n");
  for (size_t k = 0; k < properties; k++) {
    int n = (int)strcspn(p[k].value, "\n");
    bool cut = n > MAX_METADATA || p[k].value[n];
    text_printf(out, "  %-*s  %.*s%s\n", width, p[k].key, n > MAX_METADATA ? MAX_METADATA : n,
                p[k].value, cut ? " ... (all of it with --json)" : "");
  }
}

static void add_ports_json(Text *out, const char *title, const OrtPort *ports, size_t count) {
  text_printf(out, "\"%s\": [", title);
  for (size_t k = 0; k < count; k++) {
    text_add(out, k ? ", {\"name\": " : "{\"name\": ");
    text_add_json_string(out, ports[k].name);
    text_printf(out, ", \"type\": \"%s\", \"shape\": [", element_names[ports[k].element]);
    for (int i = 0; i < ports[k].rank; i++) {
      if (i) text_add(out, ", ");
      if (ports[k].dims[i] >= 0)
        text_printf(out, "%lld", (long long)ports[k].dims[i]);
      else
        text_add_json_string(out, ports[k].dim_names[i]);
    }
    text_add(out, "]}");
  }
  text_add(out, "]");
}

void print_info_json(Text *out, const OrtModel *m) {
  size_t inputs, outputs, properties;
  const OrtPort *in = ort_inputs(m, &inputs), *of = ort_outputs(m, &outputs);
  const OrtProperty *p = ort_properties(m, &properties);
  text_add(out, "{");
  add_ports_json(out, "inputs", in, inputs);
  text_add(out, ", ");
  add_ports_json(out, "outputs", of, outputs);
  text_add(out, ", \"metadata\": {");
  for (size_t k = 0; k < properties; k++) {
    if (k) text_add(out, ", ");
    text_add_json_string(out, p[k].key);
    text_add(out, ": ");
    text_add_json_string(out, p[k].value);
  }
  text_add(out, "}}\n");
}

/* ---- tensors ---- */

static double element(const OrtTensor *t, int64_t i) {
  switch (t->element) {
  case ORT_F64: return ((const double *)t->data)[i];
  case ORT_I64: return (double)((const int64_t *)t->data)[i];
  case ORT_BOOL: return ((const uint8_t *)t->data)[i];
  default: return NAN;
  }
}

static void add_cell(Text *out, const OrtTensor *t, int64_t i) {
  if (t->element == ORT_I64)
    text_printf(out, " %14lld", (long long)((const int64_t *)t->data)[i]);
  else
    text_printf(out, " %14.8g", element(t, i));
}

/* "x[2,3]": the element at flat index i of the axes after the first, counted from 1 as Stan does.
 */
static const char *label(Arena *a, const char *name, const OrtTensor *t, int64_t i) {
  int64_t index[ORT_MAX_RANK];
  for (int k = t->rank - 1; k >= 1; k--) {
    index[k] = i % t->dims[k] + 1;
    i /= t->dims[k];
  }
  Text s = text_new(a);
  text_add(&s, name);
  for (int k = 1; k < t->rank; k++)
    text_printf(&s, "%s%lld", k == 1 ? "[" : ",", (long long)index[k]);
  if (t->rank > 1) text_add(&s, "]");
  return s.data;
}

static void add_summary(Text *out, const OrtTensor *t, int64_t rows, int64_t columns, int64_t i) {
  double sum = 0, squares = 0, low = INFINITY, high = -INFINITY;
  for (int64_t c = 0; c < columns; c++) {
    double x = element(t, c * rows + i);
    sum += x;
    low = x < low || isnan(x) ? x : low;
    high = x > high || isnan(x) ? x : high;
  }
  double mean = sum / (double)columns;
  for (int64_t c = 0; c < columns; c++) {
    double d = element(t, c * rows + i) - mean;
    squares += d * d;
  }
  text_printf(out, " %14.8g %14.8g %14.8g %14.8g", mean, sqrt(squares / (double)(columns - 1)), low,
              high);
}

static void add_heading(Text *out, int width, int64_t columns, const char *first_axis) {
  text_printf(out, "%-*s", width, "");
  if (columns > MAX_COLUMNS) {
    text_printf(out, " %14s %14s %14s %14s   over %lld %ss\n", "mean", "sd", "min", "max",
                (long long)columns, first_axis);
    return;
  }
  for (int64_t c = 0; c < columns; c++) {
    char title[32];
    snprintf(title, sizeof title, "%.16s %lld", first_axis, (long long)c + 1);
    text_printf(out, " %14s", title);
  }
  text_add(out, "\n");
}

void print_tensor(Text *out, const char *name, const OrtTensor *t, const char *first_axis,
                  const char *const *labels) {
  int64_t columns = t->rank ? t->dims[0] : 1, rows = 1, count = ort_count(t);
  for (int k = 1; k < t->rank; k++) rows *= t->dims[k];
  if (t->element == ORT_OTHER || count == 0) {
    text_printf(out, "%s  (no values)\n", name);
    return;
  }
  int64_t shown = rows > MAX_ROWS ? MAX_ROWS : rows;
  int width = 0;
  for (int64_t i = 0; i < shown; i++) {
    int n = (int)strlen(labels ? labels[i] : label(out->arena, name, t, i));
    width = n > width ? n : width;
  }
  if (labels) text_printf(out, "%s\n", name);
  add_heading(out, width, columns, *first_axis ? first_axis : "entry");
  for (int64_t i = 0; i < shown; i++) {
    text_printf(out, "%-*s", width, labels ? labels[i] : label(out->arena, name, t, i));
    if (columns > MAX_COLUMNS)
      add_summary(out, t, rows, columns, i);
    else
      for (int64_t c = 0; c < columns; c++) add_cell(out, t, c * rows + i);
    text_add(out, "\n");
  }
  if (shown < rows)
    text_printf(out, "... and %lld more (all of them with --json)\n", (long long)(rows - shown));
}

static void add_number_json(Text *out, const OrtTensor *t, int64_t i) {
  if (t->element == ORT_I64) {
    text_printf(out, "%lld", (long long)((const int64_t *)t->data)[i]);
  } else if (t->element == ORT_BOOL) {
    text_add(out, ((const uint8_t *)t->data)[i] ? "true" : "false");
  } else {
    double x = element(t, i);
    if (isnan(x))
      text_add(out, "\"NaN\"");
    else if (isinf(x))
      text_add(out, x > 0 ? "\"Infinity\"" : "\"-Infinity\"");
    else
      text_add_double(out, x);
  }
}

static int64_t add_nested(Text *out, const OrtTensor *t, int axis, int64_t i) {
  if (axis == t->rank) {
    add_number_json(out, t, i);
    return i + 1;
  }
  text_add(out, "[");
  for (int64_t k = 0; k < t->dims[axis]; k++) {
    if (k) text_add(out, ", ");
    i = add_nested(out, t, axis + 1, i);
  }
  text_add(out, "]");
  return i;
}

void print_tensor_json(Text *out, const OrtTensor *t) {
  if (t->element == ORT_OTHER)
    text_add(out, "null");
  else
    add_nested(out, t, 0, 0);
}

void print_time(Text *out, double seconds, int64_t chains) {
  text_printf(out, "%.4g us per evaluation", seconds * 1e6);
  if (chains > 1) text_printf(out, ", %.4g us per chain", seconds * 1e6 / (double)chains);
  text_add(out, "\n");
}
