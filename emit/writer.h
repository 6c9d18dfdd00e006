/* Building ONNX nodes and graphs: names, attributes, reuse of equal nodes. Internal to emit/. */
#ifndef STAN2ONNX_EMIT_WRITER_H
#define STAN2ONNX_EMIT_WRITER_H

#include "base/arena.h"
#include "emit/emit.h"
#include "emit/onnx.pb-c.h"
#include "ir/ir.h"

enum { EMIT_OPSET = 21, EMIT_IR_VERSION = 10, EMIT_PROB_VERSION = 1 };
#define EMIT_PROB_DOMAIN "ai.onnx.prob"

/* A map from strings to pointers, in an arena. */
typedef struct TableEntry TableEntry;
typedef struct {
  Arena *arena;
  TableEntry **buckets;
  size_t bucket_count, count;
} Table;

/* What is kept under `key`, or NULL. */
const void *table_get(const Table *t, const char *key);
/* Keeps `value` under `key` (both borrowed), replacing what was there. */
void table_set(Table *t, const char *key, const void *value);

typedef struct ConstantPool ConstantPool;
typedef struct Functions Functions;
typedef struct Algorithm Algorithm;

/* One model under construction. */
typedef struct {
  Arena *arena;
  const EmitOptions *options;
  int next_name;
  EmitStatistics statistics;
  ConstantPool *constants;
  const IrNode *origin; /* the IR node being emitted */
  Functions *functions;
  Algorithm *algorithm; /* the one whose body is being emitted, or NULL */
  const char *error;    /* the first thing that prevents emission */
} Writer;

/* A list of nodes under construction: the main graph, or a body. */
typedef struct Graph Graph;
struct Graph {
  Writer *writer;
  Graph *outer; /* whose names are visible here; NULL for the main graph */
  const IrScope
      *inside; /* the outermost scope of the control flow that this is a body of, or NULL */
  Onnx__NodeProto **nodes;
  const IrNode **origins; /* the IR node that each came from */
  size_t node_count, node_capacity, origin_count, origin_capacity;
  Table known; /* node descriptions and the names of their results */
};

Graph *graph_new(Writer *w, Graph *outer, const IrScope *inside);

/* A node being described; node_begin, then inputs and attributes, then one of the ends. */
typedef struct {
  Graph *graph;
  Onnx__NodeProto *proto;
  size_t input_capacity, attribute_capacity;
} Node;

Node *node_begin(Graph *g, const char *op);
/* Adds an input; "" leaves an optional one out. */
void node_in(Node *n, const char *name);
void node_int(Node *n, const char *key, int64_t value);
void node_ints(Node *n, const char *key, const int64_t *values, size_t count);
void node_string(Node *n, const char *key, const char *value);
void node_tensor(Node *n, const char *key, Onnx__TensorProto *tensor);
void node_graph(Node *n, const char *key, Onnx__GraphProto *graph);
/* A graph that is an attribute of the function around. */
void node_graph_reference(Node *n, const char *key, const char *name);
/* Ends a node of one result. Where an equal node exists its result is returned instead. */
const char *node_end(Node *n);
/* The same, with a result that bears the given name; NULL means any. */
const char *node_end_named(Node *n, const char *name);
/* Ends a node of `count` results; entries of `names` that are NULL are chosen here. */
void node_end_many(Node *n, const char **names, size_t count);
/* Gives up a node of one result that is there already by that name: an equal one is not made. */
void node_alias(Node *n, const char *name);

/* Nodes with inputs only: open, to be ended by the caller. */
Node *node_of1(Graph *g, const char *op, const char *x);
Node *node_of2(Graph *g, const char *op, const char *x, const char *y);
Node *node_of3(Graph *g, const char *op, const char *x, const char *y, const char *z);
/* The same, ended. */
const char *apply1(Graph *g, const char *op, const char *x);
const char *apply2(Graph *g, const char *op, const char *x, const char *y);
const char *apply3(Graph *g, const char *op, const char *x, const char *y, const char *z);
const char *apply_cast(Graph *g, const char *x, IrDtype to);

/* A name no other value of the model has: Stan's names contain no slash. */
const char *fresh_name(Writer *w, const char *hint);

int onnx_dtype(IrDtype dtype);
/* A description of a value's type; dim_names may be NULL. */
Onnx__ValueInfoProto *value_info(Arena *arena, const char *name, const IrType *type,
                                 const char *const *dim_names);
/* The graph as a message: its results must be names of its own nodes. */
Onnx__GraphProto *graph_proto(Graph *g, const char *name, Onnx__ValueInfoProto **inputs,
                              size_t input_count, Onnx__ValueInfoProto **outputs,
                              size_t output_count);

/* Gives nodes without a name, and those of their bodies, that of their first result: ONNX Runtime
 * before 1.22 derives names of new nodes from those that there are, and refuses equal ones. */
void name_nodes(Onnx__NodeProto **nodes, size_t count);

/* ---- constants.c ---- */

ConstantPool *constants_new(Writer *w);
/* The name of a constant; equal ones share one initializer. The tensor's data are borrowed. */
const char *constant(Graph *g, const IrTensor *t);
const char *constant_f64(Graph *g, double x);
const char *constant_i64(Graph *g, int64_t x);
const char *constant_bool(Graph *g, bool x);
const char *constant_vector(Graph *g, const int64_t *values, size_t count);
/* The constant of that name, as a message without a name, when it is small enough to stand in a
 * function; else NULL. */
Onnx__TensorProto *small_constant(Writer *w, const char *name);
/* Moves the initializers that nodes use into the graph message, and what is too large into pieces
 * of the external file. */
void constants_finish(Writer *w, Onnx__GraphProto *proto, EmittedModel *model);

/* Moves the initializers that nodes use into the graph message, wherever it stands. */
void constants_embed(Writer *w, Onnx__GraphProto *proto);
/* Puts the constants that nodes use before them as nodes, for a function, which has no
 * initializers. */
void constants_as_nodes(Graph *g);

/* ---- functions.c ---- */

Functions *functions_new(Writer *w);
/* A function of the prob domain that lacks its name, inputs, outputs and nodes. */
Onnx__FunctionProto *function_proto(Arena *a);
/* Makes it one of the model's, and names it: as an equal one that is there already, or `base` made
 * distinct. */
const char *function_add(Writer *w, Onnx__FunctionProto *proto, const char *base);
/* A node that calls the function of that name: open. */
Node *node_of_function(Graph *g, const char *name);
void functions_finish(Writer *w, Onnx__ModelProto *model);

/* ---- outline.c ---- */

/* Replaces the nodes that come from one call of a library function by a call of a function of the
 * prob domain, as far as they can be brought together. `results` are the names by which the graph's
 * results are known outside. */
void outline(Graph *g, const char *const *results, size_t result_count);
/* Calls `visit` for each name that a node, or a node of its bodies, reads. */
void visit_uses(const Onnx__NodeProto *node, void (*visit)(void *context, const char *name),
                void *context);
/* The names that nodes, and nodes of their bodies, read, as keys. */
Table names_read(Arena *a, Onnx__NodeProto *const *nodes, size_t count);

typedef struct Pieces Pieces;

/* Where a function is being emitted: into which graph, and the names of its values so far. */
typedef struct {
  Graph *graph;
  const IrFunction *function;
  const char **names;  /* by value id; NULL where there is none yet */
  const bool *keeps;   /* by value id: the reduction that gives it keeps the axes that it reduces */
  const bool *squares; /* by value id: squares that the sum which reads them takes itself */
  const Pieces **pieces; /* by value id: what the slice that gives it is one of, or NULL */
  const bool *turned;    /* by value id: what is a transpose, or may be turned into one */
} Frame;

/* A frame with no names yet. */
Frame frame_of(Graph *g, const IrFunction *f);

/* ---- reductions.c ---- */

/* By value id: results of reductions of which everything that reads them puts the reduced axes back
 * by a reshape. */
const bool *reductions_that_keep_axes(Arena *a, const IrFunction *f);
/* By value id: products of a value with itself that nothing but one short sum reads. */
const bool *squares_in_sums(Arena *a, const IrFunction *f);

/* ---- products.c ---- */

/* By value id: transposes, and what is computed from them elementwise. */
const bool *transposed_values(Arena *a, const IrFunction *f);

/* ---- pieces.c ---- */

/* By value id: the slices that are best taken together, for each of them; NULL for other values. */
const Pieces **slices_as_pieces(Arena *a, const IrFunction *f, bool prob_dialect);
/* Emits slices that are taken together. `wanted`, by value id, has the names that are given. */
void emit_pieces(Frame *f, const Pieces *p, const char **wanted);

/* ---- nodes.c ---- */

/* The name of a value in the frame's graph. */
const char *name_of(Frame *f, const IrValue *v);
/* Describes the nodes of an op without bodies and of one result, all but ending the last. */
Node *emit_op(Frame *f, const IrNode *n);

/* ---- algorithm.c ---- */

/* Emits a CALL of a function with a role; entries of `wanted`, by value id, are the names that
 * results must bear. */
void emit_call(Frame *f, const IrNode *n, const char **wanted);

/* ---- graph.c ---- */

/* The outermost of the scopes around s: that of a call which the program itself makes. */
const IrScope *outermost(const IrScope *s);

/* Emits the nodes of a frame's function such that its results bear the names given, which no other
 * value has, and are results of nodes of the frame's own graph. */
void emit_nodes(Frame *f, const char *const *result_names);

#endif
