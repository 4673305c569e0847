// Nothing is exported: the library takes the place of functions of the C library when it is preloaded.
