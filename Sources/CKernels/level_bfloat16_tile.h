// Names of the bfloat16 kernels that tiles of both levels use.
/// Rows of a tile, channels of which rows are padded to a multiple, rows of a block, depth that a tile sums before its
/// sums go back to memory, panels whose sums are kept at once, and what the grid takes.
enum {
  TILE = 16,
  PAIR = CK_NARROW_PAIR,
  BLOCK_ROWS = CK_NARROW_ROWS,
  BLOCK_DEPTH = 512,
  BLOCK_PANELS = CK_NARROW_PANELS,
  GRID_FLOATS = CK_NARROW_GRID_FLOATS,
};

typedef uint16_t narrow;

INLINE size_t at_most(size_t a, size_t b) { return a < b ? a : b; }
