/* Algorithms that are given a function, as a sampler is given a density. The CALL of an algorithm
 * is a node of the domain ai.onnx.prob, and what it is given is a graph attribute of that node. In
 * the algorithm, a CALL of what it is given is a Scan of one iteration whose body refers to the
 * attribute.
 *
 * Neither sees anything of what is around it: a function cannot, and runtimes up to at least ONNX
 * Runtime 1.20 do not find what a graph attribute takes from around the node of a function. So both
 * have constants of their own, and what else the graph needs passes through the algorithm. */
#include "emit/prob_names.h"
#include "emit/writer.h"

typedef struct {
  const IrFunction *function;
  const char *name; /* of the attribute */
  const bool *read; /* by parameter: whether the graph has it as an input */
  Onnx__GraphProto *graph;
} Argument;

struct Algorithm {
  Graph *graph; /* of the function's body */
  Table inputs; /* the function's inputs, by name */
  Argument *arguments;
  size_t argument_count, argument_capacity;
};

/* ---- functions on their own ---- */

static const char *name_at(const char *const *names, int k, const char *otherwise) {
  return names && names[k] ? names[k] : otherwise;
}

/* Emits fn into a graph that nothing is around; its constants are in w->constants then. */
static void emit_alone(Graph *g, const IrFunction *fn, const char *const *params,
                       const char *const *results) {
  Writer *w = g->writer;
  Frame f = frame_of(g, fn);
  for (int k = 0; k < fn->param_count; k++) f.names[fn->params[k]->id] = params[k];
  w->constants = constants_new(w);
  emit_nodes(&f, results);
}

/* Which of the names the graph's nodes read. */
static bool *are_read(const Graph *g, const char *const *names, int count) {
  Arena *a = g->writer->arena;
  bool *read = ARENA_ARRAY(a, bool, (size_t)count);
  Table uses = names_read(a, g->nodes, g->node_count);
  for (int k = 0; k < count; k++) read[k] = table_get(&uses, names[k]) != NULL;
  return read;
}

/* ---- what an algorithm is given ---- */

static Onnx__GraphProto *argument_graph(Writer *w, Argument *argument) {
  Arena *a = w->arena;
  const IrFunction *fn = argument->function;
  size_t param_count = (size_t)fn->param_count, result_count = (size_t)fn->result_count, count = 0;
  const char **params = ARENA_ARRAY(a, const char *, param_count),
             **results = ARENA_ARRAY(a, const char *, result_count);
  Onnx__ValueInfoProto **inputs = ARENA_ARRAY(a, Onnx__ValueInfoProto *, param_count),
                       **outputs = ARENA_ARRAY(a, Onnx__ValueInfoProto *, result_count);
  Graph *g = graph_new(w, NULL, NULL);
  for (int k = 0; k < fn->param_count; k++)
    params[k] = fresh_name(w, name_at(fn->param_names, k, "argument"));
  for (int k = 0; k < fn->result_count; k++)
    results[k] = fresh_name(w, name_at(fn->result_names, k, "result"));
  emit_alone(g, fn, params, results);
  bool *read = are_read(g, params, fn->param_count);
  read[0] = true; /* a Scan has an input to go along */
  argument->read = read;
  for (int k = 0; k < fn->param_count; k++)
    if (read[k]) inputs[count++] = value_info(a, params[k], &fn->params[k]->type, NULL);
  for (int k = 0; k < fn->result_count; k++)
    outputs[k] = value_info(a, results[k], &fn->results[k]->type, NULL);
  Onnx__GraphProto *proto = graph_proto(g, fn->name, inputs, count, outputs, result_count);
  constants_embed(w, proto);
  return proto;
}

static const Argument *argument_of(Writer *w, const IrFunction *fn) {
  Algorithm *to = w->algorithm;
  size_t n = to->argument_count;
  for (size_t k = 0; k < n; k++)
    if (to->arguments[k].function == fn) return &to->arguments[k];
  Argument argument = {.function = fn,
                       .name = n ? arena_printf(w->arena, "%s_%zu", fn->name, n + 1) : fn->name};
  ConstantPool *constants = w->constants;
  argument.graph = argument_graph(w, &argument);
  w->constants = constants;
  ARENA_PUSH(w->arena, to->arguments, to->argument_count, to->argument_capacity, argument);
  return &to->arguments[n];
}

static const char *with_unit_axis(Graph *g, const char *name) {
  return apply2(g, "Unsqueeze", name, constant_vector(g, &(int64_t){0}, 1));
}

/* What the algorithm has as an input gets its axis once, before all loops. */
static const char *scanned_input(Frame *f, const char *name) {
  Writer *w = f->graph->writer;
  const Algorithm *around = w->algorithm;
  if (!table_get(&around->inputs, name)) return with_unit_axis(f->graph, name);
  const IrNode *origin = w->origin;
  w->origin = NULL; /* it belongs to no call */
  name = with_unit_axis(around->graph, name);
  w->origin = origin;
  return name;
}

static void emit_argument_call(Frame *f, const IrNode *n, const char **wanted) {
  Graph *g = f->graph;
  Writer *w = g->writer;
  const Argument *argument = argument_of(w, n->body[0]);
  const char **names = ARENA_ARRAY(w->arena, const char *, (size_t)n->out_count);
  Node *scan = node_begin(g, "Scan");
  for (int k = 0; k < n->in_count; k++)
    if (argument->read[k]) node_in(scan, scanned_input(f, name_of(f, n->in[k])));
  node_graph_reference(scan, "body", argument->name);
  node_int(scan, "num_scan_inputs", (int64_t)scan->proto->n_input);
  node_end_many(scan, names, (size_t)n->out_count);
  for (int k = 0; k < n->out_count; k++) {
    const IrValue *v = n->out[k];
    Node *squeeze = node_of2(g, "Squeeze", names[k], constant_vector(g, &(int64_t){0}, 1));
    f->names[v->id] = node_end_named(squeeze, wanted[v->id]);
  }
}

/* ---- algorithms ---- */

static Onnx__FunctionProto *algorithm_function(Algorithm *algorithm, const IrFunction *fn,
                                               const bool **read) {
  Graph *g = algorithm->graph;
  Writer *w = g->writer;
  Arena *a = w->arena;
  size_t count = (size_t)fn->param_count;
  const char **params = ARENA_ARRAY(a, const char *, count),
             **results = ARENA_ARRAY(a, const char *, (size_t)fn->result_count);
  Onnx__FunctionProto *f = function_proto(a);
  f->input = ARENA_ARRAY(a, char *, count);
  f->output = ARENA_ARRAY(a, char *, (size_t)fn->result_count);
  for (int k = 0; k < fn->param_count; k++) {
    params[k] = name_at(fn->param_names, k, fresh_name(w, "argument"));
    table_set(&algorithm->inputs, params[k], params[k]);
  }
  for (int k = 0; k < fn->result_count; k++) {
    results[k] = name_at(fn->result_names, k, fresh_name(w, "result"));
    f->output[f->n_output++] = arena_strdup(a, results[k]);
  }
  emit_alone(g, fn, params, results);
  *read = are_read(g, params, fn->param_count);
  for (size_t k = 0; k < count; k++)
    if ((*read)[k]) f->input[f->n_input++] = arena_strdup(a, params[k]);
  constants_as_nodes(g);
  f->node = g->nodes;
  f->n_node = g->node_count;
  f->attribute = ARENA_ARRAY(a, char *, algorithm->argument_count);
  for (size_t k = 0; k < algorithm->argument_count; k++)
    f->attribute[f->n_attribute++] = arena_strdup(a, algorithm->arguments[k].name);
  return f;
}

static void emit_algorithm_call(Frame *f, const IrNode *n, const char **wanted) {
  Writer *w = f->graph->writer;
  const IrFunction *fn = n->body[0];
  Algorithm algorithm = {.graph = graph_new(w, NULL, NULL), .inputs.arena = w->arena};
  const bool *read;
  ConstantPool *constants = w->constants;
  Algorithm *around = w->algorithm;
  w->algorithm = &algorithm;
  Onnx__FunctionProto *proto = algorithm_function(&algorithm, fn, &read);
  w->algorithm = around;
  w->constants = constants;
  const char *name = function_add(w, proto, prob_function_name(w->arena, fn->name, false)),
             **names = ARENA_ARRAY(w->arena, const char *, (size_t)n->out_count);
  Node *call = node_of_function(f->graph, name);
  call->proto->name = arena_strdup(w->arena, fn->name);
  for (int k = 0; k < n->in_count; k++)
    if (read[k]) node_in(call, name_of(f, n->in[k]));
  for (size_t k = 0; k < algorithm.argument_count; k++)
    node_graph(call, algorithm.arguments[k].name, algorithm.arguments[k].graph);
  for (int k = 0; k < n->out_count; k++) names[k] = wanted[n->out[k]->id];
  node_end_many(call, names, (size_t)n->out_count);
  for (int k = 0; k < n->out_count; k++) f->names[n->out[k]->id] = names[k];
}

void emit_call(Frame *f, const IrNode *n, const char **wanted) {
  Writer *w = f->graph->writer;
  IrRole role = n->body[0]->role;
  if (role == IR_ALGORITHM)
    emit_algorithm_call(f, n, wanted);
  else if (role == IR_ARGUMENT && w->algorithm)
    emit_argument_call(f, n, wanted);
  else
    w->error = "a call that was to be expanded";
}
