# The SIMD kernels are one generic source compiled once per instruction set; each file src/kernels/isa/*.cpp names its own.
