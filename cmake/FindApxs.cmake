# Finds httpd's extension tool and asks it for the flags modules need. Defines the target Apxs::Module.
find_program(Apxs_EXECUTABLE NAMES apxs apxs2)

function(apxs_query variable out)
  execute_process(COMMAND ${Apxs_EXECUTABLE} -q ${variable}
    OUTPUT_VARIABLE answer OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  separate_arguments(answer)
  set(${out} "${answer}" PARENT_SCOPE)
endfunction()

if(Apxs_EXECUTABLE)
  apxs_query(INCLUDEDIR Apxs_INCLUDE_DIR)
  apxs_query(EXTRA_INCLUDES Apxs_EXTRA_INCLUDES)
  apxs_query(EXTRA_CPPFLAGS Apxs_DEFINITIONS)
  list(APPEND Apxs_INCLUDE_DIRS ${Apxs_INCLUDE_DIR})
  foreach(flag IN LISTS Apxs_EXTRA_INCLUDES)
    if(flag MATCHES "^-I(/.+)$")
      list(APPEND Apxs_INCLUDE_DIRS ${CMAKE_MATCH_1})
    endif()
  endforeach()
  list(REMOVE_DUPLICATES Apxs_INCLUDE_DIRS)
  list(REMOVE_ITEM Apxs_INCLUDE_DIRS /usr/include)
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Apxs REQUIRED_VARS Apxs_EXECUTABLE Apxs_INCLUDE_DIR
  REASON_FAILURE_MESSAGE "install apache2-dev, or configure with -DZMQSPDY_MODULE=OFF")

if(Apxs_FOUND AND NOT TARGET Apxs::Module)
  add_library(Apxs::Module INTERFACE IMPORTED)
  set_target_properties(Apxs::Module PROPERTIES
    INTERFACE_SYSTEM_INCLUDE_DIRECTORIES "${Apxs_INCLUDE_DIRS}"
    INTERFACE_INCLUDE_DIRECTORIES "${Apxs_INCLUDE_DIRS}"
    INTERFACE_COMPILE_OPTIONS "${Apxs_DEFINITIONS}")
endif()
mark_as_advanced(Apxs_EXECUTABLE)
