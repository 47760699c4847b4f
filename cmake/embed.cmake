# pdarts_embed(TARGET PATTERN...): compiles the files that match into TARGET, as base::EmbeddedFiles() (base/embedded.h) lists them.
# The same file is the script that writes the source: cmake -DOUTPUT= -DROOT= -DFILES=A,B -P embed.cmake.
if(CMAKE_SCRIPT_MODE_FILE)
  string(REPLACE "," ";" FILES "${FILES}")  # a semicolon would not survive the build tool's command line
  set(entries "")
  foreach(file IN LISTS FILES)
    file(READ ${ROOT}/${file} content)
    string(FIND "${content}" ")embedded\"" end)
    if(NOT end EQUAL -1)
      message(FATAL_ERROR "${file} holds the text that ends a literal")
    endif()
    # Written one by one: a list of contents would break at their semicolons.
    string(APPEND entries "    {\"${file}\", R\"embedded(${content})embedded\"},\n")
  endforeach()
  file(WRITE ${OUTPUT} "#include \"base/embedded.h\"\n\nnamespace pdarts::base {\n\nstd::span<const EmbeddedFile> EmbeddedFiles() {\n"
       "  static constexpr EmbeddedFile kFiles[] = {\n${entries}  };\n  return kFiles;\n}\n\n}  // namespace pdarts::base\n")
  return()
endif()

function(pdarts_embed target)
  file(GLOB files RELATIVE ${CMAKE_SOURCE_DIR} CONFIGURE_DEPENDS ${ARGN})
  list(SORT files)
  list(TRANSFORM files PREPEND ${CMAKE_SOURCE_DIR}/ OUTPUT_VARIABLE paths)
  set(output ${CMAKE_BINARY_DIR}/embedded_files.cpp)
  string(REPLACE ";" "," list "${files}")
  add_custom_command(
    OUTPUT ${output}
    COMMAND ${CMAKE_COMMAND} -DOUTPUT=${output} -DROOT=${CMAKE_SOURCE_DIR} "-DFILES=${list}" -P ${CMAKE_SOURCE_DIR}/cmake/embed.cmake
    DEPENDS ${paths} ${CMAKE_SOURCE_DIR}/cmake/embed.cmake
    COMMENT "Embedding specs and stored records"
    VERBATIM)
  target_sources(${target} PRIVATE ${output})
endfunction()
