/* Constants: equal ones are one initializer, uniform ones are expanded from a scalar, and many
 * small ones are packed, because runtimes take time quadratic in the number of initializers to load
 * a model. */
#include "emit/writer.h"

#include <string.h>

enum {
  UNIFORM_MIN = 64,          /* elements from which a uniform constant is an expanded scalar */
  FUNCTION_CONSTANT_MAX = 64 /* elements that a constant inside a function may have */
};

/* Tensor data from here on must leave the file, of which protobuf allows 2 GiB. */
static const size_t DEFAULT_EXTERNAL_THRESHOLD = (size_t)2000000000;
static const size_t EXTERNAL_ALIGNMENT = 64;
/* Data smaller than this stay in the file even where others leave it. */
static const size_t EXTERNAL_PIECE_MIN = 1024;

typedef struct Entry Entry;
struct Entry {
  const IrTensor *tensor;
  const char *name;
  uint64_t hash;
  Entry *next;
};

struct ConstantPool {
  Entry **items;
  size_t count, capacity;
  Entry **buckets;
  size_t bucket_count;
  Table by_name;
};

ConstantPool *constants_new(Writer *w) {
  ConstantPool *pool = ARENA_NEW(w->arena, ConstantPool);
  pool->by_name.arena = w->arena;
  return pool;
}

static size_t tensor_bytes(const IrTensor *t) {
  return (size_t)t->count * ir_dtype_size(t->type.dtype);
}

static uint64_t hash_tensor(const IrTensor *t) {
  uint64_t h = 1469598103934665603u + (uint64_t)t->type.dtype;
  for (int i = 0; i < t->type.rank; i++) h = (h ^ (uint64_t)t->type.dim[i]) * 1099511628211u;
  const unsigned char *p = t->data.bytes;
  size_t n = tensor_bytes(t), i = 0;
  for (; i + 8 <= n; i += 8) {
    uint64_t word;
    memcpy(&word, p + i, 8);
    h = (h ^ word) * 1099511628211u;
    h ^= h >> 29;
  }
  for (; i < n; i++) h = (h ^ p[i]) * 1099511628211u;
  return h;
}

static bool same(const IrTensor *a, const IrTensor *b) {
  return ir_types_equal(&a->type, &b->type) &&
         (a->count == 0 || memcmp(a->data.bytes, b->data.bytes, tensor_bytes(a)) == 0);
}

static void rehash(Arena *a, ConstantPool *pool) {
  pool->bucket_count = pool->bucket_count ? pool->bucket_count * 2 : 64;
  pool->buckets = ARENA_ARRAY(a, Entry *, pool->bucket_count);
  for (size_t i = 0; i < pool->count; i++) {
    Entry **bucket = &pool->buckets[pool->items[i]->hash % pool->bucket_count];
    pool->items[i]->next = *bucket;
    *bucket = pool->items[i];
  }
}

static const char *initializer(Writer *w, const IrTensor *t) {
  ConstantPool *pool = w->constants;
  uint64_t hash = hash_tensor(t);
  if (pool->count >= pool->bucket_count) rehash(w->arena, pool);
  Entry **bucket = &pool->buckets[hash % pool->bucket_count];
  for (Entry *e = *bucket; e; e = e->next)
    if (e->hash == hash && same(e->tensor, t)) return e->name;
  Entry *e = ARENA_NEW(w->arena, Entry);
  *e = (Entry){t, fresh_name(w, "const"), hash, *bucket};
  *bucket = e;
  ARENA_PUSH(w->arena, pool->items, pool->count, pool->capacity, e);
  table_set(&pool->by_name, e->name, e);
  return e->name;
}

static Onnx__TensorProto *tensor_message(Arena *a, const IrTensor *t, const char *name) {
  Onnx__TensorProto *p = ARENA_NEW(a, Onnx__TensorProto);
  onnx__tensor_proto__init(p);
  p->n_dims = (size_t)t->type.rank;
  p->dims = ARENA_ARRAY(a, int64_t, p->n_dims);
  for (int i = 0; i < t->type.rank; i++) p->dims[i] = t->type.dim[i];
  p->has_data_type = 1;
  p->data_type = onnx_dtype(t->type.dtype);
  if (name) p->name = arena_strdup(a, name);
  p->has_raw_data = 1;
  p->raw_data.data = t->data.bytes;
  p->raw_data.len = tensor_bytes(t);
  return p;
}

/* A scalar, repeated to the shape of t. */
static const char *expanded(Graph *g, const IrTensor *t) {
  IrTensor *one = ARENA_NEW(g->writer->arena, IrTensor);
  int64_t unit = 1;
  one->type = ir_type(t->type.dtype, 1, &unit);
  one->count = 1;
  one->data = t->data;
  Node *n = node_of1(g, "ConstantOfShape", constant_vector(g, t->type.dim, (size_t)t->type.rank));
  node_tensor(n, "value", tensor_message(g->writer->arena, one, NULL));
  return node_end(n);
}

const char *constant(Graph *g, const IrTensor *t) {
  if (t->count >= UNIFORM_MIN && ir_tensor_uniform(t)) return expanded(g, t);
  return initializer(g->writer, t);
}

const char *constant_f64(Graph *g, double x) {
  return constant(g, ir_tensor_f64(g->writer->arena, x));
}

const char *constant_i64(Graph *g, int64_t x) {
  return constant(g, ir_tensor_i64(g->writer->arena, x));
}

const char *constant_bool(Graph *g, bool x) {
  IrTensor *t = ir_tensor_new(g->writer->arena, ir_scalar(IR_BOOL));
  t->data.boolean[0] = x;
  return constant(g, t);
}

const char *constant_vector(Graph *g, const int64_t *values, size_t count) {
  int64_t length = (int64_t)count;
  IrTensor *t = ir_tensor_new(g->writer->arena, ir_type(IR_I64, 1, &length));
  for (size_t i = 0; i < count; i++) t->data.i64[i] = values[i];
  return constant(g, t);
}

Onnx__TensorProto *small_constant(Writer *w, const char *name) {
  const Entry *e = table_get(&w->constants->by_name, name);
  return e && e->tensor->count <= FUNCTION_CONSTANT_MAX ? tensor_message(w->arena, e->tensor, NULL)
                                                        : NULL;
}

/* ---- into the model ---- */

static void external_entry(Arena *a, Onnx__TensorProto *p, size_t k, const char *key,
                           const char *value) {
  Onnx__StringStringEntryProto *e = ARENA_NEW(a, Onnx__StringStringEntryProto);
  onnx__string_string_entry_proto__init(e);
  e->key = arena_strdup(a, key);
  e->value = arena_strdup(a, value);
  p->external_data[k] = e;
}

/* Where external data go: the offset of the next piece, and the pieces so far. */
typedef struct {
  size_t offset, capacity;
} External;

static void add_piece(Writer *w, EmittedModel *model, External *x, const void *bytes, size_t size) {
  if (model->piece_count == x->capacity) {
    x->capacity = x->capacity ? x->capacity * 2 : 8;
    model->pieces = arena_regrow(w->arena, model->pieces, model->piece_count, x->capacity,
                                 sizeof *model->pieces);
  }
  model->pieces[model->piece_count].bytes = bytes;
  model->pieces[model->piece_count++].size = size;
  x->offset += size;
}

static void move_out(Writer *w, Onnx__TensorProto *p, EmittedModel *model, External *x) {
  static const char padding[64];
  Arena *a = w->arena;
  size_t gap = (EXTERNAL_ALIGNMENT - x->offset % EXTERNAL_ALIGNMENT) % EXTERNAL_ALIGNMENT;
  if (gap) add_piece(w, model, x, padding, gap);
  p->n_external_data = 3;
  p->external_data = ARENA_ARRAY(a, Onnx__StringStringEntryProto *, 3);
  external_entry(a, p, 0, "location", w->options->external_name);
  external_entry(a, p, 1, "offset", arena_printf(a, "%zu", x->offset));
  external_entry(a, p, 2, "length", arena_printf(a, "%zu", p->raw_data.len));
  p->has_data_location = 1;
  p->data_location = ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL;
  add_piece(w, model, x, p->raw_data.data, p->raw_data.len);
  p->has_raw_data = 0;
  p->raw_data = (ProtobufCBinaryData){0, NULL};
}

/* The constants that nodes use. */
static const Entry **used_constants(Writer *w, Onnx__NodeProto *const *nodes, size_t node_count,
                                    size_t *count) {
  const ConstantPool *pool = w->constants;
  const Entry **used = ARENA_ARRAY(w->arena, const Entry *, pool->count);
  Table names = names_read(w->arena, nodes, node_count);
  *count = 0;
  for (size_t i = 0; i < pool->count; i++)
    if (table_get(&names, pool->items[i]->name)) used[(*count)++] = pool->items[i];
  return used;
}

static void add_initializer(Writer *w, Onnx__GraphProto *proto, const IrTensor *t,
                            const char *name) {
  proto->initializer[proto->n_initializer++] = tensor_message(w->arena, t, name);
  w->statistics.initializers++;
  w->statistics.initializer_bytes += tensor_bytes(t);
}

void constants_embed(Writer *w, Onnx__GraphProto *proto) {
  size_t count;
  const Entry **used = used_constants(w, proto->node, proto->n_node, &count);
  proto->initializer = ARENA_ARRAY(w->arena, Onnx__TensorProto *, count);
  for (size_t i = 0; i < count; i++) add_initializer(w, proto, used[i]->tensor, used[i]->name);
}

void constants_as_nodes(Graph *g) {
  Writer *w = g->writer;
  size_t count, node_count = g->node_count;
  Onnx__NodeProto **nodes = g->nodes;
  const Entry **used = used_constants(w, nodes, node_count, &count);
  const IrNode *origin = w->origin;
  w->origin = NULL;
  g->nodes = NULL;
  g->node_count = g->node_capacity = 0;
  for (size_t i = 0; i < count; i++) {
    const char *name = used[i]->name;
    Node *n = node_begin(g, "Constant");
    node_tensor(n, "value", tensor_message(w->arena, used[i]->tensor, NULL));
    node_end_many(n, &name, 1);
  }
  for (size_t i = 0; i < node_count; i++)
    ARENA_PUSH(w->arena, g->nodes, g->node_count, g->node_capacity, nodes[i]);
  w->origin = origin;
}

void constants_finish(Writer *w, Onnx__GraphProto *proto, EmittedModel *model) {
  size_t count;
  const Entry **used = used_constants(w, proto->node, proto->n_node, &count);
  size_t limit =
      w->options->external_threshold ? w->options->external_threshold : DEFAULT_EXTERNAL_THRESHOLD;
  size_t total = 0;
  for (size_t i = 0; i < count; i++) total += tensor_bytes(used[i]->tensor);
  bool external = total >= limit;
  if (external && !w->options->external_name) {
    w->error = arena_printf(
        w->arena, "the model's constants take %zu bytes, more than one file can hold", total);
    return;
  }
  External x = {0, 0};
  proto->initializer = ARENA_ARRAY(w->arena, Onnx__TensorProto *, count);
  for (size_t i = 0; i < count; i++) {
    add_initializer(w, proto, used[i]->tensor, used[i]->name);
    Onnx__TensorProto *p = proto->initializer[i];
    if (external && p->raw_data.len >= EXTERNAL_PIECE_MIN) move_out(w, p, model, &x);
  }
}
