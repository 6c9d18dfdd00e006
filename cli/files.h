/* Files and standard streams of the command. */
#ifndef STAN2ONNX_CLI_FILES_H
#define STAN2ONNX_CLI_FILES_H

#include <stdbool.h>
#include <stddef.h>

/* Reads a whole file ("-": standard input) into memory of the caller's. NULL with a line on
 * standard error when it cannot. */
char *read_file(const char *path, size_t *length);

/* Bytes to write, one piece after the other. */
typedef struct {
  const void *bytes;
  size_t size;
} Piece;

/* Writes a file ("-": standard output) through a temporary file beside it that takes its place once
 * complete, so that a failed run leaves nothing behind. False with a line on standard error when it
 * cannot. */
bool write_file(const char *path, const Piece *pieces, size_t count);

#endif
