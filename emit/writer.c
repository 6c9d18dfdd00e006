#include "emit/writer.h"

#include "base/text.h"

#include <string.h>

/* ---- tables ---- */

struct TableEntry {
  const char *key;
  const void *value;
  uint64_t hash;
  TableEntry *next;
};

static uint64_t hash_string(const char *s) {
  uint64_t h = 1469598103934665603u;
  for (; *s; s++) h = (h ^ (unsigned char)*s) * 1099511628211u;
  return h;
}

static TableEntry *find(const Table *t, const char *key, uint64_t hash) {
  if (!t->bucket_count) return NULL;
  TableEntry *e = t->buckets[hash % t->bucket_count];
  while (e && (e->hash != hash || strcmp(e->key, key) != 0)) e = e->next;
  return e;
}

static void grow(Table *t) {
  size_t n = t->bucket_count ? t->bucket_count * 2 : 64;
  TableEntry **buckets = ARENA_ARRAY(t->arena, TableEntry *, n);
  for (size_t i = 0; i < t->bucket_count; i++) {
    for (TableEntry *e = t->buckets[i], *next; e; e = next) {
      next = e->next;
      e->next = buckets[e->hash % n];
      buckets[e->hash % n] = e;
    }
  }
  t->buckets = buckets;
  t->bucket_count = n;
}

const void *table_get(const Table *t, const char *key) {
  const TableEntry *e = find(t, key, hash_string(key));
  return e ? e->value : NULL;
}

void table_set(Table *t, const char *key, const void *value) {
  uint64_t hash = hash_string(key);
  TableEntry *e = find(t, key, hash);
  if (!e) {
    if (t->count >= t->bucket_count) grow(t);
    e = ARENA_NEW(t->arena, TableEntry);
    *e = (TableEntry){key, NULL, hash, t->buckets[hash % t->bucket_count]};
    t->buckets[hash % t->bucket_count] = e;
    t->count++;
  }
  e->value = value;
}

/* ---- nodes ---- */

Graph *graph_new(Writer *w, Graph *outer, const IrScope *inside) {
  Graph *g = ARENA_NEW(w->arena, Graph);
  g->writer = w;
  g->outer = outer;
  g->inside = inside;
  g->known.arena = w->arena;
  return g;
}

Node *node_begin(Graph *g, const char *op) {
  Arena *a = g->writer->arena;
  Node *n = ARENA_NEW(a, Node);
  n->graph = g;
  n->proto = ARENA_NEW(a, Onnx__NodeProto);
  onnx__node_proto__init(n->proto);
  n->proto->op_type = arena_strdup(a, op);
  return n;
}

void node_in(Node *n, const char *name) {
  Onnx__NodeProto *p = n->proto;
  ARENA_PUSH(n->graph->writer->arena, p->input, p->n_input, n->input_capacity, (char *)name);
}

static Onnx__AttributeProto *attribute(Node *n, const char *key,
                                       Onnx__AttributeProto__AttributeType type) {
  Arena *a = n->graph->writer->arena;
  Onnx__AttributeProto *p = ARENA_NEW(a, Onnx__AttributeProto);
  onnx__attribute_proto__init(p);
  p->name = arena_strdup(a, key);
  p->has_type = 1;
  p->type = type;
  ARENA_PUSH(a, n->proto->attribute, n->proto->n_attribute, n->attribute_capacity, p);
  return p;
}

void node_int(Node *n, const char *key, int64_t value) {
  Onnx__AttributeProto *p = attribute(n, key, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT);
  p->has_i = 1;
  p->i = value;
}

void node_ints(Node *n, const char *key, const int64_t *values, size_t count) {
  Onnx__AttributeProto *p = attribute(n, key, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS);
  p->ints = ARENA_ARRAY(n->graph->writer->arena, int64_t, count);
  p->n_ints = count;
  for (size_t i = 0; i < count; i++) p->ints[i] = values[i];
}

void node_string(Node *n, const char *key, const char *value) {
  Onnx__AttributeProto *p = attribute(n, key, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING);
  p->has_s = 1;
  p->s.data = (uint8_t *)arena_strdup(n->graph->writer->arena, value);
  p->s.len = strlen(value);
}

void node_tensor(Node *n, const char *key, Onnx__TensorProto *tensor) {
  attribute(n, key, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TENSOR)->t = tensor;
}

void node_graph(Node *n, const char *key, Onnx__GraphProto *graph) {
  attribute(n, key, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__GRAPH)->g = graph;
}

void node_graph_reference(Node *n, const char *key, const char *name) {
  attribute(n, key, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__GRAPH)->ref_attr_name =
      arena_strdup(n->graph->writer->arena, name);
}

const char *fresh_name(Writer *w, const char *hint) {
  return arena_printf(w->arena, "%s/%d", hint, w->next_name++);
}

static void describe_bytes(Text *key, const ProtobufCBinaryData *b) {
  for (size_t i = 0; i < b->len; i++) text_printf(key, "%02x", b->data[i]);
}

/* What a node computes, as text; NULL where it has bodies, which are not compared. */
static const char *describe(const Node *n) {
  const Onnx__NodeProto *p = n->proto;
  Text key = text_new(n->graph->writer->arena);
  text_printf(&key, "%s %s(", p->domain ? p->domain : "", p->op_type);
  for (size_t i = 0; i < p->n_input; i++) text_printf(&key, "%s,", p->input[i]);
  for (size_t k = 0; k < p->n_attribute; k++) {
    const Onnx__AttributeProto *a = p->attribute[k];
    if (a->g || a->ref_attr_name) return NULL;
    text_printf(&key, ";%s=", a->name);
    if (a->has_i) text_printf(&key, "%lld", (long long)a->i);
    for (size_t i = 0; i < a->n_ints; i++) text_printf(&key, "%lld,", (long long)a->ints[i]);
    if (a->has_s) text_add_bytes(&key, a->s.data, a->s.len);
    if (a->t) {
      text_printf(&key, "%d:", a->t->data_type);
      for (size_t i = 0; i < a->t->n_dims; i++)
        text_printf(&key, "%lld,", (long long)a->t->dims[i]);
      describe_bytes(&key, &a->t->raw_data);
    }
  }
  return key.data;
}

static const char *lookup(const Graph *g, const char *key) {
  for (; g; g = g->outer) {
    const char *name = table_get(&g->known, key);
    if (name) return name;
  }
  return NULL;
}

static void append(Node *n) {
  Graph *g = n->graph;
  Writer *w = g->writer;
  ARENA_PUSH(w->arena, g->nodes, g->node_count, g->node_capacity, n->proto);
  ARENA_PUSH(w->arena, g->origins, g->origin_count, g->origin_capacity, w->origin);
  w->statistics.nodes++;
}

static void add_output(Node *n, const char *name) {
  size_t capacity = n->proto->n_output;
  ARENA_PUSH(n->graph->writer->arena, n->proto->output, n->proto->n_output, capacity, (char *)name);
}

const char *node_end_named(Node *n, const char *name) {
  const char *op = n->proto->op_type;
  if (!name && strcmp(op, "Identity") == 0) return n->proto->input[0];
  const char *key = describe(n);
  const char *known = key ? lookup(n->graph, key) : NULL;
  if (known) {
    if (!name) return known;
    n = node_of1(n->graph, "Identity", known);
    key = NULL;
  }
  if (!name) name = fresh_name(n->graph->writer, op);
  add_output(n, name);
  append(n);
  if (key) table_set(&n->graph->known, key, name);
  return name;
}

const char *node_end(Node *n) { return node_end_named(n, NULL); }

void node_alias(Node *n, const char *name) {
  const char *key = describe(n);
  if (key && !lookup(n->graph, key)) table_set(&n->graph->known, key, name);
}

void node_end_many(Node *n, const char **names, size_t count) {
  n->proto->output = ARENA_ARRAY(n->graph->writer->arena, char *, count);
  n->proto->n_output = count;
  for (size_t k = 0; k < count; k++) {
    if (!names[k]) names[k] = fresh_name(n->graph->writer, n->proto->op_type);
    n->proto->output[k] = (char *)names[k];
  }
  append(n);
}

Node *node_of1(Graph *g, const char *op, const char *x) {
  Node *n = node_begin(g, op);
  node_in(n, x);
  return n;
}

Node *node_of2(Graph *g, const char *op, const char *x, const char *y) {
  Node *n = node_of1(g, op, x);
  node_in(n, y);
  return n;
}

Node *node_of3(Graph *g, const char *op, const char *x, const char *y, const char *z) {
  Node *n = node_of2(g, op, x, y);
  node_in(n, z);
  return n;
}

const char *apply1(Graph *g, const char *op, const char *x) { return node_end(node_of1(g, op, x)); }

const char *apply2(Graph *g, const char *op, const char *x, const char *y) {
  return node_end(node_of2(g, op, x, y));
}

const char *apply3(Graph *g, const char *op, const char *x, const char *y, const char *z) {
  return node_end(node_of3(g, op, x, y, z));
}

const char *apply_cast(Graph *g, const char *x, IrDtype to) {
  Node *n = node_of1(g, "Cast", x);
  node_int(n, "to", onnx_dtype(to));
  return node_end(n);
}

/* ---- messages ---- */

int onnx_dtype(IrDtype dtype) {
  static const int types[] = {[IR_F64] = ONNX__TENSOR_PROTO__DATA_TYPE__DOUBLE,
                              [IR_I64] = ONNX__TENSOR_PROTO__DATA_TYPE__INT64,
                              [IR_BOOL] = ONNX__TENSOR_PROTO__DATA_TYPE__BOOL};
  return types[dtype];
}

static Onnx__TensorShapeProto *shape_message(Arena *arena, const IrType *type,
                                             const char *const *dim_names) {
  Onnx__TensorShapeProto *shape = ARENA_NEW(arena, Onnx__TensorShapeProto);
  onnx__tensor_shape_proto__init(shape);
  shape->n_dim = (size_t)type->rank;
  shape->dim = ARENA_ARRAY(arena, Onnx__TensorShapeProto__Dimension *, shape->n_dim);
  for (int i = 0; i < type->rank; i++) {
    Onnx__TensorShapeProto__Dimension *d = ARENA_NEW(arena, Onnx__TensorShapeProto__Dimension);
    onnx__tensor_shape_proto__dimension__init(d);
    if (type->dim[i] != IR_DYNAMIC) {
      d->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
      d->dim_value = type->dim[i];
    } else if (dim_names && dim_names[i]) {
      d->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM;
      d->dim_param = arena_strdup(arena, dim_names[i]);
    }
    shape->dim[i] = d;
  }
  return shape;
}

Onnx__ValueInfoProto *value_info(Arena *arena, const char *name, const IrType *type,
                                 const char *const *dim_names) {
  Onnx__TypeProto__Tensor *tensor = ARENA_NEW(arena, Onnx__TypeProto__Tensor);
  onnx__type_proto__tensor__init(tensor);
  tensor->has_elem_type = 1;
  tensor->elem_type = onnx_dtype(type->dtype);
  tensor->shape = shape_message(arena, type, dim_names);
  Onnx__TypeProto *outer = ARENA_NEW(arena, Onnx__TypeProto);
  onnx__type_proto__init(outer);
  outer->value_case = ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
  outer->tensor_type = tensor;
  Onnx__ValueInfoProto *info = ARENA_NEW(arena, Onnx__ValueInfoProto);
  onnx__value_info_proto__init(info);
  info->name = arena_strdup(arena, name);
  info->type = outer;
  return info;
}

Onnx__GraphProto *graph_proto(Graph *g, const char *name, Onnx__ValueInfoProto **inputs,
                              size_t input_count, Onnx__ValueInfoProto **outputs,
                              size_t output_count) {
  Onnx__GraphProto *p = ARENA_NEW(g->writer->arena, Onnx__GraphProto);
  onnx__graph_proto__init(p);
  p->name = arena_strdup(g->writer->arena, name);
  p->node = g->nodes;
  p->n_node = g->node_count;
  p->input = inputs;
  p->n_input = input_count;
  p->output = outputs;
  p->n_output = output_count;
  return p;
}

void name_nodes(Onnx__NodeProto **nodes, size_t count) {
  for (size_t i = 0; i < count; i++) {
    Onnx__NodeProto *n = nodes[i];
    if ((!n->name || !*n->name) && n->n_output) n->name = n->output[0];
    for (size_t k = 0; k < n->n_attribute; k++)
      if (n->attribute[k]->g) name_nodes(n->attribute[k]->g->node, n->attribute[k]->g->n_node);
  }
}
