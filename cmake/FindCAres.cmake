# Finds c-ares. Defines the target CAres::CAres.
find_path(CAres_INCLUDE_DIR ares.h)
find_library(CAres_LIBRARY cares)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(CAres REQUIRED_VARS CAres_LIBRARY CAres_INCLUDE_DIR
  REASON_FAILURE_MESSAGE "install libc-ares-dev")

if(CAres_FOUND AND NOT TARGET CAres::CAres)
  add_library(CAres::CAres INTERFACE IMPORTED)
  set_target_properties(CAres::CAres PROPERTIES
    INTERFACE_INCLUDE_DIRECTORIES "${CAres_INCLUDE_DIR}"
    INTERFACE_LINK_LIBRARIES "${CAres_LIBRARY}")
endif()
mark_as_advanced(CAres_INCLUDE_DIR CAres_LIBRARY)
