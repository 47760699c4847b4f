# pdarts_sources_digest(TARGET FOLDER...): compiles base::SourcesDigest() (base/sources_digest.h) into TARGET: what stands in these
# folders of src, the compiler and its flags. The same file is the script that writes the source.
if(CMAKE_SCRIPT_MODE_FILE)
  string(REPLACE "," ";" FILES "${FILES}")  # a semicolon would not survive the build tool's command line
  set(all "${COMPILER}")
  foreach(file IN LISTS FILES)
    file(SHA256 ${ROOT}/${file} digest)
    string(APPEND all "\n${file} ${digest}")
  endforeach()
  string(SHA256 digest "${all}")
  string(SUBSTRING ${digest} 0 12 digest)
  file(WRITE ${OUTPUT} "#include \"base/sources_digest.h\"\n\nnamespace pdarts::base {\n\n"
       "const char* SourcesDigest() { return \"${digest}\"; }\n\n}  // namespace pdarts::base\n")
  return()
endif()

function(pdarts_sources_digest target)
  list(TRANSFORM ARGN REPLACE "(.+)" "src/\\1/*.cpp;src/\\1/*.h;src/\\1/*.inc" OUTPUT_VARIABLE patterns)
  file(GLOB_RECURSE files RELATIVE ${CMAKE_SOURCE_DIR} CONFIGURE_DEPENDS ${patterns})
  list(SORT files)
  list(TRANSFORM files PREPEND ${CMAKE_SOURCE_DIR}/ OUTPUT_VARIABLE paths)
  set(output ${CMAKE_BINARY_DIR}/sources_digest.cpp)
  string(REPLACE ";" "," list "${files}")
  string(TOUPPER "${CMAKE_BUILD_TYPE}" build_type)
  set(compiler "${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION} ${CMAKE_CXX_FLAGS} ${CMAKE_CXX_FLAGS_${build_type}}")
  add_custom_command(
    OUTPUT ${output}
    COMMAND ${CMAKE_COMMAND} -DOUTPUT=${output} -DROOT=${CMAKE_SOURCE_DIR} "-DFILES=${list}" "-DCOMPILER=${compiler}"
            -P ${CMAKE_SOURCE_DIR}/cmake/sources_digest.cmake
    DEPENDS ${paths} ${CMAKE_SOURCE_DIR}/cmake/sources_digest.cmake
    COMMENT "Digesting the sources that results depend on"
    VERBATIM)
  target_sources(${target} PRIVATE ${output})
endfunction()
