# The SIMD kernels: each src/kernels/simd/NAME.inc is one generic source, compiled once per instruction set, with that set's
# flags, into namespace pdarts::kernels::ISA. Adding a kernel is adding an .inc file; run-time dispatch is kernels/simd/tables.h.
set(PDARTS_ISA_FLAGS_scalar "-O2")
set(PDARTS_ISA_FLAGS_avx2 "-O2;-mavx2;-mfma")
# GCC 12 warns of its own undefined-vector intrinsics (bug 105593).
set(PDARTS_ISA_FLAGS_avx512 "-O2;-mavx512f;-mavx512bw;-mavx512dq;-mavx512vl;-mfma;-mprefer-vector-width=512;-Wno-uninitialized;-Wno-maybe-uninitialized")
# Of the rows of a 3x3 GCC makes each address from the one before, by an addition for each load, where the load could add
# by itself. With these vectors additions take the multiply-adds' ports: it makes those rows 6% slower.
set(PDARTS_KERNEL_FLAGS_depthwise_3x3_avx512 "$<$<CXX_COMPILER_ID:GNU>:-fno-tree-slsr>")
file(GLOB PDARTS_SIMD_SOURCES CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/kernels/simd/*.inc)
foreach(source ${PDARTS_SIMD_SOURCES})
  get_filename_component(name ${source} NAME_WE)
  foreach(isa scalar avx2 avx512)
    set(instance ${CMAKE_BINARY_DIR}/kernels/${name}_${isa}.cpp)
    file(CONFIGURE OUTPUT ${instance} CONTENT "#define PD_ISA @isa@\n#include \"kernels/simd/@name@.inc\"\n" @ONLY)
    set_source_files_properties(${instance} PROPERTIES COMPILE_OPTIONS "${PDARTS_ISA_FLAGS_${isa}};${PDARTS_KERNEL_FLAGS_${name}_${isa}}" OBJECT_DEPENDS ${source})
    target_sources(pdarts_core PRIVATE ${instance})
  endforeach()
endforeach()
