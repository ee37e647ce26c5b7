// SPDX-License-Identifier: Apache-2.0

// The parts of HDF5 that Swift cannot import: type and property-list classes are
// macros that open the library first, and flags are macros with casts.

#ifndef CHDF5_SHIM_H
#define CHDF5_SHIM_H

#include <hdf5.h>
#include <stdlib.h>
#include <string.h>

// In thread-safe builds of HDF5, each thread has its own error printer and error stack, so each
// thread is silenced once. A file names the filters of its chunks. HDF5 would load code for them,
// so that is switched off unless the user has set HDF5_PLUGIN_PATH.
static inline void CHDF5_silence(void) {
  static _Thread_local int silenced = 0;
  if (!silenced) {
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    if (!getenv("HDF5_PLUGIN_PATH")) H5PLset_loading_state(0);
    silenced = 1;
  }
}

// The file named by the last refused link to another file, in this thread; empty if no link was
// refused.
static inline char *CHDF5_refused_link(void) {
  static _Thread_local char name[1024] = "";
  return name;
}

static inline herr_t CHDF5_refuse_link(
    const char *parent, const char *group, const char *file, const char *object,
    unsigned *flags, hid_t access, void *data) {
  (void)parent, (void)group, (void)object, (void)flags, (void)access, (void)data;
  strncpy(CHDF5_refused_link(), file, 1023);
  return -1;
}

// Properties that do not follow links to other files.
static inline hid_t CHDF5_own_file_only(hid_t list) {
  CHDF5_refused_link()[0] = 0;
  if (list >= 0) H5Pset_elink_cb(list, CHDF5_refuse_link, NULL);
  return list;
}
static inline hid_t CHDF5_LINK_ACCESS(void) { return H5P_LINK_ACCESS; }
static inline hid_t CHDF5_GROUP_ACCESS(void) { return H5P_GROUP_ACCESS; }

// Memory types.
static inline hid_t CHDF5_NATIVE_FLOAT(void) { return H5T_NATIVE_FLOAT; }
static inline hid_t CHDF5_NATIVE_DOUBLE(void) { return H5T_NATIVE_DOUBLE; }
static inline hid_t CHDF5_NATIVE_INT8(void) { return H5T_NATIVE_INT8; }
static inline hid_t CHDF5_NATIVE_INT16(void) { return H5T_NATIVE_INT16; }
static inline hid_t CHDF5_NATIVE_INT32(void) { return H5T_NATIVE_INT32; }
static inline hid_t CHDF5_NATIVE_INT64(void) { return H5T_NATIVE_INT64; }
static inline hid_t CHDF5_NATIVE_UINT8(void) { return H5T_NATIVE_UINT8; }
static inline hid_t CHDF5_NATIVE_UINT16(void) { return H5T_NATIVE_UINT16; }
static inline hid_t CHDF5_NATIVE_UINT32(void) { return H5T_NATIVE_UINT32; }
static inline hid_t CHDF5_NATIVE_UINT64(void) { return H5T_NATIVE_UINT64; }
static inline hid_t CHDF5_C_S1(void) { return H5T_C_S1; }
static inline size_t CHDF5_VARIABLE(void) { return H5T_VARIABLE; }

// Property-list classes.
static inline hid_t CHDF5_FILE_ACCESS(void) { return H5P_FILE_ACCESS; }
static inline hid_t CHDF5_FILE_CREATE(void) { return H5P_FILE_CREATE; }
static inline hid_t CHDF5_GROUP_CREATE(void) { return H5P_GROUP_CREATE; }
static inline hid_t CHDF5_DATASET_ACCESS(void) { return H5P_DATASET_ACCESS; }
static inline hid_t CHDF5_DATASET_CREATE(void) { return H5P_DATASET_CREATE; }

// Identifiers and flags, in the types of their parameters.
static inline hid_t CHDF5_DEFAULT(void) { return H5P_DEFAULT; }
static inline hid_t CHDF5_ALL(void) { return H5S_ALL; }
static inline hsize_t CHDF5_UNLIMITED(void) { return H5S_UNLIMITED; }
static inline unsigned CHDF5_ACC_RDONLY(void) { return H5F_ACC_RDONLY; }
static inline unsigned CHDF5_ACC_RDWR(void) { return H5F_ACC_RDWR; }
static inline unsigned CHDF5_ACC_TRUNC(void) { return H5F_ACC_TRUNC; }
static inline unsigned CHDF5_ACC_EXCL(void) { return H5F_ACC_EXCL; }
static inline unsigned CHDF5_LOCAL_OBJECTS(void) {
  return H5F_OBJ_LOCAL | H5F_OBJ_GROUP | H5F_OBJ_DATASET | H5F_OBJ_ATTR | H5F_OBJ_DATATYPE;
}

// The address of an object in its file. HDF5 1.12 has another structure with the same meaning.
static inline herr_t CHDF5_object_address(
    hid_t location, const char *name, hid_t access, haddr_t *address) {
#if H5_VERSION_GE(1, 12, 0)
  H5O_info1_t info;
#else
  H5O_info_t info;
#endif
  herr_t status = H5Oget_info_by_name2(location, name, &info, H5O_INFO_BASIC, access);
  if (status >= 0) *address = info.addr;
  return status;
}

// Calls `visit` with the name of each link of a group, in the order in which the file has them. A
// call for each index would search from the start for each.
struct CHDF5_name_visitor {
  void (*visit)(const char *name, void *context);
  void *context;
};

static inline herr_t CHDF5_visit_name(
    hid_t group, const char *name, const H5L_info_t *info, void *data) {
  (void)group, (void)info;
  struct CHDF5_name_visitor *visitor = (struct CHDF5_name_visitor *)data;
  visitor->visit(name, visitor->context);
  return 0;
}

static inline herr_t CHDF5_visit_names(
    hid_t group, void (*visit)(const char *name, void *context), void *context) {
  struct CHDF5_name_visitor visitor = {visit, context};
  return H5Literate(group, H5_INDEX_NAME, H5_ITER_NATIVE, NULL, CHDF5_visit_name, &visitor);
}

#endif
