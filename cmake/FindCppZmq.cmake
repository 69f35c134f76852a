# Finds libzmq and the header-only cppzmq. Defines the target CppZmq::CppZmq.
find_path(CppZmq_INCLUDE_DIR zmq.hpp)
find_library(CppZmq_ZMQ_LIBRARY zmq)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(CppZmq REQUIRED_VARS CppZmq_ZMQ_LIBRARY CppZmq_INCLUDE_DIR
  REASON_FAILURE_MESSAGE "install libzmq3-dev and cppzmq-dev")

if(CppZmq_FOUND AND NOT TARGET CppZmq::CppZmq)
  add_library(CppZmq::CppZmq INTERFACE IMPORTED)
  set_target_properties(CppZmq::CppZmq PROPERTIES
    INTERFACE_INCLUDE_DIRECTORIES "${CppZmq_INCLUDE_DIR}"
    INTERFACE_LINK_LIBRARIES "${CppZmq_ZMQ_LIBRARY}")
endif()
mark_as_advanced(CppZmq_INCLUDE_DIR CppZmq_ZMQ_LIBRARY)
