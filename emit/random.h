/* Forms of the ops that make random bits. Internal to emit/. */
#ifndef STAN2ONNX_EMIT_RANDOM_H
#define STAN2ONNX_EMIT_RANDOM_H

#include "emit/writer.h"

Node *form_threefry(Frame *f, const IrNode *n);
Node *form_uniform(Frame *f, const IrNode *n);

#endif
