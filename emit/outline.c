/* The prob dialect: what comes from one call of a library function becomes one call of a function
 * of the domain ai.onnx.prob, whose body is those very nodes. The nodes of a call are brought
 * together by scheduling: nodes are run in an order their operands allow, those of one call after
 * each other as long as there are any that can be run; each such stretch is one function, so that
 * functions never depend on each other in a circle. */
#include "emit/prob_names.h"
#include "emit/writer.h"

#include <string.h>

/* ---- what nodes read ---- */

void visit_uses(const Onnx__NodeProto *node, void (*visit)(void *context, const char *name),
                void *context) {
  for (size_t i = 0; i < node->n_input; i++)
    if (*node->input[i]) visit(context, node->input[i]);
  for (size_t k = 0; k < node->n_attribute; k++) {
    const Onnx__GraphProto *body = node->attribute[k]->g;
    for (size_t i = 0; body && i < body->n_node; i++) visit_uses(body->node[i], visit, context);
  }
}

static void mark(void *context, const char *name) { table_set(context, name, name); }

Table names_read(Arena *a, Onnx__NodeProto *const *nodes, size_t count) {
  Table names = {.arena = a};
  for (size_t i = 0; i < count; i++) visit_uses(nodes[i], mark, &names);
  return names;
}

/* ---- the schedule ---- */

typedef struct Item Item;
typedef struct Group Group;

/* One node of the graph. */
struct Item {
  Onnx__NodeProto *proto;
  Group *group;   /* NULL: the node stays as it is */
  size_t waiting; /* operands that are not there yet */
  int stretch;    /* the stretch that it was scheduled in */
  Item **users;   /* nodes that read its results, as often as they do */
  size_t user_count, user_capacity;
};

typedef struct {
  Item **items;
  size_t first, count, capacity;
} Queue;

/* The nodes of one call: those of its own computation, or those of its derivative. */
struct Group {
  const IrScope *scope;
  bool adjoint;
  Queue ready;
  size_t pending; /* operands still to come from nodes of no or another group */
};

typedef struct {
  Graph *graph;
  Arena *arena;
  Item *items;
  size_t count;
  Group **groups;
  size_t group_count, group_capacity;
  Table group_names;
  Table producers; /* names, and the items that they are results of */
  Table results;   /* names by which the graph's results are known outside */
  Queue ready;     /* nodes of no group */
  int stretch;
  Item **scheduled; /* nodes of the stretch at hand */
  size_t scheduled_count, scheduled_capacity;
  Onnx__NodeProto **nodes; /* the new list */
  size_t node_count, node_capacity;
  Item *reader; /* the node whose operands are being visited */
} Plan;

static void push(Plan *p, Queue *q, Item *i) {
  ARENA_PUSH(p->arena, q->items, q->count, q->capacity, i);
}

static Item *pop(Queue *q) { return q->first < q->count ? q->items[q->first++] : NULL; }

static Group *group_of(Plan *p, const IrNode *origin) {
  const IrScope *scope = origin ? outermost(origin->scope) : NULL;
  if (!scope || scope == p->graph->inside) return NULL;
  char *name = arena_printf(p->arena, "%s %d %d", scope->name, scope->instance, origin->adjoint);
  Group *g = (Group *)table_get(&p->group_names, name);
  if (g) return g;
  g = ARENA_NEW(p->arena, Group);
  g->scope = scope;
  g->adjoint = origin->adjoint;
  table_set(&p->group_names, name, g);
  ARENA_PUSH(p->arena, p->groups, p->group_count, p->group_capacity, g);
  return g;
}

static void add_use(void *context, const char *name) {
  Plan *p = context;
  Item *user = p->reader, *producer = (Item *)table_get(&p->producers, name);
  if (!producer) return;
  user->waiting++;
  if (user->group && producer->group != user->group) user->group->pending++;
  ARENA_PUSH(p->arena, producer->users, producer->user_count, producer->user_capacity, user);
}

static void make_ready(Plan *p, Item *i) { push(p, i->group ? &i->group->ready : &p->ready, i); }

static void plan_items(Plan *p) {
  Graph *g = p->graph;
  p->count = g->node_count;
  p->items = ARENA_ARRAY(p->arena, Item, p->count);
  for (size_t k = 0; k < p->count; k++) {
    Item *i = &p->items[k];
    i->proto = g->nodes[k];
    i->group = group_of(p, g->origins[k]);
    for (size_t o = 0; o < i->proto->n_output; o++)
      table_set(&p->producers, i->proto->output[o], i);
  }
  for (size_t k = 0; k < p->count; k++) {
    p->reader = &p->items[k];
    visit_uses(p->reader->proto, add_use, p);
    if (!p->reader->waiting) make_ready(p, p->reader);
  }
}

static void run(Plan *p, Item *i) {
  i->stretch = p->stretch;
  ARENA_PUSH(p->arena, p->scheduled, p->scheduled_count, p->scheduled_capacity, i);
  for (size_t k = 0; k < i->user_count; k++) {
    Item *user = i->users[k];
    if (user->group && user->group != i->group) user->group->pending--;
    if (--user->waiting == 0) make_ready(p, user);
  }
}

/* The group to be run next: one that can be run to its end, or else the first of which something
 * can be run. */
static Group *next_group(const Plan *p) {
  Group *best = NULL;
  for (size_t k = 0; k < p->group_count; k++) {
    Group *g = p->groups[k];
    if (g->ready.first == g->ready.count) continue;
    if (g->pending == 0) return g;
    if (!best) best = g;
  }
  return best;
}

/* ---- a stretch as a function ---- */

/* Names inside a function, by the names outside, which they do not depend on: equal calls give
 * equal bodies. */
typedef struct {
  Plan *plan;
  Table names;
  int next_value;
  char **inputs;
  size_t input_count, input_capacity;
  Onnx__NodeProto **nodes;
  size_t node_count, node_capacity;
  char **references;
  size_t reference_count, reference_capacity;
} Body;

static char *inner_name(Body *b, const char *outer) {
  if (!*outer) return (char *)outer;
  char *name = (char *)table_get(&b->names, outer);
  if (!name) {
    name = arena_printf(b->plan->arena, "v%d", b->next_value++);
    table_set(&b->names, outer, name);
  }
  return name;
}

static char **inner_names(Body *b, char **outer, size_t count) {
  char **names = ARENA_ARRAY(b->plan->arena, char *, count);
  for (size_t k = 0; k < count; k++) names[k] = inner_name(b, outer[k]);
  return names;
}

static Onnx__NodeProto *inner_node(Body *b, const Onnx__NodeProto *node);

static Onnx__ValueInfoProto **inner_infos(Body *b, Onnx__ValueInfoProto **infos, size_t count) {
  Onnx__ValueInfoProto **copies = ARENA_ARRAY(b->plan->arena, Onnx__ValueInfoProto *, count);
  for (size_t k = 0; k < count; k++) {
    copies[k] = ARENA_NEW(b->plan->arena, Onnx__ValueInfoProto);
    *copies[k] = *infos[k];
    copies[k]->name = inner_name(b, infos[k]->name);
  }
  return copies;
}

static Onnx__GraphProto *inner_graph(Body *b, const Onnx__GraphProto *graph) {
  Onnx__GraphProto *copy = ARENA_NEW(b->plan->arena, Onnx__GraphProto);
  *copy = *graph;
  copy->input = inner_infos(b, graph->input, graph->n_input);
  copy->node = ARENA_ARRAY(b->plan->arena, Onnx__NodeProto *, graph->n_node);
  for (size_t k = 0; k < graph->n_node; k++) copy->node[k] = inner_node(b, graph->node[k]);
  copy->output = inner_infos(b, graph->output, graph->n_output);
  return copy;
}

static Onnx__NodeProto *inner_node(Body *b, const Onnx__NodeProto *node) {
  Arena *a = b->plan->arena;
  Onnx__NodeProto *copy = ARENA_NEW(a, Onnx__NodeProto);
  *copy = *node;
  copy->input = inner_names(b, node->input, node->n_input);
  copy->attribute = ARENA_ARRAY(a, Onnx__AttributeProto *, node->n_attribute);
  for (size_t k = 0; k < node->n_attribute; k++) {
    Onnx__AttributeProto *attribute = node->attribute[k];
    if (attribute->g) {
      attribute = ARENA_NEW(a, Onnx__AttributeProto);
      *attribute = *node->attribute[k];
      attribute->g = inner_graph(b, attribute->g);
    }
    copy->attribute[k] = attribute;
  }
  copy->output = inner_names(b, node->output, node->n_output);
  return copy;
}

static void add_constant(Body *b, const char *name, Onnx__TensorProto *value) {
  Node *n = node_begin(b->plan->graph, "Constant");
  size_t capacity = 0;
  node_tensor(n, "value", value);
  ARENA_PUSH(b->plan->arena, n->proto->output, n->proto->n_output, capacity, inner_name(b, name));
  ARENA_PUSH(b->plan->arena, b->nodes, b->node_count, b->node_capacity, n->proto);
}

/* Names that bodies of control flow define for themselves. */
static void bind_locals(Body *b, const Onnx__NodeProto *node) {
  for (size_t k = 0; k < node->n_attribute; k++) {
    const Onnx__GraphProto *g = node->attribute[k]->g;
    if (!g) continue;
    for (size_t i = 0; i < g->n_input; i++) inner_name(b, g->input[i]->name);
    for (size_t i = 0; i < g->n_node; i++) {
      for (size_t o = 0; o < g->node[i]->n_output; o++) inner_name(b, g->node[i]->output[o]);
      bind_locals(b, g->node[i]);
    }
  }
}

/* What is read and neither computed in the stretch nor seen before is a small constant or an input.
 */
static void add_source(void *context, const char *name) {
  Body *b = context;
  Plan *p = b->plan;
  const Item *producer = table_get(&p->producers, name);
  if ((producer && producer->stretch == p->stretch) || table_get(&b->names, name)) return;
  Onnx__TensorProto *value = small_constant(p->graph->writer, name);
  if (value) {
    add_constant(b, name, value);
    return;
  }
  inner_name(b, name);
  ARENA_PUSH(p->arena, b->inputs, b->input_count, b->input_capacity, (char *)name);
}

static bool read_outside(const Plan *p, const Item *i, const char *name) {
  if (table_get(&p->results, name)) return true;
  for (size_t k = 0; k < i->user_count; k++)
    if (i->users[k]->stretch != p->stretch) return true;
  return false;
}

static void keep(Plan *p, Onnx__NodeProto *node) {
  ARENA_PUSH(p->arena, p->nodes, p->node_count, p->node_capacity, node);
}

/* Names of attributes of the function around that the node, or a node of its bodies, refers to. */
static void add_references(Body *b, const Onnx__NodeProto *node) {
  for (size_t k = 0; k < node->n_attribute; k++) {
    const Onnx__AttributeProto *attribute = node->attribute[k];
    for (size_t i = 0; attribute->g && i < attribute->g->n_node; i++)
      add_references(b, attribute->g->node[i]);
    bool known = !attribute->ref_attr_name;
    for (size_t i = 0; i < b->reference_count && !known; i++)
      known = strcmp(b->references[i], attribute->ref_attr_name) == 0;
    if (!known)
      ARENA_PUSH(b->plan->arena, b->references, b->reference_count, b->reference_capacity,
                 attribute->ref_attr_name);
  }
}

static void call_function(Plan *p, const Group *g) {
  Arena *a = p->arena;
  Body b = {.plan = p, .names = {.arena = a}};
  char **outputs = NULL;
  size_t output_count = 0, output_capacity = 0;
  for (size_t k = 0; k < p->scheduled_count; k++) {
    bind_locals(&b, p->scheduled[k]->proto);
    visit_uses(p->scheduled[k]->proto, add_source, &b);
  }
  for (size_t k = 0; k < p->scheduled_count; k++) {
    Item *i = p->scheduled[k];
    ARENA_PUSH(a, b.nodes, b.node_count, b.node_capacity, inner_node(&b, i->proto));
    add_references(&b, i->proto);
    for (size_t o = 0; o < i->proto->n_output; o++)
      if (read_outside(p, i, i->proto->output[o]))
        ARENA_PUSH(a, outputs, output_count, output_capacity, i->proto->output[o]);
  }
  Onnx__FunctionProto *f = function_proto(a);
  f->n_input = b.input_count;
  f->input = inner_names(&b, b.inputs, b.input_count);
  f->n_output = output_count;
  f->output = inner_names(&b, outputs, output_count);
  f->n_attribute = b.reference_count;
  f->attribute = b.references;
  f->n_node = b.node_count;
  f->node = b.nodes;
  const char *base = prob_function_name(a, g->scope->name, g->adjoint);
  Node *node = node_of_function(p->graph, function_add(p->graph->writer, f, base));
  for (size_t k = 0; k < b.reference_count; k++)
    node_graph_reference(node, b.references[k], b.references[k]);
  Onnx__NodeProto *call = node->proto;
  /* a call may become several: only its results tell them apart */
  call->name = arena_printf(a, "%s/%s", g->scope->name, outputs[0]);
  call->n_input = b.input_count;
  call->input = b.inputs;
  call->n_output = output_count;
  call->output = outputs;
  keep(p, call);
}

static void end_stretch(Plan *p, const Group *g) {
  if (g && p->scheduled_count > 1)
    call_function(p, g);
  else
    for (size_t k = 0; k < p->scheduled_count; k++) keep(p, p->scheduled[k]->proto);
  p->scheduled_count = 0;
  p->stretch++;
}

static void schedule(Plan *p) {
  for (;;) {
    Item *i;
    while ((i = pop(&p->ready))) run(p, i);
    end_stretch(p, NULL);
    Group *g = next_group(p);
    if (!g) return;
    while ((i = pop(&g->ready))) run(p, i);
    end_stretch(p, g);
  }
}

void outline(Graph *g, const char *const *results, size_t result_count) {
  Arena *a = g->writer->arena;
  Plan p = {.graph = g, .arena = a, .stretch = 1};
  p.group_names.arena = p.producers.arena = p.results.arena = a;
  for (size_t k = 0; k < result_count; k++) table_set(&p.results, results[k], results[k]);
  plan_items(&p);
  if (!p.group_count) return;
  schedule(&p);
  g->nodes = p.nodes;
  g->node_count = g->node_capacity = p.node_count;
  g->origins = ARENA_ARRAY(a, const IrNode *, p.node_count);
  g->origin_count = g->origin_capacity = p.node_count;
}
