/* Values of a model's inputs: from JSON, from the command line, random. */
#ifndef STAN2ONNX_RUNTIME_VALUES_H
#define STAN2ONNX_RUNTIME_VALUES_H

#include "base/text.h"
#include "runtime/ort.h"

#include <jansson.h>

/* A file's bytes ("-": standard input). Returns NULL, or in `a` why it cannot be read. */
const char *read_text(Arena *a, const char *path, Text *out);

/* Reads a JSON object from a file ("-": standard input). Bare NaN, Infinity and -Infinity are
 * accepted, as CmdStan writes them. Returns NULL, or in `a` what is wrong; *out is released by
 * json_decref. */
const char *read_json_object(Arena *a, const char *path, json_t **out);

/* The member of `object` that is meant by an input's name, as `name`, NAME.stan without its suffix,
 * or, for the parts of tuples, "x:1" or "x"; NULL where there is none. *rest is the path left to
 * follow inside it. */
json_t *find_value(json_t *object, const char *name, const char **rest);

/* A value as a tensor for `port`: nested arrays, row-major, numbers or "NaN", "Infinity",
 * "-Infinity", "Inf", "-Inf". With `batched`, a value of one axis less than the port gets a leading
 * axis of 1. */
const char *tensor_from_json(Arena *a, const json_t *value, const char *rest, const OrtPort *port,
                             bool batched, OrtTensor *out);

/* The value of a data input from the members of `data` (NULL: there are none). Axes that an empty
 * array does not show have the sizes that are data by the names of these axes. */
const char *data_tensor_for(Arena *a, json_t *data, const OrtPort *port, OrtTensor *out);

/* Points of `dimension` numbers (-1: as many as there are): from "1,2,3", JSON text, or a file of
 * JSON. */
const char *points_from_text(Arena *a, const char *text, const OrtPort *port, OrtTensor *out);

/* `chains` points uniform on (-2, 2). Equal seeds give equal points. */
void random_points(Arena *a, uint64_t seed, int64_t chains, int64_t dimension, OrtTensor *out);

#endif
