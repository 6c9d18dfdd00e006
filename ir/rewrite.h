/* Passes that give single nodes by others and leave everything else as it is. */
#ifndef STAN2ONNX_IR_REWRITE_H
#define STAN2ONNX_IR_REWRITE_H

#include "ir/copy.h"

/* A function that is being rebuilt. */
typedef struct Rewriting Rewriting;

/* The value of a node by other ones, or NULL to leave it. The node's operands are w->map's. It may
 * give values of later nodes, too, by entering them there. */
typedef IrValue *RewriteRule(const Rewriting *w, const IrNode *n);

struct Rewriting {
  IrBuilder *b;
  IrValue **map;             /* the copies, by value id */
  const int *uses;           /* how often values are read, by value id */
  RewriteRule *const *rules; /* the first that gives a value is taken; NULL ends them */
  KeptCallee **callees;
};

/* f, its bodies and the functions it calls that have a role, rewritten. */
IrFunction *rewrite_function(IrFunction *f, RewriteRule *const *rules);

#endif
