/* The tables that embed.c writes: the library's files, and which functions each defines. */
#ifndef STAN2ONNX_STDLIB_MAP_LIBRARY_H
#define STAN2ONNX_STDLIB_MAP_LIBRARY_H

#include <stddef.h>

typedef struct {
  const char *name, *text;
  size_t length;
} LibraryFile;

typedef struct {
  const char *name;
  int file; /* index into library_files */
} LibraryFunction;

extern const LibraryFile library_files[];
extern const LibraryFunction library_functions[]; /* sorted by name; one entry a definition */
extern const int library_file_count, library_function_count;

#endif
