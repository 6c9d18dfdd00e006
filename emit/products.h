/* Forms of matrix products. Internal to emit/. */
#ifndef STAN2ONNX_EMIT_PRODUCTS_H
#define STAN2ONNX_EMIT_PRODUCTS_H

#include "emit/writer.h"

Node *form_matmul(Frame *f, const IrNode *n);

#endif
