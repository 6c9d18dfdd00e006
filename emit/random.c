/* Threefry-2x32 in ONNX's unsigned integers, which wrap around and shift as C's do. */
#include "emit/random.h"

enum {
  WORD = ONNX__TENSOR_PROTO__DATA_TYPE__UINT32,
  TWO_WORDS = ONNX__TENSOR_PROTO__DATA_TYPE__UINT64
};

static const char *cast_to(Graph *g, const char *x, int type) {
  Node *n = node_of1(g, "Cast", x);
  node_int(n, "to", type);
  return node_end(n);
}

/* An unsigned constant. */
static const char *number(Graph *g, uint64_t x, int type) {
  Arena *a = g->writer->arena;
  size_t size = type == WORD ? 4 : 8;
  Onnx__TensorProto *t = ARENA_NEW(a, Onnx__TensorProto);
  onnx__tensor_proto__init(t);
  t->has_data_type = t->has_raw_data = 1;
  t->data_type = type;
  t->raw_data.len = size;
  t->raw_data.data = arena_alloc(a, size);
  for (size_t k = 0; k < size; k++) t->raw_data.data[k] = (uint8_t)(x >> (8 * k));
  Node *n = node_begin(g, "Constant");
  node_tensor(n, "value", t);
  return node_end(n);
}

static const char *shifted(Graph *g, const char *x, const char *direction, int by, int type) {
  Node *n = node_of2(g, "BitShift", x, number(g, (uint64_t)by, type));
  node_string(n, "direction", direction);
  return node_end(n);
}

/* The two words of an i64, the first the high one. */
static void split_words(Graph *g, const char *x, const char **words) {
  words[0] = cast_to(g, shifted(g, cast_to(g, x, TWO_WORDS), "RIGHT", 32, TWO_WORDS), WORD);
  words[1] = cast_to(g, x, WORD);
}

static const char *rotated(Graph *g, const char *x, int by) {
  return apply2(g, "Add", shifted(g, x, "LEFT", by, WORD), shifted(g, x, "RIGHT", 32 - by, WORD));
}

static void rounds(Graph *g, const char **x, const int *rotations) {
  for (int k = 0; k < 4; k++) {
    x[0] = apply2(g, "Add", x[0], x[1]);
    x[1] = apply2(g, "BitwiseXor", x[0], rotated(g, x[1], rotations[k]));
  }
}

Node *form_threefry(Frame *f, const IrNode *n) {
  static const int rotations[2][4] = {{13, 15, 26, 6}, {17, 29, 16, 24}};
  Graph *g = f->graph;
  const char *key[3], *x[2];
  split_words(g, name_of(f, n->in[0]), key);
  split_words(g, name_of(f, n->in[1]), x);
  key[2] =
      apply2(g, "BitwiseXor", apply2(g, "BitwiseXor", key[0], key[1]), number(g, 0x1bd11bda, WORD));
  for (int k = 0; k < 2; k++) x[k] = apply2(g, "Add", x[k], key[k]);
  for (int group = 0; group < 5; group++) {
    rounds(g, x, rotations[group % 2]);
    x[0] = apply2(g, "Add", x[0], key[(group + 1) % 3]);
    const char *second =
        apply2(g, "Add", key[(group + 2) % 3], number(g, (uint64_t)group + 1, WORD));
    x[1] = apply2(g, "Add", x[1], second);
  }
  const char *high = shifted(g, cast_to(g, x[0], TWO_WORDS), "LEFT", 32, TWO_WORDS);
  const char *bits = apply2(g, "BitwiseOr", high, cast_to(g, x[1], TWO_WORDS));
  Node *result = node_of1(g, "Cast", bits);
  node_int(result, "to", onnx_dtype(IR_I64));
  return result;
}

Node *form_uniform(Frame *f, const IrNode *n) {
  Graph *g = f->graph;
  const char *bits = cast_to(g, name_of(f, n->in[0]), TWO_WORDS);
  const char *whole = apply_cast(g, shifted(g, bits, "RIGHT", 12, TWO_WORDS), IR_F64);
  return node_of2(g, "Mul", whole, constant_f64(g, 0x1p-52));
}
