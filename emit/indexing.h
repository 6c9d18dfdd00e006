/* Forms of the ops that index. Internal to emit/. */
#ifndef STAN2ONNX_EMIT_INDEXING_H
#define STAN2ONNX_EMIT_INDEXING_H

#include "emit/writer.h"

Node *form_gather(Frame *f, const IrNode *n);
Node *form_scatter(Frame *f, const IrNode *n);
/* x with its axis reversed; open. */
Node *reversal(Graph *g, const char *x, int64_t axis);

#endif
