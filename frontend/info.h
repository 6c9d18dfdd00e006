/* What a program asks for and gives, as JSON. */
#ifndef STAN2ONNX_FRONTEND_INFO_H
#define STAN2ONNX_FRONTEND_INFO_H

#include "frontend/ast.h"

/* Appends a JSON object with stanc's keys: "inputs", "parameters", "transformed parameters" and
 * "generated quantities" (each name with its "type" and "dimensions"; a tuple's type is the list of
 * its members), "functions" and "distributions" (the library's that the program calls). The program
 * must have been checked. */
void program_info(Text *out, const Program *program);

#endif
