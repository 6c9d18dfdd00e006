#include "emit/writer.h"

#include <limits.h>

static const char *const PRODUCER = "stan2onnx";

static Onnx__ValueInfoProto **ports(Arena *a, const EmitPort *ports, IrValue *const *values,
                                    int count) {
  Onnx__ValueInfoProto **infos = ARENA_ARRAY(a, Onnx__ValueInfoProto *, (size_t)count);
  for (int k = 0; k < count; k++) {
    infos[k] = value_info(a, ports[k].name, &values[k]->type, ports[k].dim_names);
    if (ports[k].doc) infos[k]->doc_string = arena_strdup(a, ports[k].doc);
  }
  return infos;
}

static void add_opset(Writer *w, Onnx__ModelProto *m, const char *domain, int version) {
  Onnx__OperatorSetIdProto *p = ARENA_NEW(w->arena, Onnx__OperatorSetIdProto);
  onnx__operator_set_id_proto__init(p);
  p->domain = arena_strdup(w->arena, domain);
  p->has_version = 1;
  p->version = version;
  m->opset_import[m->n_opset_import++] = p;
}

static void add_properties(Writer *w, Onnx__ModelProto *m) {
  const EmitOptions *o = w->options;
  m->n_metadata_props = (size_t)o->property_count;
  m->metadata_props = ARENA_ARRAY(w->arena, Onnx__StringStringEntryProto *, m->n_metadata_props);
  for (int k = 0; k < o->property_count; k++) {
    Onnx__StringStringEntryProto *p = ARENA_NEW(w->arena, Onnx__StringStringEntryProto);
    onnx__string_string_entry_proto__init(p);
    p->key = arena_strdup(w->arena, o->properties[k].key);
    p->value = arena_strdup(w->arena, o->properties[k].value);
    m->metadata_props[k] = p;
  }
}

static Onnx__GraphProto *main_graph(Writer *w, const IrFunction *fn) {
  const EmitOptions *o = w->options;
  Arena *a = w->arena;
  Graph *graph = graph_new(w, NULL, NULL);
  Frame f = frame_of(graph, fn);
  const char **results = ARENA_ARRAY(a, const char *, (size_t)fn->result_count);
  for (int k = 0; k < fn->param_count; k++)
    f.names[fn->params[k]->id] = arena_strdup(a, o->inputs[k].name);
  for (int k = 0; k < fn->result_count; k++) results[k] = arena_strdup(a, o->outputs[k].name);
  emit_nodes(&f, results);
  return graph_proto(graph, o->graph_name, ports(a, o->inputs, fn->params, fn->param_count),
                     (size_t)fn->param_count, ports(a, o->outputs, fn->results, fn->result_count),
                     (size_t)fn->result_count);
}

static void serialize(Writer *w, const Onnx__ModelProto *m, EmittedModel *model) {
  size_t size = onnx__model_proto__get_packed_size(m);
  if (size > INT_MAX) {
    w->error = "the model takes more than the 2 GiB that one file can hold";
    return;
  }
  model->bytes = arena_alloc(w->arena, size);
  model->size = onnx__model_proto__pack(m, model->bytes);
}

const char *emit_model(Arena *arena, const IrFunction *f, const EmitOptions *options,
                       EmittedModel *model) {
  Writer w = {.arena = arena, .options = options};
  *model = (EmittedModel){0};
  if (options->input_count != f->param_count || options->output_count != f->result_count)
    return "the model's inputs and outputs do not match the function's";
  w.constants = constants_new(&w);
  w.functions = functions_new(&w);
  Onnx__ModelProto m = ONNX__MODEL_PROTO__INIT;
  m.graph = main_graph(&w, f);
  if (!w.error) constants_finish(&w, m.graph, model);
  if (w.error) return w.error;

  m.has_ir_version = 1;
  m.ir_version = EMIT_IR_VERSION;
  m.producer_name = arena_strdup(arena, PRODUCER);
  m.producer_version =
      arena_strdup(arena, options->producer_version ? options->producer_version : "");
  if (options->doc) m.doc_string = arena_strdup(arena, options->doc);
  m.opset_import = ARENA_ARRAY(arena, Onnx__OperatorSetIdProto *, 2);
  add_opset(&w, &m, "", EMIT_OPSET);
  if (w.statistics.functions) add_opset(&w, &m, EMIT_PROB_DOMAIN, EMIT_PROB_VERSION);
  functions_finish(&w, &m);
  name_nodes(m.graph->node, m.graph->n_node);
  add_properties(&w, &m);
  serialize(&w, &m, model);
  model->statistics = w.statistics;
  return w.error;
}
