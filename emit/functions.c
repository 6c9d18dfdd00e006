/* The functions of a model: those of the domain ai.onnx.prob, with bodies of standard operators. */
#include "emit/writer.h"

#include <string.h>

typedef struct {
  Onnx__FunctionProto *proto;
  const char *base; /* the name before it was made distinct */
  uint8_t *body;    /* the serialized function without its name */
  size_t size;
} Function;

struct Functions {
  Function *items;
  size_t count, capacity;
};

Functions *functions_new(Writer *w) { return ARENA_NEW(w->arena, Functions); }

static Onnx__OperatorSetIdProto *opset(Arena *a, const char *domain, int version) {
  Onnx__OperatorSetIdProto *p = ARENA_NEW(a, Onnx__OperatorSetIdProto);
  onnx__operator_set_id_proto__init(p);
  p->domain = arena_strdup(a, domain);
  p->has_version = 1;
  p->version = version;
  return p;
}

Onnx__FunctionProto *function_proto(Arena *a) {
  Onnx__FunctionProto *f = ARENA_NEW(a, Onnx__FunctionProto);
  onnx__function_proto__init(f);
  f->domain = arena_strdup(a, EMIT_PROB_DOMAIN);
  /* those of the model: control flow may hold further calls */
  f->n_opset_import = 2;
  f->opset_import = ARENA_ARRAY(a, Onnx__OperatorSetIdProto *, 2);
  f->opset_import[0] = opset(a, "", EMIT_OPSET);
  f->opset_import[1] = opset(a, EMIT_PROB_DOMAIN, EMIT_PROB_VERSION);
  return f;
}

const char *function_add(Writer *w, Onnx__FunctionProto *proto, const char *base) {
  Functions *fs = w->functions;
  Function f = {proto, base, NULL, onnx__function_proto__get_packed_size(proto)};
  int same_base = 0;
  f.body = arena_alloc(w->arena, f.size);
  onnx__function_proto__pack(proto, f.body);
  for (size_t i = 0; i < fs->count; i++) {
    const Function *g = &fs->items[i];
    if (strcmp(g->base, base) != 0) continue;
    if (g->size == f.size && memcmp(g->body, f.body, f.size) == 0) return g->proto->name;
    same_base++;
  }
  proto->name = same_base ? arena_printf(w->arena, "%s_%d", base, same_base + 1)
                          : arena_strdup(w->arena, base);
  ARENA_PUSH(w->arena, fs->items, fs->count, fs->capacity, f);
  w->statistics.functions++;
  return proto->name;
}

Node *node_of_function(Graph *g, const char *name) {
  Node *n = node_begin(g, name);
  n->proto->domain = arena_strdup(g->writer->arena, EMIT_PROB_DOMAIN);
  return n;
}

void functions_finish(Writer *w, Onnx__ModelProto *model) {
  model->n_functions = w->functions->count;
  model->functions = ARENA_ARRAY(w->arena, Onnx__FunctionProto *, w->functions->count);
  for (size_t i = 0; i < w->functions->count; i++) {
    Onnx__FunctionProto *f = w->functions->items[i].proto;
    name_nodes(f->node, f->n_node);
    model->functions[i] = f;
  }
}
