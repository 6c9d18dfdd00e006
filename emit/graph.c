/* IR functions as lists of nodes, and the bodies of control flow as subgraphs, which see the values
 * of the graphs around them by name. */
#include "emit/indexing.h"
#include "emit/writer.h"

#include <string.h>

const char *name_of(Frame *f, const IrValue *v) {
  if (f->names[v->id]) return f->names[v->id];
  const char *name = NULL;
  if (v->constant) name = constant(f->graph, v->constant);
  /* Sizes are often needed only as parts of shapes, so that their scalar form is made on demand. */
  else if (v->node && v->node->op == IR_SHAPE)
    name = node_end(emit_op(f, v->node));
  if (!name) {
    f->graph->writer->error = "a value is used before it is defined";
    name = "";
  }
  return f->names[v->id] = name;
}

static bool uses(const IrFunction *f, const IrValue *v) {
  for (int k = 0; k < f->result_count; k++)
    if (f->results[k] == v) return true;
  for (int i = 0; i < f->node_count; i++)
    for (int k = 0; k < f->nodes[i]->in_count; k++)
      if (f->nodes[i]->in[k] == v) return true;
  return false;
}

/* The scope of a call that the program itself makes, around a node. */
const IrScope *outermost(const IrScope *s) {
  while (s && s->parent) s = s->parent;
  return s;
}

Frame frame_of(Graph *g, const IrFunction *f) {
  Arena *a = g->writer->arena;
  return (Frame){g,
                 f,
                 ARENA_ARRAY(a, const char *, (size_t)f->value_count),
                 reductions_that_keep_axes(a, f),
                 squares_in_sums(a, f),
                 slices_as_pieces(a, f, g->writer->options->prob_dialect),
                 transposed_values(a, f)};
}

static Frame body_frame(Frame *outer, const IrNode *n, const IrFunction *body) {
  const IrScope *inside = n->scope ? outermost(n->scope) : outer->graph->inside;
  return frame_of(graph_new(outer->graph->writer, outer->graph, inside), body);
}

/* The names of node n's operands from `first` on become those of the parameters from `param` on. */
static void bind_captures(Frame *outer, const IrNode *n, int first, Frame *body, int param) {
  const IrFunction *b = body->function;
  for (int k = param; k < b->param_count && first < n->in_count; k++, first++)
    body->names[b->params[k]->id] = name_of(outer, n->in[first]);
}

static void fresh_results(Writer *w, const char **names, int count) {
  for (int k = 0; k < count; k++) names[k] = fresh_name(w, "result");
}

/* ---- IF ---- */

static Onnx__GraphProto *branch(Frame *outer, const IrNode *n, const IrFunction *body,
                                const char *title) {
  Writer *w = outer->graph->writer;
  Frame f = body_frame(outer, n, body);
  size_t count = (size_t)body->result_count;
  const char **results = ARENA_ARRAY(w->arena, const char *, count);
  Onnx__ValueInfoProto **outputs = ARENA_ARRAY(w->arena, Onnx__ValueInfoProto *, count);
  bind_captures(outer, n, 1, &f, 0);
  fresh_results(w, results, body->result_count);
  emit_nodes(&f, results);
  for (size_t k = 0; k < count; k++)
    outputs[k] = value_info(w->arena, results[k], &body->results[k]->type, NULL);
  return graph_proto(f.graph, title, NULL, 0, outputs, count);
}

static void emit_if(Frame *f, const IrNode *n, const char **wanted) {
  Onnx__GraphProto *then = branch(f, n, n->body[0], "then");
  Onnx__GraphProto *orelse = branch(f, n, n->body[1], "else");
  Node *node = node_of1(f->graph, "If", name_of(f, n->in[0]));
  node_graph(node, "then_branch", then);
  node_graph(node, "else_branch", orelse);
  const char **names = ARENA_ARRAY(f->graph->writer->arena, const char *, (size_t)n->out_count);
  for (int k = 0; k < n->out_count; k++) names[k] = wanted[n->out[k]->id];
  node_end_many(node, names, (size_t)n->out_count);
  for (int k = 0; k < n->out_count; k++) f->names[n->out[k]->id] = names[k];
}

/* ---- LOOP ---- */

/* Where things are among a loop's operands, its body's parameters and its body's results. */
typedef struct {
  int first_carried, first_scanned, first_capture; /* operands */
  int outs;                                        /* stacked results */
  int first_result;                                /* of the body, after the condition */
} LoopLayout;

static LoopLayout loop_layout(const IrNode *n) {
  LoopLayout l;
  l.first_carried = n->attr.has_condition ? 2 : 1;
  l.first_scanned = l.first_carried + n->attr.carried;
  l.first_capture = l.first_scanned + n->attr.scanned;
  l.outs = n->out_count - n->attr.carried;
  l.first_result = n->attr.has_condition ? 1 : 0;
  return l;
}

static bool unlimited(const IrValue *count) {
  return !count || (count->constant && count->constant->data.i64[0] == INT64_MAX);
}

/* Gives the body's counter and scanned elements their names, as far as they are used. */
static void bind_iteration(Frame *outer, const IrNode *n, Frame *f, const char *iteration) {
  LoopLayout l = loop_layout(n);
  const IrFunction *body = f->function;
  Graph *g = f->graph;
  const char *i = iteration;
  bool scans = false;
  for (int k = 0; k < n->attr.scanned; k++)
    scans |= uses(body, body->params[1 + n->attr.carried + k]);
  if (n->attr.reverse && (scans || uses(body, body->params[0]))) {
    const char *last =
        apply2(outer->graph, "Sub", name_of(outer, n->in[0]), constant_i64(outer->graph, 1));
    i = apply2(g, "Sub", last, iteration);
  }
  f->names[body->params[0]->id] = i;
  for (int k = 0; k < n->attr.scanned; k++) {
    const IrValue *element = body->params[1 + n->attr.carried + k];
    if (!uses(body, element)) continue;
    Node *row = node_of2(g, "Gather", name_of(outer, n->in[l.first_scanned + k]), i);
    node_int(row, "axis", 0);
    f->names[element->id] = node_end(row);
  }
}

static Onnx__GraphProto *loop_body(Frame *outer, const IrNode *n) {
  Writer *w = outer->graph->writer;
  Arena *a = w->arena;
  const IrFunction *body = n->body[0];
  LoopLayout l = loop_layout(n);
  Frame f = body_frame(outer, n, body);
  IrType number = ir_scalar(IR_I64), truth = ir_scalar(IR_BOOL);
  int carried = n->attr.carried;
  size_t input_count = (size_t)carried + 2, output_count = (size_t)n->out_count + 1;
  Onnx__ValueInfoProto **inputs = ARENA_ARRAY(a, Onnx__ValueInfoProto *, input_count);
  Onnx__ValueInfoProto **outputs = ARENA_ARRAY(a, Onnx__ValueInfoProto *, output_count);
  const char **results = ARENA_ARRAY(a, const char *, (size_t)body->result_count + 1);
  const char *iteration = fresh_name(w, "iteration"), *go_on = fresh_name(w, "continue");
  inputs[0] = value_info(a, iteration, &number, NULL);
  inputs[1] = value_info(a, go_on, &truth, NULL);
  for (int k = 0; k < carried; k++) {
    const IrValue *v = body->params[1 + k];
    f.names[v->id] = fresh_name(w, "state");
    inputs[2 + k] = value_info(a, f.names[v->id], &v->type, NULL);
  }
  bind_captures(outer, n, l.first_capture, &f, 1 + carried + n->attr.scanned);
  bind_iteration(outer, n, &f, iteration);
  fresh_results(w, results, body->result_count);
  emit_nodes(&f, results);
  const char *condition =
      n->attr.has_condition
          ? results[0]
          : node_end_named(node_of1(f.graph, "Identity", go_on), fresh_name(w, "result"));
  outputs[0] = value_info(a, condition, &truth, NULL);
  for (int k = 0; k < n->out_count; k++)
    outputs[1 + k] =
        value_info(a, results[l.first_result + k], &body->results[l.first_result + k]->type, NULL);
  return graph_proto(f.graph, "body", inputs, input_count, outputs, output_count);
}

static void emit_loop(Frame *f, const IrNode *n, const char **wanted) {
  Graph *g = f->graph;
  LoopLayout l = loop_layout(n);
  Onnx__GraphProto *body = loop_body(f, n);
  Node *node = node_of2(g, "Loop", unlimited(n->in[0]) ? "" : name_of(f, n->in[0]),
                        n->attr.has_condition ? name_of(f, n->in[1]) : "");
  for (int k = 0; k < n->attr.carried; k++) node_in(node, name_of(f, n->in[l.first_carried + k]));
  node_graph(node, "body", body);
  const char **names = ARENA_ARRAY(g->writer->arena, const char *, (size_t)n->out_count);
  for (int k = 0; k < n->out_count; k++) {
    bool flipped = n->attr.reverse && k >= n->attr.carried;
    names[k] = flipped ? NULL : wanted[n->out[k]->id];
  }
  node_end_many(node, names, (size_t)n->out_count);
  for (int k = 0; k < n->out_count; k++) {
    const IrValue *v = n->out[k];
    bool flipped = n->attr.reverse && k >= n->attr.carried;
    f->names[v->id] = flipped ? node_end_named(reversal(g, names[k], 0), wanted[v->id]) : names[k];
  }
}

/* ---- LOOP as Scan ---- */

/* Scan takes half of Loop's time per iteration, but there must be one, and as many rows of each
 * input as iterations. */
static bool fits_scan(const IrNode *n) {
  if (n->attr.has_condition || unlimited(n->in[0])) return false;
  const IrTensor *count = n->in[0]->constant;
  return count ? count->data.i64[0] > 0 : ir_scans_count(n);
}

/* Besides the scanned inputs, Scan is given the numbers of the iterations where the body uses them,
 * or where nothing else is scanned. */
static bool scans_numbers(const IrNode *n) {
  return n->attr.scanned == 0 || uses(n->body[0], n->body[0]->params[0]);
}

static Onnx__GraphProto *scan_body(Frame *outer, const IrNode *n) {
  Arena *a = outer->graph->writer->arena;
  const IrFunction *body = n->body[0];
  LoopLayout l = loop_layout(n);
  Frame f = body_frame(outer, n, body);
  IrType number = ir_scalar(IR_I64);
  int explicit_count = n->attr.carried + n->attr.scanned;
  size_t input_count = 0, output_count = (size_t)n->out_count;
  Onnx__ValueInfoProto **inputs =
      ARENA_ARRAY(a, Onnx__ValueInfoProto *, (size_t)explicit_count + 1);
  Onnx__ValueInfoProto **outputs = ARENA_ARRAY(a, Onnx__ValueInfoProto *, output_count);
  const char **results = ARENA_ARRAY(a, const char *, (size_t)body->result_count);
  for (int k = 0; k < explicit_count; k++) {
    const IrValue *v = body->params[1 + k];
    f.names[v->id] = fresh_name(outer->graph->writer, k < n->attr.carried ? "state" : "element");
    inputs[input_count++] = value_info(a, f.names[v->id], &v->type, NULL);
  }
  if (scans_numbers(n)) {
    f.names[body->params[0]->id] = fresh_name(outer->graph->writer, "iteration");
    inputs[input_count++] = value_info(a, f.names[body->params[0]->id], &number, NULL);
  }
  bind_captures(outer, n, l.first_capture, &f, 1 + explicit_count);
  fresh_results(outer->graph->writer, results, body->result_count);
  emit_nodes(&f, results);
  for (size_t k = 0; k < output_count; k++)
    outputs[k] = value_info(a, results[k], &body->results[k]->type, NULL);
  return graph_proto(f.graph, "body", inputs, input_count, outputs, output_count);
}

static void directions(Frame *f, Node *node, const char *key, int count, bool reverse) {
  int64_t *each = ARENA_ARRAY(f->graph->writer->arena, int64_t, (size_t)count);
  for (int k = 0; k < count; k++) each[k] = reverse;
  if (reverse && count) node_ints(node, key, each, (size_t)count);
}

/* names: of the results, or NULL where they are to be found. */
static void scan_node(Frame *f, const IrNode *n, const char **names) {
  Graph *g = f->graph;
  LoopLayout l = loop_layout(n);
  int scanned = n->attr.scanned + (scans_numbers(n) ? 1 : 0);
  Onnx__GraphProto *body = scan_body(f, n);
  Node *node = node_begin(g, "Scan");
  for (int k = l.first_carried; k < l.first_capture; k++) node_in(node, name_of(f, n->in[k]));
  if (scans_numbers(n))
    node_in(node, apply3(g, "Range", constant_i64(g, 0), name_of(f, n->in[0]), constant_i64(g, 1)));
  node_graph(node, "body", body);
  node_int(node, "num_scan_inputs", scanned);
  directions(f, node, "scan_input_directions", scanned, n->attr.reverse);
  directions(f, node, "scan_output_directions", l.outs, n->attr.reverse);
  node_end_many(node, names, (size_t)n->out_count);
}

/* What a loop without iterations stacks; sizes that only an iteration would have shown are 0. */
static const char *empty_stack(Graph *g, const IrValue *v) {
  IrType t = v->type;
  t.dim[0] = 0;
  for (int k = 1; k < t.rank; k++)
    if (t.dim[k] == IR_DYNAMIC) t.dim[k] = 0;
  return constant(g, ir_tensor_new(g->writer->arena, t));
}

/* A branch of a choice between a loop with and one without iterations. */
static Onnx__GraphProto *scan_branch(Frame *outer, const IrNode *n, bool runs) {
  Writer *w = outer->graph->writer;
  LoopLayout l = loop_layout(n);
  size_t count = (size_t)n->out_count;
  Frame f = *outer;
  f.graph = graph_new(w, outer->graph, n->scope ? outermost(n->scope) : outer->graph->inside);
  const char **results = ARENA_ARRAY(w->arena, const char *, count);
  Onnx__ValueInfoProto **outputs = ARENA_ARRAY(w->arena, Onnx__ValueInfoProto *, count);
  fresh_results(w, results, n->out_count);
  if (runs) scan_node(&f, n, results);
  for (int k = 0; k < n->out_count; k++) {
    const char *without = k < n->attr.carried ? name_of(outer, n->in[l.first_carried + k])
                                              : empty_stack(f.graph, n->out[k]);
    if (!runs) node_end_named(node_of1(f.graph, "Identity", without), results[k]);
    outputs[k] = value_info(w->arena, results[k], &n->out[k]->type, NULL);
  }
  return graph_proto(f.graph, runs ? "then" : "else", NULL, 0, outputs, count);
}

static void emit_scan(Frame *f, const IrNode *n, const char **wanted) {
  Graph *g = f->graph;
  const char **names = ARENA_ARRAY(g->writer->arena, const char *, (size_t)n->out_count);
  for (int k = 0; k < n->out_count; k++) names[k] = wanted[n->out[k]->id];
  if (n->in[0]->constant) {
    scan_node(f, n, names);
  } else {
    for (int k = 0; k < n->in_count; k++) name_of(f, n->in[k]); /* outside of the branches */
    const char *any = apply2(g, "Greater", name_of(f, n->in[0]), constant_i64(g, 0));
    Onnx__GraphProto *then = scan_branch(f, n, true), *orelse = scan_branch(f, n, false);
    Node *node = node_of1(g, "If", any);
    node_graph(node, "then_branch", then);
    node_graph(node, "else_branch", orelse);
    node_end_many(node, names, (size_t)n->out_count);
  }
  for (int k = 0; k < n->out_count; k++) f->names[n->out[k]->id] = names[k];
}

/* ---- functions ---- */

static void emit_node(Frame *f, const IrNode *n, const char **wanted) {
  Writer *w = f->graph->writer;
  if (n->op == IR_CONST || (n->out_count == 1 && f->squares[n->out[0]->id])) return;
  if (n->op == IR_IF) {
    emit_if(f, n, wanted);
  } else if (n->op == IR_CALL) {
    emit_call(f, n, wanted);
  } else if (n->op == IR_LOOP) {
    (fits_scan(n) ? emit_scan : emit_loop)(f, n, wanted);
  } else if (n->op == IR_RESHAPE && f->keeps[n->in[0]->id]) {
    f->names[n->out[0]->id] = name_of(f, n->in[0]);
  } else if (f->pieces[n->out[0]->id]) {
    if (!f->names[n->out[0]->id]) emit_pieces(f, f->pieces[n->out[0]->id], wanted);
  } else if (n->op != IR_SHAPE || wanted[n->out[0]->id]) {
    Node *last = emit_op(f, n);
    if (last)
      f->names[n->out[0]->id] = node_end_named(last, wanted[n->out[0]->id]);
    else
      w->error = arena_printf(w->arena, "the operation '%s' has no ONNX form", ir_op_name(n->op));
  }
}

void emit_nodes(Frame *f, const char *const *result_names) {
  const IrFunction *fn = f->function;
  Writer *w = f->graph->writer;
  const char **wanted = ARENA_ARRAY(w->arena, const char *, (size_t)fn->value_count);
  for (int k = 0; k < fn->result_count; k++) {
    const IrValue *v = fn->results[k];
    if (v->node && v->node->op != IR_CONST && !wanted[v->id]) wanted[v->id] = result_names[k];
  }
  const IrNode *before = w->origin;
  for (int i = 0; i < fn->node_count && !w->error; i++) {
    w->origin = fn->nodes[i];
    emit_node(f, fn->nodes[i], wanted);
  }
  w->origin = before;
  for (int k = 0; k < fn->result_count && !w->error; k++) {
    const char *name = name_of(f, fn->results[k]);
    if (strcmp(name, result_names[k]) != 0)
      node_end_named(node_of1(f->graph, "Identity", name), result_names[k]);
  }
  if (w->options->prob_dialect && !w->error)
    outline(f->graph, result_names, (size_t)fn->result_count);
}
