/* The part of XLA's foreign function interface (FFI) that the kernels use, at its version 0.3, the
   oldest that a supported jaxlib (0.10) has: names, layouts and numbers are those of
   xla/ffi/api/c_api.h in OpenXLA (Copyright 2023 The OpenXLA Authors, Apache License 2.0).

   Declared here so that neither jaxlib nor its version matters to the build. XLA serves versions
   older than its own, while it refuses newer ones; a minor version may add members at the end of a
   structure. Hence `struct_size`, which whoever makes a structure sets to the end of the last
   member that he knows: what we receive may be longer, and what we send XLA takes as what it was in
   0.3. */
#ifndef LCRJAX_XLA_FFI_H_
#define LCRJAX_XLA_FFI_H_

#include <stddef.h>
#include <stdint.h>

enum { XLA_FFI_API_MAJOR = 0, XLA_FFI_API_MINOR = 3 };

/* The value of `struct_size`: without the padding that may follow the last member. */
#define XLA_FFI_STRUCT_SIZE(type, last) (offsetof(type, last) + sizeof(((type *)0)->last))

typedef enum { XLA_FFI_Extension_Metadata = 1 } XLA_FFI_Extension_Type;
typedef enum {
  XLA_FFI_Error_Code_CANCELLED = 1,
  XLA_FFI_Error_Code_INVALID_ARGUMENT = 3
} XLA_FFI_Error_Code;
typedef enum {
  XLA_FFI_DataType_S8 = 2,
  XLA_FFI_DataType_S32 = 4,
  XLA_FFI_DataType_U8 = 6,
  XLA_FFI_DataType_U32 = 8,
  XLA_FFI_DataType_F32 = 11
} XLA_FFI_DataType;
typedef enum { XLA_FFI_AttrType_SCALAR = 3 } XLA_FFI_AttrType;
typedef int32_t XLA_FFI_Enum; /* of which no value is used */

typedef struct XLA_FFI_Error XLA_FFI_Error;
typedef struct XLA_FFI_ExecutionContext XLA_FFI_ExecutionContext;

typedef struct XLA_FFI_Extension_Base {
  size_t struct_size;
  XLA_FFI_Extension_Type type;
  struct XLA_FFI_Extension_Base *next;
} XLA_FFI_Extension_Base;

/* How a structure begins. */
#define XLA_FFI_START \
  size_t struct_size; \
  XLA_FFI_Extension_Base *extension_start

typedef struct {
  XLA_FFI_START;
  int major_version, minor_version;
} XLA_FFI_Api_Version;

typedef struct {
  size_t struct_size;
  XLA_FFI_Api_Version api_version;
  uint32_t traits;
  struct {
    int64_t type_id;
  } state_type_id;
} XLA_FFI_Metadata;

typedef struct {
  XLA_FFI_Extension_Base extension_base;
  XLA_FFI_Metadata *metadata;
} XLA_FFI_Metadata_Extension;

typedef struct {
  XLA_FFI_START;
  XLA_FFI_DataType dtype;
  void *data;
  int64_t rank;
  int64_t *dims;
} XLA_FFI_Buffer;

typedef struct {
  const char *ptr;
  size_t len;
} XLA_FFI_ByteSpan;

typedef struct {
  XLA_FFI_DataType dtype;
  void *value;
} XLA_FFI_Scalar;

typedef struct {
  XLA_FFI_START;
  int64_t size;
  XLA_FFI_Enum *types;
  void **args;
} XLA_FFI_Args;

typedef struct {
  XLA_FFI_START;
  int64_t size;
  XLA_FFI_Enum *types;
  void **rets;
} XLA_FFI_Rets;

typedef struct {
  XLA_FFI_START;
  int64_t size;
  XLA_FFI_AttrType *types;
  XLA_FFI_ByteSpan **names;
  void **attrs;
} XLA_FFI_Attrs;

typedef struct XLA_FFI_Api XLA_FFI_Api;

typedef struct {
  XLA_FFI_START;
  const XLA_FFI_Api *api;
  XLA_FFI_ExecutionContext *ctx;
  XLA_FFI_Enum stage;
  XLA_FFI_Args args;
  XLA_FFI_Rets rets;
  XLA_FFI_Attrs attrs;
} XLA_FFI_CallFrame;

typedef struct {
  XLA_FFI_START;
  const char *message;
  XLA_FFI_Error_Code errc;
} XLA_FFI_Error_Create_Args;

typedef struct {
  XLA_FFI_START;
  XLA_FFI_Error *error;
} XLA_FFI_Error_Destroy_Args;

typedef struct {
  XLA_FFI_START;
  XLA_FFI_ExecutionContext *ctx;
  void (*task)(void *data);
  void *data;
} XLA_FFI_ThreadPool_Schedule_Args;

typedef struct {
  XLA_FFI_START;
  XLA_FFI_ExecutionContext *ctx;
  int64_t *num_threads;
} XLA_FFI_ThreadPool_NumThreads_Args;

typedef struct {
  XLA_FFI_START;
  XLA_FFI_ExecutionContext *ctx;
  void *stream;
} XLA_FFI_Stream_Get_Args;

/* Functions that are not called are pointers without a type. */
struct XLA_FFI_Api {
  XLA_FFI_START;
  XLA_FFI_Api_Version api_version;
  const void *internal_api;
  XLA_FFI_Error *(*XLA_FFI_Error_Create)(XLA_FFI_Error_Create_Args *);
  void *XLA_FFI_Error_GetMessage;
  void (*XLA_FFI_Error_Destroy)(XLA_FFI_Error_Destroy_Args *);
  void *XLA_FFI_Handler_Register;
  XLA_FFI_Error *(*XLA_FFI_Stream_Get)(XLA_FFI_Stream_Get_Args *);
  void *XLA_FFI_Type_Register;
  void *XLA_FFI_ExecutionContext_Get, *XLA_FFI_State_Set, *XLA_FFI_State_Get;
  void *XLA_FFI_DeviceMemory_Allocate, *XLA_FFI_DeviceMemory_Free;
  XLA_FFI_Error *(*XLA_FFI_ThreadPool_Schedule)(XLA_FFI_ThreadPool_Schedule_Args *);
  XLA_FFI_Error *(*XLA_FFI_ThreadPool_NumThreads)(XLA_FFI_ThreadPool_NumThreads_Args *);
};

#endif
