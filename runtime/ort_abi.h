/* The functions of ONNX Runtime's C ABI that are used here, by their place in its function table,
 * which only ever grows at its end. Objects are opaque; a status that is not NULL is an error and
 * must be released. */
#ifndef STAN2ONNX_RUNTIME_ORT_ABI_H
#define STAN2ONNX_RUNTIME_ORT_ABI_H

#include <stddef.h>
#include <stdint.h>

typedef void *Status;

enum { ABI_VERSION = 3 }; /* the first whose table has all of these */
enum { ABI_TENSOR = 1 };  /* kind of value */
enum { ABI_FLOAT64 = 11, ABI_INT64 = 7, ABI_BOOLEAN = 9 };
enum { ABI_LOG_FATAL = 4 };
enum { ABI_OPTIMISE_NOTHING = 0 };

/* X(place, name, result, parameters) */
#define ABI_FUNCTIONS(X)                                                                           \
  X(2, get_error_message, const char *, (const void *status))                                      \
  X(3, create_env, Status, (int level, const char *name, void **env))                              \
  X(7, create_session, Status,                                                                     \
    (const void *env, const char *path, const void *options, void **session))                      \
  X(8, create_session_from_array, Status,                                                          \
    (const void *env, const void *bytes, size_t size, const void *options, void **session))        \
  X(9, run, Status,                                                                                \
    (void *session, const void *options, const char *const *input_names,                           \
     const void *const *inputs, size_t input_count, const char *const *output_names,               \
     size_t output_count, void **outputs))                                                         \
  X(10, create_session_options, Status, (void **options))                                          \
  X(19, disable_arena, Status, (void *options))                                                    \
  X(23, set_optimisation, Status, (void *options, int level))                                      \
  X(24, set_threads, Status, (void *options, int threads))                                         \
  X(30, input_count, Status, (const void *session, size_t *count))                                 \
  X(31, output_count, Status, (const void *session, size_t *count))                                \
  X(33, input_type, Status, (const void *session, size_t index, void **type))                      \
  X(34, output_type, Status, (const void *session, size_t index, void **type))                     \
  X(36, input_name, Status, (const void *session, size_t index, void *allocator, char **name))     \
  X(37, output_name, Status, (const void *session, size_t index, void *allocator, char **name))    \
  X(39, create_run_options, Status, (void **options))                                              \
  X(46, set_terminate, Status, (void *options))                                                    \
  X(49, create_tensor, Status,                                                                     \
    (const void *memory, void *data, size_t bytes, const int64_t *dims, size_t rank, int element,  \
     void **value))                                                                                \
  X(51, tensor_data, Status, (void *value, void **data))                                           \
  X(55, tensor_info, Status, (const void *type, const void **info))                                \
  X(56, value_kind, Status, (const void *type, int *kind))                                         \
  X(60, element_type, Status, (const void *info, int *element))                                    \
  X(61, rank, Status, (const void *info, size_t *rank))                                            \
  X(62, dims, Status, (const void *info, int64_t *dims, size_t rank))                              \
  X(63, dim_names, Status, (const void *info, const char **names, size_t rank))                    \
  X(65, type_and_shape, Status, (const void *value, void **info))                                  \
  X(69, create_cpu_memory, Status, (int allocator, int type, void **memory))                       \
  X(76, allocator_free, Status, (void *allocator, void *pointer))                                  \
  X(78, default_allocator, Status, (void **allocator))                                             \
  X(92, release_env, void, (void *env))                                                            \
  X(93, release_status, void, (void *status))                                                      \
  X(94, release_memory, void, (void *memory))                                                      \
  X(95, release_session, void, (void *session))                                                    \
  X(96, release_value, void, (void *value))                                                        \
  X(97, release_run_options, void, (void *options))                                                \
  X(98, release_type, void, (void *type))                                                          \
  X(99, release_info, void, (void *info))                                                          \
  X(100, release_session_options, void, (void *options))                                           \
  X(111, model_metadata, Status, (const void *session, void **metadata))                           \
  X(116, metadata_lookup, Status,                                                                  \
    (const void *metadata, void *allocator, const char *key, char **value))                        \
  X(118, release_metadata, void, (void *metadata))                                                 \
  X(123, metadata_keys, Status,                                                                    \
    (const void *metadata, void *allocator, char ***keys, int64_t *count))

typedef struct {
#define X(place, name, result, parameters) result(*name) parameters;
  ABI_FUNCTIONS(X)
#undef X
} Abi;

/* What the library exports: OrtGetApiBase returns this. */
typedef void (*AnyFunction)(void);
typedef struct {
  const AnyFunction *(*get_api)(uint32_t version);
  const char *(*version)(void);
} AbiBase;

#endif
